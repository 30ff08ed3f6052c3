"use strict";
/**
 * Promise: what is far larger than a node's memory is counted and sorted right though workers are killed; and a join's key may have any
 * number of items on either side, while processes stay small.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

/** MiB: a process of Node takes up to half of that for anything. All rows of a join in one event would take more. */
const MOST = 300;

const large = async (scenario) => {
  const program = await run("flows/large.js", { args: [scenario], deadline: 300_000 });
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual([program.alive, program.tmp], [[], []], program.transcript);
  return program.result;
};

describe("a flow of far more than a node's memory", () => {
  it("counts what a Map counts, though workers are killed", async (test) => {
    const { killed, different, ...rest } = await large("words");
    test.diagnostic(`${killed} workers were killed`);
    assert.deepEqual(rest, { wrong: 0, missing: 0, failed: 0 });
    assert.ok(killed > 0 && different > 50_000);
  });

  it("sorts all of it, though workers are killed", async (test) => {
    const { killed, ...rest } = await large("sort");
    test.diagnostic(`${killed} workers were killed`);
    assert.deepEqual(rest, { count: 160_000, isOrdered: true, isSame: true, failed: 0 });
    assert.ok(killed > 0);
  });

  it("ends where 100,000 items part and meet again, of which ten may wait at each node", async () => {
    const program = await run("flows/limits.js", { args: ["diamond", "100000"] });
    assert.deepEqual(program.result, [100_000, 50_000, []], program.transcript);
    assert.deepEqual([program.alive, program.tmp], [[], []], program.transcript);
  });

  it("joins a key with many items on either side in little memory", async (test) => {
    const all = await large("hot");
    for (const [name, { memory, ...rest }] of Object.entries(all)) {
      test.diagnostic(`${name}: ${memory.master} MiB in the master, ${memory.worker} in a worker`);
      assert.deepEqual(rest, { count: 600_000, sum: 90_000_000_000, failed: 0 }, name);
      assert.ok(memory.worker < MOST && memory.master < MOST, name);
    }
  });
});
