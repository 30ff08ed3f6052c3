"use strict";
// How values cross between processes: as JSON, like Node's cluster by default, or with V8's
// structured clone where the program chose `serialization: "advanced"`. Either way a value becomes a
// JSON text, because texts travel in batches that are parsed at once.

/** Loaded with the first object: many programs send none. */
const snapshots = () => require("./snapshot");

/**
 * @typedef {object} Codec
 * @property {(value: any, key: string) => string | undefined} encode JSON, or undefined for what has
 *   none; `key` is the property that the value is of, which its `toJSON` is told
 * @property {boolean} keepsStrings whether a string of ASCII may travel as it is: that is faster
 * @property {(parsed: any) => any} decode from what JSON.parse made of the text
 * @property {(value: any) => any} snapshot of what was decoded; undefined if there is none to be had
 * @property {(value: any, snapshot: any) => boolean} isAsBefore whether a value surely has the text that it
 *   had when the snapshot was made
 */

/** @type {Codec} */
const json = {
  keepsStrings: true,
  encode(value, key) {
    if (typeof value === "number") return value - value === 0 ? `${value}` : "null";
    if (key === "" || value === undefined || value === null || typeof value.toJSON !== "function") {
      return JSON.stringify(value);
    }
    const text = JSON.stringify({ [key]: value });
    return text === "{}" ? undefined : text.slice(key.length + 4, -1);
  },
  decode: (parsed) => parsed,
  snapshot(value) {
    if (value === null || typeof value !== "object") return value;
    try {
      return snapshots().snapshotOf(value);
    } catch (_) {
      // Deeper than the stack: JSON.parse has none.
      return undefined;
    }
  },
  isAsBefore: (value, snapshot) => snapshot !== undefined && snapshots().isAsBefore(value, snapshot),
};

/** @type {Codec} */
const advanced = {
  keepsStrings: false,
  encode(value) {
    if (value === undefined || value === null) return JSON.stringify(value);
    return `"${require("v8").serialize(value).toString("base64")}"`;
  },
  decode(parsed) {
    return parsed === null ? null : require("v8").deserialize(Buffer.from(parsed, "base64"));
  },
  snapshot: () => undefined,
  isAsBefore: () => false,
};

/** @param {string | undefined} serialization */
const codecOf = (serialization) => (serialization === "advanced" ? advanced : json);

module.exports = { codecOf };
