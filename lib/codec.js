"use strict";
// How values cross between processes: as JSON, like Node's cluster by default, or with V8's
// structured clone where the program chose `serialization: "advanced"`. Either way a value becomes a
// JSON text, because texts travel in batches that are parsed at once.

/**
 * @typedef {object} Codec
 * @property {(value: any) => string | undefined} encode JSON, or undefined for `undefined`
 * @property {(parsed: any) => any} decode from what JSON.parse made of the text
 * @property {(value: any) => string | undefined} response like encode, and undefined for what counts as no response
 */

/** @type {Codec} */
const json = {
  encode(value) {
    if (typeof value === "number") return value - value === 0 ? `${value}` : "null";
    return JSON.stringify(value);
  },
  decode: (parsed) => parsed,
  response(value) {
    if (typeof value === "number") return value - value === 0 ? `${value}` : undefined;
    if (value === undefined || value === null) return undefined;
    const text = JSON.stringify(value);
    return text === "null" ? undefined : text;
  },
};

/** @type {Codec} */
const advanced = {
  encode(value) {
    if (value === undefined) return undefined;
    return `"${require("v8").serialize(value).toString("base64")}"`;
  },
  decode(parsed) {
    return require("v8").deserialize(Buffer.from(parsed, "base64"));
  },
  response(value) {
    return value === null ? undefined : advanced.encode(value);
  },
};

/** @param {string | undefined} serialization */
const codecOf = (serialization) => (serialization === "advanced" ? advanced : json);

module.exports = { codecOf };
