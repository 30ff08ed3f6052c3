"use strict";
// What several copies of this package in one process share, as hoisting and monorepos leave them: the ids of the workers in
// `cluster.workers`, and whose worker this process is. Everything else each copy has of its own.

const cluster = require("./cluster");
const { HOME } = require("./home");
const { variable } = require("./own");
const { Map } = require("./primordials");

/** The variable that tells a worker which copy in its master has started it; see `tellCopy`. */
const VARIABLE = "SONIC_DISTRIBUTE_COPY";

/** Where the shared state is; the number is the version of its shape. */
const KEY = Symbol.for("@tiemma/sonic-distribute/1");

/**
 * @typedef {object} Shared
 * @property {number} lastId the last id that was given to a worker of this process
 * @property {number} inspectorPorts how many inspector ports were given to workers
 * @property {string | undefined} joined the copy that serves this process's master
 * @property {any} worker that copy's `Runner`
 * @property {globalThis.Map<string, any>} [single] what each copy has once
 */

/** @returns {Shared} */
function shared() {
  const holder = /** @type {any} */ (cluster);
  if (holder[KEY] === undefined) {
    const value = { lastId: 0, inspectorPorts: 0, joined: undefined, worker: undefined };
    Object.defineProperty(holder, KEY, { value });
  }
  return holder[KEY];
}

/** Tells a worker that re-runs this program that this copy is to serve in it. */
const tellCopy = () => [VARIABLE, HOME];

/** Whether the invitation in this process's environment is for another copy, which may be loaded later. */
function isForAnother() {
  const copy = variable(VARIABLE);
  return copy !== undefined && copy !== HOME;
}

/** This copy serves the master from now on. @param {any} worker */
function joins(worker) {
  Object.assign(shared(), { joined: HOME, worker });
}

/** Children of this process are no workers. */
function forget() {
  delete process.env[VARIABLE];
}

/** The runner of this process, if this same copy was loaded before. */
const joinedBefore = () => (shared().joined === HOME ? shared().worker : undefined);

/** Whether this process is a worker that another copy has started. */
const isAnothers = () => isForAnother() || shared().joined !== undefined;

/**
 * What this copy has once in a process, also if it is loaded several times.
 * @template T
 * @param {string} name
 * @param {() => T} make
 * @returns {T}
 */
function onlyOne(name, make) {
  const all = shared();
  if (all.single === undefined) all.single = new Map();
  const key = `${name} of ${HOME}`;
  if (!all.single.has(key)) all.single.set(key, make());
  return all.single.get(key);
}

module.exports = {
  onlyOne,
  shared,
  tellCopy,
  isForAnother,
  joins,
  forget,
  joinedBefore,
  isAnothers,
};
