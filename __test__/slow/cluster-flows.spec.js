"use strict";
/**
 * Promise: flows do over a cluster what they do on one machine, but for what is refused at once. Events of nodes run in the workers of all
 * hosts that have their tags; what a lost host may have run fails in the node in which it was, or runs again.
 *
 * The broker is a real one, and hosts are processes.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { before, describe, it } = require("node:test");

const { until } = require("../support/broker");
const { TOGETHER, bothRun, withBroker } = require("../support/cluster-test");
const { install } = require("../support/debian");
const { scenarios } = require("../support/flow-scenarios");

const programs = path.join(__dirname, "..", "fixtures", "cluster");
const RANDOM = path.join(programs, "random-flows.js");
const SCENARIOS = path.join(programs, "flow-scenarios.js");
const JOB = path.join(programs, "flow-job.js");
const HOPS = path.join(programs, "hops.js");
const PIPELINE = path.join(programs, "pipeline.js");

/** `Map` runs further ahead over a cluster, and that of a stream in order too. */
const NAMES = Object.keys(scenarios).filter((name) => name !== "heldBack");

/** Hosts for all tags, of which no worker has all that a flow may ask for. */
const start = (broker, file, env) =>
  [
    ["a", "a"],
    ["b", "b"],
    ["ab", "a,b"],
  ].map(([name, tags]) => broker.host(name, file, env, ["--tags", tags, "--spill-dir", env.SPILL]));

