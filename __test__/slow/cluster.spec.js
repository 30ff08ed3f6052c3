"use strict";
/**
 * Promise: a program's events run on all hosts, and each ends exactly once, whatever happens to workers, hosts, the broker or the
 * master. What a lost host may have begun fails, or runs again where `retries` allows. Nothing stays in the broker, and no process.
 *
 * The broker is a real one, each with a folder of its own, and hosts are processes.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { before, describe, it } = require("node:test");
const { pathToFileURL } = require("node:url");

const { until } = require("../support/broker");
const {
  JOB,
  TOGETHER,
  bothRun,
  checkAll,
  checkLost,
  withBroker,
} = require("../support/cluster-test");
const cases = require("../support/cluster-cases");
const { runCommand } = require("../support/command");
const { install } = require("../support/debian");
const { MODULES, ROOT, Workspace } = require("../support/workspace");

before(() => install("redis-server"));

describe("a program over two hosts", TOGETHER, () => {
  for (const mode of ["MapReduce", "stream", "pool"]) {
    it(`runs ${mode} on both, and leaves nothing`, withBroker([], cases.runsOnBoth(mode)));
  }

  it(
    "lets a host leave in the middle, with nothing lost and nothing run twice",
    withBroker([], async ({ broker, env, ran }) => {
      const own = { ...env, EVENTS: "300", TIME: "15" };
      const [a] = ["a", "b"].map((name) => broker.host(name, JOB, own));
      const master = broker.master(JOB, own);
      await until(bothRun(ran), "both hosts run events");
      a.kill("SIGTERM");
      const result = await master.result();
      checkAll(result, 300);
      assert.deepEqual(result.failures, []);
      assert.equal(await a.ended, 0);
      assert.equal(ran().length, 300);
    }),
  );
});

describe("a fault", TOGETHER, () => {
  for (const retries of [undefined, 1]) {
    const has = retries === undefined ? "without retries" : "with retries";
    it(
      `of a worker on a host costs the event that ran, ${has}`,
      withBroker([], async ({ broker, env }) => {
        const own = { ...env, EVENTS: "200", CRASHES: "70" };
        if (retries !== undefined) own.RETRIES = String(retries);
        broker.host("a", JOB, own);
        const result = await broker.master(JOB, own).result();
        checkAll(result, 200);
        const failed = result.failures.map(({ data }) => data);
        assert.deepEqual(failed, retries === undefined ? [70] : []);
      }),
    );

    it(
      `that kills a host costs what it may have begun, ${has}`,
      withBroker([], cases.losesKilledHost(retries)),
    );

    it(
      `that stops a host beyond its lease, and lets it go on, ${has}`,
      withBroker([], async ({ broker, env, at, ran }) => {
        const own = { ...env, EVENTS: "100", TIME: "20", GATE: at("gate") };
        if (retries !== undefined) own.RETRIES = String(retries);
        const [a] = ["a", "b"].map((name) => broker.host(name, JOB, own));
        const master = broker.master(JOB, { ...own, QUIET: "" });
        await until(bothRun(ran), "both hosts run events");
        a.kill("SIGSTOP");
        await master.says(/the host a is lost/);
        fs.writeFileSync(at("gate"), "");
        a.kill("SIGCONT");
        await a.says(/has given this host up/);
        const result = await master.result();
        checkLost(result, ran(), "a", 100, retries);
      }),
    );
  }

  it(
    "that kills the master has hosts stop its events, and clean up after it",
    withBroker([], cases.outlivesMaster),
  );

  for (const fsync of ["always", "everysec"]) {
    it(
      `that restarts the broker loses nothing, where it writes to disk ${fsync}`,
      withBroker(["--appendonly", "yes", "--appendfsync", fsync], cases.outlivesRestart),
    );
  }

  it("that empties the broker loses nothing", withBroker([], cases.outlivesForgetting));

  it(
    "that takes the broker away for too long ends both sides, and says why",
    withBroker([], async ({ broker, env, cluster, ran, at }) => {
      const own = {
        ...env,
        CLUSTER: JSON.stringify({ ...cluster, timeout: 10_000 }),
        GATE: at("gate"),
      };
      const host = broker.host("a", JOB, own);
      const master = broker.master(JOB, own);
      await until(() => ran().length > 0, "the host runs events");
      await broker.kill();
      const { error } = await master.result();
      assert.equal(error.code, "ERR_SONIC_BROKER");
      assert.match(error.message, /has been away for 10000 ms, which is cluster.timeout/);
      assert.equal(await host.ended, 3);
      assert.match(host.output, /is away: waits for it/);
      // What its death has left is nobody's.
      await broker.run();
    }),
  );
});

describe("npm run demo:cluster", () => {
  it("counts every file once, though a host is killed", async () => {
    const demo = path.join(ROOT, "examples", "cluster", "demo.js");
    const folder = path.join(MODULES, "typescript");
    const { code, output } = await runCommand(process.execPath, [demo, folder]);
    assert.match(output, /killed the host two/);
    assert.match(output, /every file was counted once/);
    assert.equal(code, 0, output);
  });
});

describe("what cannot work", TOGETHER, () => {
  it(
    "is a host with another program: both sides say so",
    withBroker([], async ({ broker, env, cluster, at }) => {
      const other = at("job.js");
      const text = fs
        .readFileSync(JOB, "utf8")
        .replace("../../..", path.join(__dirname, "..", ".."));
      fs.writeFileSync(other, text);
      const own = { ...env, CLUSTER: JSON.stringify({ ...cluster, timeout: 6000 }) };
      const host = broker.host("a", other, own);
      await host.says(/ready/);
      const { error } = await broker.master(JOB, own).result();
      assert.equal(error.code, "ERR_SONIC_NO_HOST");
      const [, theirs, here] = /refused: .* runs another program: (.*); here is (.*)\. Start/.exec(
        host.output,
      );
      assert.notEqual(theirs, here);
      assert.ok(error.message.includes(theirs) && error.message.includes(here), error.message);
    }),
  );

  it(
    "is a wrong password",
    withBroker(["--requirepass", "secret"], async ({ broker, env }) => {
      const url = broker.url.replace("://", "://:wrong@");
      const own = { ...env, CLUSTER: JSON.stringify({ url }) };
      const { error } = await broker.master(JOB, own).result();
      assert.equal(error.code, "ERR_SONIC_BROKER");
      assert.match(error.message, /refuses this process: WRONGPASS/);
      assert.doesNotMatch(error.message, /wrong@/);
      const host = broker.host("a", JOB, own);
      assert.equal(await host.ended, 3);
    }),
  );

  it(
    "is a broker that forgets when its memory is full",
    withBroker(["--maxmemory-policy", "allkeys-lru"], async ({ broker, env }) => {
      const { error } = await broker.master(JOB, env).result();
      assert.equal(error.code, "ERR_SONIC_BROKER");
      assert.match(error.message, /maxmemory-policy allkeys-lru.*set it to noeviction/);
    }),
  );

  it(
    "is a program in TypeScript where Node.js does not run it: host and master say what to do",
    withBroker([], async ({ broker, env, cluster, at }) => {
      const program = at("job.tsx");
      fs.writeFileSync(
        program,
        `const { createPool } = require(${JSON.stringify(ROOT)});
         createPool({ one: () => 1 as number }, { cluster: ${JSON.stringify(cluster)}, numWorkers: 0 })
           .then((pool) => pool.call("one", 1).finally(() => pool.close()))
           .catch(({ message }) => console.log("RESULT " + JSON.stringify({ message })));`,
      );
      const host = broker.host("a", program, env);
      const NODE_OPTIONS = `--import=${pathToFileURL(require.resolve("tsx"))}`;
      const { message } = await broker.master(program, { ...env, NODE_OPTIONS }).result();
      assert.match(message, /install tsx .*; worker \d+ exited with code 1/);
      await host.says(/cannot run the program: .*a host with NODE_OPTIONS="--import tsx"/);
    }),
  );

  it("is a package that is not installed", async () => {
    const workspace = new Workspace("cluster").installOurs();
    try {
      const file = workspace.write(
        "job.js",
        `const { MapReduce } = require("@tiemma/sonic-distribute");
         MapReduce(async () => {}, [() => 1], () => {}, {}, { cluster: "redis://127.0.0.1:1" })
           .catch(({ code, message }) => console.log(code, message));`,
      );
      const { stdout } = await runCommand(process.execPath, [file], { env: { QUIET: "1" } });
      assert.match(stdout, /ERR_SONIC_CLUSTER_PACKAGES.*bullmq.*npm install bullmq@6 ioredis/);
    } finally {
      workspace.remove();
    }
  });
});
