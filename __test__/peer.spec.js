"use strict";
/**
 * Promise: The wire is what the head comment of `fixtures/peer.js` says. A worker written from that comment alone, in
 * plain Node, serves a program: it joins, answers, fails, crashes and is released like any other worker.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("./support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const byNumber = (a, b) => a - b;

/** Runs the program with events of these data. */
async function job(numWorkers, data) {
  const events = data.map((value) => (value === undefined ? {} : { data: value }));
  const program = await run("peer-job.js", {
    args: [JSON.stringify(numWorkers), JSON.stringify(events)],
  });
  return program.result;
}

describe("a worker that knows only the wire's specification", () => {
  it("answers events of every kind, with one worker in order", async () => {
    /** @type {any[]} */
    const data = [1, 0.5, "a", "é😀\u2028", "", undefined, -7];
    const { results, failed } = await job(1, data);
    assert.deepEqual(failed, []);
    assert.deepEqual(
      results.map(({ id, data, response }) => [id, data, response]),
      data.filter((value) => value !== undefined).map((value) => [1, value, value + value]),
    );
  });

  it("answers hundreds of events once each, with several workers", async () => {
    const { results, failed } = await job(3, range(600));
    assert.deepEqual(failed, []);
    const responses = results.map(({ response }) => response).sort(byNumber);
    assert.deepEqual(
      responses,
      range(600).map((i) => i * 2),
    );
    assert.deepEqual([...new Set(results.map(({ id }) => id))].sort(byNumber), [1, 2, 3]);
  });

  it("takes and gives what is longer than the rings", async () => {
    const lengths = [2 ** 18 - 2, 2 ** 18 - 1, 2 ** 20 - 2, 2 ** 20 - 1, 10, 5_000_000, 20];
    const { results } = await job(
      1,
      lengths.map((length) => `x${length}`),
    );
    assert.deepEqual(
      results.map(({ data, response }) => [data.length, response.length]),
      lengths.map((length) => [length, length * 2]),
    );
    assert.ok(results.every(({ response }) => /^x+$/.test(response)));
  });

  it("takes turns with others where texts are short and long", async () => {
    const lengths = range(60).map((i) => (i % 10 === 0 ? 1_200_000 + i : i + 1));
    const { results, failed } = await job(
      3,
      lengths.map((length) => `x${length}`),
    );
    assert.deepEqual(failed, []);
    assert.deepEqual(
      results.map(({ data }) => data.length).sort(byNumber),
      [...lengths].sort(byNumber),
    );
    assert.ok(results.every(({ data, response }) => response === data + data));
  });

  it("goes on where the places for events are used again", async () => {
    const { results, failed } = await job(2, range(9000));
    assert.deepEqual(failed, []);
    assert.equal(new Set(results.map(({ data }) => data)).size, 9000);
  });

  it("fails events", async () => {
    const { results, failed } = await job(1, [1, null, 2]);
    assert.deepEqual(
      results.map(({ response }) => response),
      [2, 4],
    );
    const error = { name: "TypeError", message: "null has no double" };
    assert.deepEqual(failed, [{ id: 1, data: null, failed: true, error }]);
  });

  it("costs the event that it ran when it ends, and is replaced", async () => {
    const { results, failed } = await job(1, [1, 2, "exit", 3, 4]);
    assert.deepEqual(
      results.map(({ response }) => response),
      [2, 4, 6, 8],
    );
    assert.deepEqual(
      failed.map(({ id, data }) => [id, data]),
      [[1, "exit"]],
    );
    assert.equal(failed[0].error.code, "ERR_SONIC_WORKER_EXIT");
    assert.equal(failed[0].error.exitCode, 7);
  });
});
