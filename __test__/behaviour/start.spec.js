"use strict";
/**
 * Promise: A call whose workers cannot start rejects, after a bounded time and number of attempts, and names the worker
 * and the reason. A wrong argument is an error that names it and shows what was given. Nothing ever waits silently.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");
const { split } = require("../../scripts/bundle");
const { outOfTime } = require("../support/out-of-time");
const { run, FIXTURES } = require("../support/run");

const result = async (fixture, ...args) => (await run(fixture, { args })).result;

const UNREACHABLE = "ERR_SONIC_CALL_UNREACHABLE";

function assertStartFailure({ value, error }, reason, code = "ERR_SONIC_WORKER_START") {
  assert.equal(value, undefined);
  assert.equal(error.code, code);
  assert.match(error.message, /worker/i);
  assert.match(error.message, reason);
}

function assertArgumentError({ value, error }, argument, given) {
  assert.equal(value, undefined);
  assert.equal(error.code, "ERR_SONIC_INVALID_ARGUMENT");
  assert.ok(error.message.includes(argument), `${error.message} does not name ${argument}`);
  assert.ok(
    error.message.replace(/"/g, "'").includes(given),
    `${error.message} does not show ${given}`,
  );
}

describe("a call whose workers end before they reach it", () => {
  const ways = [
    { how: "throws", reason: /code 1\b/ },
    { how: "rejects", reason: /code 1\b/, nodeArgs: ["--unhandled-rejections=throw"] }, // Node 14 only warns unless told
    { how: "exits 3", reason: /code 3\b/ },
    { how: "is killed", reason: /SIGKILL/ },
    {
      how: "ends",
      reason: /without reaching the call at never-registers\.js:\d+:\d+: it reached no call/,
      code: UNREACHABLE,
    },
  ];
  for (const { how, reason, nodeArgs, code } of ways) {
    it(`rejects after bounded tries, naming the worker and why: it ${how}`, async () => {
      const program = await run("start/never-registers.js", { args: [how], nodeArgs });
      assertStartFailure(program.result, reason, code);
      assert.deepEqual(program.log("master.log"), []);
      const starts = program.log("starts.log").filter((line) => line === "worker").length;
      assert.ok(starts >= 1 && starts <= 20, `${starts} starts`);
      assert.equal(program.log("starts.log").length, starts + 1);
    });
  }

  for (const how of ["stays alive", "never yields"]) {
    it(`rejects after a deadline when a worker does not reach it: it ${how}`, async () => {
      const said = /did not reach the call at never-registers\.js:\d+:\d+ within (\d+) ms/;
      const { time, ...outcome } = await outOfTime("start/never-registers.js", how, said);
      assertStartFailure(outcome, said, UNREACHABLE);
      assert.equal(said.exec(outcome.error.message)[1], `${time}`);
    });
  }

  it("rejects at once where the system starts none, and the program ends", async () => {
    const { error } = await result("start/cannot.js");
    assert.match(error.message, /worker 1\b/);
    assert.match(error.message, /No such file or directory/);
  });

  it("succeeds when the next try does", async () => {
    assert.deepEqual(await result("start/second-try.js"), { answered: 10, failed: 0 });
  });

  it("rejects when it has lost its only worker and no other can start", async () => {
    const program = await run("start/no-replacement.js");
    assertStartFailure(program.result, /code 4\b/);
    const starts = program.log("starts.log").length;
    assert.ok(starts >= 1 && starts <= 20, `${starts} starts`);
  });

  it("waits for a worker that is slow to reach it", async () => {
    assert.deepEqual(await result("start/slow-start.js"), [{ id: 1, data: 1, response: 2 }]);
  });
});

describe("arguments", () => {
  it("reject the call, with a TypeError or RangeError, when numWorkers is no positive integer; no process is started", async () => {
    const program = await run("start/num-workers.js");
    const outcomes = Object.entries(program.result);
    assert.equal(outcomes.length, 9);
    for (const [shown, outcome] of outcomes) {
      assert.equal(outcome.isPromise, true);
      assertArgumentError(outcome, "numWorkers", shown === "[ 2 ]" ? "array" : shown);
      const expected = /^-?[\d.]+$|NaN|Infinity/.test(shown)
        ? ["RangeError", "TypeError"]
        : ["TypeError"];
      assert.ok(expected.includes(outcome.error.type), `${shown}: ${outcome.error.type}`);
    }
    assert.deepEqual(program.log("starts.log"), ["started"]);
  });

  for (const which of ["none", "empty", "undefined"]) {
    it(`mean as many workers as there are usable processors when they do not say: ${which}`, async () => {
      const { workers, NUM_CPUS, cpus, usable, response } = await result(
        "start/default-workers.js",
        which,
      );
      assert.equal(workers, usable);
      assert.equal(NUM_CPUS, cpus);
      assert.deepEqual(response, ["workerID", "number"]);
    });
  }

  it("reject the call with a TypeError when masterFn or reduceFn is no function in the master", async () => {
    const outcomes = await result("start/master-functions.js");
    assertArgumentError(outcomes.masterFn, "masterFn", "42");
    assertArgumentError(outcomes["no masterFn"], "masterFn", "undefined");
    assertArgumentError(outcomes.reduceFn, "reduceFn", "'reduce'");
    assertArgumentError(outcomes["no reduceFn"], "reduceFn", "null");
    for (const { error } of Object.values(outcomes)) assert.equal(error.type, "TypeError");
  });

  for (const [which, given] of [
    ["string", "'stages'"],
    ["a number in the list", "42"],
    ["null", "null"],
    ["undefined", "undefined"],
    ["function", "unction"],
  ]) {
    it(`reject the worker's call with a TypeError, and so the master's, when workerFns is no list of functions: ${which}`, async () => {
      const program = await run("start/worker-functions.js", { args: [which] });
      const outcomes = program.log("worker.log").map((line) => JSON.parse(line));
      assert.ok(outcomes.length > 0);
      for (const outcome of outcomes) {
        assertArgumentError(outcome, "workerFns", given);
        assert.equal(outcome.error.type, "TypeError");
      }
      assertArgumentError(program.result, "workerFns", given);
      assert.equal(program.result.error.type, "TypeError");
    });
  }
});

describe("a program without a script", () => {
  const root = path.join(FIXTURES, "..", "..");
  const code = (setup) => `
    const cluster = require("cluster");
    const { MapReduce, Map } = require(${JSON.stringify(root)});
    ${setup}
    MapReduce((queue) => Map(queue, { data: 21 }), [], (results) => results.dequeue().response, { numWorkers: 1 })
      .then((value) => ({ value }), ({ message }) => ({ message }))
      .then((result) => console.log("RESULT " + JSON.stringify(result)));`;

  it("is told so when it is run by node -e", async () => {
    const { message } = (await run(null, { nodeArgs: ["-e", code("")] })).result;
    assert.match(message, /script/i);
    assert.match(message, /-e\b|setupPrimary|setupMaster/);
  });

  it("is told so when it comes from standard input", async () => {
    const { message } = (await run(null, { stdin: code("") })).result;
    assert.match(message, /script/i);
  });

  it("works when it names one with cluster.setupPrimary", async () => {
    const exec = JSON.stringify(path.join(FIXTURES, "start", "exec.js"));
    const program = await run(null, {
      nodeArgs: ["-e", code(`(cluster.setupPrimary || cluster.setupMaster)({ exec: ${exec} });`)],
    });
    assert.deepEqual(program.result, { value: 42 });
  });
});

describe("a worker of somebody else's cluster", () => {
  it("is no master, and is warned once, on stderr, that its call does nothing", async () => {
    const program = await run("start/foreign-worker.js");
    assert.equal(program.result, "over");
    assert.deepEqual(program.log("processes.log"), ["false WORKER-1"]);
    assert.deepEqual(program.log("master.log"), []);
    assert.ok(
      program.log("yields.log").every((line) => line === "undefined"),
      program.log("yields.log").join(),
    );
    const warnings = program.stderr.split("\n").filter((line) => /sonic-distribute/i.test(line));
    assert.equal(warnings.length, 1, program.stderr);
  });
});

describe("what a plain call loads", () => {
  it("is what an install has in its first file, in both roles, whatever its events come to", async () => {
    const { master, worker, failed } = await result("start/loaded.js");
    assert.equal(failed, 1);
    const { needed, onDemand } = split();
    for (const loaded of [master, worker]) {
      assert.ok(loaded.includes("index.js") && loaded.length > 30, `${loaded}`);
      assert.deepEqual(
        loaded.filter((name) => !needed.has(name)),
        [],
      );
    }
    for (const name of ["create-pool", "page", "remote"])
      assert.ok(onDemand.has(`lib/master/${name}.js`), name);
    for (const name of ["shared/flow/plan", "shared/sync/locks", "worker/flow"])
      assert.ok(onDemand.has(`lib/${name}.js`), name);
  });
});
