"use strict";
/**
 * Promise: each node of a flow runs where its tags say, as often at once as it says, and no further ahead than it says. What is slow
 * slows down all before it, up to what hands items over; ways that part and meet again end all the same. Batches are full, late or
 * large, and what is left comes at the end.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const limits = async (scenario) => {
  const program = await run("flows/limits.js", { args: [scenario] });
  assert.equal(program.code, 0, program.transcript);
  assert.equal(program.stderr, "", program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  assert.deepEqual(program.tmp, [], program.transcript);
  return program.result;
};

describe("a node with tags", () => {
  it("runs in workers that have them, of whatever kind it is", async () => {
    const { ways, failed } = await limits("tagged");
    assert.deepEqual(failed, []);
    /** @type {Record<string, [number, RegExp]>} */
    const expected = {
      even: [20, /^(a|ab),(b|ab)$/],
      odd: [20, /^(a|ab),(b|ab),c$/],
      groups: [5, /^(b|ab)$/],
      sums: [5, /^(b|ab)$/],
      total: [1, /^(b|ab)$/],
      batches: [4, /^(a|ab)$/],
      joined: [320, /^(a|ab)$/],
      sorted: [40, /^(b|ab)$/],
    };
    assert.deepEqual(Object.keys(ways).sort(), Object.keys(expected).sort());
    for (const [name, [count, way]] of Object.entries(expected)) {
      assert.equal(ways[name][0], count, name);
      assert.ok(ways[name][1].length > 0, name);
      for (const groups of ways[name][1]) assert.match(groups, way, name);
    }
    assert.equal(ways.groups[2], true, "the items were made in the first group");
  });
});

describe("a node with a concurrency", () => {
  it("runs so many events at once in a worker, and others are not held up", async () => {
    const [count, { one, two, any }] = await limits("concurrent");
    assert.deepEqual([count, one, two], [200, 1, 2]);
    assert.ok(any > 2 && any <= 8, `${any}`);
  });
});

describe("a slow node", () => {
  it("slows down an iterable that never ends", async () => {
    // Two workers, 10 that wait, and 20 that were answered; of each item of the other flow 20 are made.
    const [slow, grows] = await limits("endless");
    assert.ok(slow <= 150, `${slow} were taken for 20`);
    assert.ok(grows <= 30, `${grows} were taken for one`);
  });

  it("keeps memory flat", async (test) => {
    const { grown, yielded } = await limits("flat");
    test.diagnostic(`${grown.join(", ")} MiB more after ${yielded} items`);
    assert.ok(yielded < 500, `${yielded}`);
    for (const size of grown) assert.ok(size < 40, `${grown}`);
  });

  it("is the reader of a stream too", async (test) => {
    const { taken, grown } = await limits("slowReader");
    test.diagnostic(`${taken} taken, ${grown} MiB more`);
    // 100 wait for the node, a few hundred answers at its sink.
    assert.ok(taken < 2000, `${taken}`);
    assert.ok(grown < 100, `${grown} MiB`);
  });

  it("cannot lock up ways that part and meet again", async () => {
    assert.deepEqual(await limits("diamond"), [20_000, 10_000, []]);
  });
});

describe("a batch", () => {
  it("is full by its count, its bytes or its time, and the last has what is left", async () => {
    const { byCount, byBytes, none, rest, byTime, after } = await limits("batches");
    assert.deepEqual([byCount, none, rest], [[4, 4, 2], [], [10]]);
    // Two workers may have the first two at once.
    assert.deepEqual(
      byTime.map((/** @type {number[]} */ items) => items.sort()),
      [[1, 2], [3]],
    );
    assert.equal(
      byBytes.reduce((sum, size) => sum + size, 0),
      20,
    );
    // Five of 1,000 characters each, with their quotes.
    assert.ok(byBytes.length >= 4 && byBytes.every((size) => size <= 5), `${byBytes}`);
    assert.ok(after >= 95, `${after} ms`);
  });
});

describe("reduce", () => {
  it("runs in a worker or in the master, and may take its time", async () => {
    assert.deepEqual(await limits("reduces"), {
      worker: [4950, false],
      asyncWorker: [4950, false],
      master: [4950, true],
      asyncMaster: [4950, true],
      again: [4951, false],
    });
  });
});
