"use strict";
/**
 * Promise: over several machines a lock has one holder, whatever machine asks; tokens rise with each grant; a dead worker's lock is free at
 * once, and that of a lost host when it is given up; what is asked outlives a broker that restarts or forgets; and what cannot work there
 * says so.
 *
 * The broker is a real one, and hosts are processes.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { before, describe, it } = require("node:test");

const { until } = require("../support/broker");
const { LEASE, withBroker } = require("../support/cluster-test");
const { install } = require("../support/debian");

const PROGRAM = path.join(__dirname, "..", "fixtures", "cluster", "locks.js");

/** No test waits for it. */
const FOREVER = 600_000;

before(() => install("redis-server"));

/** Runs a scenario with two hosts, and sees that nothing is left. */
const withHosts = (scenario, { lease = FOREVER, hosts = ["a", "b"], ...env }, test) =>
  withBroker([], async ({ broker, env: { RAN }, cluster, at }) => {
    const CLUSTER = JSON.stringify({ ...cluster, lease });
    const own = { CLUSTER, RAN, GATE: at("gate"), SCENARIO: scenario, ...env };
    const started = hosts.map((name) => broker.host(name, PROGRAM, own));
    await Promise.all(started.map((host) => host.says(/ready/)));
    const master = broker.master(PROGRAM, own);
    const ran = () => fs.readFileSync(RAN, "utf8").split("\n").filter(Boolean);
    const open = () => fs.writeFileSync(own.GATE, "");
    await test({ broker, master, hosts: started, ran, open });
  });

const hostsOf = (all) => [...new Set(all.map(({ host }) => host))].sort();

describe("locks over two hosts", { concurrency: 4 }, () => {
  it(
    "have one holder at a time, and tokens that rise",
    withHosts("deposits", { WORKERS: "1" }, async ({ master, ran }) => {
      const { own, all, sum } = await master.result();
      assert.equal(sum, 90);
      assert.deepEqual(hostsOf(all), ["a", "b", "own"]);
      const had = ran().filter((line) => / had /.test(line));
      const tokens = had.map((line) => Number(line.split(" ")[2]));
      assert.deepEqual(
        tokens,
        [...tokens].sort((a, b) => a - b),
      );
      assert.equal(new Set([own, ...tokens]).size, 91);
    }),
  );

  it(
    "share stores, limiters and work that is done once, and refuse what is one machine's",
    withHosts("share", { WORKERS: "1" }, async ({ master, ran }) => {
      const { all, count, own } = await master.result();
      assert.equal(count, 30);
      assert.deepEqual(hostsOf(all), ["a", "b", "own"]);
      assert.equal(new Set(all.map(({ made }) => made)).size, 1);
      assert.deepEqual(
        all.map(({ pending }) => pending),
        Array(30).fill(true),
      );
      assert.equal(ran().filter((line) => line.endsWith("made")).length, 1);
      for (const code of [own, ...all.flatMap(({ refused }) => refused)])
        assert.match(code, /^ERR_SONIC_CLUSTER sync\.(counter|barrier|latch) does not work over/);
    }),
  );

  it(
    "are free at once when their worker is dead, with a greater token",
    withHosts("hold", { HOW: "dies" }, async ({ master, ran }) => {
      const { next, first } = await master.result();
      assert.equal(first[0].code, "ERR_SONIC_WORKER_EXIT");
      const [, , token] = ran()[0].split(" ");
      assert.ok(next > Number(token), `${next} after ${token}`);
    }),
  );

  it(
    "of a host that is lost are free when it is given up, with a greater token",
    withHosts("hold", { HOW: "stays", lease: LEASE }, async ({ master, hosts, ran, open }) => {
      await until(() => ran().some((line) => /next/.test(line)), "the lock is held and wanted");
      const [holder, , token] = ran()[0].split(" ");
      const host = hosts["ab".indexOf(holder)];
      host.kill("SIGSTOP");
      const { next, first } = await master.result();
      assert.equal(first[0].code, "ERR_SONIC_HOST_LOST");
      assert.ok(next > Number(token), `${next} after ${token}`);
      // It comes back late, and takes nothing from anybody.
      open();
      host.kill("SIGCONT");
    }),
  );

  it(
    "go on when the broker has restarted, and has forgotten all",
    withHosts("waits", { lease: LEASE }, async ({ broker, master, ran, open }) => {
      await until(() => ran().some((line) => /waiting/.test(line)), "others wait for the lock");
      await broker.kill();
      open();
      await broker.run();
      const { all } = await master.result();
      assert.equal(all.length, 8);
      assert.equal(new Set(all.map(({ token }) => token)).size, 8);
    }),
  );

  it(
    "reject where requests of several machines wait for each other in a circle",
    withHosts("cross", {}, async ({ master, ran, open }) => {
      await until(() => ran().length === 2, "both have their first lock");
      open();
      const all = await master.result();
      const [failed, ...others] = all.filter((one) => one !== "both");
      assert.deepEqual(others, []);
      assert.equal(failed.code, "ERR_SONIC_DEADLOCK");
    }),
  );

  it(
    "refuse values that are too large for the way, in both directions",
    withHosts("large", { hosts: ["a"] }, async ({ master }) => {
      const { small, there, here } = await master.result();
      assert.equal(small, 1024);
      for (const { code, message } of [there, here]) {
        assert.equal(code, "ERR_SONIC_TOO_LARGE");
        assert.match(message, /the most that goes to another machine is 1048576/);
      }
    }),
  );
});
