"use strict";
/**
 * Promise: What a batch of a pool's events still awaits when it is left is rejected, and keeps the process alive no more: also when the
 * core had said before that the run cannot go on.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { Batch } = require("../../lib/master/batch");

/** A batch with one event that has not ended, and how often its pool was let go of. */
function waiting() {
  const pool = { held: 1, left: [], letGo: () => pool.held--, leave: (one) => pool.left.push(one) };
  const batch = Object.create(Batch.prototype);
  const ended = new Promise((resolve, reject) => {
    batch.awaited = new Map([[0, { resolve, reject }]]);
  });
  const native = { stopped: 0, runStop: () => native.stopped++ };
  Object.assign(batch, { pool, native, isRunning: true, isHolding: true, failure: null });
  batch.input = { end() {} };
  return { batch, pool, ended };
}

describe("a batch that is left", () => {
  for (const [how, leave] of /** @type {[string, (batch: any, error: Error) => void][]} */ ([
    [
      "after the core has given its run up",
      (batch, error) => [batch.fail(error), batch.stop(error), batch.leave()],
    ],
    ["because it is stopped", (batch, error) => batch.stop(error)],
    ["because nobody waits for it", (batch, error) => batch.abandon(error)],
  ])) {
    it(`rejects what it awaits with the reason: ${how}`, async () => {
      const { batch, pool, ended } = waiting();
      const error = new Error("no room");
      leave(batch, error);
      await assert.rejects(ended, error);
      assert.deepEqual([pool.held, batch.awaited.size, pool.left], [0, 0, [batch]]);
    });
  }

  it("rejects it with the end of the run where there is no other reason", async () => {
    const { batch, pool, ended } = waiting();
    batch.leave();
    await assert.rejects(ended, { code: "ERR_SONIC_RUN_OVER" });
    assert.equal(pool.held, 0);
  });
});
