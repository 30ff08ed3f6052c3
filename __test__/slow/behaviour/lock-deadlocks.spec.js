"use strict";
/**
 * Promise: requests that wait for each other in a circle do not wait for ever: the youngest is rejected, its error names workers, locks and
 * events, and all others go on. Waits that can end are never rejected, however long they last.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

/** A generous bound (ms) for a rejection. It is due after 1000 to 1500. */
const LATE = 15_000;

async function played(scenario) {
  const program = await run("locks/cycles.js", { args: [scenario] });
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  const { result } = program;
  assert.equal(result.left, 0);
  return result;
}

const LOCK = "request locks in the same order everywhere";
/** A process as messages name it: "1" is worker 1, which runs that event. @param {string} text */
const named = (text, pids) =>
  text.replace(/<(\d|master)(?:, (\d+))?>/g, (_, who, event) =>
    who === "master"
      ? `process ${pids[pids.length - 1]}`
      : `worker ${who} (pid ${pids[who - 1]}, event ${event})`,
  );

/** What the youngest request of each cycle is told; it is the last to ask. */
const CYCLES = {
  two: '<2, 1> waits for lock "A", held by <1, 0>; <1, 0> waits for lock "B", held by <2, 1>',
  "worker and master":
    '<master> waits for lock "A", held by <1, 0>; <1, 0> waits for lock "B", held by <master>',
  "master and worker":
    '<1, 0> waits for lock "A", held by <master>; <master> waits for lock "B", held by <1, 0>',
  "one worker":
    '<1, 1> waits for lock "A", held by <1, 0>; <1, 0> waits for lock "B", held by <1, 1>',
  master:
    '<master> waits for lock "A", held by <master>; <master> waits for lock "B", held by <master>',
  itself: '<1, 0> waits for lock "A", held by <1, 0>',
  three:
    '<3, 2> waits for lock "A", held by <1, 0>; <1, 0> waits for lock "B", held by <2, 1>; ' +
    '<2, 1> waits for lock "C", held by <3, 2>',
  shared: '<2, 1> waits for lock "A", held by <1, 0>; <1, 0> waits for lock "B", held by <2, 1>',
  "a queue":
    '<2, 2> waits for lock "A", behind <3, 1>; <3, 1> waits for lock "A", held by <1, 0>; ' +
    '<1, 0> waits for lock "B", held by <2, 2>',
  once: '<2, 1> waits for once "O", held by <1, 0>; <1, 0> waits for lock "A", held by <2, 1>',
  store:
    '<2, 1> waits for lock "-store:5:store:a", held by <1, 0>; ' +
    '<1, 0> waits for lock "-store:5:store:b", held by <2, 1>',
};

describe("requests in a circle", () => {
  for (const [scenario, circle] of Object.entries(CYCLES)) {
    it(`reject the youngest, and the others go on: ${scenario}`, async (test) => {
      const { all, pids } = await played(scenario);
      const { error, ms } = all.pop();
      assert.equal(error.code, "ERR_SONIC_DEADLOCK");
      const text = `deadlock, ended by rejecting its youngest request: ${named(circle, pids)}; ${LOCK}`;
      assert.equal(error.message, text);
      assert.ok(all.every(({ value }) => value === "done"));
      test.diagnostic(`after ${ms.toFixed(0)} ms`);
      assert.ok(ms < LATE);
    });
  }

  it("reject the youngest with a barrier among them, whose workers are any", async () => {
    /** @type {[string, RegExp][]} */
    const circles = [
      [
        "barrier",
        /^.*: (worker \d) .* waits for lock "A", held by (worker \d) .*; \2 .* waits for barrier "X", where event 1 is missing; /,
      ],
      [
        "younger barrier",
        /^.*: (worker \d) .* waits for barrier "X", where event 0 is missing; (worker \d) .* waits for lock "A", held by \1 /,
      ],
    ];
    for (const [scenario, circle] of circles) {
      const { all } = await played(scenario);
      assert.deepEqual(
        all.map(({ value, error }) => value || error.code),
        ["done", "ERR_SONIC_DEADLOCK"],
      );
      assert.match(all[1].error.message, circle);
    }
  });

  it("reject each that waits for itself: for a lock that it shares already, for one more of a semaphore", async () => {
    const codes = async (scenario) =>
      (await played(scenario)).all.map(({ value, error }) => value || error.code).sort();
    assert.deepEqual(await codes("upgrade"), Array(2).fill("ERR_SONIC_DEADLOCK"));
    assert.deepEqual(await codes("semaphore"), ["ERR_SONIC_DEADLOCK", "done"]);
  });
});

describe("a wait that ends some time", () => {
  for (const scenario of [
    "a long hold",
    "processes in a ring",
    "many in one order",
    "readers and a long writer",
    "a party that is long",
    "a party that comes late",
    "barriers of the master",
    "latches of the master",
    "a latch of the master in a lock",
  ]) {
    it(`is not rejected, though it lasts for seconds: ${scenario}`, async () => {
      const { all } = await played(scenario);
      assert.deepEqual(
        all.map(({ value, error }) => value || error.message),
        all.map(() => "done"),
      );
    });
  }
});
