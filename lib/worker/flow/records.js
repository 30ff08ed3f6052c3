"use strict";
// The records of one event of a flow: its outputs, failures and the like, as its answer has them. Text as long as all values have one
// as JSON, else bytes. What one item has added can be taken back.

const { constants } = require("buffer");
const {
  MOST_BYTES,
  checkEncoded,
  codecOf,
  encodedWithin,
  formatOf,
} = require("../../shared/codec");
const { UNDEFINED } = require("../../shared/flow/parts");
const { noItem } = require("../../shared/flow/rules");
const { Buffer, JSON } = require("../../shared/primordials");
const { errorToJson } = require("../../shared/thrown");

/** What the records begin with that are of no exit. */
const FAILED = "!";
const SPILLED = "$";
/** No exit has this one: theirs begin at `%`. */
const GO_ON = "#";

/** The bytes of a record before its own: the length, the character, the format. */
const HEAD = 6;

/** So many characters are put together at a time: each string that others are added to costs the garbage collector its time. */
const LONG = 2 ** 16;

/** @typedef {import("../../shared/codec").Codec} Codec */
/** @typedef {import("../../shared/codec").Encoded} Encoded */
/**
 * Records in text, those in bytes that are ready, or one that is to be headed.
 * @typedef {string | Uint8Array | { character: string, head: string, format: number, bytes: Uint8Array }} Piece
 */
/** @typedef {{ pieces: number, length: number, text: string }} Mark */

class Records {
  /** @param {Codec} codec @param {ReadonlySet<string> | undefined} errors the names of those classes of errors that the master knows */
  constructor(codec, errors) {
    this.codec = codec;
    this.errors = errors;
    /** Numbers are written without the codec. */
    this.isJson = codec !== codecOf("advanced");
    /** Records in text, each with a newline before it. What came before them is in `pieces`. */
    this.text = "";
    /** @type {Piece[]} */
    this.pieces = [];
    /** How long `pieces` are together. */
    this.length = 0;
  }

  /** About how many bytes there are. */
  get size() {
    return this.length + this.text.length;
  }

  get isTooLong() {
    return this.size > MOST_BYTES;
  }

  /**
   * An item leaves through an exit. Throws if it cannot be encoded.
   * @param {string} prefix the exit's
   * @param {any} value
   */
  add(prefix, value) {
    if (typeof value === "number" && this.isJson) {
      this.text += prefix + (value - value === 0 ? value : "null");
    } else if (typeof value === "string" && value.length < LONG) {
      this.text += prefix + JSON.stringify(value);
    } else {
      const encoded = encodedOf(this.codec, value);
      if (encoded === undefined) this.text += prefix;
      else if (typeof encoded === "string") return this.addText(prefix, encoded);
      else this.addBytes(prefix[1], "", encoded, formatOf(value, encoded));
    }
    if (this.text.length > LONG) this.flush();
  }

  /**
   * A key and its value leave through an exit.
   * @param {string} prefix
   * @param {string} key as JSON
   * @param {any} value
   * @returns {boolean} whether it is as simple as that
   */
  addPair(prefix, key, value) {
    if (!isPlain(value)) return false;
    const text = typeof value === "number" ? value : JSON.stringify(value);
    this.text += `${prefix}[${key},${text}]`;
    if (this.text.length > LONG) this.flush();
    return true;
  }

  /** Records that are as they have to be. @param {import("buffer").Buffer} bytes @param {boolean} isText */
  addReady(bytes, isText) {
    if (isText) {
      this.addText("\n", bytes.toString());
      return;
    }
    this.flush();
    this.pieces.push(bytes);
    this.length += bytes.length;
  }

  /** @param {string} prefix @param {string} text */
  addText(prefix, text) {
    if (text.length > LONG) this.flush();
    this.text += prefix + text;
    if (this.text.length > LONG) this.flush();
  }

  /** @param {string} character @param {string} head @param {Uint8Array} bytes @param {number} format */
  addBytes(character, head, bytes, format) {
    this.flush();
    // The program may write something else into its Buffer before all is copied.
    const copy = format === 3 ? Buffer.from(bytes) : bytes;
    this.pieces.push({ character, head, format, bytes: copy });
    this.length += HEAD + head.length + bytes.length;
    if (this.isTooLong) throw tooLong(this);
  }

  flush() {
    if (this.text === "") return;
    // Has the engine make one string of all those that were added.
    this.text.charCodeAt(0);
    this.pieces.push(this.text);
    this.length += this.text.length;
    this.text = "";
    if (this.isTooLong) throw tooLong(this);
  }

