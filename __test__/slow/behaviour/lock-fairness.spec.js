"use strict";
/**
 * Promise: all that want a lock have it in turn. Of eight workers none has a hot lock much more often than its share, and a writer waits for
 * no reader that came later.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

const WORKERS = 8;
const TIMES = 8000;
const WRITES = 300;
/** So many may read at the same time: each may be counted after a writer has asked that came later. */
const READERS = 6;

const played = async (...args) => {
  const program = await run("locks/fair.js", { args });
  assert.equal(program.stderr, "", program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program.result;
};

describe("a lock that many want all the time", () => {
  it("is had by each of eight workers about as often, by short and by long holders", async (test) => {
    const counts = await played("share", `${TIMES}`);
    for (const [how, each] of Object.entries(counts)) {
      test.diagnostic(`${how}: ${each.join(", ")}`);
      assert.equal(
        each.reduce((sum, count) => sum + count, 0),
        TIMES,
      );
      const share = TIMES / WORKERS;
      for (const count of each) assert.ok(Math.abs(count - share) <= share / 5, each.join());
    }
  });

  it("is had by a writer after those that read when it asked, and before all later ones", async (test) => {
    const { longest, written, hasRead } = await played("writers", `${WRITES}`);
    test.diagnostic(`at most ${longest} reads were seen between a writer's request and its turn`);
    assert.deepEqual([written, hasRead], [WRITES, true]);
    assert.ok(longest <= READERS, `${longest}`);
  });
});
