"use strict";
/**
 * Promise: keys of all kinds find their own, and no other, however many items there are, wherever those are made, and though workers are
 * killed. A sink behind sortBy is in order. A group's values are read one after the other, once, so that a key may have more than
 * there is memory for.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (file, args) => {
  const program = await run(`flows/${file}`, { args });
  assert.equal(program.code, 0, program.transcript);
  assert.equal(program.stderr, "", program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  assert.deepEqual(program.tmp, [], program.transcript);
  return program.result;
};
const shuffle = (...args) => ended("shuffle.js", args);
const kept = (...args) => ended("kept.js", args);

for (const serialization of ["json", "advanced"]) {
  describe(`with serialization: "${serialization}"`, () => {
    it("sortBy gives all items in order, with keys of all kinds", async () => {
      const all = [20_000, 20_000, true, true, 0];
      assert.deepEqual(await shuffle("ordered", serialization), [all, all]);
    });

    it("join pairs what has equal keys, and keeps what has no partner as its kind says", async () => {
      assert.deepEqual(await shuffle("joins", serialization), {
        inner: [601, true],
        left: [702, true],
        outer: [732, true],
      });
    });
  });
}

for (const serialization of ["json", "advanced"]) {
  it(`bytes stay bytes on all ways through a flow: ${serialization}`, async () => {
    const bytes = [0, 1, 2, 3].map((one) => `bytes ${one},255`);
    const bad = [1, 3].map((one) => [bytes[one], "checks"]);
    const { sinks, failed } = await kept("bytes", serialization);
    assert.deepEqual(failed, []);
    assert.deepEqual(sinks, {
      good: [bytes[0], bytes[2]],
      sink: [bytes[0], bytes[2]],
      bad,
      all: [bytes],
      inMaster: [bytes],
      batches: [bytes],
      failures: [bad],
      failuresInMaster: [bad],
      sorted: [...bytes].reverse(),
      joined: [1, 3].map((one) => [one, bytes[one], bytes[one], "checks"]),
    });
  });
}

describe("what a worker has written", () => {
  const keys = [0, 1, 2, 3, 4, 5, 6];
  const groups = (count) => keys.map((key) => [key, count]);

  it("stays when it is replaced", async () => {
    assert.deepEqual(await kept("recycled"), [groups(100), 0, true]);
  });

  it("is read again for the one group that is tried again", async () => {
    assert.deepEqual(await kept("retried"), [groups(10), 0, [1, 1, 1, 3, 1, 1, 1]]);
  });
});

describe("reduceByKey", () => {
  it("gives what a Map gives, though workers are killed", async () => {
    const { keys, plain, killed, died, combined } = await shuffle("sums");
    assert.ok(keys > 50_000);
    assert.deepEqual(
      [plain, killed, combined],
      [
        [0, true],
        [0, true],
        [1, true],
      ],
    );
    assert.equal(died, 6);
  });
});

describe("groupByKey", () => {
  it("has all values of a key that half of all pairs have, without holding them", async (test) => {
    const { hot, sum, others, isRight, failed, most } = await shuffle("hot");
    test.diagnostic(`${most} MiB at most`);
    assert.deepEqual([hot, sum, others, isRight, failed], [50_000, 2_499_950_000, 500, true, 0]);
    assert.ok(most < 60, `${most} MiB`);
  });

  it("lets its function read the values once, in part, not at all, and while it waits", async () => {
    const { once, none, part, later, kinds } = await shuffle("values");
    const keys = [0, 1, 2];
    assert.deepEqual(
      once,
      keys.map((key) => [key, 10, "Error"]),
    );
    assert.deepEqual(
      none,
      keys.map((key) => [key]),
    );
    assert.deepEqual(
      part,
      keys.map((key) => [key, "number"]),
    );
    assert.deepEqual(
      later,
      keys.map((key) => [key, 135 + 10 * key]),
    );
    const text = (value) => JSON.stringify(value);
    const expected = [text(text("1970-01-01T00:00:00.005Z")), text("undefined"), text("{}")];
    assert.deepEqual(kinds, [[...expected, "[1,2]"].sort()]);
  });

  it("has values that are cloned", async () => {
    const { kinds } = await shuffle("values", "advanced");
    assert.deepEqual(kinds, [['"undefined"', "5", "[1,2]", "[[1,3]]"]]);
  });
});
