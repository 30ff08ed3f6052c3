"use strict";
/**
 * Promise: A program whose events failed and that never read the failed queue says so in one line on stderr when it
 * exits, with or without QUIET. A program that read it in any way says nothing, nor does one whose call rejected.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

const ended = async (...args) => {
  const outcome = await run("unseen/job.js", { args });
  return {
    ...outcome,
    said: outcome.stderr.split("\n").filter((line) => line.includes("has not read them")),
  };
};
const LINE =
  /^@tiemma\/sonic-distribute: 3 of 10 events failed, and the program has not read them\. The first: TypeError: event 1 \(.*job\.js:\d+:\d+\)\. reduceFn\(results, failures\) gets them: failures\.getElements\(\)$/;

describe("failures that nobody has looked at", () => {
  for (const [what, code] of [
    ["ignores", 0],
    ["exits", 5],
    ["throws", 0],
  ]) {
    it(`are told of when the program exits: reduceFn ${what}`, async () => {
      const outcome = await ended(what);
      assert.equal(outcome.code, code);
      assert.equal(outcome.stdout, "");
      assert.deepEqual(
        [outcome.said.length, outcome.stderr.split("\n").length],
        [1, 2],
        outcome.stderr,
      );
      assert.match(outcome.said[0], LINE);
    });
  }

  it("are told of for all runs of the program in one line", async () => {
    const { said } = await ended("ignores", "20");
    assert.equal(said.length, 1);
    assert.match(
      said[0],
      /: 60 of 200 events failed, in 20 runs, and .* The first: TypeError: event 1 /,
    );
  });

  it("are told of without those that were looked at afterwards", async () => {
    const { said } = await ended("hands on", "2");
    assert.equal(said.length, 1);
    assert.match(said[0], LINE);
  });

  for (const what of ["by hand", "by hand, exits"]) {
    it(`are told of in a run that was begun by hand: ${what}`, async () => {
      const { said } = await ended(what);
      assert.equal(said.length, 1);
      // The last may still run when the program exits.
      assert.match(
        said[0],
        /: [23] of 10 events failed, .* failedOrder, which initMaster gives, has them: failedOrder\.getElements\(\)$/,
      );
    });
  }

  it("keep nothing of their run", async () => {
    assert.equal((await run("unseen/freed.js", { nodeArgs: ["--expose-gc"] })).result, "freed");
  });
});

describe("failures that were seen", () => {
  const seen = [
    "hands on",
    "dequeue",
    "getElements",
    "elements",
    "isEmpty",
    "stringify",
    "console.log",
    "spread",
    "looks later",
    "hears messages",
    "streams",
    "by hand, looks",
    "masterFn throws",
  ];
  for (const what of seen) {
    it(`are not told of: ${what}`, async () => {
      const outcome = await ended(what);
      assert.deepEqual([outcome.code, outcome.stderr], [0, ""]);
    });
  }

  for (const options of [{ onResult: true }, { onError: "abort" }]) {
    it(`are not told of with ${JSON.stringify(options)}`, async () => {
      const outcome = await ended("ignores", "1", JSON.stringify(options));
      assert.deepEqual([outcome.code, outcome.stderr], [0, ""]);
    });
  }
});
