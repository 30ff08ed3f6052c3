"use strict";
// Values of stores and of `once`, as they travel: with V8's structured clone, so that other processes get what this one has.

const { deserialize, serialize } = require("v8");
const { coded, invalidType } = require("../errors");

/** The most bytes of a value: each stays in the master's memory. */
const MOST_BYTES = 64 * 2 ** 20;

/** @param {string} what the value is, for errors @param {unknown} value @returns {Uint8Array} */
function packed(what, value) {
  const bytes = cloned(what, value);
  if (bytes.length <= MOST_BYTES) return bytes;
  throw coded(
    RangeError,
    "ERR_SONIC_TOO_LARGE",
    `${what} has ${bytes.length} bytes, and the most is ${MOST_BYTES} (64 MiB): write it to a file and share the file's path`,
  );
}

/** @param {string} what @param {unknown} value */
function cloned(what, value) {
  try {
    return serialize(value);
  } catch (error) {
    const { message } = Object(error);
    if (typeof message !== "string" || !message.endsWith("could not be cloned.")) throw error;
    throw invalidType(`${what} must be one that structured clone can copy: ${message}`);
  }
}

/** @param {Uint8Array | undefined} bytes @returns {any} */
const unpacked = (bytes) => (bytes === undefined ? undefined : deserialize(bytes));

module.exports = { MOST_BYTES, packed, unpacked };
