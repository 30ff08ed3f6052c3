"use strict";
/**
 * Promise: A `Map` that waits has its thread listen for credit only as long as that may come soon.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { Input } = require("../../lib/master/input");

const IS_TO_TURN = 2;

/** A run in which nothing has credit. @param {() => number} runListen */
function runThat(runListen) {
  const native = { runPutter: () => () => 1, runWait: () => false, runCredit: () => 0, runListen };
  const parts = { manual: { isOn: false }, output: { checkLog() {} }, wire: { task: 1 } };
  return { native, ...parts, handle: {}, isRunning: true, reader: null };
}

async function turns(count) {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("an event without credit", () => {
  it("is left to the core after some listening in vain, and another is worth it again", async () => {
    let listened = 0;
    const input = new Input(runThat(() => ++listened && IS_TO_TURN));
    for (const most of [10, 20]) {
      input.map({ data: 1 });
      await turns(50);
      assert.equal(listened, most);
    }
  });
});
