"use strict";
/**
 * Promise: however the holder of a lock comes to its end, the next one that waits has the lock once its process is dead, not
 * before, and with a later token. A holder that lives keeps it. Nothing else is lost: other waits, other events, later ones.
 * The same holds for what else processes share, and nothing waits for the dead. How long it takes is reported, and no promise of these tests.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");
const { NO_PROC } = require("../../support/processes");
const { run, start } = require("../../support/run");

const skip = NO_PROC;

/** A generous bound (ms) between the death of a process and the next grant. It is measured by bench/sync.js. */
const LATE = 10_000;

const ended = async (file, args) => {
  const program = await run(`locks/${file}`, { args });
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};

/** What a holder's call rejects with, by the way in which it comes to its end. */
const WAYS = {
  killed: "ERR_SONIC_WORKER_EXIT",
  crashed: "ERR_SONIC_WORKER_EXIT",
  exited: "ERR_SONIC_WORKER_EXIT",
  uncaught: "ERR_SONIC_WORKER_EXIT",
  memory: "ERR_SONIC_WORKER_EXIT",
  stopped: "ERR_SONIC_WORKER_STALLED",
  late: "ERR_SONIC_TASK_TIMEOUT",
  "late, busy": "ERR_SONIC_TASK_TIMEOUT",
  "late, beside others": "ERR_SONIC_TASK_TIMEOUT",
  aborted: "enough",
  "aborted, busy": "enough",
  "aborted, beside others": "enough",
};

describe("the lock of a holder that comes to its end", { skip }, () => {
  for (const [way, expected] of Object.entries(WAYS)) {
    it(`is had by those that wait, in turn, after its process is dead: ${way}`, async (test) => {
      const program = await ended("deaths.js", [way]);
      const { error, behind, beside, left } = program.result;
      assert.equal(error.code || error.thrown, expected);
      assert.deepEqual([behind, left], [[1, 2, 3], 0]);
      assert.deepEqual(
        beside,
        way.endsWith("beside others") ? [{ value: "holder" }] : [],
        "what runs beside it goes on",
      );

      const grants = program.log("grants.log").map((line) => line.split(" "));
      const [[, , , wasDead], ...later] = grants;
      assert.deepEqual(
        grants.map(([id]) => id),
        ["holder", "first", "second", "third", "next"],
      );
      assert.deepEqual(
        [wasDead, later.map(([, , , isDead]) => isDead)],
        ["false", Array(4).fill("true")],
      );
      const tokens = grants.map(([, token]) => Number(token));
      assert.deepEqual(
        tokens,
        [...new Set(tokens)].sort((a, b) => a - b),
      );

      const ends = Object.fromEntries(program.log("ends.log").map((line) => line.split(" ")));
      const after = Number(BigInt(later[0][2]) - BigInt(ends.dead)) / 1e6;
      test.diagnostic(`granted ${after.toFixed(1)} ms after its process was seen dead`);
      assert.ok(after < LATE);
    });
  }

  it("is nobody's when the master is killed, and no process is left", async () => {
    const program = await start("locks/deaths.js", { args: ["master"] }).ended;
    assert.equal(program.signal, "SIGKILL");
    assert.deepEqual(
      program.log("grants.log").map((line) => line.split(" ")[0]),
      ["holder"],
    );
  });

  it("is had by those that wait when it is a client of the pool, which waited for another", async () => {
    const pool = start("locks/serves.js");
    await pool.makes("ready");
    const client = start("locks/killed-client.js", { args: [path.join(pool.dir, "socket")] });
    const gone = assert.rejects(client.ended.then(({ code }) => assert.equal(code, 0)));
    await client.makes("holds");
    pool.mark("held");
    await pool.makes("waits");
    process.kill(client.pid, "SIGKILL");
    const { code, result, transcript } = await pool.ended;
    await gone;
    assert.equal(code, 0, transcript);
    const [first, second] = result.tokens;
    assert.ok(second > first);
    assert.deepEqual([result.value, result.left], ["mine", [0, 0]]);
  });
});

