"use strict";
/**
 * Promise: Each step prints one line through console.log, `<ISO time>: <MASTER|WORKER-n>: <text>`, and none while QUIET
 * is set.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const LOUD = { QUIET: undefined };
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The log lines of a program as [who, text]; everything it printed must be one. */
function logged(lines) {
  return lines
    .filter((line) => !line.startsWith("RESULT "))
    .map((line) => {
      const [, date, who, text] =
        /^(.*?Z): ([A-Z0-9-]+): (.*)$/.exec(line) || assert.fail(`no log line: ${line}`);
      assert.match(date, ISO);
      return [who, text];
    });
}

const texts = (lines, who) => lines.filter(([name]) => name === who).map(([, text]) => text);
const count = (list, text) => list.filter((entry) => entry === text).length;

describe("a job's log", () => {
  it("has, in the master, the run's steps in their order", async () => {
    const program = await run("logs/job.js", { env: LOUD });
    const { value, pid } = program.result;
    assert.equal(value, "reduced");
    const lines = texts(logged(program.lines), "MASTER");
    const order = [
      "Running Map reduce",
      `Process running on pid ${pid}`,
      "Worker queues initializing",
      "Workers queue populated",
      "Shutting down master",
    ];
    assert.deepEqual(
      lines.filter((line) => order.includes(line)),
      order,
    );
    assert.deepEqual(lines.slice(0, 3), order.slice(0, 3));
  });

  it("has, in the master, each worker once when it registers, once for each event it has answered, once when it is released", async () => {
    const lines = texts(logged((await run("logs/job.js", { env: LOUD })).lines), "MASTER");
    const available = lines.filter((line) => /^Worker [12] now available$/.test(line));
    assert.equal(available.length, 2 + 5);
    const registered = lines
      .slice(0, lines.indexOf("Workers queue populated"))
      .filter((line) => available.includes(line));
    assert.deepEqual(registered.sort(), ["Worker 1 now available", "Worker 2 now available"]);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("Gracefully")).sort(),
      [1, 2].map((id) => `Gracefully shutting down worker #${id}`),
    );
    assert.equal(lines.length, 5 + 7 + 2);
  });

  it("has, in a worker, that it is active, and what its events threw", async () => {
    const lines = logged((await run("logs/job.js", { env: LOUD })).lines);
    const workers = lines.filter(([who]) => who !== "MASTER");
    for (const id of [1, 2])
      assert.equal(
        texts(lines, `WORKER-${id}`)[0],
        `Worker ${id} now active and processing requests`,
      );
    const errors = workers.map(([, text]) => text).filter((text) => text.startsWith("Error"));
    assert.deepEqual(errors.sort(), ["Error occurred: TypeError: two", "Error occurred: three"]);
    assert.equal(workers.length, 4);
  });

  it("is empty when QUIET is set, whatever to", async () => {
    for (const QUIET of ["true", "0", "false"]) {
      const program = await run("logs/job.js", { env: { QUIET } });
      assert.equal(program.lines.length, 1, program.stdout);
      assert.equal(program.result.value, "reduced");
    }
  });

  it("is written when QUIET is empty", async () => {
    assert.equal(logged((await run("logs/job.js", { env: { QUIET: "" } })).lines).length, 14 + 4);
  });

  it("follows QUIET while the program runs", async () => {
    const lines = logged((await run("logs/switched.js", { env: LOUD })).lines);
    assert.deepEqual(texts(lines, "WORKER-1").slice(1), [
      "Error occurred: loud",
      "Error occurred: loud again",
    ]);
    assert.equal(count(texts(lines, "MASTER"), "Worker 1 now available"), 3);
    assert.equal(count(texts(lines, "MASTER"), "Shutting down master"), 1);
  });

  it("goes through console.log as it is at that moment", async () => {
    const program = await run("logs/patched.js", { env: LOUD });
    assert.equal(program.stdout, "");
    const [master, worker] = ["master.log", "worker.log"].map((name) =>
      program.log(name).map((line) => JSON.parse(line)),
    );
    for (const args of [...master, ...worker]) assert.equal(args.length, 1);
    assert.equal(logged(master.flat()).length, 5 + 2 + 1);
    assert.deepEqual(texts(logged(worker.flat()), "WORKER-1"), [
      "Worker 1 now active and processing requests",
      "Error occurred: Error: boom",
    ]);
  });

  it("has the start of a run when the program calls initMaster, and not when it calls configureWorkers", async () => {
    const both = [
      "Worker queues initializing",
      "Worker 1 now available",
      "Workers queue populated",
    ];
    for (const [how, first] of /** @type {[string, any][]} */ ([
      ["initMaster", 2],
      ["configureWorkers", 0],
    ])) {
      const lines = texts(
        logged((await run("logs/by-hand.js", { args: [how], env: LOUD })).lines),
        "MASTER",
      );
      assert.deepEqual(lines.slice(first, first + 3), both, how);
      assert.equal(lines.length, first + 3 + 2, how);
    }
  });
});

describe("getLogger", () => {
  it("makes a logger that prints the time, or what it is given for it, its name and the text", async () => {
    const { lines } = await run("logs/logger.js", { env: LOUD });
    assert.deepEqual([lines[1], lines.length], ["a date of its own: MINE: an object", 4]);
    assert.deepEqual(texts(logged([lines[0], lines[2], lines[3]]), "MINE"), [
      "text",
      "seen again",
      "Delay undefined",
    ]);
  });
});

describe("the core's log", () => {
  it("is shown where a pool's calls are all that happens", async () => {
    const env = { SONIC_LOG: "debug" };
    const program = await run("pool/calls.js", { args: ["works"], env });
    assert.match(program.stderr, /DEBUG sonic_distribute.*worker ready/);
    const quiet = await run("pool/calls.js", { args: ["works"] });
    assert.equal(quiet.stderr, "");
  });
});
