"use strict";
// A worker's part of the files that a flow's keys and values go through: where they are, and the native functions that write and read
// them. What belongs into them is pairs.js', what comes out of them groups.js'.

const { JSON } = require("../shared/primordials");
const { Pairs } = require("./flow/pairs");

/** About so many bytes of outputs are put out by one event. */
const CHUNK = 2 ** 20;

/** As many extents have a chunk in their first blocks, which each event reads; see block.rs. */
const MANY = CHUNK / 2 ** 15;

/** So many times fewer are read at once: what follows may put out more than it gets. */
const READS = 4;

/** Where something was written. @typedef {{ file: string, parts: [number, number, number, number][] }} Told */
/** @typedef {[string, number, number]} Extent a file, an offset and a length */

/**
 * The native functions; see src/binding/spill.rs.
 * @typedef {object} NativeSpill
 * @property {(dir: string, file: string) => any} spillOpen
 * @property {(file: any, partitions: number, side: number, keys: string, values: string) => string} spillWrite
 * @property {() => any} spillNumbers
 * @property {(numbered: any, keys: string, isJson: boolean, numbers: Uint32Array) => boolean} spillNumber
 * @property {(numbered: any) => string} spillNumbered
 * @property {(file: any, partitions: number, side: number, numbered: any, values: string) => string} spillWriteNumbered
 * @property {(file: any, partitions: number, side: number, keys: string, bytes: Uint8Array, ends: Uint32Array, formats: Uint8Array) => string} spillWriteBytes
 * @property {(file: any, dir: string, extents: string, partition: number) => string} spillMerge
 * @property {(dir: string, extents: string, from: string | null) => any} spillRead
 * @property {(merge: any, bytes: number) => Chunk | null} spillNext
 * @property {(merge: any) => string | null} spillPosition
 * @property {(merge: any) => void} spillClose
 * @property {(merge: any, prefix: number, bytes: number) => { bytes: import("buffer").Buffer, isText: boolean } | null} spillRecords
 */
/**
 * Keys in order, each with its values.
 * @typedef {object} Chunk
 * @property {string} keys an array, as JSON
 * @property {Uint32Array} counts
 * @property {Uint8Array | null} [sides] which side each value is of, if not all are of side 0
 * @property {string | null} [values] an array, as JSON, if all have such
 * @property {import("buffer").Buffer | null} [bytes]
 * @property {Uint32Array | null} [ends]
 * @property {Uint8Array | null} [formats]
 * @property {boolean} isPartial
 * @property {boolean} continues
 */
/** @typedef {string | { bytes: Uint8Array, ends: Uint32Array, formats: Uint8Array }} Values */

/**
 * @typedef {object} About
 * @property {NativeSpill} native
 * @property {() => string} dir the folder of the run, asked for when it is needed first
 * @property {string} file the name of this worker's file in it
 * @property {number} partitions
 * @property {import("../shared/codec").Codec} codec
 * @property {number} [chunk] about how many bytes one event puts out
 */

/** @typedef {Spill} AnySpill */

class Spill {
  /** @param {About} about */
  constructor({ native, dir, file, partitions, codec, chunk = CHUNK }) {
    this.native = native;
    this.askDir = dir;
    this.name = file;
    this.partitions = partitions;
    this.codec = codec;
    this.chunk = chunk;
    this.reads = Math.max(1, Math.floor(chunk / READS));
    /** @type {string | undefined} */
    this.knownDir = undefined;
    /** @type {any} */
    this.opened = undefined;
  }

  get dir() {
    if (this.knownDir === undefined) this.knownDir = this.askDir();
    return this.knownDir;
  }

  /** This worker's file. The first write makes it. */
  get file() {
    if (this.opened === undefined) this.opened = this.native.spillOpen(this.dir, this.name);
    return this.opened;
  }

  /** What an event is to write. */
  pairs() {
    return new Pairs(this);
  }

  /**
   * Writes keys and values of one side of a node, and returns where, as JSON.
   * @param {import("./flow/steps").AnyStep} step
   * @param {number} side
   * @param {any} keys an array, as JSON; or those of `spillNumbers`
   * @param {Values} values
   */
  write(step, side, keys, values) {
    const { native, file } = this;
    // What is sorted is one.
    const partitions = step.planKind === "sortBy" ? 1 : this.partitions;
    if (typeof values === "string") {
      const write = typeof keys === "string" ? native.spillWrite : native.spillWriteNumbered;
      return write(file, partitions, side, keys, values);
    }
    const text = typeof keys === "string" ? keys : native.spillNumbered(keys);
    const { bytes, ends, formats } = values;
    return native.spillWriteBytes(file, partitions, side, text, bytes, ends, formats);
  }

  /** About how many bytes an event puts out that reads these: as many as it reads to begin, or more. @param {Extent[]} extents */
  chunkOf({ length }) {
    return this.chunk * Math.max(1, length / MANY);
  }

  /** Merges extents of a partition into one, and returns where, as JSON. @param {Extent[]} extents @param {number} partition */
  merge(extents, partition) {
    const { native, file, dir } = this;
    return native.spillMerge(file, dir, JSON.stringify(extents), partition);
  }

  /** Reads extents as one. @param {Extent[]} extents @param {string | null} from */
  read(extents, from) {
    return this.native.spillRead(this.dir, JSON.stringify(extents), from);
  }
}

module.exports = { Spill };
