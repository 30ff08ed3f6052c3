"use strict";
/**
 * Promise: a program that uses no lock pays for none: it loads nothing for them, no thread or timer of theirs runs, and its master has one
 * descriptor more, that of the memory which its processes share. A program that has used some has no more than that once all
 * are free, and ends by itself.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { NO_PROC } = require("../support/processes");
const { run } = require("../support/run");

describe("a program that uses no lock", { skip: NO_PROC }, () => {
  it("has nothing of them but the memory, and one that has used some has no more", async () => {
    const program = await run("locks/unused.js");
    assert.deepEqual([program.stderr, program.code, program.alive], ["", 0, []]);
    const { before, after } = program.result;
    for (const { loaded, timers } of before)
      assert.deepEqual({ loaded, timers }, { loaded: ["public", "scopes"], timers: 0 });
    const [master, worker] = before.map(
      ({ descriptors }) => descriptors["/memfd:sonic-distribute (deleted)"],
    );
    // That of the program, and that of its pool; a worker has mapped both.
    assert.deepEqual([master, worker], [2, undefined]);
    const withoutModules = (all) => all.map(({ loaded, ...rest }) => rest);
    assert.deepEqual(withoutModules(after), withoutModules(before));
  });
});