describe("flows over a cluster", TOGETHER, () => {
  before(() => install("redis-server"));

  for (const serialization of ["json", "advanced"])
    it(
      `are what one process makes of them, made by chance: ${serialization}`,
      withBroker(undefined, async ({ broker, env, at }) => {
        const own = { ...env, COUNT: "40", SERIALIZATION: serialization, SPILL: at("spill") };
        start(broker, RANDOM, own);
        const { all, unfinished } = await broker.master(RANDOM, own).result();
        for (const { wrong, entries } of all) {
          assert.deepEqual(wrong, []);
          assert.ok(entries > 500);
        }
        assert.equal(unfinished, 0);
        assert.deepEqual(fs.readdirSync(own.SPILL), []);
      }),
    );

  it(
    "do the same as in this machine's workers",
    withBroker(undefined, async ({ broker, env, at }) => {
      const own = { ...env, NAMES: NAMES.join(), SPILL: at("spill") };
      broker.host("a", SCENARIOS, own, ["--spill-dir", own.SPILL]);
      const [there, here] = [
        broker.master(SCENARIOS, own),
        broker.start([SCENARIOS], { NAMES: own.NAMES, SPILL: at("own") }),
      ];
      const [is, due] = await Promise.all([there.result(), here.result()]);
      for (const name of NAMES) assert.deepEqual(is[name], due[name], name);
    }),
  );

  for (const MODE of ["MapReduce", "stream"])
    it(
      `are those of a ${MODE}, with its args, and reduce in the master and in a worker`,
      withBroker(undefined, async ({ broker, env }) => {
        const own = { ...env, MODE };
        for (const name of ["a", "b"]) broker.host(name, JOB, own);
        const entries = await broker.master(JOB, own).result();
        const bySink = (sink) =>
          entries.filter((one) => one.sink === sink).map(({ response }) => response);
        assert.deepEqual(
          [bySink("master"), bySink("worker"), bySink("kinds")],
          [[59 * 60], [59 * 60], ["number"]],
        );
        assert.deepEqual(
          bySink("failed")
            .map(([, data, name]) => `${data} ${name}`)
            .sort(),
          ["1 RangeError", "21 RangeError", "41 RangeError"],
        );
      }),
    );

  it(
    "are those of a worker file",
    withBroker(undefined, async ({ broker, env }) => {
      const own = { ...env, MODE: "file" };
      broker.host("a", path.join(programs, "flow-file.js"), own);
      const [{ response, ...rest }] = await broker.master(JOB, own).result();
      assert.deepEqual([response, Object.keys(rest)], [30, ["id"]]);
    }),
  );

  it(
    "are counted node by node, as on one machine, and drawn in the report",
    withBroker(undefined, async ({ broker, env, at }) => {
      const own = { ...env, MODE: "seen", REPORT: at("report.html") };
      for (const name of ["a", "b"]) broker.host(name, JOB, own);
      const alone = { MODE: "seen", REPORT: at("alone.html") };
      const [there, here] = [broker.master(JOB, own), broker.start([JOB], alone)];
      const [is, due] = await Promise.all([there.result(), here.result()]);
      const counted = (nodes) =>
        nodes.map(({ busy, mean, longest, heldUp, waited, held, ...counts }) => ({
          ...counts,
          came: held?.came,
        }));
      assert.deepEqual(counted(is), counted(due));
      assert.ok(
        is.some(({ busy, longest, waited }) => busy >= longest && longest > 0 && waited > 0),
      );
      const page = fs.readFileSync(own.REPORT, "utf8");
      for (const { name } of is) assert.ok(page.includes(JSON.stringify(name)), name);
    }),
  );

  const hostsOf = (broker, own) =>
    ["a", "b"].map((name) => broker.host(name, JOB, own, ["--spill-dir", own.SPILL]));

  for (const RETRIES of ["", "2"])
    it(
      `fail in the node that a lost host was in, or run again, and nothing counts twice: retries ${RETRIES}`,
      withBroker(undefined, async ({ broker, env, at, ran }) => {
        const own = { ...env, MODE: "pool", RETRIES, GATE: at("gate"), SPILL: at("spill") };
        const [lost] = hostsOf(broker, own);
        const master = broker.master(JOB, own);
        // The first ones do not wait for the gate.
        const waiting = () => ran().filter(({ host, data }) => host === "a" && data > 1);
        await until(() => waiting().length > 0 && bothRun(ran)(), "both hosts run events");
        const begun = waiting();
        lost.kill("SIGKILL");
        await lost.ended;
        fs.writeFileSync(own.GATE, "");
        const entries = await master.result();
        const failed = entries.filter((one) => one.failed);
        for (const { node, error } of failed)
          assert.deepEqual([node, error.code], ["parts", "ERR_SONIC_HOST_LOST"]);
        if (RETRIES) assert.deepEqual(failed, []);
        else assert.ok(begun.some(({ data }) => failed.some((one) => one.data === data)));
        const groups = entries.filter((one) => !one.failed).map(({ response }) => response);
        assert.equal(groups.length, 3);
        const count = groups.reduce((sum, [, items]) => sum + items, 0);
        assert.equal(count, 2 * (60 - failed.length));
        for (const [, , sum] of groups) assert.equal(sum, 0);
        assert.deepEqual(fs.readdirSync(own.SPILL), []);
      }),
    );

  const leftIn = (folder) => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);

  it(
    "leave nothing in the folder that hosts share when the master is killed",
    withBroker(undefined, async ({ broker, env, at, ran }) => {
      const own = { ...env, MODE: "pool", GATE: at("gate"), SPILL: at("spill") };
      const hosts = hostsOf(broker, own);
      const master = broker.master(JOB, own);
      const left = () => leftIn(own.SPILL);
      await until(() => bothRun(ran)() && left().length > 0, "both hosts run events, and write");
      master.kill("SIGKILL");
      await Promise.all(hosts.map((host) => host.says(/the master (is gone|has finished)/)));
      await until(async () => (await broker.keys()).length === 0, "keys are left");
      await until(
        () => left().length === 0,
        () => `${left()} is left`,
      );
    }),
  );

  it(
    "reject where the master was silent until hosts have removed its files",
    withBroker(undefined, async ({ broker, env, at, ran }) => {
      const own = { ...env, MODE: "pool", RETRIES: "2", GATE: at("gate"), SPILL: at("spill") };
      const hosts = hostsOf(broker, own);
      const master = broker.master(JOB, own);
      const left = () => leftIn(own.SPILL);
      // Until it has an answer no file is missing: events run again, and write again.
      await Promise.all([
        master.says(/the master has two answers/),
        until(bothRun(ran), "both run"),
      ]);
      assert.notDeepEqual(left(), []);
      master.kill("SIGSTOP");
      await Promise.all(hosts.map((host) => host.says(/the master (is gone|has finished)/)));
      await until(
        () => left().length === 0,
        () => `${left()} is left`,
      );
      fs.writeFileSync(own.GATE, "");
      master.kill("SIGCONT");
      const [code, message] = await master.result();
      assert.equal(code, "ERR_SONIC_SPILL");
      assert.match(message, /hosts also remove the files of a master that was silent/i);
    }),
  );

  it(
    "are many at once in one pool, each with its own files",
    withBroker(undefined, async ({ broker, env, at }) => {
      // More than a worker has files open for.
      const RUNS = 8;
      const own = { ...env, MODE: "many", RUNS: String(RUNS), SPILL: at("spill") };
      hostsOf(broker, own);
      const all = await broker.master(JOB, own).result();
      const due = (run) =>
        [0, 1, 2].map((key) => [
          key,
          Array.from({ length: 20 }, (_, at) => run * 1000 + 3 * at + key),
        ]);
      assert.equal(all.length, RUNS);
      for (const [run, entries] of all.entries()) {
        const groups = entries.map(({ response }) => response);
        assert.deepEqual(
          groups.sort(([one], [other]) => one - other),
          due(run),
        );
      }
      assert.deepEqual(leftIn(own.SPILL), []);
    }),
  );

  it(
    "reject at once where hosts share no folder, and hosts that do not have it say so",
    withBroker(undefined, async ({ broker, env, at }) => {
      const own = { ...env, MODE: "refused" };
      broker.host("a", JOB, own);
      const [code, message] = await broker.master(JOB, own).result();
      assert.equal(code, "ERR_SONIC_CLUSTER");
      assert.match(message, /"groups" of a flow, a groupByKey, .*sharedSpill: true.*--spill-dir/);
      const shared = { ...env, MODE: "pool", SPILL: at("spill") };
      const host = broker.host("b", JOB, shared);
      const master = broker.master(JOB, shared);
      await host.says(/the host b was not told where that is: start it with --spill-dir/);
      const [why] = await master.result();
      assert.equal(why, "ERR_SONIC_SPILL");
    }),
  );
});

