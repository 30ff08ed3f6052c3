"use strict";
/**
 * Promise: A program exits by itself, with the exit code it chose, once its work is done and its released workers have
 * exited. A released worker drains. A worker that was not released does not outlive its master. A call that fails gives
 * its error and lets the program exit. Nothing is left behind: no process, descriptor, thread, listener or file.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { NO_PROC } = require("../support/processes");
const { run, start } = require("../support/run");

describe("a program", () => {
  it("ends by itself, and no process of it is alive then", async () => {
    const program = await run("exit/job.js");
    assert.equal(program.result, 10);
    assert.deepEqual(program.alive, []);
    assert.deepEqual(program.tmp, []);
  });

  it("ends with the exit code it has set", async () => {
    const program = await run("exit/job.js", { args: ["4"] });
    assert.deepEqual([program.code, program.signal], [4, null]);
  });

  it("ends by itself while its standard input stays open", async () => {
    assert.equal((await run("exit/job.js", { stdin: null })).result, 10);
  });

  it("ends at once by process.exit() in masterFn, with its workers, whatever they do", async () => {
    for (const what of ["waiting", "looping"]) {
      const program = await run("exit/process-exit.js", { args: ["in masterFn", what] });
      assert.deepEqual([what, program.code], [what, 5]);
    }
  });

  it("ends at once by process.exit() in reduceFn or after the call, while released workers drain", async () => {
    for (const where of ["in reduceFn", "after"]) {
      const program = await run("exit/process-exit.js", {
        args: [where, "nothing"],
        endMark: "ended",
      });
      assert.deepEqual([where, program.code], [where, 5]);
      assert.deepEqual(program.alive.length, 2, `${where}: the workers did not drain`);
      assert.deepEqual(program.log("drained.log").sort(), ["a", "b"], where);
    }
  });
});

describe("a released worker", () => {
  it("disconnects, drains and ends with code 0, and the master lives until it has", async () => {
    const program = await run("exit/drains.js");
    assert.deepEqual(program.result, [
      [1, 0, null],
      [2, 0, null],
    ]);
    assert.deepEqual(program.log("drained.log").sort(), ["1", "2"]);
    assert.deepEqual(program.log("disconnected.log").sort(), ["1", "2"]);
    assert.deepEqual(program.alive, []);
  });

  it("does not hold up the call", async () => {
    const program = await run("exit/resolves-first.js");
    assert.equal(program.result, "reduced");
    assert.deepEqual(program.log("drained.log"), ["worker", "worker"]);
    assert.deepEqual(program.alive, []);
  });

  it("does not hold up the next call", async () => {
    const program = await run("exit/next-call.js");
    assert.deepEqual(program.result, ["first", "second"]);
    assert.deepEqual(program.log("drained.log"), ["worker"]);
  });

  for (const how of ["exits", "aborts", "is killed"]) {
    it(`still has its timers fire when the master ${how} right after the call`, async () => {
      const program = await run("exit/released-timer.js", { args: [how], endMark: "ended" });
      assert.equal(
        program.signal || program.code,
        { exits: 0, aborts: "SIGABRT", "is killed": "SIGKILL" }[how],
      );
      assert.deepEqual(program.log("fired.log").sort(), ["a", "b"]);
    });
  }
});

describe("a worker that has not been released", () => {
  // run() itself fails when a process lives on
  for (const doing of ["idle", "waiting", "looping", "starting"]) {
    it(`ends when its master is killed: ${doing}`, async () => {
      const program = start("exit/dying-master.js", { args: [doing, "is killed"] });
      await program.makes("ready");
      assert.ok(program.alive().length >= 2, "there was no worker to end");
      process.kill(program.pid, "SIGKILL");
      assert.equal((await program.ended).signal, "SIGKILL");
    });
  }

  it("ends when its master is told to terminate", async () => {
    const program = start("exit/dying-master.js", { args: ["looping", "is killed"] });
    await program.makes("ready");
    assert.equal(program.alive().length, 3);
    process.kill(program.pid, "SIGTERM");
    assert.equal((await program.ended).signal, "SIGTERM");
  });

  for (const [how, ended] of /** @type {[string, any][]} */ ([
    ["throws", 1],
    ["aborts", "SIGABRT"],
  ])) {
    it(`ends when its master ${how}`, async () => {
      const program = await run("exit/dying-master.js", { args: ["looping", how] });
      assert.equal(program.signal || program.code, ended);
    });
  }

  it("ends with its master by Ctrl-C, the terminal's signal to the whole group", async () => {
    const program = start("exit/dying-master.js", {
      args: ["waiting", "is killed"],
      detached: true,
    });
    await program.makes("ready");
    process.kill(-program.pid, "SIGINT");
    assert.equal((await program.ended).signal, "SIGINT");
  });
});

describe("a call that fails", () => {
  for (const where of ["masterFn", "reduceFn"]) {
    for (const [how, what] of [
      ["throws", "error"],
      ["rejects", "error"],
      ["rejects", "string"],
      ["rejects", "undefined"],
      ["throws", "null"],
      ["rejects", "object"],
    ]) {
      it(`rejects with what ${where} ${how} (${what}), the very same, and the program ends as it wants to`, async () => {
        const program = await run("exit/rejects.js", { args: [where, how, what] });
        const outcomes = program.log("outcome.log").sort();
        assert.deepEqual(outcomes, [
          "master rejected with the same",
          "worker resolved",
          "worker resolved",
        ]);
        assert.equal(program.code, 3);
        assert.deepEqual(program.alive, []);
      });
    }
  }

  it("rejects when masterFn is no async function and throws at once", async () => {
    assert.equal((await run("exit/sync-throw.js")).result, true);
  });

  it("ends the program with code 1 when nobody catches it", async () => {
    // Node 14 only warns unless told; from 15 on this is the default
    const program = await run("exit/unhandled.js", { nodeArgs: ["--unhandled-rejections=throw"] });
    assert.equal(program.code, 1);
    assert.match(program.stderr, /nobody catches this/);
  });
});

describe("20 calls one after another", { skip: NO_PROC }, () => {
  it("leave no descriptor, thread, handle, listener, worker, variable or file behind", async () => {
    const program = await run("exit/leaks.js");
    const { exits, before: first, after, shared } = program.result;
    assert.equal(exits, 46);
    assert.deepEqual(first.workers, []);
    assert.deepEqual(after, first);
    assert.deepEqual(program.tmp, []);
    // A file there would have a name, and stay.
    assert.deepEqual(shared, []);
    assert.deepEqual(program.alive, []);
  });

  it("leave none of their queues in memory", async () => {
    // What the last one had may be held by what has not returned yet.
    assert.ok((await run("exit/forgotten.js", { nodeArgs: ["--expose-gc"] })).result >= 18);
  });
});
