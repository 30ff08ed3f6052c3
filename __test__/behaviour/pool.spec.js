"use strict";
/**
 * Promise: `createPool` starts workers once, that serve calls, maps, streams and runs until the pool is closed. A worker never gets
 * past it, and ends with code 0 and without a word. An idle pool keeps no program alive. A call costs nothing but itself: one
 * that fails, is aborted, is late or loses its worker touches no other.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const calls = async (scenario) => {
  const program = await run("pool/calls.js", { args: [scenario] });
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program.result;
};

describe("parking", () => {
  for (const file of ["park.js", "park.mjs", "park-async.mjs"]) {
    for (const how of ["ends", "closes", "throws", "killed"]) {
      it(`what is behind a pool is the master's alone, and its workers end without a word: ${file}, ${how}`, async () => {
        const program = await run(`pool/${file}`, { args: [how] });
        const [, reported] = program.stdout.match(/^RESULT (.*)$/m) || [undefined, "{}"];
        const { answers, pid } = JSON.parse(reported);
        assert.deepEqual(answers, [42, 42], program.transcript);
        assert.deepEqual(program.log("behind.log"), [`${pid}`]);
        // After its end workers notice that by themselves; `run` sees to it that they do.
        if (how === "ends" || how === "closes") assert.deepEqual(program.alive, []);
        assert.equal(program.stdout.split("\n").filter(Boolean).length, 1, program.transcript);
        if (how === "throws") assert.match(program.stderr, /^[^\n]*\n[\s\S]*thrown by the master/);
        else assert.equal(program.stderr, "", program.transcript);
        assert.equal(program.stderr.match(/Warning|worker/gi), null, program.transcript);
        if (how === "ends" || how === "closes") {
          assert.equal(program.code, 0, program.transcript);
          assert.deepEqual(program.log("exits.log"), Array(3).fill("0 null"));
        }
      });
    }
  }
});

describe("a pool", () => {
  it("that no worker can reach rejects, naming what it is behind and what to do", async () => {
    const program = await run("pool/behind.js", { env: { QUIET: "1" } });
    const { behind, call, answer } = program.result;
    assert.deepEqual(
      [behind.error.code, call.error.code, answer],
      ["ERR_SONIC_CALL_UNREACHABLE", "ERR_SONIC_CALL_UNREACHABLE", 7],
    );
    for (const { message } of [behind.error, call.error]) {
      assert.match(message, /it reached the pool at [^ ]*behind\.js:9:\d+/);
      assert.match(message, /with one Promise\.all/);
    }
  });

  it("whose last worker is given up rejects all that waits and comes, and closes", async () => {
    const program = await run("pool/gone.js");
    const { codes } = program.result;
    assert.deepEqual(codes.slice(0, 2), Array(2).fill("ERR_SONIC_WORKER_EXIT"));
    assert.deepEqual(codes.slice(2), Array(3).fill("ERR_SONIC_WORKER_START"));
    assert.deepEqual(program.alive, []);
  });

  it("works in a worker of the program's own cluster", async () => {
    const program = await run("pool/in-cluster.js");
    assert.deepEqual([program.result.code, program.log("answers.log")], [0, ["2"]]);
    assert.deepEqual(program.alive, []);
  });
});

describe("a call", () => {
  it("resolves to the answer, undefined and null too", async () => {
    const { answers } = await calls("values");
    assert.deepEqual(answers, [
      ...["undefined", null, 0, -1.5, "", "é", "plain", true, [1, [2]]],
      { a: { b: null } },
    ]);
  });

  it("carries bytes at the top as they are, and those inside as JSON does", async () => {
    assert.deepEqual(await calls("bytes"), {
      shown: [
        ["Buffer", "00ff0a"],
        ["Uint8Array", "0102"],
        ["Float64Array", "000000000000e03f0000000000000080"],
      ],
      data: "Buffer",
      response: "Buffer",
      inside: { view: { type: "Buffer", data: [0, 255, 10] } },
    });
  });

  it("goes through a stage by name or as the function, or through several, with args of its own", async () => {
    const { worker, allArgs, ...rest } = await calls("works");
    assert.ok([1, 2].includes(worker));
    const { workerID, ...args } = allArgs;
    assert.deepEqual(args, { deep: { list: [1, "é"] } });
    assert.equal(typeof workerID, "number");
    assert.deepEqual(rest, {
      byName: 2,
      byFunction: 2,
      pipeline: 4,
      args: 11,
      pipelineArgs: 21,
      afterwards: 2,
    });
  });

  it("is refused with what is wrong, at the program's line", async () => {
    const { outcomes, thrown, stack, after } = await calls("refusals");
    assert.deepEqual(
      outcomes.map(({ error }) => error.code || error.name),
      [
        ...Array(2).fill("ERR_SONIC_UNKNOWN_STAGE"),
        ...Array(5).fill("ERR_SONIC_INVALID_ARGUMENT"),
        "TypeError",
        ...Array(3).fill("ERR_SONIC_INVALID_ARGUMENT"),
      ],
    );
    const messages = outcomes.map(({ error }) => error.message).join("\n");
    assert.match(messages, /no stage "nothing"; it has same, add, who/);
    assert.match(messages, /options\.retires is not an option: did you mean retries\?/);
    assert.match(messages, /args\.deep\.fn is a function/);
    assert.match(thrown[0], /the second parameter must be an iterable.*got "a string"/);
    assert.match(stack, /calls\.js/);
    assert.doesNotMatch(stack, /lib\/master/);
    assert.equal(after, 2);
  });

  it("rejects with a real error: its class, the worker's stack and the caller's, and the event", async () => {
    const { range, odd, string, mapped, settled } = await calls("errors");
    assert.deepEqual(
      [range.name, range.kind, range.message],
      ["RangeError", "RangeError", "out of it"],
    );
    assert.deepEqual(range.task, {
      work: "throws",
      data: "range",
      attempts: 1,
      hasPid: true,
      worker: "number",
    });
    assert.equal(range.isListed, false);
    assert.match(
      range.stack,
      /^RangeError: out of it\n[\s\S]*throws[\s\S]*calls\.js:\d+:\d+[\s\S]*\n[\s\S]*calls\.js/,
    );
    assert.doesNotMatch(range.stack, /lib\/(master|worker)/);
    assert.doesNotMatch(range.stack, /Array\./, "a stage is no method");
    assert.deepEqual([odd.name, odd.code, odd.isError], ["Error", "ODD", true]);
    assert.deepEqual(odd.cause, { message: "why", isError: true });
    assert.deepEqual([string.isError, string.thrown], [true, "a string"]);
    assert.deepEqual(mapped.task.work, ["same", "throws"]);
    assert.equal(mapped.task.data, "range");
    assert.deepEqual(settled, [
      ["fulfilled", 1, null],
      ["rejected", null, "out of it"],
      ["fulfilled", 2, null],
    ]);
  });

  it("that is aborted rejects with the reason, ends its worker if it runs, and touches no other", async () => {
    const { before, aborted, kept, after, left, listeners } = await calls("abort");
    assert.deepEqual(before, { error: { thrown: "before" } });
    assert.deepEqual(aborted, [{ error: { thrown: "running" } }, { error: { thrown: "waiting" } }]);
    assert.deepEqual([kept, after, left, listeners], ["other", [2, 3, 4], 1, [0, 0]]);
  });

  it("that is late fails, and its worker is replaced", async () => {
    const { late, after } = await calls("timeout");
    assert.deepEqual([late.code, late.task.data, after], ["ERR_SONIC_TASK_TIMEOUT", 1, 2]);
  });

  it("whose worker dies costs itself alone, and is tried again where that is wanted", async () => {
    const { died, others, retried, mapped } = await calls("crash");
    assert.equal(died.code, "ERR_SONIC_WORKER_EXIT");
    assert.deepEqual([died.task.work, died.task.data, died.task.hasPid], ["dies", "die", true]);
    assert.deepEqual([others, retried, mapped], [[1, 2, 3, 4], "a", ["b", "c", "d"]]);
  });

  it("beyond maxQueue is refused, and those that wait are served", async () => {
    const { full, outcomes, after } = await calls("full");
    assert.equal(full.error.code, "ERR_SONIC_QUEUE_FULL");
    assert.deepEqual(
      outcomes,
      ["a", "b", "c", "d"].map((value) => ({ value })),
    );
    assert.equal(after, 1);
  });
});

describe("a map", () => {
  it("keeps the order of any iterable, and takes no more from it than workers need", async () => {
    const { takenAhead, ...rest } = await calls("map");
    assert.deepEqual(rest, {
      isInOrder: true,
      none: [],
      set: [6, 7],
      async: [1, 2, 3, 4, 5],
      slow: ["first", "second"],
      undefinedOnes: ["undefined", "null"],
      endless: "out of it",
      isClosed: true,
      aborted: "enough",
    });
    // Two workers, at most 512 events each, and the one that waits.
    assert.ok(takenAhead >= 2 && takenAhead <= 1025, `${takenAhead}`);
  });
});

describe("a map that is over", () => {
  it("is forgotten, and so are its results", async () => {
    assert.deepEqual(await calls("forgets"), { kept: 0 });
  });
});

describe("sources", () => {
  it("that wait, throw or do not end hold nothing up, and the first reason is told", async () => {
    const { aborted, ownErrorOfStream, ...rest } = await calls("sources");
    assert.deepEqual(aborted, { error: { thrown: "enough" } });
    assert.equal(ownErrorOfStream.error.message, "next");
    assert.deepEqual(rest, {
      failed: "out of it",
      ownError: "next",
      noEncoding: "TypeError",
      hangs: "out of it",
      promises: [3, 4],
      several: "out of it",
      held: [300, 301],
      after: 2,
    });
  });
});

describe("many calls with args and one signal", () => {
  it("are right, leave no listener, and warn of nothing", async () => {
    const { areRight, listeners, functions, symbols } = await calls("many");
    assert.deepEqual([areRight, listeners], [true, 0]);
    for (const { error } of [functions, symbols]) {
      assert.equal(error.code, "ERR_SONIC_INVALID_ARGUMENT");
      assert.match(error.message, /^the data must be a value that JSON has, got/);
    }
  });
});

describe("a stream", () => {
  it("that nobody reads any more does not keep the program alive", async () => {
    assert.deepEqual(await calls("dropped"), { after: 2 });
  });

  it("has an entry for each event, from any source, and ends with its reader", async () => {
    assert.deepEqual(await calls("stream"), {
      list: [
        { data: 1, response: 1 },
        { data: "range", failed: true, error: "out of it" },
        { data: null, response: null },
        {},
      ],
      generator: [
        { data: 1, response: 1 },
        { data: 2, response: 2 },
      ],
      masterFn: [
        { data: 1, response: 1 },
        { data: 2, response: 2 },
      ],
      after: 2,
    });
  });
});

describe("a run", () => {
  it("goes as MapReduce does, beside others, and leaves the pool as it was", async () => {
    const { both, kept, ids, thrown, reduce, after } = await calls("run");
    for (const [at, { results, failures }] of both.entries()) {
      assert.deepEqual(results, [[at + 1, at + 1]]);
      assert.deepEqual(failures, [["range", "out of it"]]);
    }
    assert.equal(kept, 1);
    assert.equal(ids.error.code, "ERR_SONIC_NO_WORKER_IDS");
    assert.deepEqual([thrown.error.message, reduce.error.message], ["masterFn", "reduceFn"]);
    assert.equal(after, 2);
  });
});

describe("closing", () => {
  it("ends what was handed over first, and takes nothing in any more", async () => {
    const { answers, late, lateMap, workers } = await calls("closes");
    assert.deepEqual(answers, [2, 3, 4, 5, 6]);
    assert.equal(late.error.code, "ERR_SONIC_POOL_CLOSED");
    assert.equal(lateMap.error.code, "ERR_SONIC_POOL_CLOSED");
    assert.equal(workers, 0);
  });

  it("by a signal ends streams that nobody reads, and calls that wait", async () => {
    const { first, waiting, next } = await calls("closesUnread");
    const enough = { error: { thrown: "enough" } };
    assert.deepEqual([first, waiting, next], [enough, [enough, enough], { done: true }]);
  });

  it("by a signal ends what runs at once", async () => {
    const { outcomes } = await calls("closesBySignal");
    assert.deepEqual(outcomes, Array(3).fill({ error: { thrown: "enough" } }));
  });
});
