"use strict";
/**
 * Promise: Each example with locks or shared state does its job, on any number of workers, and says what it has verified. Workers that
 * are killed in the middle change no result.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { ROOT, Workspace } = require("../support/workspace");

const NODE = process.env.SONIC_TEST_NODE || process.execPath;
const example = (name) => path.join(ROOT, "examples", `${name}.js`);

/** What each one prints for a number of workers. */
const EXPECTED = {
  invoices: () => [
    /^300 invoices, written by \d processes$/,
    "verified: the numbers from 1 to 300 have no gap, and each order has one",
    "verified: 2 workers were killed while they held the lock",
  ],
  connections: (workers) => [
    `200 queries, up to ${8 * workers} at once, over 200 connections`,
    "verified: the server never had more than 5 connections open",
  ],
  jacobi: (workers) => [
    `96 x 64 points, 120 steps, ${workers} workers`,
    "verified: one process gets the same plate, to the last digit",
  ],
  migrate: (workers) => [
    `4 migrations, ${workers} workers`,
    "verified: each migration was applied once, before any worker went on",
    "verified: the first worker died in the middle, and another one finished its work",
  ],
  "rate-limit": () => [
    /^300 requests in \d+\.\d\d s; the limit allows them in 1\.40 s$/,
    "verified: the API refused none, and answered each once",
  ],
};

function check({ code, stdout, stderr, output }, lines) {
  assert.equal(stderr, "");
  assert.equal(code, 0, output);
  const printed = stdout.trimEnd().split("\n");
  assert.equal(printed.length, lines.length, output);
  for (const [at, line] of lines.entries()) {
    if (line instanceof RegExp) assert.match(printed[at], line);
    else assert.equal(printed[at], line);
  }
}

for (const [name, lines] of Object.entries(EXPECTED)) {
  describe(`examples/${name}.js`, () => {
    for (const workers of [2, 4]) {
      it(`verifies its own result, with ${workers} workers`, async () => {
        check(await runCommand(NODE, [example(name), String(workers)]), lines(workers));
      });
    }

    it("says so when the number of workers is wrong", async () => {
      const { code, stdout, stderr } = await runCommand(NODE, [example(name), "many"]);
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, new RegExp(`^${name}: .*numWorkers`));
    });
  });
}

describe("examples/jacobi.js, when a worker is killed", () => {
  const scratch = new Workspace("jacobi");
  after(() => scratch.remove());

  /** For `node -r`: kills the first worker that comes to its 50th step. The file `died` is there then. */
  const KILL = `
    const { sync } = require(${JSON.stringify(ROOT)});
    const { barrier } = sync;
    let steps = 0;
    sync.barrier = (...given) => {
      const made = barrier(...given);
      return { wait: (...options) => {
        if (++steps === 50) {
          try {
            require("fs").writeFileSync(${JSON.stringify(scratch.path("died"))}, "", { flag: "wx" });
            process.kill(process.pid, "SIGKILL");
          } catch {}
        }
        return made.wait(...options);
      } };
    };`;

  it("starts again, with the same result", async () => {
    const kill = scratch.write("kill.js", KILL);
    const end = await runCommand(NODE, ["-r", kill, example("jacobi"), "3"]);
    assert.ok(fs.existsSync(scratch.path("died")), end.output);
    check(end, ["attempt 1: a worker died, and the barrier broke", ...EXPECTED.jacobi(3)]);
  });
});
