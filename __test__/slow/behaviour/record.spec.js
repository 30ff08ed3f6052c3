"use strict";
/**
 * Promised: what is said of a run afterwards is what happened in it, every event once, however it ended; a file that it is
 * written to is whole JSON, is the master's alone, and costs no result.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

const given = (wanted, options) =>
  run("record/run.js", { args: [JSON.stringify(wanted)], ...options });
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** A limit that the events keep to that do not loop for ever. */
const taskTimeout = 1000;

function assertCounts({ handedOver, answered, nothing, failed, failures, unfinished, workers }) {
  assert.deepEqual(
    { handedOver, answered, nothing, failed, unfinished },
    { handedOver: 60, answered: 56, nothing: 1, failed: 3, unfinished: 0 },
  );
  assert.deepEqual(failures, { error: 1, crash: 1, timeout: 1, aborted: 0 });
  assert.equal(sum(workers.map(({ tasks }) => tasks)), 60);
}

describe("the statistics of a run", () => {
  for (const how of ["map", "stream"]) {
    it(`count every event once, without being asked for: ${how}`, async () => {
      const { before, came, last, told } = (await given({ how, options: { taskTimeout } })).result;
      assert.equal(came[0].value.seen, 59);
      assert.deepEqual([before, told], [true, []]);
      assertCounts(last);
      assert.deepEqual(
        [last.retried, last.crashes, "run" in last, "wait" in last],
        [0, 2, false, false],
      );
      for (const { id, pids, busy, share } of last.workers) {
        assert.ok(
          id >= 1 && pids.length >= 1 && busy >= 0 && share >= 0 && share <= 1.01,
          JSON.stringify(last),
        );
      }
      assert.equal(sum(last.workers.map(({ pids }) => pids.length)), 2 + last.restarts);
      assert.ok(
        last.bytesIn >= 60 && last.bytesOut >= 56 && last.elapsed > 0 && last.startedAt > 1e12,
      );
    });

    it(`have times where they are asked for, and what was tried again: ${how}`, async () => {
      const options = { taskTimeout, retries: 1, onStats: true };
      const { told, last } = (await given({ how, options })).result;
      assert.deepEqual(told, [last]);
      assertCounts(last);
      assert.deepEqual([last.retried, last.crashes], [3, 4]);
      for (const times of [last.wait, last.run]) {
        assert.equal(times.count, 60);
        assert.ok(
          times.p50 <= times.p90 && times.p90 <= times.p99 && times.p99 <= times.max,
          JSON.stringify(times),
        );
        assert.ok(times.mean >= 0 && times.mean <= times.max);
      }
      assert.ok(last.run.max >= taskTimeout, JSON.stringify(last.run));
      assert.ok(last.run.p50 < taskTimeout, JSON.stringify(last.run));
    });
  }

  it("are there before reduceFn is called", async () => {
    const { came } = (await given({ without: ["timeout", "crash"], options: { statistics: true } }))
      .result;
    assert.equal(came[0].value.known, true);
  });

  it("are those of an aborted run too, told once", async () => {
    const { came, told, last } = (
      await given({ without: ["crash", "timeout"], options: { onError: "abort", onStats: true } })
    ).result;
    assert.equal(came[0].error.code, "E_NO");
    assert.deepEqual(told, [last]);
    assert.equal(last.failures.error, 1);
    assert.equal(last.handedOver, last.answered + last.nothing + last.failed + last.unfinished);
  });

  it("reject the call when onStats throws", async () => {
    const { result } = await run("record/throws.js");
    assert.deepEqual(result, {
      error: { name: "Error", message: "not these", type: "Error" },
      reduced: false,
    });
  });
});

/** The parts of a trace. */
function traceOf(text) {
  const { traceEvents } = JSON.parse(text);
  const named = (name) => traceEvents.filter((entry) => entry.name === name);
  return { all: traceEvents, named, events: traceEvents.filter(({ args }) => "event" in args) };
}

