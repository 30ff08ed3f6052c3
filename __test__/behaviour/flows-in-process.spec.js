"use strict";
/**
 * Promise: with `inProcess` a pool runs its flows in the program's own process, and a program sees the same as with workers: entries,
 * failures with their nodes and data, retries, time limits, order, batches, what is reduced, joined and sorted. Nothing is written to
 * files.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { once } = require("../support/once");
const { run } = require("../support/run");
const { scenarios } = require("../support/flow-scenarios");

const reported = async (fixture, ...args) => {
  const outcome = await run(fixture, { args });
  assert.equal(outcome.stderr, "", outcome.transcript);
  assert.deepEqual([outcome.alive, outcome.tmp], [[], []], outcome.transcript);
  return outcome.result;
};

/** The outcomes of scenarios in two programs, by their names. */
const both = (names, ...programs) =>
  once(() =>
    Promise.all(programs.map((args) => reported("flows/program.js", names.join(), ...args))),
  );

describe("flows in this process", () => {
  const all = Object.keys(scenarios);
  const inBoth = both(all, ["inProcess"], ["workers"]);
  for (const name of all) {
    it(`do the same as in workers: ${name}`, async () => {
      const [here, there] = await inBoth();
      assert.deepEqual(here[name], there[name]);
      assert.notDeepEqual(here[name], []);
    });
  }

  const advanced = JSON.stringify({ serialization: "advanced" });
  const cloned = ["sinks", "keyed", "bytes", "nothing", "failures"];
  const byClone = both(cloned, ["inProcess", advanced], ["workers", advanced]);
  for (const name of cloned) {
    it(`do the same as in workers, by structured clone: ${name}`, async () => {
      const [here, there] = await byClone();
      assert.deepEqual(here[name], there[name]);
    });
  }

  const exported = ["sinks", "failures", "keyed", "sorted"];
  const ofFile = [true, false].map((inProcess) => ["file", JSON.stringify({ inProcess })]);
  const byFile = both(exported, ...ofFile);
  for (const name of exported) {
    it(`do the same as in workers, where a worker file exports them: ${name}`, async () => {
      const [here, there] = await byFile();
      assert.deepEqual(here[name], there[name]);
    });
  }

  it("put out what the interpreter does, in its order, of 60 chains that chance has made", async () => {
    const args = ["0", "60", "json", "inProcess", "inOrder"];
    const { wrong, entries, unfinished } = await reported("flows/random.js", ...args);
    assert.deepEqual([wrong, unfinished], [[], 0]);
    assert.ok(entries > 300);
  });

  for (const serialization of ["json", "advanced"]) {
    it(`put out what the interpreter does, of 60 flows that chance has made, by ${serialization}`, async () => {
      const args = ["0", "60", serialization, "inProcess"];
      const { wrong, entries, unfinished } = await reported("flows/random.js", ...args);
      assert.deepEqual(wrong, []);
      assert.ok(entries > 300);
      assert.equal(unfinished, 0);
    });
  }
});
