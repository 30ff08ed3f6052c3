"use strict";
/** What a cluster promises on every broker, as tests: see `withBroker` in cluster-test.js. */
const assert = require("node:assert/strict");
const fs = require("node:fs");

const { BIN, until } = require("./broker");
const { JOB, bothRun, checkAll, checkLost } = require("./cluster-test");
const { runCommand } = require("./command");

/** Both hosts run events, and are listed. @param {string} mode */
const runsOnBoth =
  (mode) =>
  async ({ broker, env, at, ran }) => {
    const own = { ...env, MODE: mode, EVENTS: "300", TIME: "2", GATE: at("gate") };
    const hosts = ["a", "b"].map((name) => broker.host(name, JOB, own));
    const master = broker.master(JOB, own);
    await until(bothRun(ran), "both hosts run events");
    fs.writeFileSync(at("gate"), "");
    const result = await master.result();
    checkAll(result, 300);
    assert.deepEqual(result.failures, []);
    if (mode === "MapReduce") assert.equal(result.ids.length, 2);
    if (mode === "stream") {
      const order = result.results.map(([data]) => data);
      assert.deepEqual(
        order,
        Array.from({ length: 300 }, (_, data) => data),
      );
    }
    if (mode === "pool") {
      assert.deepEqual(result.called, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
      assert.equal(result.summed, 299 * 300);
    }
    const { stdout } = await runCommand(process.execPath, [BIN, "hosts", "--cluster", broker.url]);
    assert.match(stdout, /^a: 1 worker,/m);
    assert.match(stdout, /2 hosts/);
    for (const host of hosts) host.kill("SIGTERM");
    for (const host of hosts) assert.equal(await host.ended, 0);
  };

/** @param {number | undefined} retries */
const losesKilledHost =
  (retries) =>
  async ({ broker, env, ran }) => {
    const own = { ...env, EVENTS: "200", TIME: "20" };
    if (retries !== undefined) own.RETRIES = String(retries);
    const [a] = ["a", "b"].map((name) => broker.host(name, JOB, own));
    const master = broker.master(JOB, own);
    await until(bothRun(ran), "both hosts run events");
    a.kill("SIGKILL");
    const result = await master.result();
    checkLost(result, ran(), "a", 200, retries);
  };

/** Hosts stop the events of a master that was killed, clean up after it, and serve the next. */
const outlivesMaster = async ({ broker, env, at, ran }) => {
  const own = { ...env, GATE: at("gate") };
  const hosts = ["a", "b"].map((name) => broker.host(name, JOB, own));
  const master = broker.master(JOB, own);
  await until(bothRun(ran), "both hosts run events");
  master.kill("SIGKILL");
  await Promise.all(hosts.map((host) => host.says(/the master (is gone|has finished)/)));
  await until(async () => (await broker.keys()).length === 0, "keys are left");
  // They serve the next one.
  fs.writeFileSync(at("gate"), "");
  const next = await broker.master(JOB, own).result();
  checkAll(next, 100);
};

/** The broker is killed, and starts again with what it has written. */
const outlivesRestart = async ({ broker, env, ran }) => {
  const own = { ...env, EVENTS: "200", TIME: "15" };
  for (const name of ["a", "b"]) broker.host(name, JOB, own);
  const master = broker.master(JOB, own);
  await until(bothRun(ran), "both hosts run events");
  await broker.kill();
  await broker.run();
  const result = await master.result();
  checkAll(result, 200);
  assert.deepEqual(result.failures, []);
  assert.equal(ran().length, 200);
};

/** The broker forgets all that it knew, three times. */
const outlivesForgetting = async ({ broker, env, ran }) => {
  const own = { ...env, EVENTS: "200", TIME: "15" };
  for (const name of ["a", "b"]) broker.host(name, JOB, own);
  const master = broker.master(JOB, own);
  for (const events of [20, 60, 100]) {
    await until(() => bothRun(ran)() && ran().length > events, "both hosts run events");
    await broker.empty();
  }
  const result = await master.result();
  checkAll(result, 200);
  assert.deepEqual(result.failures, []);
  assert.equal(ran().length, 200);
};

module.exports = {
  runsOnBoth,
  losesKilledHost,
  outlivesMaster,
  outlivesRestart,
  outlivesForgetting,
};
