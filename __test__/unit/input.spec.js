"use strict";
/**
 * Promise: A `Map` that waits has its thread listen for credit only as long as that may come soon, and the program does
 * nothing else.
 */
const hooks = require("node:async_hooks");
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

/** How many operations begin between two turns in which somebody listens, that one included. */
let operations = 1;
let last = 0;
hooks.executionAsyncId = () => (last += operations);
const { Input } = require("../../lib/master/input");

const IS_TO_TURN = 2;

/** A run in which nothing has credit. @param {() => number} runListen */
function runThat(runListen) {
  const native = {
    runPutter: () => () => 1,
    runWait: () => false,
    runCredit: () => 0,
    runIsTagged: () => false,
    runListen,
  };
  const parts = { manual: { isOn: false }, output: { checkLog() {} }, wire: { task: 1 } };
  return { native, ...parts, handle: {}, settings: {}, isRunning: true, reader: null };
}

describe("an event without credit", () => {
  it("is left to the core after some listening in vain, or when the program does something else", async () => {
    let listened = 0;
    const input = new Input(/** @type {any} */ (runThat(() => ++listened && IS_TO_TURN)));
    const cases = [
      [1, 10],
      [1, 20],
      [2, 20],
      [1, 30],
    ];
    for (const [begun, all] of cases) {
      operations = begun;
      input.map({ data: 1 });
      for (let turn = 0; turn < 50; turn++) await new Promise((done) => setImmediate(done));
      assert.equal(listened, all);
    }
  });
});
