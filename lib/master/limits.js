"use strict";
// What a program allows its events, as the core is told of it: where there is no limit, it is told none.

/** Whole milliseconds. @param {number | undefined} time */
const wholeMilliseconds = (time) =>
  time === undefined || time === Infinity ? undefined : Math.ceil(time);

/** @param {import("../shared/options").Options["retries"]} retries */
const retriesOf = (retries) => (retries?.limit ? retries : undefined);

module.exports = { retriesOf, wholeMilliseconds };
