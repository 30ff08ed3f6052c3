"use strict";
// What workers of all hosts have written for a node into the folder that they share: sorted extents of files, by partition. The bytes
// themselves the master never reads. Pure; src/run/flow/shuffle.rs is the same of one machine.

const { invalidType } = require("../shared/errors");
const { JSON, Map } = require("../shared/primordials");

/** @typedef {[file: string, at: number, length: number]} Extent */
/** @typedef {{ file: string, parts: [partition: number, at: number, length: number, records: number][] }} Told */
/** Extents that are merged into one. @typedef {{ partition: number, extents: Extent[] }} Merge */

/** A worker merges so many extents at once: each takes a block of memory. */
const FEW = 256;

/** So many of a partition are merged into one, once there are too many. */
const MERGED = 128;

/** A failed merge is tried again so often. */
const MOST_ATTEMPTS = 5;

/** The names that workers give their files. */
const FILE = /^[\w-]+$/;

class Shuffle {
  constructor() {
    /** @type {globalThis.Map<number, Extent[]>} */
    this.partitions = new Map();
    this.attempts = 0;
  }

  /** A worker has written this. @param {Told} told */
  add({ file, parts }) {
    for (const [partition, at, length, records] of parts)
      if (records > 0) this.of(partition).push([file, at, length]);
  }

  /** @param {number} partition @returns {Extent[]} */
  of(partition) {
    const known = this.partitions.get(partition);
    if (known !== undefined) return known;
    /** @type {Extent[]} */
    const extents = [];
    this.partitions.set(partition, extents);
    return extents;
  }

  /** Those of a partition that are to be merged now, if it has more than enough: they are not here then. @returns {Merge | undefined} */
  excess() {
    // Those that were written first are the smallest, or were merged longest ago.
    for (const [partition, extents] of this.partitions)
      if (extents.length > FEW) return { partition, extents: extents.splice(0, MERGED) };
    return undefined;
  }

  /** A merge has failed: its extents are here again. False if it has failed too often. @param {Merge} merge */
  putBack({ partition, extents }) {
    this.of(partition).unshift(...extents);
    this.attempts++;
    return this.attempts < MOST_ATTEMPTS;
  }

  /** The data of the events that read everything; nothing is left. */
  take() {
    const all = [...this.partitions].sort(([one], [other]) => one - other);
    this.partitions = new Map();
    return all.map(([partition, extents]) => dataOf({ partition, extents }, false));
  }
}

/** Throws if a worker cannot have said that. @param {any} told */
function checkTold(told) {
  const { file, parts } = Object(told);
  const isPart = (/** @type {any} */ part) =>
    Array.isArray(part) && part.length === 4 && part.every(isWhole);
  if (typeof file !== "string" || !FILE.test(file) || !Array.isArray(parts) || !parts.every(isPart))
    throw invalidType("what a worker has written is damaged");
}

/** @param {any} value */
const isWhole = (value) => Number.isSafeInteger(value) && value >= 0;

/** The data of an event that reads these, as JSON; as a merge, or to the end. @param {Merge} merge @param {boolean} isMerge */
const dataOf = ({ partition, extents }, isMerge) =>
  JSON.stringify({ p: partition, x: extents, c: isMerge ? true : undefined });

module.exports = { Shuffle, checkTold, dataOf };