describe("the trace of a run", () => {
  for (const how of ["map", "stream"]) {
    it(`has every event once, with its times and how it ended: ${how}`, async () => {
      const { result, files } = await given({
        how,
        options: { trace: "run.json", taskTimeout, retries: 1 },
      });
      assert.deepEqual(
        Object.keys(files).filter((name) => name.endsWith(".json")),
        ["run.json"],
      );
      const { all, named, events } = traceOf(files["run.json"]);
      assert.deepEqual(
        events.map(({ args }) => args.event).sort((a, b) => a - b),
        Array.from({ length: 60 }, (_, i) => i),
      );
      const expected = { 3: "nothing", 5: "error", 7: "crash", 9: "timeout" };
      const tracks = new Set(named("thread_name").map(({ tid }) => tid));
      for (const { args, ts, dur, tid } of events) {
        assert.equal(args.outcome, expected[args.event] || "answered");
        assert.equal(
          args.attempts,
          ["answered", "nothing"].includes(args.outcome) ? 1 : 2,
          JSON.stringify(args),
        );
        assert.ok(
          0 <= args.queued && args.queued <= args.started && args.started <= args.finished,
          JSON.stringify(args),
        );
        assert.ok(
          Math.abs(ts - args.started * 1e3) < 1 &&
            Math.abs(dur - (args.finished - args.started) * 1e3) < 1,
        );
        assert.ok(tid > 0 && tracks.has(tid));
        const worker = result.last.workers.find(({ id }) => id === tid);
        assert.ok(worker.pids.includes(args.pid));
      }
      const late = events.find(({ args }) => args.outcome === "timeout");
      assert.ok(late.dur >= taskTimeout * 1e3 * 0.9, `${late.dur}`);
      assert.equal(named("crash").length, 4);
      assert.equal(named("kill").length, 2);
      assert.equal(named("retry").length, 3);
      // The statistics are those of the moment at which the workers are let go.
      const restarts = named("restart").length;
      assert.ok(restarts >= result.last.restarts, `${restarts}`);
      const processes = 2 + restarts;
      assert.deepEqual([named("started").length, named("exited").length], [processes, processes]);
      assert.deepEqual(named("exited").filter(({ args }) => args.signal === "SIGKILL").length, 4);
      assert.ok(
        named("waiting events").every(({ args }) => args.waiting >= 0 && args.waiting <= 60),
      );
      assert.ok(all.every(({ pid }) => pid === result.pid));
    });
  }

  it("of a program that is not changed is asked for by the environment, a file for each run", async () => {
    const wanted = { runs: 3, without: ["timeout"] };
    const { files } = await given(wanted, { env: { SONIC_TRACE: "run.json" } });
    assert.deepEqual(
      Object.keys(files)
        .filter((name) => name.endsWith(".json"))
        .sort(),
      ["run-2.json", "run-3.json", "run.json"],
    );
    for (const name of ["run.json", "run-2.json", "run-3.json"]) {
      const { events } = traceOf(files[name]);
      assert.equal(events.length, 60);
      assert.equal(events.filter(({ args }) => args.outcome === "crash").length, 1);
    }
  });

  for (const [when, fails] of [
    ["option", { options: { trace: "nowhere/run.json" } }],
    ["environment", {}],
  ]) {
    it(`that cannot be written is an error before the run, and nothing is started: ${when}`, async () => {
      const env = when === "option" ? {} : { SONIC_TRACE: "nowhere/run.json" };
      const { came, last } = (await given(fails, { env })).result;
      const { code, message } = came[0].error;
      assert.equal(code, "ERR_SONIC_OUTPUT");
      const name = when === "option" ? "options.trace" : "SONIC_TRACE";
      assert.ok(message.startsWith(`${name}: nowhere/run.json cannot be written: `), message);
      assert.equal(last, undefined);
    });
  }

  it("that cannot be written any more costs no result", async () => {
    // In blocks of 512 bytes: more than the core's own memory takes, and less than the trace of so many events.
    const wanted = {
      count: 300_000,
      without: ["crash", "timeout"],
      options: { trace: "run.json" },
    };
    const { result, stderr, files } = await given(wanted, { ulimit: "-f 70000" });
    assert.equal(result.came[0].value.seen, 299_999);
    assert.equal(files["run.json"].length, 70_000 * 512);
    assert.match(stderr, /the trace run\.json is incomplete: /);
    assert.equal(stderr.match(/is incomplete/g).length, 1);
  });

  for (const when of ["after the call", "in masterFn"]) {
    it(`is whole when the program ends itself ${when}`, async () => {
      const { code, files } = await run("record/exits.js", { args: [when] });
      assert.equal(code, 5);
      const { events, named } = traceOf(files["run.json"]);
      assert.equal(named("process_name").length, 1);
      const ids = events.map(({ args }) => args.event);
      assert.equal(new Set(ids).size, ids.length);
      assert.equal(ids.length, when === "in masterFn" ? 1 : 20);
    });
  }
});

