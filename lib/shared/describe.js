"use strict";
// Any value as a short text, within bounds of time and size: what a program throws or passes may be of any shape. Never throws,
// and never changes what it reads.

const { types } = require("util");
const { Buffer, JSON } = require("./primordials");

/** The most bytes of one text: a message and its stack leave half of an error for the rest. */
const MOST_TEXT = 64 * 1024;

/** The most bytes of an error's name, and of a property's. */
const MOST_NAME = 256;

/** A text beyond this may still be in pieces, which V8 puts together before it gives out any: 50 ms for 100 MB. */
const LONG_TEXT = 1 << 20;

/** The most parts of a value whose text or JSON is made: each may take its time. */
const MOST_PARTS = 1000;

const UNREADABLE = "(what was thrown has no readable message)";

/** @param {string} what */
const mark = (what) => `[cut: ${what}]`;

/** @param {unknown} value */
const isError = (value) =>
  types.isNativeError(value) || attempt(() => value instanceof Error, false);

/**
 * @template Value
 * @param {() => Value} get
 * @param {Value} otherwise
 */
function attempt(get, otherwise) {
  try {
    return get();
  } catch (_) {
    return otherwise;
  }
}

/**
 * The text, without its middle if it takes more bytes as JSON: its end says where an error was thrown.
 * @param {string} text
 * @param {number} most bytes
 */
function cut(text, most) {
  if (text.length * 6 + 2 <= most || (text.length <= most && bytesOf(text) <= most)) return text;
  for (let kept = Math.min(text.length, most); kept > 0; kept = Math.floor(kept * 0.8)) {
    const end = Math.floor(kept / 4);
    const middle = mark(`${text.length - kept} characters`);
    const shorter = `${text.slice(0, kept - end)}${middle}${text.slice(text.length - end)}`;
    if (bytesOf(shorter) <= most) return shorter;
  }
  return "";
}

/** How many bytes a plain value takes as JSON. @param {unknown} value */
const bytesOf = (value) => Buffer.byteLength(JSON.stringify(value));

/** @param {bigint} value */
function textOfBigInt(value) {
  // The text of a longer one takes long to make.
  return BigInt.asIntN(256, value) === value ? `${value}n` : mark("a BigInt of more than 256 bits");
}

/**
 * `String(value)`, short, also where that throws or would take long.
 * @param {unknown} value
 * @returns {string}
 */
function describe(value) {
  const text = attempt(
    () => (isQuick(value) ? cut(textOf(value), MOST_TEXT) : undefined),
    undefined,
  );
  if (text !== undefined) return text;
  return attempt(() => Object.prototype.toString.call(value), "(what cannot be shown)");
}

/** @param {unknown} value */
const isText = (value) => typeof value === "string";

/** @param {any} value */
function textOf(value) {
  if (!isError(value)) return String(value);
  const { name, message } = value;
  // The text of anything else may take any time to make.
  if (!isText(message)) return `${isText(name) ? cut(name, MOST_NAME) : "Error"}: ${UNREADABLE}`;
  const isShort = isText(name) && message.length <= LONG_TEXT;
  return isShort
    ? String(value)
    : `${isText(name) ? name : "Error"}: ${cut(message, MOST_TEXT / 2)}`;
}

/**
 * Whether the text of a value is made at once: an array's contains that of its items, and so on.
 * @param {unknown} value
 */
function isQuick(value) {
  if (typeof value === "bigint") return BigInt.asIntN(256, value) === value;
  if (ArrayBuffer.isView(value)) return value.byteLength <= MOST_PARTS;
  if (!Array.isArray(value)) return true;
  return value.length <= MOST_PARTS && value.every((item) => Object(item) !== item);
}

module.exports = {
  LONG_TEXT,
  MOST_NAME,
  MOST_PARTS,
  MOST_TEXT,
  UNREADABLE,
  attempt,
  bytesOf,
  cut,
  describe,
  isError,
  isText,
  mark,
  textOfBigInt,
};
