"use strict";
/**
 * Promise: a pool's errors keep the program's own classes. Work can be run once in every worker, and be kept: then each replacement
 * runs it before anything else. A pool grows and shrinks without losing an event, and tells what it has done since its start.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (file, options) => {
  const program = await run(file, options);
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program.result;
};

describe("errors of the program's own classes", () => {
  it("are of those in the master too, with what the worker gave them, and no constructor runs", async () => {
    const results = await ended("pool/errors.js");
    const { found, own, named, unlisted, unknown, nested, mapped, streamed, entry } = results;
    assert.equal(found, "found");
    assert.deepEqual(own, {
      name: "Error",
      message: "no a",
      classes: ["NotFound", "Error"],
      own: ["path"],
      path: "a",
      status: 404,
      work: "throws",
      text: "Error: no a",
    });
    assert.deepEqual([named.name, named.classes], ["NamedError", ["Named", "TypeError", "Error"]]);
    assert.deepEqual([unlisted.path, unlisted.classes], ["unlisted", ["NotFound", "Error"]]);
    assert.deepEqual(unknown.classes, ["Error"]);
    assert.deepEqual([nested.path, nested.classes], ["c", ["NotFound", "Error"]]);
    assert.deepEqual([mapped.path, mapped.classes], ["b", ["NotFound", "Error"]]);
    assert.deepEqual([streamed.path, streamed.classes], ["a", ["NotFound", "Error"]]);
    assert.deepEqual(entry, ["name", "message", "stack", "path"]);
  });

  it("are named by classes, each with a name of its own", async () => {
    const { wrong } = await ended("pool/errors.js");
    assert.deepEqual(
      wrong.map(({ error }) => [error.code, error.message]),
      [
        "options.errors must be an array of classes of errors, got 7",
        "options.errors[1] must be a class of errors, got 7",
        "options.errors[1] has the name of another class, options.errors[0]: NotFound",
        "options.errors[0] must have a name, by which it is found",
      ].map((message) => ["ERR_SONIC_INVALID_ARGUMENT", message]),
    );
  });
});

describe("statistics of a pool", () => {
  it("count all its calls, runs and workers, while they run and after its end", async () => {
    const { atFirst, running, atEnd } = await ended("pool/statistics.js");
    const none = { error: 0, crash: 0, timeout: 0, aborted: 0 };
    const counts = ({ handedOver, answered, nothing, failed, unfinished, retried }) => [
      ...[handedOver, answered, nothing, failed, unfinished, retried],
    ];
    assert.deepEqual(counts(atFirst), [0, 0, 0, 0, 0, 0]);
    assert.deepEqual([atFirst.failures, atFirst.processes], [none, 2]);
    // The answer null of `run` is nothing.
    assert.deepEqual(counts(running), [12, 8, 1, 2, 1, 1]);
    assert.deepEqual(running.failures, { ...none, error: 1, crash: 1 });
    assert.deepEqual([running.crashes, running.tasks], [2, 11]);
    // Of a call, undefined is no answer.
    assert.deepEqual(counts(atEnd), [12, 8, 2, 2, 0, 1]);
    assert.deepEqual([atEnd.crashes, atEnd.restarts, atEnd.processes], [2, 2, 4]);
    for (const { isTimed, ids, hasWait } of [atFirst, running, atEnd])
      assert.deepEqual([isTimed, ids, hasWait], [true, [1, 2], false]);
  });
});

const each = (...args) => ended("pool/each.js", { args });

describe("each", () => {
  it("is not kept from running by what is stopped or late, nor keeps that from being ended", async () => {
    assert.deepEqual(await each("behind"), [
      ["stream", "enough", ["stream"]],
      ["run", "enough", ["run"]],
      ["late", "ERR_SONIC_TASK_TIMEOUT", ["late"]],
    ]);
  });

  it("is not kept from running by what is late beside an event that goes on for longer", async () => {
    assert.deepEqual(await each("beside"), ["ERR_SONIC_TASK_TIMEOUT", "other", ["each"]]);
  });

  it("runs work once in every worker, and resolves to the answers in their order", async () => {
    assert.deepEqual(await each("once"), {
      ids: [1, 2, 3, 4],
      arePids: true,
      first: { data: { a: 1 }, plus: 2 },
      pipeline: Array(4).fill(["x", true]),
      none: true,
      refused: [
        "ERR_SONIC_UNKNOWN_STAGE",
        ...Array(3).fill("ERR_SONIC_INVALID_ARGUMENT"),
        "TypeError",
        "ERR_SONIC_POOL_CLOSED",
      ],
    });
  });

  it("waits for what runs in a worker, and runs alone there", async () => {
    const { answers, order } = await each("turns");
    assert.deepEqual(answers, [[1], [2], "a", "b"]);
    const [first, second, ...rest] = order;
    assert.deepEqual([first, second], ["starts a", "ends a"]);
    // What waited for this worker alone comes before what any worker may take.
    assert.deepEqual(rest, [
      ...["each 1", "each ends 1", "each 2", "each ends 2"],
      ...["starts b", "ends b"],
    ]);
  });

  it("goes beside long data of other events", async () => {
    assert.deepEqual(await each("large"), { areRight: true });
  });

  it("is tried again where a worker died, three times in all, and rejects as a call does", async () => {
    const { task, ...rest } = await each("deaths");
    assert.deepEqual(task, { work: "dies", data: "data", attempts: 3, worker: 1, pid: "number" });
    assert.deepEqual(rest, {
      lives: ["lives", "lives"],
      code: "ERR_SONIC_WORKER_EXIT",
      tries: 3,
      thrown: [true, "in the first", 1, 7],
      late: "ERR_SONIC_TASK_TIMEOUT",
      after: 2,
    });
  });
});

describe("each that is kept", () => {
  it("runs in a replacement before its first event, until it is disposed of", async () => {
    assert.deepEqual(await each("keep"), {
      areResults: true,
      inits: 9,
      first: "init",
      kept: "kept",
      firstOfNext: "use",
      keptByNext: "nothing",
    });
  });

  it("runs in workers that take the place of others at the end of their time, and is no event of theirs", async () => {
    const { kept, processes } = await each("recycled");
    assert.deepEqual([kept, processes], [Array(6).fill("kept"), 3]);
  });

  it("is not kept if it fails at first", async () => {
    assert.deepEqual(await each("rejected"), { error: "in the first", used: true });
  });

  for (const [how, why] of [
    ["throws", "TypeError: no database"],
    ["exits", "worker 1 exited with code 3 while it ran this event"],
  ]) {
    it(`gives a worker up where it fails three times in a row: ${how}`, async () => {
      const program = await run("pool/each.js", { args: ["givenUp", how] });
      const { warnings, kept, workers, inits } = program.result;
      assert.equal(program.code, 0, program.transcript);
      assert.deepEqual(program.alive, [], program.transcript);
      const failed = '"init", which each worker runs first, failed 3 times in a row in worker 1';
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ["SONIC_WORKER_GIVEN_UP"],
      );
      const [{ message }] = warnings;
      const begins = `the pool goes on without worker 1: ${failed}: ${why}`;
      assert.equal(message.slice(0, begins.length), begins);
      assert.deepEqual([kept, workers, inits], ["kept", [2], 5]);
    });
  }

  it("ends the pool where that was its last worker, saying why", async () => {
    const { waiting, late } = await each("last");
    for (const { error } of [waiting, late]) {
      assert.equal(error.code, "ERR_SONIC_WORKER_START");
      assert.match(error.message, /^"init", which each worker runs first.*TypeError: no database$/);
    }
  });
});

const resize = (scenario) => ended("pool/resize.js", { args: [scenario] });

describe("a pool that is resized", () => {
  it("grows: new workers take what waits, having run what is kept, and nobody is replaced", async () => {
    assert.deepEqual(await resize("grows"), {
      after: [1, 2, 3],
      answers: [1, 2, 3, 4],
      kept: ["kept", "kept", "kept"],
      hasStayed: true,
      processes: [1, 1, 1],
      restarts: 0,
    });
  });

  it("shrinks: workers end what they run before they exit, and no event is lost", async () => {
    assert.deepEqual(await resize("shrinks"), {
      wasDone: false,
      alive: 1,
      answers: [1, 2, 3, 4, 5, 6, 7, 8],
      left: 1,
      isLeft: true,
    });
  });

  it("lets idle workers go first, and has workers of the same numbers again", async () => {
    assert.deepEqual(await resize("idleFirst"), { isBusy: true, again: [1, 2, 3] });
  });

  it("ends what each worker was given before it", async () => {
    assert.deepEqual(await resize("each"), { answers: 3, after: 1 });
  });

  it("leaves nothing unfinished of what is kept when it is closed meanwhile", async () => {
    assert.equal(await resize("closed"), 0);
  });

  it("several times at once has what was asked for last, and all promises settle", async () => {
    const { wrong, ...rest } = await resize("several");
    assert.deepEqual(rest, {
      outcomes: [],
      first: 3,
      last: [1, 2, 3],
      unfinished: {},
      late: "ERR_SONIC_POOL_CLOSED",
    });
    assert.deepEqual(
      wrong,
      [
        ...["0", "1.5", '"2"'].map((got) => `a whole number of at least 1, got ${got}`),
        "at most 4094, got 4095",
      ].map((must) => `ERR_SONIC_INVALID_ARGUMENT numWorkers must be ${must}`),
    );
  });

  it("under load answers every event once", async () => {
    assert.deepEqual(await resize("flood"), {
      areRight: true,
      isComplete: true,
      restarts: 0,
      crashes: 0,
    });
  });

  it("rejects if a worker cannot be started, and can be resized again", async () => {
    const program = await run("pool/resize.js", { args: ["broken"] });
    assert.deepEqual(program.result, {
      code: "ERR_SONIC_WORKER_START",
      left: [1, 2],
      again: [1, 2, 3],
      warnings: ["SONIC_WORKER_GIVEN_UP"],
    });
    assert.equal(program.code, 0, program.transcript);
    assert.deepEqual(program.alive, [], program.transcript);
  });

  it("gets over it that all its workers are killed meanwhile", async () => {
    assert.deepEqual(await resize("killed"), { answers: [1, 2, 3], alive: 0 });
  });
});
