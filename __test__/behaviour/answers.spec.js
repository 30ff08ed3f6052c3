"use strict";
/**
 * Promise: The outcome of an event is known as soon as it has one, whatever its worker does next and however the
 * program learns of it. Each long event here blocks its worker's thread and ends only when the master knows the
 * outcomes of all events before it.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const GROUPS = 20;

describe("while a worker's next event runs", () => {
  const known = async (how, groups, size) =>
    (await run("answers/known.js", { args: [how, groups, size].map(String) })).result;

  // One event alone is rung for, many are not.
  for (const size of [1, 200]) {
    it(`answers are read from a stream: ${size}`, async () => {
      assert.equal(await known("stream", GROUPS, size), GROUPS);
    });
  }

  for (const [how, what] of [
    ["promises", "answers of asynchronous events are read from a stream"],
    ["failures", "failures are read from a stream"],
    ["onResult", "answers are shown to onResult"],
  ]) {
    it(what, async () => assert.equal(await known(how, GROUPS, 200), GROUPS));
  }

  // It is told ten times a second.
  for (const [how, what] of [
    ["progress", "onProgress counts what was answered"],
    ["attempts", "onProgress counts attempts that failed"],
  ]) {
    it(what, async () => assert.equal(await known(how, 5, 200), 5));
  }

  it("an event that has failed is tried again in another worker", async () => {
    assert.equal(await known("retries", GROUPS, 200), GROUPS);
  });

  for (const size of [1, 200]) {
    it(`a failure aborts the run: ${size}`, async () => {
      for (let round = 0; round < 3; round++)
        assert.equal(await known("abort", 3, size), "it fails");
    });
  }
});
