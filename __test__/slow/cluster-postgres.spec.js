"use strict";
/**
 * Promise: a cluster does the same on PostgreSQL as on Redis: events run on all hosts, each ends exactly once, whatever happens to
 * workers, hosts, the server or the master, and nothing stays in the database but two schemas.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { describe, it } = require("node:test");

const { isInstalled } = require("../../examples/backup/server");
const { until } = require("../support/broker");
const { JOB, bothRun, checkAll, checkLost, withBroker } = require("../support/cluster-test");
const { install } = require("../support/debian");
const { TestPostgres } = require("../support/postgres-broker");

if (!isInstalled()) install("postgresql");

const withPostgres = (test) => withBroker([], test, TestPostgres);

describe("a program over two hosts, on PostgreSQL", {
  skip: isInstalled() ? false : "there is no PostgreSQL server here",
  concurrency: 4,
}, () => {
  for (const mode of ["MapReduce", "pool"]) {
    it(
      `runs ${mode} on both, and leaves nothing`,
      withPostgres(async ({ broker, env, at, ran }) => {
        const own = { ...env, MODE: mode, EVENTS: "300", TIME: "2", GATE: at("gate") };
        const hosts = ["a", "b"].map((name) => broker.host(name, JOB, own));
        const master = broker.master(JOB, own);
        await until(bothRun(ran), "both hosts run events");
        fs.writeFileSync(at("gate"), "");
        const result = await master.result();
        checkAll(result, 300);
        assert.deepEqual(result.failures, []);
        for (const host of hosts) host.kill("SIGTERM");
        for (const host of hosts) assert.equal(await host.ended, 0, host.output);
      }),
    );
  }

  for (const retries of [undefined, 1]) {
    const has = retries === undefined ? "without retries" : "with retries";
    it(
      `loses with a killed host what that may have begun, ${has}`,
      withPostgres(async ({ broker, env, ran }) => {
        const own = { ...env, EVENTS: "200", TIME: "20" };
        if (retries !== undefined) own.RETRIES = String(retries);
        const [a] = ["a", "b"].map((name) => broker.host(name, JOB, own));
        const master = broker.master(JOB, own);
        await until(bothRun(ran), "both hosts run events");
        a.kill("SIGKILL");
        checkLost(await master.result(), ran(), "a", 200, retries);
      }),
    );
  }

  it(
    "has hosts stop the events of a master that was killed, and clean up after it",
    withPostgres(async ({ broker, env, at, ran }) => {
      const own = { ...env, GATE: at("gate") };
      const hosts = ["a", "b"].map((name) => broker.host(name, JOB, own));
      const master = broker.master(JOB, own);
      await until(bothRun(ran), "both hosts run events");
      master.kill("SIGKILL");
      await Promise.all(
        hosts.map((host) => host.says(/the master (is gone|has ended): stops its events/)),
      );
      await until(async () => (await broker.keys()).length === 0, "something is left");
    }),
  );

  it(
    "loses nothing where the server is killed and starts again",
    withPostgres(async ({ broker, env, ran }) => {
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
    }),
  );

  it(
    "loses nothing where the server has lost all that it knew",
    withPostgres(async ({ broker, env, ran }) => {
      const own = { ...env, EVENTS: "200", TIME: "15" };
      for (const name of ["a", "b"]) broker.host(name, JOB, own);
      const master = broker.master(JOB, own);
      await until(() => bothRun(ran)() && ran().length > 50, "both hosts run events");
      await broker.empty();
      const result = await master.result();
      checkAll(result, 200);
      assert.deepEqual(result.failures, []);
      assert.equal(ran().length, 200);
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
