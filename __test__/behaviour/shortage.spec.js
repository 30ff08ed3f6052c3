"use strict";
/**
 * Promised: where the machine has no descriptor to spare for a worker, its start is tried again for some seconds; then the
 * run goes on with those that there are, says so on stderr, and loses nothing. With none at all the call rejects. Either
 * names the limit.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const shortage = (...args) => run("start/shortage.js", { args: args.map(String), ulimit: "-n 200" });
const ADVICE = "(this process has as many files open as it may: raise `ulimit -n`, or start fewer workers)";

function assertToldOf(program, count) {
  const lines = program.stderr.split("\n").filter(Boolean);
  assert.equal(lines.length, count, program.stderr);
  for (const line of lines) {
    assert.match(line, /^@tiemma\/sonic-distribute: goes on without worker (\d+): worker \1 could not be started from \S+: Too many open files/);
    assert.ok(line.endsWith(ADVICE), line);
  }
}

describe("a run for whose workers there are too few descriptors", () => {
  it("goes on with those that could be started", async () => {
    const program = await shortage(40, "always", 14);
    const { workers, value } = program.result;
    assert.deepEqual(value, [50, 0]);
    assert.ok(workers >= 1 && workers < 14, `${workers} workers`);
    assertToldOf(program, 14 - workers);
  });

  it("has all of them if there are enough a little later", async () => {
    const program = await shortage(40, "later", 14);
    assert.deepEqual(program.result, { workers: 14, value: [50, 0] });
    assertToldOf(program, 0);
  });

  it("rejects if not one could be started, and says what to do", async () => {
    for (const left of [0, 5]) {
      const { error } = (await shortage(left, "always", 3)).result;
      assert.equal(error.name, "Error");
      assert.match(error.code, /^ERR_SONIC_(POOL|WORKER_START)$/);
      assert.ok(error.message.endsWith(`Too many open files (os error 24) ${ADVICE}`), error.message);
    }
  });

  it("goes on without a worker that ended and cannot be replaced", async () => {
    const program = await shortage(0, "restart", 3);
    assert.deepEqual(program.result, { workers: 2, value: [50, 0] });
    assertToldOf(program, 1);
  });
});
