"use strict";
/**
 * Promise: When a worker exits during an event, the event's error says which worker it was, how it exited, whether
 * memory was short, which error was uncaught, and what the program last wrote to process.stderr. That stream itself
 * works as usual.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

const lines = (from, to) =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join("");

async function lastWords(how, what, nodeArgs) {
  const program = await run("crash/last-words.js", { args: [how, what], nodeArgs });
  assert.equal(program.result.length, 1);
  const [{ id, error }] = program.result;
  assert.deepEqual(
    [id, error.worker, error.code, error.attempts],
    [1, 1, "ERR_SONIC_WORKER_EXIT", undefined],
  );
  assert.ok(error.pid > 0);
  return { error, program };
}

describe("what a worker wrote to process.stderr before it ended", () => {
  const little =
    "by console.error\nby a Buffer\nby hexä\nthe property is Node's\nERR_INVALID_ARG_TYPE\n";
  for (const how of ["SIGKILL", "exit 7", "abort", "uncaught exception"]) {
    it(`is in the error, and on the stream: ${how}`, async () => {
      const { error, program } = await lastWords(how, "little");
      assert.equal(error.stderr, little);
      assert.ok(program.stderr.includes(little), program.transcript);
    });
  }

  it("is not there if that was nothing", async () => {
    const { error } = await lastWords("exit 7", "nothing");
    assert.equal("stderr" in error, false);
  });

  for (const what of ["much", "at once"]) {
    it(`is the last whole lines of much: ${what}`, async () => {
      const { error, program } = await lastWords("SIGKILL", what);
      assert.ok(program.stderr.includes(lines(0, 2000)), "the stream has all of it");
      assert.ok(
        error.stderr.length <= 4096 && error.stderr.length > 4000,
        `${error.stderr.length}`,
      );
      const first = Number(/^line (\d+)\n/.exec(error.stderr)[1]);
      assert.equal(error.stderr, lines(first, 2000));
    });
  }

  it("is what the program's own write makes of it", async () => {
    const { error, program } = await lastWords("exit 7", "patched");
    assert.equal(error.stderr, "[mine] patched\n");
    assert.ok(program.stderr.includes("[mine] patched\n"));
  });
});

describe("a worker that runs out of memory", () => {
  const small = "--max-old-space-size=48";
  it("is told from others that end by the same signal", async () => {
    const { error } = await lastWords("out of memory", "little", [small]);
    assert.equal(error.outOfMemory, "heap");
    assert.match(
      error.message,
      /^worker 1 was killed by SIG(ABRT|TRAP|ILL), its heap being full, while it ran this event$/,
    );
    const aborted = await lastWords("abort", "little", [small]);
    assert.equal("outOfMemory" in aborted.error, false);
    const killed = await lastWords("SIGKILL", "nothing");
    assert.equal("outOfMemory" in killed.error, false);
  });

  it("leaves the snapshot that Node was asked for", async () => {
    const { program } = await lastWords("out of memory", "nothing", [
      small,
      "--heapsnapshot-near-heap-limit=1",
    ]);
    const snapshots = Object.keys(program.files).filter((name) => name.endsWith(".heapsnapshot"));
    assert.equal(snapshots.length, 1, program.transcript);
  });
});

describe("an uncaught error that ends a worker", () => {
  it("is in the message", async () => {
    const { error } = await lastWords("uncaught exception", "nothing");
    assert.equal(
      error.message,
      "worker 1 exited with code 1 while it ran this event: Error: stray",
    );
    assert.deepEqual([error.exitCode, error.signal], [1, null]);
  });
});
