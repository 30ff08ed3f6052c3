"use strict";
// How values cross between processes: as JSON, like Node's cluster by default, or with V8's
// structured clone where the program chose `serialization: "advanced"`. What is encoded is either a
// text or bytes, and its format says which (see src/wire/format.rs).

const { constants } = require("buffer");
const { coded } = require("./errors");
const { native } = require("./native");
const { Buffer, JSON } = require("./primordials");
const snapshots = require("./snapshot");

/** The formats by the numbers that they have on the wire; 1 is a string itself. */
const JSON_TEXT = 0;
const CLONE = 2;
const BUFFER = 3;
const MASK = 3;

/** The most bytes of what is encoded; `MAX_PAYLOAD` in src/shm/ring.rs. */
const MOST_BYTES = 2 ** 30;

/** The most bytes of a character of a string. */
const CHARACTER = 3;

/** The fewest characters that an item of bytes takes as JSON: `0,` in a Buffer, `"0":0,` in another view. */
const ITEM_OF_BUFFER = 2;
const ITEM_OF_VIEW = 6;

/** @typedef {string | Uint8Array} Encoded */

/**
 * @typedef {object} Codec
 * @property {(value: any, key: string) => Encoded | undefined} encode undefined for what has no
 *   encoding; `key` is the property that the value is of, which its `toJSON` is told
 * @property {(value: any, encoded: Encoded) => any} snapshot of a value that was decoded; undefined if there
 *   is none to be had
 * @property {(value: any, snapshot: any) => boolean} isAsBefore whether a value surely has the encoding that
 *   it had when the snapshot was made
 */

/** @type {Codec} */
const json = {
  encode(value, key) {
    if (typeof value === "number") return value - value === 0 ? `${value}` : "null";
    if (key === "" || value === undefined || value === null || typeof value.toJSON !== "function") {
      return JSON.stringify(value);
    }
    const text = JSON.stringify({ [key]: value });
    return text === "{}" ? undefined : text.slice(key.length + 4, -1);
  },
  snapshot(value) {
    if (value === null || typeof value !== "object") return value;
    try {
      return snapshots.snapshotOf(value);
    } catch (_) {
      // Deeper than the stack: JSON.parse has none.
      return undefined;
    }
  },
  isAsBefore: (value, snapshot) => snapshot !== undefined && snapshots.isAsBefore(value, snapshot),
};

/** @type {Codec} */
const advanced = {
  encode(value) {
    switch (typeof value) {
      case "undefined":
        return undefined;
      case "string":
      case "boolean":
        return JSON.stringify(value);
      case "number":
        // JSON has no NaN, no Infinity and no -0.
        if (value - value === 0 && !Object.is(value, -0)) return `${value}`;
        break;
      default:
        if (value === null) return "null";
        if (isBuffer(value)) return value;
    }
    return require("v8").serialize(value);
  },
  // What was decoded may lie in the very bytes that it was decoded from.
  snapshot: (_value, encoded) => (typeof encoded === "string" ? undefined : native().hash(encoded)),
  isAsBefore(value, snapshot) {
    if (snapshot === undefined) return false;
    const encoded = advanced.encode(value, "data");
    return encoded instanceof Uint8Array && native().hash(encoded) === snapshot;
  },
};

/** JSON, but for bytes at the top: those of a Buffer are themselves, and other views keep their class. @type {Codec} */
const bytes = {
  encode(value, key) {
    if (!ArrayBuffer.isView(value)) return json.encode(value, key);
    return isBuffer(value) ? /** @type {Buffer} */ (value) : require("v8").serialize(value);
  },
  snapshot: (value, encoded) =>
    typeof encoded === "string" ? json.snapshot(value, encoded) : advanced.snapshot(value, encoded),
  isAsBefore: (value, snapshot) =>
    ArrayBuffer.isView(value)
      ? advanced.isAsBefore(value, snapshot)
      : json.isAsBefore(value, snapshot),
};

/** @type {Record<string, Codec>} */
const CODECS = { json, bytes, advanced };

/** Whether it is a Buffer and nothing more. @param {any} value */
const isBuffer = (value) =>
  value instanceof Uint8Array && Object.getPrototypeOf(value) === Buffer.prototype;

