"use strict";
// Reads a partition of a hold key by key, and the values of a key one by one. What is not read is skipped. In memory is one chunk at a
// time: the values of a key may be more than fit.

const { decode } = require("../../shared/codec");
const { itemOf } = require("../../shared/flow/parts");
const { JSON } = require("../../shared/primordials");

/** @typedef {import("../spill").Chunk} Chunk */
/** @typedef {Reader} AnyReader */

class Reader {
  /**
   * @param {import("../spill").AnySpill} spill
   * @param {import("../spill").Extent[]} extents
   * @param {string | null} from
   */
  constructor(spill, extents, from) {
    this.native = spill.native;
    this.bytes = spill.reads;
    this.merge = spill.read(extents, from);
    /** Where the chunk begins that has the key's first values. */
    this.position = from;
    /** @type {Chunk | null} */
    this.chunk = null;
    /** @type {any[]} */
    this.keys = [];
    /** All are strings whose JSON is the string between quotes. */
    this.hasPlainKeys = false;
    /** The key's index among those of the chunk. */
    this.at = -1;
    /** The values of the key: those of the chunk between these two. */
    this.value = 0;
    this.end = 0;
    /** The values of the chunk, if they are decoded. @type {any[] | undefined} */
    this.list = undefined;
  }

  /** @returns {any} */
  get key() {
    return this.keys[this.at];
  }

  /** The key as JSON. */
  get keyText() {
    const { key } = this;
    return this.hasPlainKeys ? `"${key}"` : JSON.stringify(key);
  }

  /** Whether nothing is left of the chunk, so that others may go on behind it; see `place`. */
  get isAtEnd() {
    return this.at + 1 >= this.keys.length;
  }

  /** Where another reader goes on behind this chunk; null if it has to be this one, or there is nothing more. */
  place() {
    return this.native.spillPosition(this.merge);
  }

  /** On to the next key. @returns {boolean} whether there is one */
  nextKey() {
    while (this.isAtEnd) {
      if (!this.pull()) return false;
      // The rest of the key before.
      if (this.chunk?.continues) this.enter(0);
    }
    this.enter(this.at + 1);
    return true;
  }

  /** @param {number} at */
  enter(at) {
    const { counts } = /** @type {Chunk} */ (this.chunk);
    this.at = at;
    this.value = this.end;
    this.end += counts[at];
  }

  /** Whether the key has one more value. It is read if so. */
  hasValue() {
    while (this.value === this.end) {
      if (!this.chunk?.isPartial || !this.isAtEnd || !this.pull()) return false;
      this.enter(0);
    }
    return true;
  }

  /** Which side the next value is of. */
  get side() {
    const sides = this.chunk?.sides;
    return sides ? sides[this.value] : 0;
  }

  /** The next value, if there is one. */
  take() {
    if (this.list === undefined) this.list = valuesOf(/** @type {Chunk} */ (this.chunk));
    return this.list[this.value++];
  }

  /** The next value is not read, if there is one. */
  skip() {
    this.value++;
  }

  /** About how many bytes a value of the chunk has. */
  get lengthOfValue() {
    const { values, bytes, ends } = /** @type {Chunk} */ (this.chunk);
    if (typeof values === "string") return values.length / /** @type {any[]} */ (this.list).length;
    return bytes && ends ? bytes.length / ends.length : 0;
  }

  /** Nothing more is read. */
  close() {
    this.native.spillClose(this.merge);
  }

  /** @returns {boolean} whether there was one more chunk */
  pull() {
    const place = this.chunk === null ? null : this.place();
    const chunk = this.native.spillNext(this.merge, this.bytes);
    this.list = undefined;
    if (chunk === null) return false;
    if (place !== null) this.position = place;
    this.chunk = chunk;
    this.hasPlainKeys = isPlain(chunk.keys);
    this.keys = this.hasPlainKeys ? plainKeys(chunk.keys) : JSON.parse(chunk.keys);
    this.at = -1;
    this.value = 0;
    this.end = 0;
    return true;
  }
}

/** Whether an array of keys in order, as JSON, has strings only, and nothing in them is escaped. @param {string} keys */
const isPlain = (keys) => keys.startsWith('["') && !keys.includes("\\");

/** Such keys. JSON.parse looks each one up among all strings that there are, and takes several times as long. @param {string} keys */
const plainKeys = (keys) => keys.slice(2, -2).split('","');

/** @param {Chunk} chunk @returns {any[]} */
function valuesOf({ values, bytes, ends, formats }) {
  if (typeof values === "string") return JSON.parse(values);
  if (!bytes || !ends || !formats) throw new Error("the values of a chunk are missing");
  const list = [];
  for (let at = 0, from = 0; at < ends.length; from = ends[at], at++)
    list.push(itemOf(bytes.subarray(from, ends[at]), formats[at], decode));
  return list;
}

module.exports = { Reader };
