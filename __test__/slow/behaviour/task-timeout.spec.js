"use strict";
/**
 * Promise: An event that runs longer than `taskTimeout` fails with its own code, whatever it does. Its worker is killed
 * with all processes it started, and replaced under its id. No other event fails or runs twice. An event that has
 * answered is in time.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const byNumber = (a, b) => a - b;

function assertLate({ id, error }, timeout) {
  const { name, message, code, signal, worker, pid } = error;
  assert.deepEqual(
    { name, code, signal, worker },
    { name: "Error", code: "ERR_SONIC_TASK_TIMEOUT", signal: "SIGKILL", worker: id },
  );
  assert.equal(
    message,
    `this event ran longer than the taskTimeout of ${timeout} ms: worker ${id} (pid ${pid}) was killed`,
  );
}

/** That the events the log says have started, each did so once. */
function assertRanOnce(program, events) {
  assert.deepEqual(program.log("ran.log").sort(), events.map(String).sort());
}

describe("an event that does not end", () => {
  const ways = [
    "loop",
    "an event loop that turns",
    "a promise that never settles",
    "Atomics.wait",
    "execSync",
    "grandchildren, then a loop",
    "grandchildren, then a promise",
  ];
  for (const args of [
    ...ways.map((way) => [way]),
    ["loop", "long"],
    ["a promise that never settles", "long"],
  ]) {
    it(`fails, and no other does: ${args.join(", ")}`, async () => {
      const program = await run("limits/late.js", { args });
      const { answered, failed } = program.result;
      assert.deepEqual(
        failed.map(({ data }) => data),
        [7],
      );
      assertLate(failed[0], 1000);
      assert.deepEqual(
        answered.sort(byNumber),
        range(20).filter((i) => i !== 7),
      );
      assertRanOnce(program, range(20));
    });
  }

  it("fails, and no other does, amid 20,000 tiny ones", async () => {
    const endless = [0, 100, 101, 10_000, 19_999];
    const program = await run("crash/amid-tiny.js", { args: [endless.join(), "1000"] });
    const { answered, failed } = program.result;
    assert.deepEqual(failed.map(({ data }) => data).sort(byNumber), endless);
    for (const entry of failed) assertLate(entry, 1000);
    assert.deepEqual(
      answered.sort(byNumber),
      range(20_000).filter((i) => !endless.includes(i)),
    );
    assertRanOnce(program, range(20_000));
  });

  it("costs its worker's place never, however many there are", async () => {
    const { answered, failed } = (await run("limits/all-late.js")).result;
    assert.equal(answered, 0);
    assert.deepEqual(
      failed,
      range(6).map((i) => [i, "ERR_SONIC_TASK_TIMEOUT"]),
    );
  });

  it("leaves those alone that the program has sent to the same worker, and that wait there", async () => {
    const program = await run("limits/late-and-sent.js");
    const { answered, failed, ids } = program.result;
    const others = ["any", "sent"].flatMap((kind) => range(5).map((i) => `${kind} ${i}`));
    assert.deepEqual(failed, [[1, "endless", "ERR_SONIC_TASK_TIMEOUT"]]);
    assert.deepEqual(answered.sort(), others);
    assert.deepEqual(
      ids,
      range(5).map(() => 1),
    );
    assertRanOnce(program, ["endless", ...others]);
  });

  it("does not hold a program that has given the run up", async () => {
    const { result } = await run("limits/late-after-all.js");
    assert.equal(result.error.message, "given up");
  });
});

describe("an event that ends about when its time does", () => {
  for (const how of ["blocks", "turns"]) {
    it(`is answered or late, and costs no other: ${how}`, async () => {
      const program = await run("limits/just-in-time.js", { args: [how] });
      const { answered, failed } = program.result;
      assert.deepEqual([...answered, ...failed.map(({ data }) => data)].sort(byNumber), range(150));
      assert.deepEqual(
        failed.filter(({ code }) => code !== "ERR_SONIC_TASK_TIMEOUT"),
        [],
      );
      // One whose time was over before it came to write may be missing, where the machine is busy.
      const ran = program.log("ran.log");
      assert.equal(new Set(ran).size, ran.length, "no event ran twice");
    });
  }
});
