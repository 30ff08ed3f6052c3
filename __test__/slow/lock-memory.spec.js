"use strict";
/**
 * Promise: a lock that nobody has or waits for takes no memory, in no process: a program may use as many names as it likes.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const NAMES = 1_000_000;
/** Less than a table of the names that came after the first measurement would take, with 64 bytes for each. */
const MOST = { master: 48 * 2 ** 20, worker: 12 * 2 ** 20 };
const DEADLINE = 600_000;

describe(`${NAMES} names of locks`, () => {
  it("leave no memory behind, in the master and in workers", async (test) => {
    const options = { args: [`${NAMES}`], nodeArgs: ["--expose-gc"], deadline: DEADLINE };
    const { early, late, left } = (await run("locks/many-names.js", options)).result;
    const grown = late.map((bytes, at) => bytes - early[at]);
    test.diagnostic(`${early.join(", ")} bytes after a fifth; then ${grown.join(", ")} more`);
    assert.equal(left, 0);
    const [master, ...workers] = grown;
    assert.ok(master < MOST.master, `${master}`);
    for (const worker of workers) assert.ok(worker < MOST.worker, `${worker}`);
  });
});
