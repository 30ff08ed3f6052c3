"use strict";
/**
 * Promise: Events that kill their workers, however many, fail themselves and no other, and the run ends. Time is not
 * promised; it is printed next to what the restarts alone take. `SONIC_DEATHS_EVENTS=100000` runs the full size.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const EVENTS = Number(process.env.SONIC_DEATHS_EVENTS || 10_000);
const EVERY = 100;
const WORKERS = 2;

/** A restart takes a tenth of a second, and a second on a very busy machine. */
const deadline = (deaths) => 60_000 + deaths * 1000;

async function deaths(count, every, numWorkers) {
  const args = [count, every, numWorkers].map(String);
  return (await run("crash/many.js", { args, deadline: deadline(count / every) })).result;
}

describe(`${EVENTS} events of which every ${EVERY}th kills its worker`, () => {
  it("end once each: those have failed, and all others are answered", async (test) => {
    const expected = EVENTS / EVERY;
    const { once, answered, failed, milliseconds } = await deaths(EVENTS, EVERY, WORKERS);
    assert.deepEqual(
      { once, answered, failed },
      { once: true, answered: EVENTS - expected, failed: expected },
    );

    const [restarts, events] = [
      await deaths(40, 1, WORKERS),
      await deaths(EVENTS, EVENTS + 1, WORKERS),
    ];
    assert.equal(restarts.failed, 40);
    const each = restarts.milliseconds / 40;
    test.diagnostic(
      `${milliseconds} ms; ${expected} restarts by themselves: ${Math.round(each * expected)} ms (${Math.round(each)} ms each, ${WORKERS} workers); ` +
        `the events without any: ${events.milliseconds} ms`,
    );
  });
});
