"use strict";
/**
 * Promise: Ctrl-C and SIGTERM end a program and its workers, and a program's own handlers work as usual: the package
 * listens for no signal. A worker that was not released does not outlive a killed master, whatever its thread does,
 * however far it has started, and even if it is stopped. A worker whose kill was pending then exits with every process
 * it started.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { describe, it } = require("node:test");
const { FIXTURES, NODE, start } = require("../support/run");

/** Starts the program, and waits until both its workers run an event. */
async function running(...args) {
  const program = start("signals/handlers.js", { args, detached: true });
  await program.makes("ready");
  return program;
}

/** To every process of the terminal's foreground group, as Ctrl-C sends it. */
const toAll = (program, signal) => process.kill(-program.pid, signal);
const toMaster = (program, signal) => process.kill(program.pid, signal);

const stateOf = (pid) => {
  try {
    if (process.platform === "linux")
      return /^State:\s+(\w)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1];
    return execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" })[0];
  } catch {
    return "";
  }
};
const isStopped = (pid) => stateOf(pid) === "T";
const isThere = (pid) => !["", "Z", "X"].includes(stateOf(pid));

const untouched = (outcome) => {
  assert.deepEqual(outcome.result.listeners, [0, 0, 0], "somebody else listens in the master");
  assert.ok(
    outcome.log("listeners.log").every((count) => count === "0"),
    "somebody else listens in a worker",
  );
};

for (const signal of ["SIGINT", "SIGTERM"]) {
  describe(signal, () => {
    for (const [whom, send] of /** @type {[string, any][]} */ ([
      ["all of a program", toAll],
      ["the master alone", toMaster],
    ])) {
      it(`to ${whom} ends it and its workers where nobody handles it`, async () => {
        const program = await running(signal, "none");
        send(program, signal);
        assert.equal((await program.ended).signal, signal);
      });

      it(`to ${whom} ends it and its workers as its handler does`, async () => {
        const program = await running(signal, "master", "exits");
        send(program, signal);
        const outcome = await program.ended;
        assert.equal(outcome.code, 9);
        assert.deepEqual(outcome.log("handled.log"), ["master"]);
      });
    }

    it("to the master alone is its handler's business, and its workers run on", async () => {
      const program = await running(signal, "both", "notes");
      toMaster(program, signal);
      await program.makes("handled.log");
      program.mark("go");
      const outcome = await program.ended;
      assert.deepEqual(outcome.result.value, [2, []]);
      assert.deepEqual(outcome.log("handled.log"), ["master"]);
      untouched(outcome);
    });

    it("to all of a program reaches each handler once, and the run goes on", async () => {
      const program = await running(signal, "both", "notes");
      toAll(program, signal);
      await program.until(
        () => program.read("handled.log").split("\n").length === 4,
        "handled it thrice",
      );
      program.mark("go");
      const outcome = await program.ended;
      assert.deepEqual(outcome.result.value, [2, []]);
      assert.deepEqual(outcome.log("handled.log").sort(), ["master", "worker", "worker"]);
      untouched(outcome);
    });

    it("to all of a program whose workers do not handle it costs the events that ran, and no other", async () => {
      const program = await running(signal, "master", "notes");
      toAll(program, signal);
      const outcome = await program.ended;
      assert.deepEqual(outcome.result.value, [0, [signal, signal]]);
      assert.deepEqual(outcome.log("handled.log"), ["master"]);
      untouched(outcome);
    });
  });
}

describe("Ctrl-C in a terminal", () => {
  const python = path.join(__dirname, "..", "support", "terminal.py");
  for (const [args, end] of [
    [["SIGINT", "none"], "signal 2"],
    [["SIGINT", "both", "exits"], "exit 9"],
  ]) {
    it(`ends the program, and its workers with it: ${args.slice(1)}`, async () => {
      // The program under test is the terminal's, which is python's child.
      const fixture = path.join(FIXTURES, "signals/handlers.js");
      const program = start(null, {
        nodeArgs: [
          "-e",
          `
        const { spawnSync } = require("child_process");
        const { stdout, stderr } = spawnSync("python3", ${JSON.stringify([python, "ready", NODE, fixture, ...args])}, { encoding: "utf8" });
        console.log(stdout.trim() + stderr);
      `,
        ],
      });
      const outcome = await program.ended;
      assert.deepEqual([outcome.stdout.trim(), outcome.alive], [end, []], outcome.transcript);
    });
  }
});

/** Elsewhere a worker sees the end of its master itself, once it has loaded the package and while it is not stopped. */
const skip =
  process.platform === "linux"
    ? false
    : "only Linux has a process killed or continued when its parent ends";

describe("a worker whose master is killed ends", () => {
  for (const when of ["loading", "running"]) {
    for (const how of ["looping", "waiting"]) {
      it(`also if it blocks its thread: ${when}, ${how}`, {
        skip: when === "loading" && skip,
      }, async () => {
        const program = start("signals/starting.js", { args: [when, how] });
        await program.makes("ready");
        assert.equal(program.alive().length, 3);
        toMaster(program, "SIGKILL");
        assert.equal((await program.ended).signal, "SIGKILL");
      });
    }
  }

  for (const when of ["loading", "running"]) {
    it(`also if it is stopped: ${when}`, { skip }, async () => {
      const program = start("signals/starting.js", { args: [when, "waiting"] });
      await program.makes("ready");
      const workers = program.alive().filter((pid) => pid !== program.pid);
      assert.equal(workers.length, 2);
      for (const pid of workers) process.kill(pid, "SIGSTOP");
      await program.until(() => workers.every(isStopped), "stopped its workers");
      toMaster(program, "SIGKILL");
      assert.equal((await program.ended).signal, "SIGKILL");
    });
  }

  for (const how of ["looping", "turning"]) {
    it(`with all that it has started, if its master was about to kill it: ${how}`, {
      skip,
    }, async () => {
      let caught = 0;
      // The kill takes some milliseconds, and may be over before it is seen: a busy machine may catch none.
      for (let round = 0; round < 20 && caught < 3; round++) {
        const program = start("signals/killing.js", { args: [how] });
        await program.until(() => program.read("family").endsWith("\n"), "started all");
        const worker = Number(program.read("family"));
        while (isThere(worker) && !isStopped(worker));
        toMaster(program, "SIGKILL");
        if (isStopped(worker)) caught++;
        // All of its processes are gone then, caught or not.
        assert.equal((await program.ended).signal, "SIGKILL");
      }
    });
  }
});
