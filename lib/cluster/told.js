"use strict";
// What a master tells hosts of its call and of its workers' options. A host takes it as data from the network: it checks all of it, and
// nothing of it names a program, a file or an option of Node. What an error looks like as it travels.

const { coded, invalidType } = require("../shared/errors");
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

/** The same of workers that run a file of their own. */
const FILE = "file";

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

/**
 * A call as hosts are told of it: where the master's worker file is concerns none of them.
 * @param {InstanceType<typeof import("../master/calls").Call>} call
 */
function toldCall(call) {
  const { identity, ...wanted } = call.wanted(false);
  const { file, ...rest } = identity;
  return { ...wanted, identity: rest };
}

/**
 * The call as the master describes it, in the place of one that this process makes. Throws if it is none.
 * @param {any} told
 * @param {string} program what this host runs: the program, or the worker file of a pool
 * @param {boolean} hasLocks
 * @returns {any}
 */
function callOf(told, program, hasLocks) {
  const { identity: given, title, before, isAlone, isChanged } = ownOf(Object(told));
  const identity = ownOf(Object(given));
  const isFile = identity.kind === FILE;
  const isCall = (isFile || KINDS.includes(identity.kind)) && !hasOwn(identity, "file");
  const hasFunctions = isFile || typeof identity.functions === "string";
  const isSound = isCall && hasFunctions && typeof title === "string";
  if (!isSound) throw invalidType("the master describes no call that a host can serve");
  if (isFile) identity.file = program;
  const wanted = {
    identity,
    title,
    isCounted: false,
    before: Number(before),
    isAlone: isAlone === true,
    isChanged: isChanged === true,
    isClustered: hasLocks ? "host" : "no locks",
  };
  return { identity, title, wanted: () => wanted, end() {} };
}

/**
 * How an event ends that no worker has an answer for.
 * @param {any} error
 * @param {number} attempts
 * @param {number} worker
 * @returns {import("./coordinator").Outcome}
 */
function failedBy({ message, stack, code }, attempts, worker) {
  return { told: { name: "Error", message, stack, code }, attempts, worker };
}

/** How an event ends whose host was lost. @param {import("./coordinator").Member} member @param {number} attempts */
const lostWith = ({ name, base }, attempts) => failedBy(hostLost(name), attempts, base + 1);

/** @param {string} host */
const hostLost = (host) =>
  coded(
    Error,
    "ERR_SONIC_HOST_LOST",
    `the host ${host} was lost while it may have run this event: it ended, or has not been heard of for longer than cluster.lease. ` +
      "Where the event may run twice, let it: the option retries, which counts a lost host as an attempt",
  );

module.exports = { callOf, failedBy, lostWith, optionsOf, toldCall, toldOptions };