  /**
   * An item failed at a node that is not the event's entry.
   * @param {number} node
   * @param {any} data as it is now; nothing if it cannot be encoded
   * @param {unknown} thrown
   * @param {string} [redo] the JSON of the data that tries it again
   */
  fail(node, data, thrown, redo = "") {
    let encoded;
    try {
      encoded = encodedOf(this.codec, data);
    } catch (_) {
      // There is an error to tell of already.
    }
    const head = `${node}\t${errorToJson(thrown, this.errors)}\t${redo}\t`;
    if (typeof encoded === "object") this.addBytes(FAILED, head, encoded, formatOf(data, encoded));
    else this.addText(`\n${FAILED}`, encoded === undefined ? head : head + encoded);
  }

  /** A node's keys and values were written. @param {number} node @param {string} told where */
  spilled(node, told) {
    this.addText(`\n${SPILLED}`, `${node}\t${told}`);
  }

  /** Another event is to go on. @param {string} json its data */
  goOn(json) {
    this.addText(`\n${GO_ON}`, json);
  }

  /** Where it is now. @returns {Mark} */
  mark() {
    return { pieces: this.pieces.length, length: this.length, text: this.text };
  }

  /** Takes back what was added since. @param {Mark} mark */
  rollBack({ pieces, length, text }) {
    this.pieces.length = pieces;
    this.length = length;
    this.text = text;
  }

  /** @returns {string | Buffer} */
  payload() {
    if (this.pieces.length === 0) return checkEncoded(this.text.slice(1), WHAT);
    this.flush();
    const isText = this.pieces.every((piece) => typeof piece === "string");
    if (isText && this.length <= constants.MAX_STRING_LENGTH)
      return checkEncoded(this.pieces.join("").slice(1), WHAT);
    const lengths = this.pieces.map(lengthOf);
    const length = lengths.reduce((sum, one) => sum + one, 0);
    checkEncoded({ length }, WHAT);
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (const piece of this.pieces) at = written(piece, bytes, at);
    return bytes;
  }
}

const WHAT = "all that an event of a flow puts out";

/** @param {Records} records */
function tooLong({ size }) {
  try {
    checkEncoded({ length: size }, WHAT);
  } catch (error) {
    return error;
  }
}

/** How long a piece is as bytes. @param {Piece} piece */
function lengthOf(piece) {
  if (typeof piece !== "string") {
    return "head" in piece
      ? HEAD + Buffer.byteLength(piece.head) + piece.bytes.length
      : piece.length;
  }
  let records = 0;
  for (let at = piece.indexOf("\n"); at >= 0; at = piece.indexOf("\n", at + 1)) records++;
  // A newline and a character are a head there.
  return Buffer.byteLength(piece) + records * (HEAD - 2);
}

/**
 * Writes a piece, and returns where the next one goes.
 * @param {Piece} piece
 * @param {Buffer} bytes
 * @param {number} from
 */
function written(piece, bytes, from) {
  if (typeof piece !== "string") {
    if (!("head" in piece)) {
      bytes.set(piece, from);
      return from + piece.length;
    }
    const { character, head, format } = piece;
    const to = from + HEAD + bytes.write(head, from + HEAD);
    bytes.set(piece.bytes, to);
    return headed(bytes, from, to + piece.bytes.length, character, format);
  }
  let at = from;
  for (const record of piece.split("\n")) {
    if (record === "") continue;
    const rest = record.slice(1);
    const to = at + HEAD + bytes.write(rest, at + HEAD);
    const hasNothing = record[0] === FAILED ? rest.endsWith("\t") : rest === "";
    at = headed(bytes, at, to, record[0], hasNothing ? UNDEFINED : 0);
  }
  return at;
}

/**
 * Writes what stands before the bytes of a record that ends at `to`.
 * @param {Buffer} bytes
 * @param {number} from
 * @param {number} to
 * @param {string} character
 * @param {number} format
 */
function headed(bytes, from, to, character, format) {
  bytes.writeUInt32LE(to - from - HEAD, from);
  bytes[from + HEAD - 2] = character.charCodeAt(0);
  bytes[from + HEAD - 1] = format;
  return to;
}

/** An item as it travels; undefined if it is. Throws if it cannot. @param {Codec} codec @param {any} value @returns {Encoded | undefined} */
function encodedOf(codec, value) {
  if (typeof value === "function" || typeof value === "symbol") throw noItem(value);
  return encodedWithin(codec, value, "response", "the output");
}

/** Whether a value has the same JSON alone and in an array, whatever the codec. @param {any} value */
const isPlain = (value) =>
  typeof value === "number"
    ? value - value === 0 && !Object.is(value, -0)
    : typeof value === "string" || typeof value === "boolean" || value === null;

module.exports = { FAILED, GO_ON, Records, SPILLED, encodedOf, isPlain };
