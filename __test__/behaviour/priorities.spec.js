"use strict";
/**
 * Promise: a worker that is free takes the most urgent event that waits, however it was handed over and whatever it was handed over
 * with; of those that are as urgent, runs get time as their weights say. Crashes and retries change neither, and lose nothing.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (scenario) => {
  const program = await run("priorities/program.js", { args: [scenario] });
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};

/** The ways to hand events over have no order among each other: what is as urgent comes in any. */
const bands = (lines) => lines.map((line) => line.split(" ")[0]);

describe("a priority", () => {
  for (const scenario of ["order", "inProcess"]) {
    it(`decides what a worker takes next: ${scenario}`, async () => {
      const program = await ended(scenario);
      assert.equal(program.result, 7);
      const lines = program.log("ran.log");
      const high = ["high", "high", "high", "high"];
      assert.deepEqual(bands(lines), [
        ...["gate", "highest", ...high, "usual", "usual", "low", "low", "lowest"],
      ]);
      const of = (band) => lines.filter((line) => line.startsWith(`${band} `));
      assert.deepEqual([...of("high"), ...of("low")].sort(), [
        ...["high 1", "high 2", "high 3", "high 4", "low 1", "low 2"],
      ]);
      assert.ok(lines.indexOf("high 2") < lines.indexOf("high 3"), "a map in order");
    });
  }

  it("may be the third parameter of Map", async () => {
    const program = await ended("call");
    assert.equal(program.result, 5);
    assert.deepEqual(program.log("ran.log"), ["gate", "higher", "high", "usual", "low"]);
  });

  it("stays an event's when it is tried again, and nothing is lost", async () => {
    assert.deepEqual((await ended("kills")).result, [true, true, true, true]);
  });

  it("is no reason to run what was stopped", async () => {
    const program = await ended("stops");
    assert.deepEqual(program.result, ["AbortError", ["d", "e"]]);
    assert.deepEqual(program.log("ran.log"), ["gate", "d", "e"]);
  });

  it("or weight that makes no sense is an error that names it", async () => {
    const whole = "options.priority must be a whole number from -2147483647 to 2147483647";
    const weight = "options.weight must be a number from 0.001 to 1000";
    assert.deepEqual((await ended("wrong")).result, [
      ["RangeError", `${whole}, got 1.5`],
      ["TypeError", `${whole}, got "1"`],
      ["RangeError", `${weight}, got 0`],
      ["RangeError", `${weight}, got NaN`],
    ]);
  });
});

describe("a weight", () => {
  it("is how much of the workers' time a run gets beside others", async () => {
    const parts = (await ended("weights")).result;
    for (const [part, expected] of parts.map((part, at) => [part, [0.75, 0.5, 0.8, 0.2][at]])) {
      assert.ok(Math.abs(part - expected) < 0.1, `${parts}: ${expected}`);
    }
  });
});
