"use strict";
// Node's permission model (`--permission`) does not see what an addon does. This asks it, so that the package does nothing for a
// program that Node would not do for it.

const { coded } = require("./errors");
const { variable } = require("./own");

/** The options that restrict a program, or allow it something nevertheless. */
const OPTION = /^--(?:(?:experimental-)?permission(?:-audit)?|allow-[\w-]+)(?:=|$)/;

/** The option that turns it on, by either of its names. */
const RESTRICTS = /^--(?:experimental-)?permission(?:=|$)/;

/** Whether Node was started with such an option. @param {RegExp} option */
const hasOption = (option) =>
  [...process.execArgv, ...(variable("NODE_OPTIONS") || "").split(/\s+/)].some((word) =>
    option.test(word),
  );

/**
 * Whether the program may do something: `child`, or `fs.write` to a path.
 * @param {string} scope
 * @param {string} [reference]
 * @returns {boolean}
 */
function isAllowed(scope, reference) {
  /** @type {any} Since Node 20, and there only where something is restricted. */
  const { permission } = process;
  if (permission === undefined || permission.has(scope, reference)) return true;
  // An audit refuses nothing.
  return hasOption(/^--permission-audit$/) && !hasOption(RESTRICTS);
}

/** Throws if this process may start no others. */
function checkChildren() {
  if (isAllowed("child")) return;
  throw coded(
    Error,
    "ERR_SONIC_PERMISSION",
    "MapReduce starts worker processes, and this process may start none: Node's permission model is on, " +
      "without --allow-child-process. Add --allow-child-process to the options of Node",
  );
}

/**
 * The options that restrict workers as this process is restricted, unless `execArgv` has some of the program's own. Node does
 * the same for the processes that it starts.
 * @param {string[]} execArgv
 * @returns {string[]}
 */
function restrictions(execArgv) {
  const { execArgv: own } = process;
  if (!("permission" in process) || execArgv.some((arg) => RESTRICTS.test(arg))) return [];
  return own.filter((arg, at) => {
    // A path may follow its option.
    const isValue =
      !arg.startsWith("-") && at > 0 && OPTION.test(own[at - 1]) && !own[at - 1].includes("=");
    return isValue || OPTION.test(arg);
  });
}

module.exports = { checkChildren, hasOption, isAllowed, restrictions };