describe("the pool's own log", () => {
  const job = { count: 10, without: ["timeout"] };

  it("is not shown unless it is asked for", async () => {
    assert.equal((await given(job)).stderr, "");
  });

  it("tells what becomes of workers and events", async () => {
    const { stderr, result } = await given(
      { ...job, options: { retries: 1 } },
      { env: { SONIC_LOG: "debug" } },
    );
    assert.equal(result.came[0].value.seen, 9);
    for (const line of [
      "worker started",
      "worker ready",
      "worker exited",
      "event is tried again",
      "workers are released",
    ]) {
      assert.match(stderr, new RegExp(line));
    }
    assert.match(stderr, /signal SIGKILL|SIGKILL/);
  });

  it("can be told which part of the core is to speak", async () => {
    const { stderr } = await given(job, { env: { SONIC_LOG: "sonic_distribute::io=debug" } });
    assert.match(stderr, /worker started/);
    assert.doesNotMatch(stderr, /worker ready/);
  });

  it("says what is wrong with its filter, and the run goes on", async () => {
    const { stderr, result } = await given(job, { env: { SONIC_LOG: "sonic=loud" } });
    assert.equal(result.came[0].value.seen, 9);
    assert.match(stderr, /SONIC_LOG=sonic=loud is not a filter: /);
  });
});

describe("the diagnostics channels", () => {
  it("tell of runs, workers and every event, while somebody subscribes", async () => {
    const { messages, started, error } = (await run("record/channels.js")).result;
    const of = (name) => messages.filter(([to]) => to === name).map(([, message]) => message);
    assert.deepEqual(
      of("run:start").map((it) => it.run),
      [1, 2],
    );
    assert.deepEqual(
      of("run:end").map((it) => [it.run, it.statistics.handedOver]),
      [[1, 30]],
    );
    assert.deepEqual(
      of("run:error").map((it) => [it.run, it.error]),
      [[2, error]],
    );
    const tasks = [...of("task:end"), ...of("task:failed")].filter((it) => it.run === 1);
    assert.deepEqual(
      tasks.map((it) => it.id).sort((a, b) => a - b),
      Array.from({ length: 30 }, (_, i) => i),
    );
    assert.deepEqual(
      of("task:failed")
        .filter((it) => it.run === 1)
        .map((it) => [it.id, it.outcome])
        .sort(),
      [
        [5, "error"],
        [7, "crash"],
      ],
    );
    for (const task of tasks) {
      assert.ok(
        started - 1000 <= task.queued &&
          task.queued <= task.started &&
          task.started <= task.finished,
        JSON.stringify(task),
      );
      assert.ok(task.finished <= started + 600_000);
    }
    const pids = (name) =>
      of(name)
        .map((it) => it.pid)
        .sort();
    assert.deepEqual(pids("worker:start"), [...new Set(pids("worker:start"))]);
    assert.equal(pids("worker:start").length, 5);
    assert.ok(pids("worker:ready").every((pid) => pids("worker:start").includes(pid)));
    assert.deepEqual(pids("worker:exit"), pids("worker:start"));
    assert.ok(tasks.every((task) => pids("worker:start").includes(task.pid)));
  });
});
