"use strict";
// The items of a flow over several machines: as an event's data on their way to a worker, and as a worker's answer has them, which are
// the records that flow/records.js in worker/ writes. Pure.

const {
  FailedItem,
  Gathered,
  NOTHING: NONE,
  isBinaryItem,
  open,
} = require("../master/in-process-values");
const { NOTHING, carried, checkSize } = require("../shared/carried");
const { codecOf } = require("../shared/codec");
const { LIKE_ONE, wrapped } = require("../shared/flow/carried");
const { UNDEFINED } = require("../shared/flow/parts");
const { wire } = require("../shared/native");
const { Buffer, JSON } = require("../shared/primordials");

/** @typedef {import("../shared/carried").Carried} Carried */
/** @typedef {import("../shared/codec").Codec} Codec */
/** @typedef {import("../shared/flow/carried").Coded} Coded */
/** @typedef {import("../master/in-process-values").Item} Item */
/** @typedef {import("../master/in-process-values").Packed} Packed */
/**
 * What an event puts out: an item that leaves by an exit; one that failed at a node behind the one at which the event entered, with the
 * data that tries that again, if that is not its own; what was written for a node; and the data of an event of the same node that goes on.
 * @typedef {{ exit: number, item: Packed } | { node: number, error: any, again: string, item: Packed } | { to: number, told: any } |
 *   { further: string }} Output
 */

/** What a record begins with that is of no exit. */
const FAILED = "!";
const SPILLED = "$";
const GO_ON = "#";

/** The bytes of a record before its own: the length, the character, the format. */
const HEAD = 6;

/** Throws if it is too large for the broker. @param {Codec} codec @param {Item} item @returns {Carried} */
function carriedItem(codec, item) {
  if ("encoded" in item) {
    checkSize(item.encoded, "an item of a flow");
    const one = carriedPacked(item);
    return one.text.startsWith(LIKE_ONE) && one.format === 0 ? carriedWhole(codec, item) : one;
  }
  // With `advanced` bytes are bytes wherever they are.
  const isWhole = isBinaryItem(item) && codec !== codecOf("advanced");
  return isWhole ? carriedWhole(codec, item) : carried(codec, open(item), "data", WHAT);
}

const WHAT = "the items that a node gets together";

/** @param {Codec} codec @param {Item} item */
const carriedWhole = (codec, item) => carried(codec, wrapped(codedOf(item)), "data", WHAT);

/** What people see of an item: nothing where bytes are among others. @param {Item} item @param {Carried} one as it is carried @returns {Carried} */
function shown(item, one) {
  if (!one.text.startsWith(LIKE_ONE)) return one;
  return "encoded" in item ? carriedPacked(item) : { text: one.text, format: NOTHING };
}

/** The data of an event that writes or reads files. @param {Carried} item @param {import("../shared/flow/carried").Place} place @returns {Carried} */
const placed = (item, place) => ({ text: JSON.stringify({ "…place": place, item }), format: 0 });

/** @param {Packed} packed @returns {Carried} */
function carriedPacked({ encoded, format }) {
  if (encoded === undefined) return { text: "", format: NOTHING };
  if (typeof encoded === "string") return { text: encoded, format: 0 };
  const { buffer, byteOffset, byteLength } = encoded;
  return { text: Buffer.from(buffer, byteOffset, byteLength).toString("base64"), format };
}

/** @param {Item} item @returns {Coded} */
function codedOf(item) {
  if (item instanceof Gathered) return { parts: item.items.map(codedOf) };
  if (item instanceof FailedItem) return { failure: item.head, data: codedOf(item.data) };
  return carriedPacked(/** @type {Packed} */ (item));
}

/** @param {Carried} carried @returns {Packed} */
function packedOf({ text, format }) {
  if (format === NOTHING) return NONE;
  return { encoded: format === 0 ? text : Buffer.from(text, "base64"), format };
}

/** What an answer's records say. Throws if they are damaged. @param {string | Uint8Array} payload @returns {Output[]} */
const outputsOf = (payload) =>
  typeof payload === "string" ? outputsOfText(payload) : outputsOfBytes(Buffer.from(payload));

/** @param {string} text @returns {Output[]} */
function outputsOfText(text) {
  if (text === "") return [];
  return text.split("\n").map((line) => outputOf(line.charCodeAt(0), line.slice(1), packed));
}

/** @param {string} encoded @returns {Packed} */
const packed = (encoded) => ({ encoded: encoded === "" ? undefined : encoded, format: 0 });

/** @param {import("buffer").Buffer} bytes @returns {Output[]} */
function outputsOfBytes(bytes) {
  /** @type {Output[]} */
  const outputs = [];
  for (let at = 0; at < bytes.length; ) {
    const from = at + HEAD;
    const to = from + bytes.readUInt32LE(at);
    if (to > bytes.length) throw new RangeError(`the answer is damaged at ${at}`);
    const format = bytes[at + HEAD - 1];
    const read = (/** @type {any} */ rest) => packedBytes(rest, format);
    outputs.push(outputOf(bytes[at + HEAD - 2], bytes.subarray(from, to), read));
    at = to;
  }
  return outputs;
}

/**
 * @template {string | import("buffer").Buffer} T
 * @param {number} character
 * @param {T} record
 * @param {(rest: T) => Packed} read
 * @returns {Output}
 */
function outputOf(character, record, read) {
  const kind = String.fromCharCode(character);
  if (kind === GO_ON) return { further: String(record) };
  if (kind === SPILLED) {
    const [node, told] = fields(record, 2);
    return { to: Number(node), told: JSON.parse(String(told)) };
  }
  if (kind !== FAILED) return { exit: exitOf(character), item: read(record) };
  const [node, error, again, data] = fields(record, 4);
  return {
    node: Number(node),
    error: JSON.parse(String(error)),
    again: String(again),
    item: read(/** @type {T} */ (data)),
  };
}

/** So many fields, of which the last one alone may have tabs. @param {string | import("buffer").Buffer} record @param {number} count */
function fields(record, count) {
  const all = [];
  let from = 0;
  for (let left = count - 1; left > 0; left--) {
    const to = record.indexOf("\t", from);
    if (to < 0) throw new RangeError("the answer has a damaged record");
    all.push(record.slice(from, to));
    from = to + 1;
  }
  return [...all, record.slice(from)];
}

/** @param {import("buffer").Buffer} bytes @param {number} format @returns {Packed} */
function packedBytes(bytes, format) {
  if (format === UNDEFINED) return NONE;
  return { encoded: format === 0 ? bytes.toString() : bytes, format };
}

/** @param {number} character */
function exitOf(character) {
  const exit = character - wire().firstExit;
  if (exit >= 0) return exit;
  throw new RangeError(`the answer has a record of a kind that is not known: ${character}`);
}

module.exports = { carriedItem, carriedPacked, outputsOf, packed, packedOf, placed, shown };