describe("the lock of a worker that is replaced", () => {
  for (const [why, title] of [
    ["tasks", "after its last event (maxTasksPerWorker)"],
    ["memory", "because it has too much memory (maxWorkerMemory)"],
  ]) {
    it(`is had by the next when that worker has ended ${title}`, async () => {
      const { result } = await ended("recycled.js", [why]);
      assert.deepEqual(result, { isLater: true, isReplaced: true, left: 0 });
    });
  }
});

describe("a holder whose thread is blocked", () => {
  for (const [who, milliseconds] of [
    ["busy", 3000],
    ["master", 1500],
  ]) {
    it(`keeps its lock: ${who === "busy" ? "a worker" : who}`, async () => {
      const program = await ended("keeps.js", [who, `${milliseconds}`]);
      assert.equal(program.result, false);
      assert.deepEqual(program.log("order.log"), ["holder", "ends", "other"]);
    });
  }
});

describe("one that waits and dies", () => {
  const [had, next] = ["b had it", "c had it"];
  for (const [what, lives, after] of [
    ["exclusive", had, next],
    ["shared", had, next],
    ["semaphore", had, next],
    ["latch", had, undefined],
    ["once", "the master's", undefined],
    ["limiter", had, next],
    // The second did 10, the third 1000, and the dead one nothing.
    ["store", 11, 1011],
  ]) {
    it(`is not waited for: ${what}`, async () => {
      const { result } = await ended("waiters.js", [what]);
      const others = after === undefined ? {} : { after };
      const died = "ERR_SONIC_WORKER_EXIT";
      assert.deepEqual(result, { died, lives, ...others, same: "a", left: 0 });
    });
  }
});

describe("one of several that dies", () => {
  const EXIT = "ERR_SONIC_WORKER_EXIT";
  const BROKEN = "ERR_SONIC_BARRIER_BROKEN";
  const rest = { same: "a", left: 0 };
  const party = async (scenario) => await ended("parties.js", [scenario]);

  it("gives its place of a semaphore to one that waits, and to no more", async () => {
    const { result } = await party("semaphore");
    assert.deepEqual(result, { isEarly: false, code: EXIT, rise: true, ...rest });
  });

  it("leaves a shared lock to the other readers, and the writer waits for them", async () => {
    const { result } = await party("shared");
    assert.deepEqual(result, { code: EXIT, isEarly: false, isLater: true, ...rest });
  });

  it("is no party of a barrier at which it waited, nor is one that fails", async () => {
    const { result } = await party("withdrawn");
    const errors = [EXIT, "bad failed"];
    assert.deepEqual(result, { errors, isEarly: false, places: [[0], [1], 2], ...rest });
  });

  it("breaks a barrier that it has passed, is not tried again, and the next may use it", async () => {
    const program = await party("broken");
    assert.deepEqual(program.result, {
      rounds: [
        [EXIT, BROKEN],
        [0, 1],
        ["bad-throws failed", BROKEN],
        [0, 1],
      ],
      ...rest,
    });
    const runs = ["bad-dies", "good-dies", "diesx", "diesy", "bad-throws", "good-throws"];
    assert.deepEqual(
      program.log("meets.log").sort(),
      [...runs, "throwsx", "throwsy"].map((id) => `${id} 1`).sort(),
    );
  });

  it("counts a latch down once, however often its event is tried", async () => {
    const program = await party("latch");
    assert.deepEqual(program.result, { counts: [2, 1, 0], wait: "open", ...rest });
    assert.deepEqual(program.log("counts.log"), [
      "1 1 2",
      "1 2 2",
      "1 3 2",
      "2 1 1",
      "2 2 1",
      "3 1 0",
    ]);
  });

  it("leaves what is to be done once to the next, as does one whose event ends before", async () => {
    const program = await party("once");
    assert.deepEqual(program.result, { values: [EXIT, null, "good"], later: "good", ...rest });
    assert.deepEqual(program.log("once.log"), ["dead", "lazy", "good"]);
  });

  it("has not updated what it was updating", async () => {
    const { result } = await party("store");
    assert.deepEqual(result, { values: [EXIT, 6], entry: { value: 6, version: 2 }, ...rest });
  });
});
