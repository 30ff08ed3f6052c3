"use strict";
/** What the tests of a cluster share: each has a broker, hosts and a folder of its own, of which nothing may be left. */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { TestBroker, until } = require("./broker");

const JOB = path.join(__dirname, "..", "fixtures", "cluster", "job.js");

/** Long enough for a busy machine's processes, which get no time for seconds, and short enough to wait for. */
const LEASE = 4000;

/** Tests that each have a broker and hosts of their own go on beside each other: most of them wait. */
const TOGETHER = { concurrency: 6 };

/** Runs a test with a broker, and sees that nothing is left. */
const withBroker =
  (options, test, Broker = TestBroker) =>
  async () => {
    const broker = await Broker.start(options);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-cluster-"));
    const at = (name) => path.join(folder, name);
    const cluster = { url: broker.url, lease: LEASE, timeout: 40_000 };
    const env = { CLUSTER: JSON.stringify(cluster), RAN: at("ran") };
    fs.writeFileSync(env.RAN, "");
    const ran = () =>
      fs
        .readFileSync(env.RAN, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(" "))
        .map(([host, data]) => ({ host, data: Number(data) }));
    try {
      await test({ broker, env, cluster, at, ran });
      await until(async () => (await broker.keys()).length === 0, "keys are left");
    } catch (error) {
      for (const { output } of broker.programs) console.error(output);
      console.error(await broker.keys());
      throw error;
    } finally {
      await broker.end();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  };

/** Each event has ended once, those that ended well with the right response. */
function checkAll({ results, failures }, events) {
  for (const [data, double] of results) assert.equal(double, data * 2);
  const ended = [...results.map(([data]) => data), ...failures.map(({ data }) => data)];
  assert.deepEqual(
    ended.sort((a, b) => a - b),
    Array.from({ length: events }, (_, data) => data),
  );
}

const bothRun = (ran) => () => new Set(ran().map(({ host }) => host)).size === 2;

/** A host was lost: what it may have begun has failed, or has run again. */
function checkLost(result, ran, host, events, retries) {
  checkAll(result, events);
  const begun = ran.filter((one) => one.host === host).map(({ data }) => data);
  for (const { data, code } of result.failures) {
    assert.equal(code, "ERR_SONIC_HOST_LOST");
    // It goes alone to its host, where one runs and one waits.
    assert.equal(ran.filter((one) => one.data === data && one.host !== host).length, 0);
  }
  if (retries === undefined) {
    assert.equal(new Set(ran.map(({ data }) => data)).size, ran.length, "nothing has run twice");
    assert.ok(result.failures.length <= 2, `${result.failures.length} events were lost`);
  } else assert.deepEqual(result.failures, []);
  assert.ok(begun.length > 0);
}

module.exports = { JOB, LEASE, TOGETHER, bothRun, checkAll, checkLost, withBroker };
