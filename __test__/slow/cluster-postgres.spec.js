"use strict";
/**
 * Promise: a cluster does the same on PostgreSQL as on Redis: events run on all hosts, each ends exactly once, whatever happens to
 * workers, hosts, the server or the master, and nothing stays in the database but two schemas.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");

const { isInstalled } = require("../../examples/backup/server");
const { Broker } = require("../../lib/cluster/broker");
const cases = require("../support/cluster-cases");
const { JOB, withBroker } = require("../support/cluster-test");
const { install } = require("../support/debian");
const { until } = require("../support/broker");
const { TestPostgres } = require("../support/postgres-broker");

const RANDOM = path.join(__dirname, "..", "fixtures", "cluster", "random-flows.js");

if (!isInstalled()) install("postgresql");

const withPostgres = (test) => withBroker([], test, TestPostgres);

describe("a program over two hosts, on PostgreSQL", {
  skip: isInstalled() ? false : "there is no PostgreSQL server here",
  concurrency: 4,
}, () => {
  for (const mode of ["MapReduce", "pool"])
    it(`runs ${mode} on both, and leaves nothing`, withPostgres(cases.runsOnBoth(mode)));

  for (const retries of [undefined, 1]) {
    const has = retries === undefined ? "without retries" : "with retries";
    it(
      `loses with a killed host what that may have begun, ${has}`,
      withPostgres(cases.losesKilledHost(retries)),
    );
  }

  it(
    "has hosts stop the events of a master that was killed, and clean up after it",
    withPostgres(cases.outlivesMaster),
  );
  it(
    "loses nothing where the server is killed and starts again",
    withPostgres(cases.outlivesRestart),
  );
  it(
    "loses nothing where the server has lost all that it knew",
    withPostgres(cases.outlivesForgetting),
  );

  it(
    "has queues and workers that are made while the server is away wait for it",
    withPostgres(async ({ broker: server, cluster }) => {
      const options = { ...cluster, prefix: "sonic" };
      const broker = await new Broker(options, () => {}).open();
      try {
        await server.kill();
        const queue = broker.queue("jobs");
        const heard = new Promise((resolve) => {
          broker.worker("jobs", 1, async (what, data) => resolve([what, data]));
        });
        const added = broker.add(queue, "job", { data: 1 });
        await until(() => !broker.isReady, "the server is missed");
        await server.run();
        assert.deepEqual(await Promise.race([heard, broker.failed]), ["job", { data: 1 }]);
        await added;
        await broker.remove(queue);
      } finally {
        await broker.close();
      }
    }),
  );

  it(
    "runs flows, made by chance",
    withPostgres(async ({ broker, env, at }) => {
      const own = { ...env, COUNT: "8", SERIALIZATION: "json", SPILL: at("spill") };
      for (const name of ["a", "b"])
        broker.host(name, RANDOM, own, ["--tags", "a,b", "--spill-dir", own.SPILL]);
      const { all } = await broker.master(RANDOM, own).result();
      for (const { wrong, entries } of all) assert.deepEqual([wrong, entries > 0], [[], true]);
    }),
  );

  it(
    "says why where the password is wrong",
    withPostgres(async ({ broker, env }) => {
      const url = broker.url.replace(/:[^:@]*@/, ":wrong@");
      const own = { ...env, CLUSTER: JSON.stringify({ url }) };
      const { error } = await broker.master(JOB, own).result();
      assert.equal(error.code, "ERR_SONIC_BROKER");
      assert.match(error.message, /refuses this process: password authentication failed/);
      assert.doesNotMatch(error.message, /wrong/);
      assert.equal(await broker.host("a", JOB, own).ended, 3);
    }),
  );
});
