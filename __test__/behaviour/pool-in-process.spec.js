"use strict";
/**
 * Promise: with `inProcess` a pool runs its stages in the program's own process, and a program sees the same as with workers: values,
 * errors, order, limits, retries. What only workers can do is refused. An idle pool keeps nothing alive.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const inProcess = async (scenario) => {
  const program = await run("pool/in-process.js", { args: [scenario] });
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  return program.result;
};

/** What differs from process to process. */
const DIFFERENT = ["stack", "hasPid", "worker", "workerID", "takenAhead"];

const calls = async (scenario, env) => {
  const { stdout, stderr, code, transcript } = await run("pool/calls.js", {
    args: [scenario],
    env,
  });
  assert.deepEqual([code, stderr], [0, ""], transcript);
  const [, reported] = stdout.match(/^RESULT (.*)$/m);
  return JSON.parse(reported, (name, value) => (DIFFERENT.includes(name) ? undefined : value));
};

describe("a pool in this process", () => {
  const SAME = ["values", "bytes", "works", "refusals", "errors", "sources", "many"];
  for (const scenario of [...SAME, "stream", "dropped", "run", "full", "closes", "forgets"]) {
    it(`does the same as one with workers: ${scenario}`, async () => {
      const [here, there] = [{ SONIC_IN_PROCESS: "1" }, {}].map((env) => calls(scenario, env));
      assert.deepEqual(await here, await there);
    });
  }

  it("runs the stages here, where it is asked to, and has one worker: this process", async () => {
    const { worker, ...rest } = await inProcess("where");
    assert.equal(typeof worker, "number");
    assert.deepEqual(rest, { count: 0, isHere: true, after: [], isElsewhere: true });
  });

  it("refuses options that need workers", async () => {
    const outcomes = await inProcess("options");
    const names = ["maxWorkerMemory", "maxTasksPerWorker", "inProcess"];
    for (const [at, { error }] of outcomes.entries()) {
      assert.equal(error.code, "ERR_SONIC_INVALID_ARGUMENT");
      assert.match(error.message, new RegExp(`^options\\.${names[at]} (needs workers|must be)`));
    }
  });

  it("hands data, args and results over as copies, as they are in JSON", async () => {
    const epoch = "1970-01-01T00:00:00.000Z";
    assert.deepEqual(await inProcess("copies"), {
      answers: [1, 1],
      data: { list: [], when: epoch },
      args: { list: [] },
      when: { list: [], when: epoch },
      filled: ["0707", "0101"],
      entries: [{ list: ["more"], when: epoch }],
    });
  });

  it("runs as many events at once as it has workers, and refuses calls beyond maxQueue", async () => {
    const outcomes = ["a", "b", "c"].map((value) => ({ value }));
    const full = "ERR_SONIC_QUEUE_FULL";
    assert.deepEqual(await inProcess("several"), { full, outcomes, count: 2, most: 2 });
  });

  it("takes no more of an iterable than it needs", async () => {
    const { mapped, before, after } = await inProcess("ahead");
    assert.deepEqual(mapped, { error: { thrown: "enough" } });
    assert.equal(before, after);
    assert.ok(before >= 2 && before <= 6, `${before}`);
  });

  it("tries again what failed or was late, with the data as it was", async () => {
    assert.deepEqual(await inProcess("retries"), {
      answer: { tries: 3 },
      late: ["ERR_SONIC_TASK_TIMEOUT", 2, 2],
      lateOnly: ["ERR_SONIC_TASK_TIMEOUT", 1, 1],
      after: 1,
    });
  });

  it("ends the wait for what is aborted, and goes on with the rest", async () => {
    const enough = { error: { thrown: "enough" } };
    const outcomes = Array(5).fill(enough);
    const expected = { outcomes, late: enough, after: 1, listeners: 0 };
    assert.deepEqual(await inProcess("aborts"), expected);
  });

  it("closes by a signal though an event never ends", async () => {
    const enough = { error: { thrown: "enough" } };
    const refused = "ERR_SONIC_POOL_CLOSED";
    assert.deepEqual(await inProcess("closes"), { outcomes: [enough, enough], refused });
  });

  it("refuses calls in a stage, and ids of workers", async () => {
    const nested = "ERR_SONIC_NESTED_CALL";
    assert.deepEqual(await inProcess("nested"), [nested, nested, "ERR_SONIC_NO_WORKER_IDS"]);
  });

  it("refuses flows, and goes on", async () => {
    const { outcomes, after } = await inProcess("flows");
    for (const { error } of outcomes) {
      assert.equal(error.code, "ERR_SONIC_INVALID_ARGUMENT");
      assert.match(error.message, /^"all" is a flow, which needs workers, and with inProcess /);
    }
    assert.equal(after, 1);
  });

  it("loads a worker file, and says what is wrong with it", async () => {
    const { answers, outcomes } = await inProcess("files");
    const unknown = "ERR_SONIC_UNKNOWN_STAGE";
    assert.deepEqual(answers, [4, unknown, 4, unknown, "one 1"]);
    const messages = outcomes.map(({ error }) => `${error.code}: ${error.message}`).join("\n");
    assert.match(
      messages,
      /^ERR_SONIC_WORKER_FILE: the worker file .*none\.js exports no function/,
    );
    assert.equal(
      messages.match(/throws\.m?js threw while it loaded: TypeError: not today/g).length,
      2,
    );
  });

  it("keeps this process alive while an event runs, and no longer", async () => {
    assert.equal(await inProcess("held"), 1);
    assert.equal(await inProcess("unread"), 1);
  });
});
