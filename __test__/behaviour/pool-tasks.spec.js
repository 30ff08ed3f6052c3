"use strict";
/**
 * Promise: With `concurrency` a worker runs so many events at once. One that ends its worker costs those that ran there, and what is
 * tried again runs alone. One that is late or aborted ends at once, and touches no other. A stage knows its attempt, and what it
 * emits and counts holds with its answer, once.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const tasks = async (scenario) => {
  const program = await run("pool/tasks.js", { args: [scenario], env: { QUIET: "1" } });
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return { ...program.result, log: (name) => program.log(name) };
};

describe("several events in a worker", () => {
  it("run at once, as many as the option says", async () => {
    const { running, workers } = await tasks("together");
    assert.deepEqual([running, workers], [12, 2]);
  });

  it("fail when it dies, and nothing else does", async () => {
    const { answers, waiting } = await tasks("crashOnce");
    assert.deepEqual(answers, Array(8).fill("ERR_SONIC_WORKER_EXIT"));
    assert.equal(waiting, "number");
  });

  it("are tried again alone, so that only the one fails that ends its worker", async () => {
    const { answers, after } = await tasks("crash");
    assert.deepEqual(answers, [2, "ERR_SONIC_WORKER_EXIT", 2, 2]);
    assert.equal(after, 1);
  });

  it("end each by itself when they are late, and tell their stage", async () => {
    const { code, isSame, after, counts, log } = await tasks("timeout");
    assert.deepEqual([code, isSame, after], ["ERR_SONIC_TASK_TIMEOUT", true, 1]);
    // What it still counts is neither its own any more nor the next one's.
    assert.deepEqual(counts, {});
    assert.ok(log("aborted.log").length <= 1);
  });

  it("cost their worker when they go on all the same, but no other event", async () => {
    const { code, isAnother } = await tasks("unheeded");
    assert.deepEqual([code, isAnother], ["ERR_SONIC_TASK_TIMEOUT", true]);
  });

  it("cost their worker at once when they block it", async () => {
    const { codes, after } = await tasks("blocked");
    assert.deepEqual(codes, ["ERR_SONIC_TASK_TIMEOUT", "ERR_SONIC_WORKER_EXIT"]);
    assert.equal(after, 1);
  });

  it("end each by itself when they are aborted", async () => {
    const { thrown, isSame, log } = await tasks("cancelled");
    assert.deepEqual([thrown, isSame], ["enough", true]);
    assert.equal(log("aborted.log").length, 1);
  });
});

describe("a stage", () => {
  it("emits further events of the run, which ends with the last of them", async () => {
    const { answers } = await tasks("counts");
    assert.equal(answers, 5 * 2 ** 4);
  });

  it("emits with its answer alone, and only where an event may have any number of answers", async () => {
    const { seenOnes, retried, call, map, ordered, wrong, log } = await tasks("emitted");
    const buffer = { type: "Buffer", data: [1, 255] };
    assert.deepEqual(
      seenOnes.map((value) => JSON.stringify(value)).sort(),
      ["first", [1], "undefined", buffer, 7].map((value) => JSON.stringify(value)).sort(),
    );
    // Had failed attempts emitted, there were more than these two.
    assert.deepEqual(retried, [3, 3]);
    assert.deepEqual([call, map], ["ERR_SONIC_EMIT", "ERR_SONIC_EMIT"]);
    assert.deepEqual(ordered, ["failed"]);
    assert.deepEqual(log("late.log"), Array(2).fill("ERR_SONIC_EVENT_OVER"));
    assert.deepEqual(
      wrong.map((text) => text.split(":")[0]),
      ["TypeError", "TypeError", "TypeError", "RangeError", "TypeError"],
    );
  });

  it("does so in MapReduce too, where plain functions get two parameters", async () => {
    const { responses, counts, handedOver, retried, alone, name } = await tasks("mapReduce");
    // A tree of 3 has 2 ** 3 nodes: one of 3, one of 2, two of 1, four of 0.
    assert.deepEqual(responses, [
      ...Array(4).fill([10, 2]),
      ...Array(2).fill([11, 2]),
      [12, 2],
      [13, 2],
    ]);
    assert.deepEqual([counts, handedOver, retried], [{ nodes: 8 }, 8, 1]);
    assert.deepEqual([alone, name], [[[3, 2]], "node"]);
  });
});

describe("the concurrency of a stage", () => {
  const limited = async (scenario) => {
    const program = await run("pool/limited.js", { args: [scenario] });
    assert.equal(program.code, 0, program.transcript);
    assert.deepEqual(program.alive, [], program.transcript);
    return program.result;
  };

  for (const scenario of ["pool", "inProcess"]) {
    it(`is how many of its events a worker runs at once, whichever calls they are of: ${scenario}`, async () => {
      const [one, three, free, urgent, keyed, failed, large] = await limited(scenario);
      assert.deepEqual(
        [one, three, urgent, keyed],
        [
          [60, 1],
          [60, 3],
          [60, 1],
          [60, 1],
        ],
      );
      assert.ok(free[1] > 3, `others run beside them: ${free}`);
      assert.deepEqual([failed[0], large[0]], [60, 4]);
      assert.ok(large[1] <= 3, `large ones: ${large}`);
    });
  }

  it("holds up no other worker, and no other stage", async () => {
    assert.deepEqual(await limited("passes"), [false, 60, 1, true]);
  });

  it("is the option of the call in a MapReduce", async () => {
    assert.deepEqual(await limited("call"), [3, 2]);
  });
});