/** The format in which a value was encoded. @param {any} value @param {Encoded} encoded */
function formatOf(value, encoded) {
  if (typeof encoded === "string") return JSON_TEXT;
  return encoded === value ? BUFFER : CLONE;
}

/**
 * A value from what the core gives out: text that is JSON, a string itself, or bytes.
 * @param {any} encoded
 * @param {number} format
 */
function decode(encoded, format) {
  if (format === JSON_TEXT) return JSON.parse(encoded);
  return format === CLONE ? require("v8").deserialize(encoded) : encoded;
}

/**
 * What `codec.encode` makes of a value. What is too long for that is an error at once, before it is copied.
 * @param {Codec} codec
 * @param {any} value
 * @param {string} key
 * @param {string} what the value is, for the error
 */
function encodedWithin(codec, value, key, what) {
  if (ArrayBuffer.isView(value)) checkView(codec, value, what);
  let encoded;
  try {
    encoded = codec.encode(value, key);
  } catch (error) {
    throw isTooLongForString(error) ? tooLongForString(what) : error;
  }
  if (encoded !== undefined) checkBytes(bytesOf(encoded), what);
  return encoded;
}

/**
 * A response and the data that a worker function changed travel as one.
 * @param {Encoded} response
 * @param {Encoded} data
 */
function joinWithin(response, data) {
  checkBytes(bytesOf(response) + bytesOf(data), "the response and the event's changed data");
}

/** How many bytes are encoded, where they may be too many; fewer otherwise. @param {Encoded} encoded */
function bytesOf(encoded) {
  const isLong = typeof encoded === "string" && encoded.length * CHARACTER > MOST_BYTES / 2;
  return isLong ? Buffer.byteLength(/** @type {string} */ (encoded)) : encoded.length;
}

/**
 * What is ready to be sent, if it is not too long.
 * @template {Encoded | { length: number }} T
 * @param {T} encoded
 * @param {string} what it is, for the error
 * @returns {T}
 */
function checkEncoded(encoded, what) {
  checkBytes(bytesOf(/** @type {Encoded} */ (encoded)), what);
  return encoded;
}

/** @param {number} bytes @param {string} what */
function checkBytes(bytes, what) {
  if (bytes > MOST_BYTES) throw tooLong(what, bytes);
}

/** @param {Codec} codec @param {any} view @param {string} what */
function checkView(codec, view, what) {
  checkBytes(view.byteLength, what);
  if (codec !== json) return;
  const each = Buffer.isBuffer(view) ? ITEM_OF_BUFFER : ITEM_OF_VIEW;
  if (view.length * each > constants.MAX_STRING_LENGTH) throw tooLongForString(what);
}

/** @param {any} error */
const isTooLongForString = (error) =>
  error instanceof RangeError &&
  (error.message === "Invalid string length" ||
    Reflect.get(error, "code") === "ERR_STRING_TOO_LONG");

const WAY_OUT = "write it to a file and send the file's path";

/** @param {string} what @param {number} bytes */
const tooLong = (what, bytes) =>
  coded(
    RangeError,
    "ERR_SONIC_TOO_LARGE",
    `${what} has ${bytes} bytes, and the most is ${MOST_BYTES} (1 GiB): ${WAY_OUT}`,
  );

/** @param {string} what */
const tooLongForString = (what) =>
  coded(
    RangeError,
    "ERR_SONIC_TOO_LARGE",
    `${what} is longer as JSON than a string can be, ${constants.MAX_STRING_LENGTH} characters: send bytes as ` +
      `a Buffer with the option serialization: "advanced" (up to 1 GiB), or ${WAY_OUT}`,
  );

/** The args of a run as text, which tells a worker of them. @param {Codec} codec @param {object} args */
const textOfArgs = (codec, args) =>
  codec !== advanced ? JSON.stringify(args) : require("v8").serialize(args).toString("base64");

/** @param {Codec} codec @param {string} text */
const argsOfText = (codec, text) =>
  codec !== advanced ? JSON.parse(text) : require("v8").deserialize(Buffer.from(text, "base64"));

/** @param {string | undefined} serialization */
const codecOf = (serialization = "json") => CODECS[serialization];

module.exports = {
  MASK,
  MOST_BYTES,
  argsOfText,
  checkEncoded,
  codecOf,
  decode,
  encodedWithin,
  formatOf,
  joinWithin,
  textOfArgs,
};
