"use strict";
// The folder in which flows write what is too large for memory, and which the workers of all hosts share. The master names what is its own
// in it, and removes that; each host says where the folder is on its machine.

const path = require("path");
const { nextRun } = require("../master/launch");
const { removeSpilled, spillFolderOf, sweep } = require("../master/spill");
const { coded } = require("../shared/errors");
const { isFolder } = require("../shared/flow/carried");
const { setTimeout } = require("../shared/primordials");

/** @typedef {import("../shared/options").Options} Options */

/** All workers divide keys alike, those that come later too. */
const PARTITIONS = 64;

class SharedSpill {
  /** @param {Options} options of the pool */
  constructor(options) {
    sweep(options);
    this.path = spillFolderOf(options, nextRun());
    this.lease = /** @type {import("../shared/broker-options").BrokerOptions} */ (
      options.cluster
    ).lease;
  }

  /** What it is called in the folder. */
  get name() {
    return path.basename(this.path);
  }

  /** Where a run writes, as workers are told. @param {number} run @returns {import("../shared/flow/carried").Place} */
  placeOf(run) {
    return [this.name, run, PARTITIONS];
  }

  /** Nothing is read any more. @param {number} [run] of all runs if none is given */
  remove(run) {
    removeSpilled(this.path, run);
    // Until a host has stopped a run it may write further files of it.
    if (run !== undefined) setTimeout(() => removeSpilled(this.path, run), this.lease).unref();
  }
}

/**
 * The options of a host's workers: where they write. Throws if a master needs a folder that this host does not have.
 * @param {{ name: string, spillDir?: string }} host
 * @param {any} about what the master says of itself
 * @param {Options} options
 */
function withFolder({ name, spillDir }, { spill }, options) {
  if (spill !== null && spill !== undefined && spillDir === undefined)
    throw coded(
      Error,
      "ERR_SONIC_SPILL",
      `the master's flows write into a folder that all hosts share, and the host ${name} was not told where that is: start it with --spill-dir`,
    );
  if (spillDir !== undefined) options.spillDir = spillDir;
  return options;
}

/** A master is gone: removes what its runs have written. @param {{ spillDir?: string }} host @param {any} about what the master has said */
function removeLeft({ spillDir }, { spill }) {
  if (spillDir !== undefined && isFolder(spill)) removeSpilled(path.join(spillDir, spill));
}

module.exports = { SharedSpill, removeLeft, withFolder };
