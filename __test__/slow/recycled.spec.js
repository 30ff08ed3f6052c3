"use strict";
/**
 * Promise: However often workers are replaced under `maxTasksPerWorker`, no event is lost or run twice, no worker runs more
 * events than that, and each exits well. (slow/behaviour/limits.spec.js has the shorter runs.)
 */
const assert = require("node:assert/strict");
const { it } = require("node:test");
const { run } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const byNumber = (a, b) => a - b;

it("loses none of 1,400 events by being replaced two hundred times", async () => {
  const program = await run("limits/recycled.js", {
    args: ["7", "1400", "4", "sync"],
    deadline: 300_000,
  });
  const { numbers, runs, failed, ends } = program.result;
  assert.deepEqual(failed, []);
  assert.deepEqual(numbers.sort(byNumber), range(1400));
  assert.equal(Math.max(...runs), 7);
  assert.ok(ends.length >= 200);
  for (const end of ends) assert.deepEqual(end, [true, 0, null]);
});
