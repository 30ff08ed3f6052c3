"use strict";
// What a master tells hosts of its call and of its workers' options. A host takes it as data from the network: it checks all of it, and
// nothing of it names a program, a file or an option of Node.

const { invalidType } = require("../shared/errors");
const { POOL_CHECKS, checkOptions } = require("../shared/options");
const { hasOwn, ownOf } = require("../shared/own");

/** @typedef {import("../shared/options").Options} Options */

/** The options that hosts are told. */
const FOR_WORKERS = [
  "concurrency",
  "serialization",
  "maxTasksPerWorker",
  "maxWorkerMemory",
  "shutdownGrace",
  "abortGrace",
  "heartbeatTimeout",
];

/** How they are checked. @type {any} */
const CHECKS = ownOf();
for (const name of FOR_WORKERS) CHECKS[name] = /** @type {any} */ (POOL_CHECKS)[name];

/** What JSON has no number for. */
const UNLIMITED = "Infinity";

/** The calls of which workers find their functions in the program itself. */
const KINDS = ["call", "pool"];

/** @param {any} options */
function toldOptions(options) {
  const told = ownOf();
  for (const name of FOR_WORKERS) {
    const value = options[name];
    if (value !== undefined) told[name] = value === Infinity ? UNLIMITED : value;
  }
  return told;
}

/** Throws if a master has told something else. @param {any} told @returns {Options} */
function optionsOf(told) {
  const given = ownOf(Object(told));
  for (const name of Object.keys(given)) if (given[name] === UNLIMITED) given[name] = Infinity;
  return checkOptions(given, CHECKS);
}

/** The call as the master describes it, in the place of one that this process makes. Throws if it is none. @param {any} told @returns {any} */
function callOf(told) {
  const { identity: given, title, before, isAlone, isChanged } = ownOf(Object(told));
  const identity = ownOf(Object(given));
  const isCall = KINDS.includes(identity.kind) && !hasOwn(identity, "file");
  const isSound = isCall && typeof identity.functions === "string" && typeof title === "string";
  if (!isSound) throw invalidType("the master describes no call that a host can serve");
  const wanted = {
    identity,
    title,
    isCounted: false,
    before: Number(before),
    isAlone: isAlone === true,
    isChanged: isChanged === true,
    isClustered: true,
  };
  return { identity, title, wanted: () => wanted, end() {} };
}

module.exports = { callOf, optionsOf, toldOptions };
