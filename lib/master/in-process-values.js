"use strict";
// Values on their way between the stages and nodes of a pool in this process: encoded and decoded as they are between processes, so that
// each of them gets a copy. The items of flows may be several values, or a failure, as they are in the core.

const { decode, encodedWithin, formatOf } = require("../shared/codec");
const { Buffer, JSON } = require("../shared/primordials");

/** @typedef {import("../shared/codec").Codec} Codec */
/** A value as it crosses; none if it has no encoding. @typedef {{ encoded: import("../shared/codec").Encoded | undefined, format: number }} Packed */
/** An item of a flow. @typedef {Packed | Gathered | FailedItem} Item */

/** What is undefined. @type {Packed} */
const NOTHING = { encoded: undefined, format: 0 };

/**
 * @param {Codec} codec
 * @param {any} value
 * @param {string} key
 * @param {string} what
 * @returns {Packed}
 */
function pack(codec, value, key, what) {
  const encoded = encodedWithin(codec, value, key, what);
  if (encoded === undefined) return NOTHING;
  // The program may change its own bytes at once.
  return {
    encoded: encoded === value ? Buffer.from(value) : encoded,
    format: formatOf(value, encoded),
  };
}

/** A copy each time: what is decoded may lie in the bytes that it was decoded from. @param {Packed} packed @returns {any} */
const unpack = ({ encoded, format }) =>
  encoded === undefined
    ? undefined
    : decode(typeof encoded === "string" ? encoded : Buffer.from(encoded), format);

/** What is there of a value once it has crossed. @type {(codec: Codec, value: any, key: string, what: string) => any} */
const crossed = (codec, value, key, what) => unpack(pack(codec, value, key, what));

/** The items of a batch or a reduce. */
class Gathered {
  /** @param {Item[]} items */
  constructor(items) {
    this.items = items;
  }

  get length() {
    return this.items.reduce((sum, item) => sum + lengthOf(item), 0);
  }

  /** @returns {any[]} */
  open() {
    const isBinary = this.items.some(isBinaryItem);
    // JSON has nothing that is undefined.
    return this.items.map((item) => (isHole(item) && !isBinary ? null : open(item)));
  }
}

/** A failed result, as the errors of a node give it. */
class FailedItem {
  /** @param {{ id: number, error: any, node: string }} about @param {Item} data */
  constructor(about, data) {
    this.about = about;
    this.data = data;
  }

  get length() {
    return lengthOf(this.data);
  }

  /** All but its data: a copy. */
  get head() {
    const { id, error, node } = this.about;
    return { id, failed: true, node, error: structured(error) };
  }

  /** @returns {any} */
  open() {
    return withData(this.head, this.data);
  }
}

/** The entry that tells of a failure. @param {{ id: number, error: any, node: string }} about @param {Item} data */
const failureOf = ({ id, error, node }, data) => withData({ id, failed: true, error, node }, data);

/** @param {any} failure @param {Item} item */
function withData(failure, item) {
  const data = open(item);
  if (data !== undefined) failure.data = data;
  return failure;
}

/** A copy of a plain object. @param {any} value @returns {any} */
const structured = (value) => JSON.parse(JSON.stringify(value));

/** The value of an item: a copy each time. @param {Item} item @returns {any} */
const open = (item) => ("encoded" in item ? unpack(item) : item.open());

/** @param {Item} item */
const isHole = (item) => "encoded" in item && item.encoded === undefined;

/** Whether an array that has it cannot be JSON. @param {Item} item @returns {boolean} */
function isBinaryItem(item) {
  if ("encoded" in item) return item.encoded !== undefined && typeof item.encoded !== "string";
  return item instanceof Gathered ? item.items.some(isBinaryItem) : isBinaryItem(item.data);
}

/** About how many bytes it has. @param {Item} item @returns {number} */
function lengthOf(item) {
  if (!("encoded" in item)) return item.length;
  return item.encoded === undefined ? 0 : item.encoded.length;
}

module.exports = {
  FailedItem,
  Gathered,
  NOTHING,
  crossed,
  failureOf,
  isBinaryItem,
  lengthOf,
  open,
  pack,
  unpack,
};
