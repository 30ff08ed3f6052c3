"use strict";
// Values as they cross the broker of a cluster, within JSON: text as it is, bytes in base64.

const { decode, encodedWithin, formatOf } = require("./codec");
const { coded } = require("./errors");
const { Buffer } = require("./primordials");

/** The format of what is undefined; the others are those of the codec. */
const NOTHING = 1;

/** The most bytes of one value: a job with two of them stays within what Redis takes at once (512 MB). */
const MOST_BYTES = 64 << 20;

/** The most bytes of a character of a string. */
const CHARACTER = 3;

/** A value's text and its format. @typedef {{ text: string, format: number }} Carried */

/**
 * @param {import("./codec").Codec} codec
 * @param {any} value
 * @param {string} key the property that it is of
 * @param {string} what it is, for errors
 * @returns {Carried}
 */
function carried(codec, value, key, what) {
  const encoded = encodedWithin(codec, value, key, what);
  if (encoded === undefined) return { text: "", format: NOTHING };
  checkSize(encoded, what);
  if (typeof encoded === "string") return { text: encoded, format: 0 };
  const { buffer, byteOffset, byteLength } = encoded;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return { text, format: formatOf(value, encoded) };
}

/**
 * What an event emits, which is as large as one value at most.
 * @param {import("./codec").Codec} codec
 * @param {import("./task").Added["emitted"]} emitted
 * @returns {Carried[]}
 */
function carriedOnes(codec, emitted) {
  let bytes = 0;
  return emitted.map(({ encoded, format }) => {
    const value = encoded === undefined ? undefined : decode(encoded, format);
    const one = carried(codec, value, "data", "task.emit: the data");
    bytes += one.text.length;
    checkBytes(bytes, "task.emit: the data of all events that one emits");
    return one;
  });
}

/** Throws if it is too large for the broker. @param {import("./codec").Encoded | undefined} encoded @param {string} what */
function checkSize(encoded, what) {
  if (typeof encoded !== "string") checkBytes(encoded === undefined ? 0 : encoded.byteLength, what);
  else if (encoded.length * CHARACTER > MOST_BYTES) checkBytes(Buffer.byteLength(encoded), what);
}

/** @param {number} bytes @param {string} what */
function checkBytes(bytes, what) {
  if (bytes <= MOST_BYTES) return;
  throw coded(
    RangeError,
    "ERR_SONIC_TOO_LARGE",
    `${what} has ${bytes} bytes, and the most over a broker is ${MOST_BYTES} (64 MiB): write it to a file that all hosts share, and ` +
      "send its path",
  );
}

/** @param {Carried} carried */
function valueOf({ text, format }) {
  if (format === NOTHING) return undefined;
  return decode(format === 0 ? text : Buffer.from(text, "base64"), format);
}

module.exports = { NOTHING, carried, carriedOnes, checkSize, valueOf };
