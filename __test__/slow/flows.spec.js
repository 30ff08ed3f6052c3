"use strict";
/**
 * Promise: flows of all kinds of nodes, made by chance, give what one process makes of them: 2,000 of them, 400 whose workers are
 * killed all the while, and others without workers, and chains in the order of their events.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const CHUNK = 200;
const DEADLINE = 600_000;

const random = async (...args) => {
  const options = { args: args.map(String), deadline: DEADLINE };
  const program = await run("flows/random.js", options);
  const { wrong, entries, killed, unfinished } = program.result;
  assert.deepEqual([wrong, unfinished], [[], 0], program.transcript);
  assert.deepEqual([program.alive, program.tmp], [[], []], program.transcript);
  assert.ok(entries > 0);
  return killed;
};

describe("flows made by chance", () => {
  for (let first = 10_000; first < 12_000; first += CHUNK) {
    const serialization = (first / CHUNK) % 2 ? "json" : "advanced";
    it(`${CHUNK} from ${first} on, ${serialization}`, () => random(first, CHUNK, serialization));
  }

  for (let first = 20_000; first < 20_400; first += CHUNK) {
    it(`${CHUNK} from ${first} on, though workers are killed`, async (test) => {
      const killed = await random(first, CHUNK, "json", "killed");
      test.diagnostic(`${killed} workers were killed`);
      assert.ok(killed > 0);
    });
  }

  for (const serialization of ["json", "advanced"])
    it(`${CHUNK} in this process, ${serialization}`, () =>
      random(30_000, CHUNK, serialization, "inProcess"));
  for (const how of ["workers", "inProcess"])
    it(`${CHUNK} chains in the order of their events: ${how}`, () =>
      random(40_000, CHUNK, "json", how, "inOrder"));
  it("60 chains in the order of their events, though workers are killed", () =>
    random(50_000, 60, "json", "killed", "inOrder"));
});
