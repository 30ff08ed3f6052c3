"use strict";
// How many workers a call or a pool has, as its options, its groups or the program's `args` say.

const { invalidRange } = require("./errors");
const { countOf } = require("./groups");
const { checkCount } = require("./checks");
const { native } = require("./native");
const { MAX_WORKERS } = require("./options");
const { property } = require("./own");

/**
 * How many workers to start: `options` come before `args`. Otherwise one per processor that this process may use.
 * @param {any} args
 * @param {import("./options").Options} options
 * @returns {number}
 */
function numWorkersOf(args, options) {
  const isOption = options.numWorkers !== undefined;
  const given = isOption ? options.numWorkers : property(args, "numWorkers");
  const name = isOption ? "options.numWorkers" : "args.numWorkers";
  if (given !== undefined && !isOption) checkCount(name, given, MAX_WORKERS);
  if (options.workers === undefined)
    return given === undefined ? native().usableProcessors() : given;
  const all = countOf(options.workers);
  if (given === undefined || given === all) return all;
  throw invalidRange(
    `${name} is ${given}, and the groups of options.workers have ${all} workers: leave ${name} out`,
  );
}

module.exports = { numWorkersOf };
