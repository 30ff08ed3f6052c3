"use strict";
/**
 * Promise: a client of a pool runs the pool's flows by their names, and sees the same as the pool's own program: entries, failures with
 * their nodes and data, refusals, back-pressure. What a flow reduces in the master is reduced in the pool's process. A client that is
 * killed in the middle of a flow leaves nothing behind, and others are served.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { describe, it } = require("node:test");
const { once } = require("../../support/once");
const { run, start } = require("../../support/run");
const { scenarios } = require("../../support/flow-scenarios");

/** A program with a pool that listens, once it does. */
async function listening(options = {}) {
  const pool = start("flows/pool.js", { args: [JSON.stringify(options)] });
  await pool.makes("ready");
  return Object.assign(pool, { socket: path.join(pool.dir, "socket") });
}

/** What a pool's program reports once it is closed, and that it leaves nothing. */
async function closed(pool) {
  pool.mark("close");
  const outcome = await pool.ended;
  assert.equal(outcome.stderr, "", outcome.transcript);
  assert.deepEqual([outcome.alive, outcome.tmp], [[], []], outcome.transcript);
  assert.deepEqual(outcome.result, { unfinished: 0, workers: 0 });
}

const reported = async (fixture, ...args) => {
  const outcome = await run(fixture, { args });
  assert.equal(outcome.stderr, "", outcome.transcript);
  return outcome.result;
};

/** Folders of runs that have written something to files. */
const written = (pool) =>
  fs
    .readdirSync(pool.tmp)
    .filter((name) => name.startsWith("sonic-spill"))
    .flatMap((name) => fs.readdirSync(path.join(pool.tmp, name)));

const lines = (pool, name) => pool.read(name).split("\n").filter(Boolean);

describe("a client", () => {
  for (const options of [{}, { inProcess: true }]) {
    const [where, what] = options.inProcess
      ? ["inProcess", "without workers"]
      : ["workers", "with workers"];

    const names = Object.keys(scenarios);
    const both = once(async () => {
      const pool = await listening(options);
      const came = await Promise.all([
        reported("flows/program.js", names.join(), pool.socket),
        reported("flows/program.js", names.join(), where),
      ]);
      pool.mark("close");
      const { result, tmp } = await pool.ended;
      assert.deepEqual([result.workers, tmp], [0, []]);
      return came;
    });
    for (const name of names) {
      it(`runs flows as the pool's own program does, ${what}: ${name}`, async () => {
        const [there, here] = await both();
        assert.deepEqual(there[name], here[name]);
      });
    }

    it(`gets what the interpreter gives, of 50 flows that chance has made, ${what}`, async () => {
      const pool = await listening({ ...options, random: 50 });
      const { wrong, entries } = await reported("flows/client.js", "random", pool.socket, "50");
      assert.deepEqual(wrong, []);
      assert.ok(entries > 1000, `${entries}`);
      await closed(pool);
    });
  }
});

describe("a client that is killed in the middle of a flow", () => {
  for (const kind of ["stream", "run"]) {
    it(`leaves no files, and others are served: ${kind}`, async () => {
      const pool = await listening();
      const other = start("flows/client.js", { args: ["serves", pool.socket] });
      await other.makes("connected");
      const victim = start("flows/client.js", { args: [kind, pool.socket] });
      await pool.until(() => lines(pool, "begun.log").length > 0, "begun a group");
      assert.equal(written(pool).length, 1);
      victim.child.kill("SIGKILL");
      await victim.ended;
      await pool.until(() => written(pool).length === 0, "removed what was written");
      pool.mark("go");
      other.mark("go-on");
      const { result } = await other.ended;
      assert.deepEqual(result, { before: 50, after: 50 });
      pool.mark("close");
      const outcome = await pool.ended;
      assert.deepEqual([outcome.stderr, outcome.tmp, outcome.alive], ["", [], []]);
      assert.equal(outcome.result.unfinished, 0);
    });
  }

  for (const options of [{}, { inProcess: true }]) {
    const what = options.inProcess ? "without workers" : "with workers";
    it(`has nothing more of its events run, ${what}`, async () => {
      const pool = await listening(options);
      const victim = start("flows/client.js", { args: ["endless", pool.socket] });
      await victim.makes("reads");
      victim.child.kill("SIGKILL");
      await victim.ended;
      const other = start("flows/client.js", { args: ["serves", pool.socket] });
      other.mark("go-on");
      const { result } = await other.ended;
      assert.deepEqual(result, { before: 50, after: 50 });
      await closed(pool);
    });
  }
});