describe("items that go on to another node over a cluster", TOGETHER, () => {
  before(() => install("redis-server"));

  /** Each has come out once, in order, and whole. */
  const checkItems = ({ entries, answered, failed, unfinished }, { EVENTS, PARTS, SIZE }) => {
    const count = EVENTS * PARTS;
    assert.deepEqual(
      entries.map(({ response }) => response),
      Array.from({ length: count }, (_, number) => [number, Number(SIZE)]),
    );
    assert.deepEqual([answered, failed, unfinished], [Number(EVENTS) + count, 0, 0]);
  };
  const runOnce = (ran) =>
    assert.deepEqual(
      ran()
        .map(({ data }) => data)
        .sort((one, other) => one - other),
      ran().map((_, at) => at),
    );

  /** With RETRIES an event runs again whose host is lost, and the next node has run already: that must not be. */
  for (const [SERIALIZATION, RETRIES] of [
    ["json", ""],
    ["advanced", ""],
    ["json", "once"],
  ])
    it(
      `stay on a host that has room for them${RETRIES && ", but not where they could run twice"}: ${SERIALIZATION}`,
      withBroker(undefined, async ({ broker, env, ran }) => {
        const work = { EVENTS: "60", PARTS: "1", SIZE: "200000", TIME: "0" };
        const own = { ...env, ...work, SERIALIZATION, RETRIES };
        // Bytes are in base64.
        const all = 60 * 200_000 * (SERIALIZATION === "json" ? 1 : 4 / 3);
        const host = broker.host("a", HOPS, own);
        await host.says(/: ready/);
        const taken = async () => {
          const stats = await broker.client.info("stats");
          return Number(/total_net_input_bytes:(\d+)/.exec(stats)[1]);
        };
        const before = await taken();
        checkItems(await broker.master(HOPS, own).result(), own);
        runOnce(ran);
        const times = ((await taken()) - before) / all;
        // All come to the master; those that go to a host come a second time.
        assert.ok(times > 1 && times < 1.9 !== Boolean(RETRIES), `each item came ${times} times`);
      }),
    );

  it(
    "go to other hosts too where one has put out more than it has room for",
    withBroker(undefined, async ({ broker, env, ran }) => {
      const own = { ...env, EVENTS: "1", PARTS: "60", SIZE: "2000", TIME: "50" };
      const hosts = ["a", "b"].map((name) => broker.host(name, HOPS, own));
      for (const host of hosts) await host.says(/: ready/);
      checkItems(await broker.master(HOPS, own).result(), own);
      runOnce(ran);
      assert.equal(bothRun(ran)(), true);
    }),
  );

  it(
    "run on a host that is told to end, if it has kept them",
    withBroker(undefined, async ({ broker, env, at, ran }) => {
      const own = { ...env, EVENTS: "40", PARTS: "2", SIZE: "2000", TIME: "2", GATE: at("gate") };
      const host = broker.host("a", HOPS, own, ["--concurrency", "4"]);
      const master = broker.master(HOPS, own);
      await until(() => ran().length > 0, "the host runs events");
      host.kill("SIGTERM");
      broker.host("b", HOPS, own);
      fs.writeFileSync(own.GATE, "");
      checkItems(await master.result(), own);
      runOnce(ran);
      assert.equal(await host.ended, 0);
    }),
  );
});

describe("pipelines whose stages have different tags", () => {
  before(() => install("redis-server"));

  it(
    "go from host to host, and end once",
    withBroker(undefined, async ({ broker, env }) => {
      for (const name of ["a", "b"]) broker.host(name, PIPELINE, env, ["--tags", name]);
      const { reduced, called, failure, ran, counts } = await broker.master(PIPELINE, env).result();
      const way = ["first a", "middle b", "last a"];
      assert.deepEqual(called.ran, way);
      for (const [results, failed] of [reduced, ran]) {
        for (const { data, response } of results)
          assert.deepEqual([response.n, response.ran], [data.n, way]);
        const numbers = results.map(({ response: { n } }) => n).sort((one, other) => one - other);
        const all = [...Array(20).keys()].filter((n) => n !== 7);
        assert.deepEqual(numbers, [...all, 100]);
        const told = failed.map(({ data, error }) => [data, error.message]);
        assert.deepEqual(told, [[{ n: 7, ran: [] }, "no 7"]]);
      }
      assert.deepEqual(failure, ["RangeError", "no 7", ["first", "middle", "last"], 1]);
      // What has failed has counted nothing.
      assert.deepEqual(counts, { first: 21, middle: 21, last: 21 });
    }),
  );
});
