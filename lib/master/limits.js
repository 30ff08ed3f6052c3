"use strict";
// What a program allows its events, as the core is told of it: where there is no limit, it is told none.

/** Whole milliseconds. @param {number | undefined} time */
const wholeMilliseconds = (time) =>
  time === undefined || time === Infinity ? undefined : Math.ceil(time);

/** Lost hosts are no business of the core, which has none. @param {import("../shared/options").Options["retries"]} retries */
function retriesOf(retries) {
  if (!retries?.limit) return undefined;
  const on = retries.on.filter((cause) => cause !== "host");
  return on.length > 0 ? { ...retries, on: /** @type {any} */ (on) } : undefined;
}

module.exports = { retriesOf, wholeMilliseconds };
