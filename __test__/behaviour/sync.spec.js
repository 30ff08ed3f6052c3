"use strict";
/**
 * Promise: processes of one program share counters, barriers, latches, work that is done once, rate limits and stores: in stages, in
 * masterFn and reduceFn, at module level, in process and with workers. Each is as documented when events fail and are tried again, and
 * when workers die.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const reported = async (scenario) => {
  const program = await run("sync/program.js", { args: [scenario] });
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program.result;
};

describe("what workers share", () => {
  it("is there for those of the next run, whether the program itself uses it or not", async () => {
    const program = await run("sync/between.js");
    assert.equal(program.code, 0, program.transcript);
    assert.deepEqual(program.result, [{ value: "a value", version: 1 }]);
  });
});

describe("sync.counter", () => {
  it("counts exactly in several processes at once, and never beyond what a number can be", async () => {
    const { over, ...rest } = await reported("counters");
    assert.deepEqual(rest, { isNumber: "number", sum: 10_005, swapped: 2000, full: true });
    assert.deepEqual([over.type, over.code], ["RangeError", "ERR_OUT_OF_RANGE"]);
  });
});

describe("sync.barrier", () => {
  it("lets nobody go on before all have come, again and again, and numbers them", async () => {
    assert.deepEqual(await reported("barrier"), { perStep: true, inOrder: true });
  });

  it("breaks for those that passed with an event that fails afterwards, and is as new when they have ended", async () => {
    const BROKEN = "ERR_SONIC_BARRIER_BROKEN";
    assert.deepEqual(await reported("barrierBreaks"), {
      error: "after",
      met: 3,
      refused: [BROKEN, BROKEN],
      again: [0, 1, 2],
    });
  });

  it("refuses another number of parties, and forgets a party whose signal is aborted", async () => {
    assert.deepEqual(await reported("barrierWaits"), {
      other: "ERR_SONIC_BARRIER_PARTIES",
      stopped: { error: { thrown: "enough" } },
      places: [0, 1],
    });
  });
});

describe("sync.latch", () => {
  it("opens when all have counted, an event once however often it is tried, and stays open", async () => {
    const expected = { other: "ERR_SONIC_LATCH_COUNT", left: [2, 1, 0], after: 0 };
    assert.deepEqual(await reported("latch"), expected);
  });
});

describe("sync.once", () => {
  it("does work once for all, and again by the next if it fails or its worker dies", async () => {
    assert.deepEqual(await reported("once"), {
      ran: 1,
      mine: [true, true],
      all: 1,
      thrown: ["first", "second", "second", "second"],
      next: "mine",
      died: "ERR_SONIC_WORKER_EXIT",
    });
  });
});

describe("sync.store", () => {
  it("keeps what structured clone can copy, loses no update, and has rising versions", async () => {
    assert.deepEqual(await reported("store"), {
      sum: 140,
      read: [5, "ab", "bigint", true],
      refused: true,
      deleted: [true, false],
      absent: true,
      rise: true,
      other: true,
    });
  });
});

describe("sync.limiter", () => {
  it("gives all processes together no more than the rate, on which all agree", async () => {
    const expected = { isSlow: true, other: "ERR_SONIC_LIMITER_OPTIONS" };
    assert.deepEqual(await reported("limiter"), expected);
  });
});

describe("what is shared", () => {
  it("may be used at module level, in masterFn, in stages and in reduceFn", async () => {
    const { loaded, ...rest } = await reported("everywhere");
    assert.deepEqual(rest, { result: 45, events: 6, count: 1 });
    assert.match(loaded, /^(master|worker)$/);
  });

  it("is waited for no longer at a barrier or a latch than the event lasts that has not awaited it", async () => {
    const { result, files, code, stderr, transcript } = await run("sync/program.js", {
      args: ["left"],
    });
    assert.deepEqual([result, code, stderr], [4, 0, ""], transcript);
    const heard = files["left.log"].trim().split("\n").sort();
    assert.deepEqual(heard, ["barrier: AbortError", "latch: AbortError"]);
  });

  it("is the same in the process of a pool, where a latch counts an event once too", async () => {
    assert.deepEqual(await reported("inProcess"), { places: [0, 1, 2, 3], left: 2 });
  });
});
