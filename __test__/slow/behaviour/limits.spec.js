"use strict";
/**
 * Promise: A worker is replaced between two events after `maxTasksPerWorker` events or above `maxWorkerMemory`; no
 * event is lost, cut short or run twice. A stopped worker misses its heartbeat, is killed with all processes it
 * started, and is replaced; only its running event fails. A worker that is merely blocked is left alone, and so is
 * every worker while the master itself was stopped. A released worker has `shutdownGrace` to exit.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run, start } = require("../../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const byNumber = (a, b) => a - b;

describe("a worker under maxTasksPerWorker", () => {
  const cases = [
    { limit: 1, count: 12, workers: 2, how: "sync" },
    { limit: 7, count: 60, workers: 1, how: "async" },
    { limit: 7, count: 100, workers: 3, how: "sync" },
    { limit: 7, count: 50, workers: 2, how: "long" },
    { limit: 1000, count: 10_000, workers: 2, how: "sync" },
    { limit: 1000, count: 10_000, workers: 2, how: "async" },
  ];
  for (const { limit, count, workers, how } of cases) {
    it(`runs ${limit} events and ends, and another takes its number: ${count} ${how} ones, ${workers} workers`, async () => {
      const program = await run("limits/recycled.js", {
        args: [limit, count, workers, how].map(String),
      });
      const { numbers, runs, ids, failed, ends, forks } = program.result;
      assert.deepEqual(failed, []);
      assert.deepEqual(numbers.sort(byNumber), range(count));
      assert.ok(Math.max(...runs) <= limit, `one ran ${Math.max(...runs)}`);
      assert.deepEqual(
        ids.sort(byNumber),
        range(workers)
          .map((i) => i + 1)
          .filter((id) => ids.includes(id)),
      );
      for (const end of ends) assert.deepEqual(end, [true, 0, null]);
      assert.equal(ends.length, forks);
      assert.ok(ends.length >= Math.floor(count / limit));
      assert.equal(program.stderr, "");
    });
  }

  it("loses nothing that the program sends to it by itself, and ends soon after", async () => {
    const { numbers, failed, ends } = (
      await run("limits/recycled.js", { args: ["5", "60", "2", "sent"] })
    ).result;
    assert.deepEqual(failed, []);
    assert.deepEqual(numbers.sort(byNumber), range(60));
    for (const end of ends) assert.deepEqual(end, [true, 0, null]);
    assert.ok(ends.length > 2);
  });
});

describe("a worker under maxWorkerMemory", () => {
  it("is replaced when it has grown beyond, and no event is cut", async () => {
    const program = await run("limits/memory.js", { args: [String(200 << 20)] });
    const { responses, failed } = program.result;
    assert.deepEqual(failed, []);
    assert.deepEqual(responses.map(({ data }) => data).sort(byNumber), range(24));
    assert.deepEqual(program.log("ran.log").map(Number).sort(byNumber), range(24));
    // 24 events leave 720 MB behind: a worker with a dozen of them was looked at many times.
    assert.ok(new Set(responses.map(({ pid }) => pid)).size > 2, "workers were replaced");
    assert.ok(Math.max(...responses.map(({ kept }) => kept)) < 10);
    assert.deepEqual([...new Set(responses.map(({ id }) => id))].sort(), [1, 2]);
  });

  it("runs an event at least, however little it may have", async () => {
    const { responses, failed } = (await run("limits/memory.js", { args: ["1"] })).result;
    assert.deepEqual(failed, []);
    assert.deepEqual(responses.map(({ data }) => data).sort(byNumber), range(24));
    assert.ok(new Set(responses.map(({ pid }) => pid)).size > 4);
  });
});

describe("a worker under maxWorkerMemory that waits for an event's text", () => {
  it("has that event run elsewhere, and is replaced", async () => {
    const { length, pids, failed } = (await run("limits/memory-long.js")).result;
    assert.deepEqual([length, failed], [10 + 14 * 2, 0]);
    assert.ok(pids > 1, "workers were replaced");
  });
});

describe("a worker that is stopped", () => {
  it("in an event fails that one, and is killed with what it has started", async () => {
    const program = await run("limits/stopped.js", { args: ["1000", "worker"] });
    const { answered, failed } = program.result;
    assert.deepEqual(
      answered.sort(byNumber),
      range(10).filter((i) => i !== 3),
    );
    assert.equal(failed.length, 1);
    const [{ data, code, message, worker, pid }] = failed;
    assert.deepEqual([data, code], [3, "ERR_SONIC_WORKER_STALLED"]);
    assert.equal(
      message,
      `worker ${worker} (pid ${pid}) gave no sign of life for 1000 ms (heartbeatTimeout) while it ran this event, and was killed`,
    );
    assert.deepEqual(program.log("ran.log").map(Number).sort(byNumber), range(10));
  });

  it("while it is idle fails nothing, and is replaced", async () => {
    const { answered, failed } = (await run("limits/stopped.js", { args: ["1000", "idle"] }))
      .result;
    assert.deepEqual(failed, []);
    assert.deepEqual(answered.sort(byNumber), range(10));
  });

  it("is not one whose event blocks its thread", async () => {
    const { answered, failed } = (await run("limits/stopped.js", { args: ["1000", "blocked"] }))
      .result;
    assert.deepEqual(failed, []);
    assert.deepEqual(answered.sort(byNumber), range(10));
  });

  for (const who of ["all of the program", "the master alone"]) {
    it(`with the master, or while that is stopped, is left alone: ${who}`, async () => {
      const program = start("limits/stopped-master.js");
      await program.makes("running");
      const pids = who === "the master alone" ? [program.pid] : program.alive();
      for (const pid of pids) process.kill(pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 2500));
      for (const pid of pids) process.kill(pid, "SIGCONT");
      await new Promise((resolve) => setTimeout(resolve, 500));
      program.mark("over");
      const { answered, failed } = (await program.ended).result;
      assert.deepEqual([answered.sort(byNumber), failed], [[1, 2], []]);
    });
  }
});

describe("a worker that was let go and does not end", () => {
  for (const [when, pids] of /** @type {[string, any][]} */ ([
    ["at the end", 1],
    ["recycled", 3],
    ["disconnected", 2],
  ])) {
    it(`is killed after shutdownGrace, with what it has started: ${when}`, async () => {
      const { result } = await run("limits/lingers.js", { args: [when] });
      assert.deepEqual(result.failed, []);
      assert.equal(result.pids, pids);
      assert.deepEqual(
        result.ends,
        range(pids).map(() => "SIGKILL"),
      );
    });
  }
});
