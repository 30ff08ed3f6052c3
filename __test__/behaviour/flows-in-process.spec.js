"use strict";
/**
 * Promise: with `inProcess` a pool runs its flows in the program's own process, and a program sees the same as with workers: entries,
 * failures with their nodes and data, retries, time limits, order, batches, what is reduced, joined and sorted. Nothing is written to
 * files.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");
const { scenarios } = require("../support/flow-scenarios");

const reported = async (fixture, ...args) => {
  const outcome = await run(fixture, { args });
  assert.equal(outcome.stderr, "", outcome.transcript);
  assert.deepEqual([outcome.alive, outcome.tmp], [[], []], outcome.transcript);
  return outcome.result;
};

describe("flows in this process", () => {
  for (const scenario of Object.keys(scenarios)) {
    it(`do the same as in workers: ${scenario}`, async () => {
      const where = ["inProcess", "workers"];
      const [here, there] = await Promise.all(
        where.map((where) => reported("flows/program.js", scenario, where)),
      );
      assert.deepEqual(here, there);
      assert.notDeepEqual(here, []);
    });
  }

  for (const scenario of ["sinks", "keyed", "bytes", "nothing", "failures"]) {
    it(`do the same as in workers, by structured clone: ${scenario}`, async () => {
      const options = JSON.stringify({ serialization: "advanced" });
      const [here, there] = await Promise.all(
        ["inProcess", "workers"].map((where) =>
          reported("flows/program.js", scenario, where, options),
        ),
      );
      assert.deepEqual(here, there);
    });
  }

  for (const scenario of ["sinks", "failures", "keyed", "sorted"]) {
    it(`do the same as in workers, where a worker file exports them: ${scenario}`, async () => {
      const [here, there] = await Promise.all(
        [true, false].map((inProcess) =>
          reported("flows/program.js", scenario, "file", JSON.stringify({ inProcess })),
        ),
      );
      assert.deepEqual(here, there);
    });
  }

  it("put out what the interpreter does, in its order, of 200 chains that chance has made", async () => {
    const args = ["0", "200", "json", "inProcess", "inOrder"];
    const { wrong, entries, unfinished } = await reported("flows/random.js", ...args);
    assert.deepEqual([wrong, unfinished], [[], 0]);
    assert.ok(entries > 1000);
  });

  for (const serialization of ["json", "advanced"]) {
    it(`put out what the interpreter does, of 200 flows that chance has made, by ${serialization}`, async () => {
      const args = ["0", "200", serialization, "inProcess"];
      const { wrong, entries, unfinished } = await reported("flows/random.js", ...args);
      assert.deepEqual(wrong, []);
      assert.ok(entries > 1000);
      assert.equal(unfinished, 0);
    });
  }
});
