"use strict";
/**
 * Promise: An aborted run rejects with its reason at once, and so does every pending Map. No event starts after that.
 * Running events may finish within the grace; workers that are still busy then are killed. The signal has no listeners
 * left, and no process remains. With `onError: "abort"` the first failure aborts the run, and the call rejects with it.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const aborted = async (...args) => {
  const program = await run("abort/signal.js", { args: args.map(String) });
  assert.deepEqual(
    program.log("outcome.log").filter((line) => line.startsWith("re")),
    ["rejected with the reason"],
    program.transcript,
  );
  assert.deepEqual(program.log("unhandled.log"), []);
  assert.equal(program.result.listeners, 0);
  assert.equal(program.result.workers, 0);
  assert.deepEqual(program.alive, []);
  const { maps, after, forks, alive, exits } = program.result;
  return {
    maps,
    after,
    forks,
    alive,
    exits: exits.sort(),
    started: program.log("started.log").sort(),
    ended: program.log("ended.log").sort(),
  };
};
const [RESOLVED, REASON] = ["resolved", "the reason"];

describe("a signal", () => {
  it("that is aborted before the call has it reject, and nothing start", async () => {
    assert.equal((await aborted("before", "ends")).forks, 0);
  });

  it("that is aborted while the workers start has the call reject, and no event start", async () => {
    const { maps, started } = await aborted("starting", "ends");
    assert.deepEqual([maps, started], [[], []]);
  });

  for (const [how, when] of [
    ["", "running"],
    [", once the program has looked at the free workers", "looking"],
  ]) {
    it(`has the call and every pending and later Map reject with its reason, before the workers have ended${how}`, async () => {
      const { maps, after, alive, started, ended, exits } = await aborted(when, "loops", 500);
      assert.deepEqual(maps, [RESOLVED, RESOLVED, REASON, REASON, REASON, REASON]);
      assert.deepEqual(after, when === "looking" ? [REASON, REASON] : [REASON]);
      assert.equal(alive, 2);
      // One may have been on its way to its event.
      assert.ok(
        started.length > 0 && started.every((data) => Number(data) < 2),
        `${started} have started`,
      );
      assert.deepEqual(ended, []);
      assert.ok(exits.includes("SIGKILL"), `${exits}`);
    });
  }

  it("kills at once with a grace of 0", async () => {
    const { ended, exits } = await aborted("running", "waits", 0);
    assert.deepEqual([ended, exits], [[], ["SIGKILL", "SIGKILL"]]);
  });

  it("lets what runs end in the grace, and its workers drain", async () => {
    const { started, ended, exits } = await aborted("later", "ends", 60_000);
    assert.deepEqual(exits, [0, 0]);
    assert.deepEqual(ended, started);
  });

  it("has the call reject also while reduceFn runs", async () => {
    assert.deepEqual((await aborted("reducing", "x", 60_000)).exits, [0, 0]);
  });

  it("and a master that ends in the grace leaves no worker behind that still runs something", async () => {
    assert.equal((await run("abort/ends-program.js")).code, 4);
  });

  it("is listened to once by each run, and by none that is over", async () => {
    const { during, after } = (await run("abort/again.js")).result;
    assert.deepEqual([during, after], [Array(11).fill(1), 0]);
  });

  it("that tells no reason has the call reject with an AbortError", async () => {
    const own = {
      name: "AbortError",
      message: "the run was aborted",
      code: "ABORT_ERR",
      type: "Error",
    };
    assert.deepEqual((await run("abort/no-reason.js", { args: ["own"] })).result, own);
    assert.equal((await run("abort/no-reason.js", { args: ["Node's"] })).result.name, "AbortError");
  });
});

describe('onError: "abort"', () => {
  const result = async (...args) => {
    const program = await run("abort/on-error.js", { args });
    assert.deepEqual(program.alive, []);
    return { ...program.result, started: program.log("started.log").length };
  };

  for (const watched of ["", "watched"]) {
    for (const place of ["amid", "last"]) {
      it(`rejects with what the event threw, as an Error whose cause is the entry: ${place}${watched && ", watched"}`, async () => {
        const { isError, name, message, code, stack, cause, keys, same, started } = await result(
          "throws",
          place,
          watched,
        );
        assert.deepEqual(
          [isError, name, message, code],
          [true, "RangeError", "out of it", "ERR_SONIC_EVENT_FAILED"],
        );
        assert.match(stack, /on-error\.js/);
        assert.deepEqual(
          [cause.id, cause.data, cause.failed, cause.error.message],
          [1, 2, true, "out of it"],
        );
        assert.deepEqual([keys, same], [["code"], true]);
        assert.ok(started < 20_000, `all ${started} have started`);
      });
    }
  }

  it("keeps the error's code, its properties, and its own cause in the entry", async () => {
    const { code, own, cause } = await result("code", "amid");
    assert.deepEqual([code, own, cause.error.cause], ["ENONE", { detail: { a: 1 } }, "mine"]);
  });

  it("rejects when a worker dies in its event", async () => {
    const { code, cause } = await result("exits", "amid");
    assert.deepEqual([code, cause.data, cause.error.exitCode], ["ERR_SONIC_WORKER_EXIT", 2, 7]);
  });

  it("rejects for a failure that a worker sends itself", async () => {
    const { isError, code, cause } = await result("sends", "amid");
    assert.deepEqual(
      [isError, code, cause],
      [true, "ERR_SONIC_EVENT_FAILED", { failed: true, data: "sent" }],
    );
  });

  it("changes nothing where nothing fails", async () => {
    assert.deepEqual(await result("never", "last"), { value: [2, 0], started: 3 });
  });

  it('is no default: "collect" goes on', async () => {
    assert.deepEqual(await result("throws", "last", "", "collect"), { value: [2, 1], started: 3 });
  });
});
