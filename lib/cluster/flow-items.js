"use strict";
// The items of a flow over several machines: as an event's data on their way to a worker, and as a worker's answer has them, which are
// the records that flow/records.js in worker/ writes. Pure.

const { FailedItem, Gathered, isBinaryItem, open } = require("../master/in-process-values");
const { NOTHING, carried } = require("../shared/carried");
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
/** What an event puts out: an item that leaves by an exit, or one that failed at a node behind the one at which the event entered.
 * @typedef {{ exit: number, item: Item } | { node: number, error: any, item: Item }} Output */

/** What a record begins with that tells of a failure. */
const FAILED = "!";

/** The bytes of a record before its own: the length, the character, the format. */
const HEAD = 6;

/** Throws if it is too large for the broker. @param {Codec} codec @param {Item} item @returns {Carried} */
function carriedItem(codec, item) {
  if ("encoded" in item) {
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
  if (format === NOTHING) return { encoded: undefined, format: 0 };
  return { encoded: format === 0 ? text : Buffer.from(text, "base64"), format };
}

/** What an answer's records say. Throws if they are damaged. @param {string | Uint8Array} payload @returns {Output[]} */
const outputsOf = (payload) =>
  typeof payload === "string" ? outputsOfText(payload) : outputsOfBytes(Buffer.from(payload));

/** @param {string} text @returns {Output[]} */
function outputsOfText(text) {
  if (text === "") return [];
  return text.split("\n").map((line) => {
    if (line[0] !== FAILED)
      return { exit: exitOf(line.charCodeAt(0)), item: packed(line.slice(1)) };
    const [node, error, , data] = fields(line.slice(1));
    return { node: Number(node), error: JSON.parse(error), item: packed(data) };
  });
}

/** @param {string} encoded @returns {Packed} */
const packed = (encoded) => ({ encoded: encoded === "" ? undefined : encoded, format: 0 });

/** Node, error, what tries it again, and the data, which alone may have tabs. @param {string} record */
function fields(record) {
  const [node, error, again] = record.split("\t", 3);
  return [node, error, again, record.slice(node.length + error.length + again.length + 3)];
}

/** @param {import("buffer").Buffer} bytes @returns {Output[]} */
function outputsOfBytes(bytes) {
  /** @type {Output[]} */
  const outputs = [];
  for (let at = 0; at < bytes.length; ) {
    const from = at + HEAD;
    const to = from + bytes.readUInt32LE(at);
    if (to > bytes.length) throw new RangeError(`the answer is damaged at ${at}`);
    outputs.push(outputOf(bytes[at + HEAD - 2], bytes[at + HEAD - 1], bytes.subarray(from, to)));
    at = to;
  }
  return outputs;
}

/** @param {number} character @param {number} format @param {import("buffer").Buffer} bytes @returns {Output} */
function outputOf(character, format, bytes) {
  if (String.fromCharCode(character) !== FAILED)
    return { exit: exitOf(character), item: packedBytes(bytes, format) };
  let at = -1;
  for (let tabs = 0; tabs < 3; tabs++) {
    at = bytes.indexOf("\t", at + 1);
    if (at < 0) throw new RangeError("the answer has a damaged failure");
  }
  const [node, error] = bytes.toString("utf8", 0, at).split("\t");
  const item = packedBytes(bytes.subarray(at + 1), format);
  return { node: Number(node), error: JSON.parse(error), item };
}

/** @param {import("buffer").Buffer} bytes @param {number} format @returns {Packed} */
function packedBytes(bytes, format) {
  if (format === UNDEFINED) return { encoded: undefined, format: 0 };
  return { encoded: format === 0 ? bytes.toString() : bytes, format };
}

/** @param {number} character */
function exitOf(character) {
  const exit = character - wire().firstExit;
  if (exit >= 0) return exit;
  throw new RangeError(`the answer has a record of a kind that is not known: ${character}`);
}

module.exports = { carriedItem, outputsOf, packedOf };
