"use strict";
// Checks what the program gives to locks and to what else is shared. Each error names the parameter and what it must be.

const { notSupported } = require("./faults");
const { checkObject, count, flag, number, oneOf } = require("../checks");
const { invalidType } = require("../errors");
const { CALL_CHECKS } = require("../options");

/** What the core counts holders and parties with. */
const MOST = 2 ** 32 - 1;

const { signal } = CALL_CHECKS;

const LOCK_CHECKS = {
  mode: oneOf("exclusive", "shared"),
  ifAvailable: flag,
  steal: flag,
  signal,
  limit: count(MOST),
};
const WAIT_CHECKS = { signal };
const SET_CHECKS = {
  signal,
  ifVersion: number(
    "a version: a whole number of at least 1, or 0 for a key that is not there",
    (value) => Number.isSafeInteger(value) && value >= 0,
  ),
};
const amount = number("a number above 0", (value) => value > 0 && value < Infinity);
const LIMITER_CHECKS = { tokens: amount, per: amount, burst: amount };

/**
 * @param {string} what the call, as an error names it
 * @param {unknown} given
 * @param {Parameters<typeof checkObject>[2]} checks
 * @returns {any}
 */
const options = (what, given, checks) => checkObject(`${what}: options`, given, checks);

/**
 * The options of `locks.request`, as the specification of Web Locks has them.
 * @param {string} name
 * @param {unknown} given
 * @returns {{ mode: "exclusive" | "shared", ifAvailable: boolean, steal: boolean, limit?: number, signal?: AbortSignal }}
 */
function lockOptions(name, given) {
  const what = "locks.request";
  const {
    mode = "exclusive",
    ifAvailable = false,
    steal = false,
    limit,
    signal,
  } = options(what, given, LOCK_CHECKS);
  if (name.startsWith("-"))
    throw notSupported(`${what}: a name must not begin with "-": choose another`);
  /** @param {string} one @param {string} other */
  const both = (one, other) =>
    notSupported(`${what}: options.${one} and options.${other} exclude each other: leave one out`);
  if (steal && ifAvailable) throw both("steal", "ifAvailable");
  if (steal && limit !== undefined) throw both("steal", "limit");
  if (steal && mode !== "exclusive")
    throw notSupported(`${what}: options.steal is for the mode "exclusive" only`);
  if (signal !== undefined && steal) throw both("signal", "steal");
  if (signal !== undefined && ifAvailable) throw both("signal", "ifAvailable");
  if (limit !== undefined && mode === "shared") {
    throw invalidType(
      `${what}: options.limit is for the mode "exclusive" only: any number may share a lock`,
    );
  }
  // One holder at a time is what a lock has without a limit.
  return { mode, ifAvailable, steal, limit: limit === 1 ? undefined : limit, signal };
}

/** The option of whatever waits. @param {string} what @param {unknown} given @returns {AbortSignal | undefined} */
const signalIn = (what, given) => options(what, given, WAIT_CHECKS).signal;

module.exports = {
  LIMITER_CHECKS,
  MOST,
  SET_CHECKS,
  amount,
  lockOptions,
  options,
  signalIn,
};
