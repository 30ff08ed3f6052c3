"use strict";
// Reads what a flow's nodes gather where any of it is bytes: the items of a batch or a reduce, and failed results whose data is no
// JSON. Pure. It never reads beyond what it is given: bytes that do not add up are an error.

const codec = require("../codec");
const { JSON } = require("../primordials");

/** The flags of an item: its format in the lowest two bits, and these. */
const FORMAT = codec.MASK;
const UNDEFINED = 4;
/** The item is gathered items itself. */
const PARTS = 8;
/** The item is a failed result. */
const FAILURE = 16;

const JSON_TEXT = 0;
const STRING = 1;

/** The bytes of a length. */
const LENGTH = 4;

/** @typedef {import("buffer").Buffer} Bytes */
/** @typedef {(encoded: any, format: number) => any} Decode */

/**
 * An item from its bytes.
 * @param {Bytes} bytes
 * @param {number} flags
 * @param {Decode} [decode]
 * @returns {any}
 */
function itemOf(bytes, flags, decode = codec.decode) {
  if (flags & FAILURE) return failureOf(bytes, decode);
  if (flags & PARTS) return arrayOf(bytes, decode);
  if (flags & UNDEFINED) return undefined;
  const format = flags & FORMAT;
  if (format > STRING) return decode(bytes, format);
  const text = bytes.toString("utf8");
  return format === STRING ? text : decode(text, JSON_TEXT);
}

/**
 * The items that a batch or a reduce has gathered: of each its length, its flags and its bytes.
 * @param {Bytes} bytes
 * @param {Decode} [decode]
 * @returns {any[]}
 */
function arrayOf(bytes, decode = codec.decode) {
  const items = [];
  for (let at = 0; at < bytes.length; ) {
    const from = at + LENGTH + 1;
    if (from > bytes.length) throw damaged(at, bytes);
    const to = from + bytes.readUInt32LE(at);
    if (to > bytes.length) throw damaged(at, bytes);
    items.push(itemOf(bytes.subarray(from, to), bytes[from - 1], decode));
    at = to;
  }
  return items;
}

/**
 * A failed result whose data is no JSON: the length of its JSON without the data, that JSON, and the flags and the bytes of the data.
 * @param {Bytes} bytes
 * @param {Decode} [decode]
 * @returns {any}
 */
function failureOf(bytes, decode = codec.decode) {
  if (bytes.length < LENGTH) throw damaged(0, bytes);
  const to = LENGTH + bytes.readUInt32LE(0);
  if (to >= bytes.length) throw damaged(0, bytes);
  const { node, ...head } = JSON.parse(bytes.toString("utf8", LENGTH, to));
  const data = itemOf(bytes.subarray(to + 1), bytes[to], decode);
  const failure = { ...head, data };
  return node === undefined ? failure : { ...failure, node };
}

/** @param {number} at @param {Bytes} bytes */
const damaged = (at, bytes) =>
  new RangeError(`gathered items are damaged at offset ${at} of ${bytes.length} bytes`);

module.exports = { FAILURE, PARTS, UNDEFINED, arrayOf, failureOf, itemOf };
