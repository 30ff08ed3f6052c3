"use strict";
/**
 * Promise: what a program over several machines shows of itself is the same as on one, and true of all of them: progress, statistics, report,
 * trace, dashboard, and the list of hosts. Times are right where the clock of a host is not.
 *
 * The broker is a real one, and hosts are processes.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { before, describe, it } = require("node:test");

const { BIN, until } = require("../support/broker");
const { withBroker } = require("../support/cluster-test");
const { runCommand } = require("../support/command");
const { install } = require("../support/debian");
const { Follower } = require("../support/follow");

const FIXTURES = path.join(__dirname, "..", "fixtures", "cluster");
const JOB = path.join(FIXTURES, "seen.js");

/** The line of a worker of this host while its first event runs, with what the line has of the event. */
const RUNS = (host, event = "") =>
  new RegExp(`: worker ${host}/\\d+: 0 done, event (\\d+) for \\S+${event}`, "m");

/** What runs before every event has had its place: milliseconds. */
const TIME = 12;

before(() => install("redis-server"));

/** Runs a test with a broker, and sees that nothing is left. @param {(bench: any) => Promise<void>} test */
const withHosts = (test) =>
  withBroker([], ({ broker, env, at }) => {
    const own = { ...env, GATE: at("gate"), CRASHED: at("crashed") };
    return test({ broker, env: own, at, open: () => fs.writeFileSync(own.GATE, "") });
  });

/** The record in a report. */
function recordIn(file) {
  const [head, tail] = require("../../lib/master/page").split("/*DATA*/");
  const html = fs.readFileSync(file, "utf8");
  return JSON.parse(html.slice(head.length, html.length - tail.length));
}

/** What `statistics` say of 40 events, of which one has no answer, one throws and one ends its worker. */
function checkStatistics(stats) {
  const { handedOver, answered, nothing, failed, failures, unfinished, crashes, restarts } = stats;
  assert.deepEqual(
    { handedOver, answered, nothing, failed, unfinished, crashes, restarts },
    {
      handedOver: 40,
      answered: 37,
      nothing: 1,
      failed: 2,
      unfinished: 0,
      crashes: 1,
      restarts: 1,
    },
  );
  assert.deepEqual(failures, { error: 1, crash: 1, timeout: 0, aborted: 0 });
  assert.deepEqual(
    stats.workers.map(({ id }) => id),
    [1, 2],
  );
  const sum = (name) => stats.workers.reduce((all, worker) => all + worker[name], 0);
  assert.equal(sum("tasks"), 40);
  // But for the one that did not wait, each did.
  assert.ok(sum("busy") >= 39 * TIME * 0.9, `busy for ${sum("busy")} ms`);
  assert.equal(stats.workers.flatMap(({ pids }) => pids).length, 3);
  assert.equal(stats.run.count, 40);
  assert.equal(stats.wait.count, 40);
}

