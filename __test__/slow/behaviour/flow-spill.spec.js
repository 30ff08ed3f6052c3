"use strict";
/**
 * Promise: what a flow writes to files is gone when its run ends, whatever ends that: two seconds later at most, or, if all processes
 * of the program were killed at once, when the next one begins to write there. What cannot be written makes the run reject, says why,
 * and leaves nothing; a pool goes on.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const { after, before, describe, it } = require("node:test");
const os = require("node:os");
const path = require("node:path");
const { run, start } = require("../../support/run");

const ended = async (...args) => {
  const program = await run("flows/folder.js", { args });
  assert.equal(program.code, 0, program.transcript);
  assert.equal(program.stderr, "", program.transcript);
  assert.deepEqual([program.alive, program.tmp], [[], []], program.transcript);
  assert.deepEqual(program.result.left, [], program.transcript);
  return program.result.result;
};

/** A folder that outlives the programs. */
let folder;
before(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sonic-spill-spec-")));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const inFolder = (name) => {
  const dir = path.join(folder, name);
  fs.mkdirSync(dir);
  return dir;
};
const isEmpty = (dir) => fs.readdirSync(dir).length === 0;

describe("the files of a flow are gone", () => {
  /** @type {Record<string, [string, any[]]>} */
  const ends = {
    ends: ["when a call has ended", [100, 0]],
    stream: ["when a stream has ended", [100]],
    onError: ["when a call has failed", ["RangeError", "ERR_SONIC_EVENT_FAILED", "fails"]],
    throws: ["when masterFn has thrown", ["RangeError", null, "no more"]],
    aborted: ["when a call was aborted", ["AbortError"]],
    closed: ["when a pool was closed", ["AbortError"]],
  };
  for (const [scenario, [title, result]] of Object.entries(ends)) {
    it(title, async () => {
      const is = await ended(scenario);
      // Its code and message differ between lines of Node.
      assert.deepEqual(is[0] === "AbortError" ? is.slice(0, 1) : is, result);
    });
  }

  it("when a pool's run has ended, though the pool goes on", async () => {
    const { ran, between, aborted, after } = await ended("pool");
    assert.deepEqual([ran, between, aborted[0], after], [[100, 0], true, "AbortError", 5]);
  });

  it("when the program has called process.exit", async () => {
    const dir = inFolder("exits");
    const program = await run("flows/folder.js", { args: ["exits", dir] });
    assert.equal(program.code, 0, program.transcript);
    assert.ok("written" in program.files);
    assert.ok(isEmpty(dir), `${fs.readdirSync(dir)}`);
  });

  it("two seconds after its master was killed", async () => {
    const dir = inFolder("killed");
    const program = start("flows/folder.js", { args: ["waits", dir] });
    await program.makes("written");
    assert.equal(fs.readdirSync(dir).length, 1);
    process.kill(program.pid, "SIGKILL");
    await program.until(() => isEmpty(dir), "removed its files", 2000);
    assert.equal((await program.ended).signal, "SIGKILL");
  });

  it("when the next program begins there, if all processes were killed at once", async () => {
    const dir = inFolder("swept");
    const program = start("flows/folder.js", { args: ["waits", dir] });
    await program.makes("written");
    // The master last: a worker that outlives it goes on, even if it was stopped.
    const pids = [...program.alive().filter((pid) => pid !== program.pid), program.pid];
    for (const signal of ["SIGSTOP", "SIGKILL"]) for (const pid of pids) process.kill(pid, signal);
    assert.equal((await program.ended).signal, "SIGKILL");
    assert.equal(fs.readdirSync(dir).length, 1);
    // What others have there stays.
    fs.writeFileSync(path.join(dir, "sonic-spill"), "");
    fs.mkdirSync(path.join(dir, "other"));
    const next = await run("flows/folder.js", { args: ["ends", dir] });
    assert.deepEqual(next.result.result, [100, 0]);
    assert.deepEqual(fs.readdirSync(dir).sort(), ["other", "sonic-spill"]);
  });
});

describe("a folder", () => {
  const refused = async (dir, reason) => {
    const isRefused = ([name, code, message]) => {
      assert.deepEqual([name, code], ["Error", "ERR_SONIC_SPILL"], message);
      assert.ok(message.includes(dir), message);
      assert.match(message, reason);
    };
    isRefused(await ended("wrongCall", dir));
    const { ran, read, after } = await ended("wrong", dir);
    isRefused(ran);
    isRefused(read);
    assert.equal(after, 5);
  };

  it("that cannot be made makes a run reject, and the pool goes on", async () => {
    const file = path.join(folder, "file");
    fs.writeFileSync(file, "");
    await refused(path.join(file, "below"), /could not be created/);
  });

  const isRoot = process.getuid !== undefined && process.getuid() === 0;
  it("that must not be written does so too", { skip: isRoot && "root may" }, async () => {
    const dir = inFolder("locked");
    fs.chmodSync(dir, 0);
    await refused(path.join(dir, "below"), /could not be created/);
  });

  it("that is full does so too, and nothing is left in it", async (test) => {
    const dir = inFolder("full");
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", dir], { stdio: "ignore" });
    } catch {
      test.skip("only root may make a small file system");
      return;
    }
    try {
      await refused(dir, /could not be written|No space left/);
      assert.ok(isEmpty(dir), `${fs.readdirSync(dir)}`);
    } finally {
      execFileSync("umount", ["-l", dir]);
    }
  });
});
