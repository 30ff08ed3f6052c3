"use strict";
/**
 * Promise: what an event of a flow puts out counts when the event is answered: all of it or nothing, whatever dies. What fails fails
 * in one node, with the data as it entered that, and is in the node's errors or among the failures; all else goes on, and what waits
 * for everything waits for no failure. Limits and retries are each node's own. A flow that is stopped is over at once.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (file, args) => {
  const program = await run(`flows/${file}`, { args });
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  assert.deepEqual(program.tmp, [], program.transcript);
  return program;
};
const quiet = async (...args) => {
  const program = await ended("failing.js", args);
  assert.equal(program.stderr, "", program.transcript);
  return program;
};
const failing = async (...args) => (await quiet(...args)).result;

describe("what a flatMap puts out", () => {
  it("counts for nothing if its worker is killed in the middle, and once if that is tried again", async () => {
    const all = await failing("killed");
    assert.equal(all.length, 8);
    for (const [at, { ofEach, different, failed }] of all.entries()) {
      const isRetried = at % 2 === 1;
      const others = { 0: 10_000, 2: 10_000 };
      assert.deepEqual(ofEach, isRetried ? { ...others, 1: 10_000 } : others, `${at}`);
      assert.equal(different, isRetried ? 30_000 : 20_000);
      assert.deepEqual(failed, isRetried ? [] : [["many", 1, "ERR_SONIC_WORKER_EXIT"]]);
    }
  });

  it("counts for nothing if it throws behind 500 of them", async () => {
    const left = {
      ofEach: { 0: 500, 2: 500 },
      different: 1000,
      failed: [["many", 1, "after 500"]],
    };
    assert.deepEqual(await failing("thrown"), [left, left]);
  });
});

describe("what fails in a node", () => {
  it("is in its errors, which are a sink or go on to other nodes, and fail there by themselves", async () => {
    const [good, bad, goodToo, handled, failed] = await failing("errors");
    const node = "first";
    assert.deepEqual([good, goodToo], Array(2).fill([0, 2, 3, 5]));
    assert.deepEqual(bad, [
      [true, node, 1, "RangeError", "fails 1"],
      [true, node, 4, "RangeError", "fails 4"],
    ]);
    assert.deepEqual(handled, [[node, 1, "RangeError", "fails 1", true]]);
    assert.equal(failed.length, 1);
    const [[where, { failed: isFailed, node: of, data }, message]] = failed;
    assert.deepEqual([where, isFailed, of, data, message], ["handles", true, node, 4, "fails too"]);
  });

  it("is in the failed queue where nobody reads them, with the node and what that was given", async () => {
    assert.deepEqual(await failing("unread"), [
      [0, 2, 3, 5],
      [
        ["second", 1, "fails 1"],
        ["second", 4, "fails 4"],
      ],
    ]);
  });

  it("is tried again there alone, as often and as late as the node says", async () => {
    const program = await quiet("retried");
    const { sinks, failed, length } = program.result;
    assert.deepEqual([sinks[""], failed, length], [[[0, 3]], [["tries", 1, "fails"]], 20]);
    assert.deepEqual([program.log("first.log").length, program.log("second.log").length], [20, 40]);
    const attempts = program.log("attempts.log").map((line) => line.split(" ").map(Number));
    for (const data of [0, 1]) {
      const own = attempts.filter(([of]) => of === data);
      assert.deepEqual(
        own.map(([, attempt]) => attempt),
        [1, 2, 3],
      );
      const [first, second, third] = own.map(([, , time]) => time);
      assert.ok(second - first >= 190 && third - second >= 390, `${own}`);
    }
  });

  it("costs nothing else when it takes too long, and the limit is the node's own", async () => {
    assert.deepEqual(await failing("late"), {
      sinks: { "": [0, 2, 3] },
      failed: [["waits", 1, "ERR_SONIC_TASK_TIMEOUT"]],
    });
  });

  it("is one group of many", async () => {
    assert.deepEqual(await failing("groupFails"), {
      groups: [
        [0, [0, 3]],
        [2, [2, 5]],
      ],
      keys: [["groups", 1, "fails"]],
    });
  });

  it("is an item that the node can do nothing with", async () => {
    const wrong = "ERR_SONIC_INVALID_ARGUMENT";
    const items = ["pair", ["a", 1], [{}, 1]];
    assert.deepEqual(await failing("wrongItems"), {
      sinks: { pairs: [["a", 1]] },
      failed: [
        ["grouped", "pair", wrong],
        ["grouped", [{}, 1], wrong],
        ...["split", "strings"].flatMap((node) => items.map((item) => [node, item, wrong])),
      ],
    });
  });

  it("is what a worker was to do whose like will never be there again, and no barrier waits for it", async () => {
    const { result, stderr } = await ended("failing.js", ["givenUp"]);
    assert.match(stderr, /the pool goes on without worker 2/);
    const { sinks, codes, failed, unknown } = result;
    assert.deepEqual(codes, ["dies ERR_SONIC_NO_WORKER", "dies ERR_SONIC_WORKER_EXIT"]);
    assert.deepEqual([sinks, failed, unknown], [{ "": [0] }, 20, "ERR_SONIC_NO_WORKER"]);
  });
});

describe("a node that waits for all before it", () => {
  it("does not wait for what has failed", async () => {
    assert.deepEqual(await failing("barrier"), {
      sinks: { total: [10] },
      failed: [
        ["first", 1, "fails 1"],
        ["first", 4, "fails 4"],
      ],
    });
  });

  it("opens with nothing at all, of whatever kind it is", async () => {
    const [failed, count, empty] = await failing("allFail");
    const lists = ["groups", "keys", "joined", "ordered", "batches"];
    const none = { worker: [0], master: [0] };
    for (const name of lists) none[name] = [[]];
    assert.deepEqual([failed, count, empty], [none, 6, none]);
  });

  const reduces = async (where) => {
    const { sinks, failed, errors } = await failing("reduceFails", where);
    assert.deepEqual([sinks, failed], [{ others: [7] }, [["total", [7], "fails"]]]);
    assert.deepEqual(errors, { sinks: { bad: [[[7], "total", "fails"]] }, failed: [] });
  };
  it("may fail in a worker, with all items as its data", () => reduces("worker"));
  it("may fail in the master, with all items as its data", () => reduces("master"));
});

describe("a flow that is stopped", () => {
  it("by its signal is over, and the pool goes on", async () => {
    const after = { sinks: { "": [5] }, failed: [] };
    assert.deepEqual(await failing("aborts"), { name: "AbortError", after, few: true });
  });

  it("by what hands its items over is over, and the pool goes on", async () => {
    const after = { sinks: { "": [5] }, failed: [] };
    assert.deepEqual(await failing("masterThrows"), ["no more", "no more", after]);
  });

  it("by its reader returns the iterable, and the pool goes on", async () => {
    assert.deepEqual(await failing("breaks"), [true, { sinks: { "": [5] }, failed: [] }]);
  });

  const stops = {
    onError: ["by the first failure in MapReduce", "RangeError", "fails at 5"],
    onErrorOfStream: ["by the first failure in a stream", "RangeError", "fails at 5"],
    aborted: ["by its signal in MapReduce", "AbortError"],
    masterFn: ["by masterFn in MapReduce", "RangeError", "no more"],
  };
  for (const [scenario, [title, ...error]] of Object.entries(stops)) {
    it(title, async () => {
      const program = await ended("stops.js", [scenario]);
      assert.equal(program.stderr, "", program.transcript);
      const { result, few } = program.result;
      // What the signal of an older Node says is our own.
      const isAborted = error.length === 1;
      assert.deepEqual([isAborted ? result[0].slice(0, 1) : result[0], few], [error, true]);
    });
  }

  it("is none whose failures are read", async () => {
    assert.deepEqual((await ended("stops.js", ["onErrorRead"])).result.result, [[3, 0]]);
  });
});
