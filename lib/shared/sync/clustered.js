"use strict";
// Locks and what else is shared, where events run on several machines: what they have, and what they cannot have.

const { coded } = require("../errors");

/** The most bytes of a value that crosses to another machine: it is for small state. */
const MOST_BYTES = 1 << 20;

/** @param {string} what @param {Uint8Array} value */
const tooLarge = (what, { byteLength }) =>
  coded(
    RangeError,
    "ERR_SONIC_TOO_LARGE",
    `${what} has ${byteLength} bytes, and the most that goes to another machine is ${MOST_BYTES} (1 MiB): write it to a file that all ` +
      "hosts share, and share the file's path",
  );

/** The broker does not carry what is asked. */
const noLocks = () =>
  coded(
    Error,
    "ERR_SONIC_CLUSTER",
    "locks and sync do not work over a cluster on PostgreSQL, whose notices are too short for them: use its advisory locks, or Redis or " +
      "Valkey as the broker",
  );

/** @param {string} what @param {string} instead @returns {() => never} */
const refused = (what, instead) => () => {
  throw coded(Error, "ERR_SONIC_CLUSTER", `sync.${what} does not work over a cluster: ${instead}`);
};

const counter = refused(
  "counter",
  "its calls are synchronous, in memory that one machine's processes share. Use sync.store(name).update(key, fn), or answer with " +
    "what is to be counted and count in reduceFn",
);
const PARTIES =
  "it has to know of each event's attempts on all hosts. Make several maps, one after the other: each ends when all its events have";

/** @template {object} Sync @param {Sync} sync */
const clustered = (sync) => ({
  ...sync,
  counter,
  barrier: refused("barrier", PARTIES),
  latch: refused("latch", PARTIES),
});

module.exports = { MOST_BYTES, clustered, noLocks, tooLarge };
