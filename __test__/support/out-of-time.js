"use strict";
/**
 * Runs a fixture whose worker never reaches its call, until the time to come up is over. On a busy machine a worker may
 * not even have come as far as it is to come by then: the run is then repeated with more time.
 */
const { run } = require("./run");

/** Milliseconds that the workers have: what is enough on an idle machine, and on one that is as busy as can be. */
const TIMES = [700, 4000, 30_000];

/**
 * @param {string} fixture that reports `{ error }`
 * @param {string} how its argument
 * @param {RegExp} said what the error says if the worker came far enough
 * @returns {Promise<{ error: any, value: unknown, time: number }>} of the first run whose error says that, or of the last
 */
async function outOfTime(fixture, how, said) {
  for (const time of TIMES) {
    const env = { SONIC_DISTRIBUTE_START_TIMEOUT: `${time}` };
    const { error, value } = (await run(fixture, { args: [how], env })).result;
    if (said.test(error?.message) || time === TIMES[TIMES.length - 1])
      return { error, value, time };
  }
  throw new Error("there is a last time");
}

module.exports = { outOfTime };
