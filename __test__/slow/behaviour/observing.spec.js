"use strict";
/**
 * Promise: For a run with answered, failed and crashed events, the statistics, the trace, the report and the queues
 * agree, with `MapReduce` and with `stream`. A file that cannot be written is an error before anything starts, and
 * costs no result later. Workers write none of it. (The record itself is in record.spec.js.)
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

const EVENTS = 200;
const FAILED = [50, 77, 150];
const NOTHING = 20;

const job = (how, options = {}, env = {}) =>
  run("observing/job.js", { args: [how, JSON.stringify(options)], env: { QUIET: "1", ...env } });

for (const how of ["MapReduce", "stream"]) {
  describe(how, () => {
    it("tells what became of the run", async () => {
      const { result } = await job(how);
      assert.ok(result.before, "there was no run before");
      assert.deepEqual(
        result.failed.sort((a, b) => a - b),
        FAILED,
      );
      assert.equal(result.entries, EVENTS - FAILED.length - NOTHING);
      assert.equal(result.stats.length, 1);
      const [stats] = result.stats;
      assert.deepEqual(result.last, stats);
      const {
        handedOver,
        answered,
        nothing,
        failed,
        failures,
        unfinished,
        retried,
        crashes,
        restarts,
      } = stats;
      assert.deepEqual(
        { handedOver, answered, nothing, failed, unfinished },
        {
          handedOver: EVENTS,
          answered: result.entries,
          nothing: NOTHING,
          failed: 3,
          unfinished: 0,
        },
      );
      assert.deepEqual(failures, { error: 2, crash: 1, timeout: 0, aborted: 0 });
      assert.deepEqual({ retried, crashes }, { retried: 3, crashes: 2 });
      assert.ok(
        restarts >= 1 && restarts <= 2,
        `${restarts} restarts: of two that ended, one may not be needed any more`,
      );
      for (const { count, mean, p50, p90, p99, max } of [stats.wait, stats.run]) {
        assert.equal(count, EVENTS);
        assert.ok(
          0 <= p50 && p50 <= p90 && p90 <= p99 && p99 <= max && mean <= max,
          `${[p50, p90, p99, max]}`,
        );
      }
      assert.deepEqual(
        stats.workers.map(({ id }) => id),
        [1, 2],
      );
      assert.equal(
        stats.workers.reduce((sum, { tasks }) => sum + tasks, 0),
        EVENTS,
      );
      assert.equal(stats.workers.flatMap(({ pids }) => pids).length, 2 + restarts);
      assert.ok(stats.bytesIn > EVENTS && stats.bytesOut > EVENTS);
      for (const { busy, share } of stats.workers)
        assert.ok(busy > 0 && busy <= stats.elapsed && share <= 1);
    });

    it("traces every event", async () => {
      const { result } = await job(how, { trace: "run.json" });
      const { traceEvents } = JSON.parse(result.trace);
      const events = traceEvents.filter(({ ph, args }) => ph === "X" && args.event !== undefined);
      const outcomes = (name) =>
        events.filter(({ args }) => args.outcome === name).map(({ args }) => args.event);
      assert.deepEqual(
        events.map(({ args }) => args.event).sort((a, b) => a - b),
        Array.from({ length: EVENTS }, (_, i) => i),
      );
      assert.deepEqual(
        outcomes("error").sort((a, b) => a - b),
        [50, 150],
      );
      assert.deepEqual(outcomes("crash"), [77]);
      assert.equal(outcomes("nothing").length, NOTHING);
      assert.equal(outcomes("answered").length, result.entries);
      for (const { args, ts, dur, tid } of events) {
        assert.ok([1, 2].includes(tid));
        assert.ok(
          args.queued <= args.started && args.started <= args.finished,
          JSON.stringify(args),
        );
        assert.ok(
          Math.abs(ts / 1000 - args.started) < 0.01 &&
            Math.abs(dur / 1000 - (args.finished - args.started)) < 0.01,
        );
        assert.equal(args.attempts, FAILED.includes(args.event) ? 2 : 1);
      }
      const named = (name) => traceEvents.filter((event) => event.name === name);
      assert.deepEqual([...new Set(named("thread_name").map(({ args }) => args.name))].sort(), [
        "Map",
        "worker 1",
        "worker 2",
      ]);
      const exits = named("exited").map(({ args }) => args.code);
      // One may have been on its way when the workers were let go.
      assert.ok(exits.length >= 2 + result.last.restarts && exits.length <= 4, `${exits}`);
      assert.equal(exits.filter((code) => code === 7).length, 2);
      assert.equal(named("retry").length, 3);
      assert.equal(named("crash").length, 2);
    });

    it("draws a page once what became of the run is known", async () => {
      const { result } = await job(how, { report: "run.html" });
      assert.ok(result.atTheEnd);
      assert.match(result.page, /^<!doctype html>/i);
      assert.ok(result.page.includes("job.js"));
      assert.ok(
        !result.page.includes("<b>50</b>"),
        "a text of the program's is no part of the page",
      );
      assert.ok(result.page.includes("\\u003cb\\u003e50"));
    });

    it("writes what the environment asks for", async () => {
      const { result } = await job(how, {}, { SONIC_TRACE: "run.json", SONIC_REPORT: "run.html" });
      assert.ok(JSON.parse(result.trace).traceEvents.length > EVENTS);
      assert.ok(result.page.length > 10_000);
    });

    for (const option of ["trace", "report"]) {
      it(`says at once that a file cannot be written: ${option}`, async () => {
        const { result } = await job(how, { [option]: "no/such/folder" });
        assert.deepEqual([result.error.name, result.error.code], ["Error", "ERR_SONIC_OUTPUT"]);
        assert.ok(
          result.error.message.startsWith(`options.${option}: no/such/folder cannot be written`),
          result.error.message,
        );
        assert.equal(result.stats.length, 0);
      });
    }

    it("loses no result to a disk that is full by then", {
      skip: !fs.existsSync("/dev/full"),
    }, async () => {
      const { result, stderr } = await job(how, { report: "/dev/full" });
      assert.equal(result.error, undefined);
      assert.equal(result.entries, EVENTS - FAILED.length - NOTHING);
      assert.match(stderr, /cannot write the report \/dev\/full: ENOSPC/);
    });
  });
}

it("gives each run of a program a file of its own", async () => {
  const files = await several({ SONIC_TRACE: "run.json", SONIC_REPORT: "run.html" });
  assert.deepEqual(files, [
    "run-2.html",
    "run-2.json",
    "run-3.html",
    "run-3.json",
    "run.html",
    "run.json",
  ]);
});

it("gives files of their own to the programs that a program starts, and shows no progress of theirs", async () => {
  const env = { SONIC_TRACE: "run.json", SONIC_REPORT: "run.html", SONIC_PROGRESS: "1" };
  const { result, stderr } = await run("observing/nested.js", { env });
  const { files, pids } = result;
  assert.equal(pids.length, 3);
  const expected = ["", ...pids.map((pid) => `-${pid}`)].flatMap((whose) => [
    `run${whose}.html`,
    `run${whose}.json`,
  ]);
  assert.deepEqual(Object.keys(files).sort(), expected.sort());
  for (const [name, events] of Object.entries(files))
    if (name.endsWith("json")) assert.equal(events, name === "run.json" ? 2 : 3, name);
  assert.equal(stderr.match(/done, /g).length, 1, stderr);
});

it("writes nothing unasked", async () => {
  assert.deepEqual(await several({}), []);
});

async function several(env) {
  const { result } = await run("observing/several.js", { env: { QUIET: "1", ...env } });
  return result.files;
}

describe("the option label", () => {
  it("names events in the report, the trace and hints, and changes nothing else", async () => {
    const program = await run("observing/label.js", {
      env: { SONIC_HINT_AFTER: "100", SONIC_LOG: "warn" },
    });
    const { count, failed, thrown, number, trace, page } = program.result;
    assert.equal(count, 9);
    assert.deepEqual(failed.sort(), [5, 6]);
    assert.equal(thrown.error.message, "no label");
    assert.match(number.error.message, /options\.label must return a string, got 5/);

    const [, json] = /<script type="application\/json" id="run">(.*?)<\/script>/s.exec(page);
    const { texts, failures } = JSON.parse(json);
    const wanted = Object.fromEntries(
      Array.from({ length: 8 }, (_, at) => [at, `table ${at}  [31m`]),
    );
    assert.deepEqual(texts, { ...wanted, 8: `${"x".repeat(256)}…` });
    assert.deepEqual(failures.map(({ id }) => texts[id]).sort(), [wanted[5], wanted[6]]);
    assert.match(failures[0].stack, /^Error: no \d\n +at .*label\.js:/);

    const labels = JSON.parse(trace).traceEvents.map(({ args }) => args.label);
    assert.deepEqual(labels.filter(Boolean).sort(), Object.values(texts).sort());
    assert.match(program.stderr, /has been running one event \(table 7 {2}\[31m\) for/);
  });
});