describe("a program over two hosts", { concurrency: 3 }, () => {
  it(
    "has progress, statistics, a report and a trace, and right times where a host's clock is wrong",
    withHosts(async ({ broker, env, at, open }) => {
      const early = { ...env, NODE_OPTIONS: `--require ${path.join(FIXTURES, "early.js")}` };
      broker.host("a", JOB, env);
      broker.host("b", JOB, early);
      const began = Date.now();
      const OPTIONS = JSON.stringify({ report: at("report.html") });
      const own = { ...env, OPTIONS, SONIC_TRACE: at("trace.json"), SONIC_PROGRESS: "workers" };
      const master = broker.master(JOB, own);
      for (const host of ["a", "b"]) await master.says(RUNS(host, " number \\1$"));
      open();
      const { stats, heard, results, failures, isLast, error } = await master.result();
      assert.equal(error, undefined);
      assert.deepEqual([results, failures, isLast], [37, 2, true]);
      checkStatistics(stats);
      assert.deepEqual(heard[heard.length - 1], { handedOver: 40, ended: 40, unfinished: 0 });
      assert.match(master.output, /^sonic-distribute: 40 done, 2 failed, /m);

      const record = recordIn(at("report.html"));
      const placed = record.workers.map(({ id, host }) => `${host}/${id}`);
      assert.deepEqual([...new Set(placed)].sort().length, 2);
      assert.deepEqual(new Set(record.workers.map(({ host }) => host)), new Set(["a", "b"]));
      const measured = record.workers.filter(({ memory }) => memory > 0);
      assert.deepEqual(new Set(measured.map(({ host }) => host)), new Set(["a", "b"]));
      assert.equal(record.count, 40);
      assert.deepEqual(record.failures.map(({ id, name }) => [id, name]).sort(), [
        [5, "RangeError"],
        [7, "Error"],
      ]);
      assert.equal(record.texts[5], "number 5");
      assert.deepEqual(record.marks.map(({ kind }) => kind).sort(), ["crash", "restart"]);

      const { traceEvents } = JSON.parse(fs.readFileSync(at("trace.json"), "utf8"));
      const tracks = traceEvents.filter(({ name }) => name === "thread_name");
      const names = new Set(tracks.map(({ args: { name } }) => name));
      assert.deepEqual(
        names,
        new Set(["Map", ...placed.map((name) => name.replace("/", "/worker "))]),
      );
      const events = traceEvents.filter(({ args }) => args?.event !== undefined);
      const numbers = events.map(({ args: { event } }) => event).sort((a, b) => a - b);
      assert.deepEqual(numbers, [...Array(40).keys()]);
      const longest = Date.now() - began;
      for (const { args, dur } of events) {
        const { queued, started, finished, event } = args;
        assert.ok(0 <= queued && queued <= started && started <= finished, `event ${event}`);
        assert.ok(finished <= longest, `event ${event} ended at ${finished} of ${longest}`);
        if (event !== 7) assert.ok(dur >= TIME * 900, `event ${event} ran for ${dur} µs`);
      }
    }),
  );

  it(
    "counts what events emit and count as on one machine",
    withHosts(async ({ broker, env, at }) => {
      const program = path.join(FIXTURES, "options.js");
      const own = { ...env, RAN: at("ran"), WATCHED: "1" };
      for (const name of ["a", "b"]) broker.host(name, program, own);
      const { CLUSTER, ...here } = own;
      const masters = [own, here].map((how) => broker.master(program, how));
      const [there, one] = await Promise.all(masters.map((master) => master.result()));
      assert.equal(one.error, undefined);
      assert.equal(one.emitting.statistics.counts.seen, 63);
      assert.deepEqual(there, one);
    }),
  );

  it(
    "has a dashboard with all workers and hosts, and a list of hosts with what they run",
    withHosts(async ({ broker, env, open }) => {
      const own = { ...env, MODE: "pool" };
      const hosts = ["a", "b"].map((name) => broker.host(name, JOB, own));
      const retries = { limit: 2, on: ["host"] };
      const OPTIONS = JSON.stringify({ dashboard: 0, retries });
      const master = broker.master(JOB, { ...own, OPTIONS });
      const [, url] = await master.says(/dashboard at (\S+)/);
      const follower = new Follower(url);
      const listed = (known) => known.pools[1]?.hosts?.map(({ name, state }) => `${name} ${state}`);
      const runs = ({ pools }) => pools[1]?.hosts?.filter(({ running }) => running === 1).length;
      const known = await follower.until((known) => runs(known) === 2);
      assert.deepEqual(listed(known).sort(), ["a there", "b there"]);
      for (const { workers, places, events } of known.pools[1].hosts) {
        assert.deepEqual([workers, places], [1, 1]);
        assert.ok(events >= 1 && events <= 2, `${events} events`);
      }
      const list = () => runCommand(process.execPath, [BIN, "hosts", "--cluster", broker.url]);
      const isRunning = async () => {
        const { stdout } = await list();
        return /^a: 1 worker, 1 event,/m.test(stdout) && /^b: 1 worker, 1 event,/m.test(stdout);
      };
      await until(isRunning, "each host runs one event");
      for (const host of ["a", "b"]) await master.says(RUNS(host));
      hosts[1].kill("SIGKILL");
      await follower.until((known) => listed(known).includes("b lost"));
      open();
      await follower.until(({ marks }) => marks.length > 0);
      const { stats, before, error, ...rest } = await master.result();
      assert.equal(error, undefined);
      assert.deepEqual([rest.results, rest.failures], [38, 2]);
      const { answered, nothing, failed, retried, crashes } = stats;
      assert.deepEqual([answered, nothing, failed], [37, 1, 2]);
      assert.ok(retried >= 1, "what ran on b ran again");
      assert.equal(crashes, 2);
      assert.equal(before.answered, 37);
      assert.equal(
        stats.workers.reduce((all, { tasks }) => all + tasks, 0),
        40,
      );
      await follower.ended;
      const over = follower.known;
      assert.deepEqual(
        over.list.map(({ worker }) => worker > 0),
        [true, true],
      );
      assert.equal(over.pools[1].counts.answered, 37);
      assert.match(master.output, /^sonic-distribute: 40 done, 2 failed, /m);
    }),
  );
});
