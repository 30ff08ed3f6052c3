"use strict";
/**
 * Promise: A stream yields every entry of both queues once, in completion or in submission order, and no faster than it
 * is read. Leaving it ends the run. `onResult` gets every entry before `reduceFn` runs.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const all = range(200);

describe("a stream", () => {
  for (const order of ["completion", "submission"]) {
    for (const how of ["map", "alone", "exactly"]) {
      for (const log of ["quiet", "loud"]) {
        it(`yields all entries once in the order of ${order}: ${how}, ${log}`, async () => {
          const { result } = await run("stream/read.js", { args: [order, how, log] });
          assert.deepEqual(
            result.own,
            range(how === "alone" ? 0 : 20)
              .map((i) => `of its own ${i * 10 + 1}`)
              .sort(),
          );
          assert.deepEqual(
            sorted(result.order),
            all.filter((data) => data % 10 !== 4),
          );
          const bySubmission = (a, b) => a[0] - b[0];
          assert.deepEqual(
            result.failed.sort(bySubmission),
            range(20).map((i) => [i * 10 + 7, `no ${i * 10 + 7}`]),
          );
          const answered = all.filter((data) => ![4, 7].includes(data % 10));
          assert.deepEqual(
            result.answered.sort(bySubmission),
            answered.map((data) => [data, data * 2]),
          );
          const isInOrder = JSON.stringify(result.order) === JSON.stringify(sorted(result.order));
          assert.equal(isInOrder, order === "submission", `${result.order}`);
        });
      }
    }
  }

  it("has Map wait while many entries are not read", async () => {
    const { result } = await run("stream/slow.js", { args: ["100", "1"] });
    assert.equal(result.read, 20_000);
    // Those that may wait, a piece that the reader has begun, and what was on its way.
    for (const ahead of result.stops)
      assert.ok(ahead >= 100 && ahead < 100 + 100 + 2 * 40, `${result.stops}`);
  });

  it("has Map wait while many bytes are not read", async () => {
    const { result } = await run("stream/slow.js", { args: ["1000000", "1000", "200000"] });
    assert.equal(result.read, 20_000);
    for (const ahead of result.stops)
      assert.ok(ahead >= 100 && ahead < 200 + 200 + 2 * 40, `${result.stops}`);
  });

  for (const most of [1, 20]) {
    it(`goes on when all that was held back was answered with nothing, of which ${most} may wait`, async () => {
      assert.deepEqual((await run("stream/void.js", { args: [`${most}`] })).result, ["the last"]);
    });
  }

  const ends = async (why) => {
    const program = await run("stream/ends.js", { args: [why] });
    assert.deepEqual(program.log("unhandled.log"), []);
    assert.deepEqual(program.alive, []);
    assert.deepEqual([program.result.after, program.result.listeners], [{ done: true }, 0]);
    return { ...program.result, started: program.log("started.log").length };
  };

  it("that is left ends the run: Map rejects, and no more than was on its way has started", async () => {
    const { read, thrown, mapped, started } = await ends("break");
    assert.deepEqual([read, thrown], [15, undefined]);
    assert.deepEqual(
      [mapped.code, mapped.message],
      ["ERR_SONIC_RUN_OVER", "Map: nobody reads the stream any more"],
    );
    assert.ok(started < 1500, `${started} have started`);
  });

  it("whose loop throws ends the run", async () => {
    const { thrown, mapped } = await ends("loop");
    assert.deepEqual([thrown.message, mapped.code], ["fifteen", "ERR_SONIC_RUN_OVER"]);
  });

  it("throws what masterFn throws", async () => {
    const { read, thrown } = await ends("masterFn");
    assert.deepEqual(
      [thrown.name, thrown.message, thrown.type],
      ["RangeError", "twenty", "RangeError"],
    );
    assert.ok(read <= 20);
  });

  it("throws the signal's reason, at once, or before anything starts", async () => {
    const during = await ends("signal");
    assert.deepEqual(
      [during.read, during.thrown, during.mapped],
      [15, { thrown: "while it was read" }, { thrown: "while it was read" }],
    );
    const before = await ends("aborted");
    assert.deepEqual([before.read, before.thrown, before.started], [0, { thrown: "before" }, 0]);
  });

  it("throws the first failure under onError: abort", async () => {
    const { read, thrown } = await ends("onError");
    // Others may be answered while it throws.
    assert.ok(read < 1500, `${read} were read`);
    assert.deepEqual([thrown.name, thrown.message], ["TypeError", "ten"]);
  });

  it("that nobody reads starts nothing", async () => {
    const program = await run("stream/ends.js", { args: ["unread"] });
    assert.deepEqual(program.result, { read: 0, listeners: 0 });
    assert.deepEqual(program.log("started.log"), []);
  });

  it("leaves no worker behind for long when the program exits while it reads", async () => {
    const program = await run("stream/ends.js", { args: ["exit"] });
    assert.equal(program.code, 3);
  });
});

describe("onResult", () => {
  it("is shown every entry of the two queues, the very objects, before reduceFn is called", async () => {
    assert.deepEqual((await run("stream/on-result.js", { args: ["sees"] })).result, {
      value: { done: 0, same: true, left: 0 },
    });
  });

  it("is waited for before reduceFn is called", async () => {
    assert.deepEqual((await run("stream/on-result.js", { args: ["waits"] })).result, {
      value: { done: 19, same: true, left: 0 },
    });
  });

  for (const doing of ["throws", "rejects"]) {
    it(`that ${doing} has the call reject with that`, async () => {
      const { error } = (await run("stream/on-result.js", { args: [doing] })).result;
      assert.deepEqual([error.name, error.message], ["Error", "five"]);
    });
  }
});
