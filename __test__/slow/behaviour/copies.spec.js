"use strict";
/**
 * Promise: Two copies of the package work side by side in one program, whichever is loaded first. Each has its own
 * workers with their own ids, and no worker serves the other copy's call. A process that is a worker of something else
 * says so.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

const ROOT = path.join(__dirname, "..", "..", "..");

/** Puts two copies of the package into the program's folder, as installs of two dependencies do. */
function prepare(dir) {
  const binaries = fs.readdirSync(ROOT).filter((name) => name.endsWith(".node"));
  for (const copy of ["a", "b"]) {
    for (const name of ["package.json", "index.js", "native.js", "lib", ...binaries]) {
      fs.cpSync(path.join(ROOT, name), path.join(dir, copy, name), { recursive: true });
    }
  }
}

const both = async (order, how) => {
  const program = await run("copies/program.js", { args: [order, how], prepare });
  assert.equal(program.stderr, "");
  return program.result;
};
const sorted = (numbers) => [...numbers].sort((a, b) => a - b);

describe("two copies of the package in one program", () => {
  for (const order of ["a,b", "b,a"]) {
    for (const how of ["one after the other", "at once"]) {
      it(`serve their own calls: ${order}, ${how}`, async () => {
        const [a, b] = await both(order, how);
        assert.deepEqual([sorted(a.products), a.failures, a.isKnown], [[10, 20, 30, 40], [], true]);
        assert.deepEqual(
          [sorted(b.products), b.failures, b.isKnown],
          [[100, 200, 300, 400], [], true],
        );
        assert.equal(
          new Set([...a.ids, ...b.ids]).size,
          a.ids.length + b.ids.length,
          "no id is another's",
        );
      });
    }

    it(`serve their own calls: ${order}, by hand`, async () => {
      const [a, b] = await both(order, "by hand");
      assert.deepEqual(
        [a.products, b.products],
        [
          [10, 20, 30, 40],
          [100, 200, 300, 400],
        ],
      );
      assert.deepEqual(sorted(new Set([...a.ids, ...b.ids])), [1, 2]);
    });

    it(`do not disturb each other if one is not used: ${order}`, async () => {
      const [b] = await both(order, "the second alone");
      assert.deepEqual(
        [sorted(b.products), b.failures, b.isKnown],
        [[100, 200, 300, 400], [], true],
      );
    });
  }

  it("have locks of their own in the master, and in a worker those of its pool", async () => {
    const { result, stderr } = await run("copies/locks.js", { args: ["two"], prepare });
    assert.equal(stderr, "");
    assert.deepEqual(result, { inWorker: [true, true, 2], inMaster: [false, false, 0] });
  });

  it("have the same locks if it is the same that was loaded again", async () => {
    const { result, stderr } = await run("copies/locks.js", { args: ["again"] });
    assert.equal(stderr, "");
    assert.deepEqual(result, { inWorker: [true, true, 2], inMaster: [true, true, 7] });
  });

  it("are one if it is the same that was loaded again", async () => {
    const { result, stderr } = await run("copies/loaded-again.js");
    assert.equal(stderr, "");
    assert.deepEqual(result, { value: [10, 20, 30, 40], isAnother: true });
  });
});

describe("a worker of another cluster, where calls do nothing,", () => {
  it("says that cluster.fork() started it", async () => {
    const { result, stderr } = await run("copies/own-fork.js");
    assert.deepEqual(result, { code: 0 });
    assert.match(
      stderr,
      /^[^\n]*worker of another cluster \(started by cluster\.fork\(\)[^\n]*\n$/,
    );
    assert.doesNotMatch(stderr, /PM2/);
  });

  it("says that PM2 did, which tells its programs", async () => {
    const env = { pm_id: "0", PM2_HOME: "/nowhere" };
    const { result, stderr } = await run("copies/own-fork.js", { env });
    assert.deepEqual(result, { code: 0 });
    assert.match(
      stderr,
      /^[^\n]*worker of another cluster \(PM2 in cluster mode\)[^\n]*exec_mode fork[^\n]*\n$/,
    );
  });
});
