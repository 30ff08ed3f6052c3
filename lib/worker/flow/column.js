"use strict";
// Keys with their encoded values, on their way into a file.

const { UNDEFINED } = require("../../shared/flow/parts");
const { Buffer, JSON } = require("../../shared/primordials");

/** Strings have a longest length, of twice as many characters; what is longer is written as bytes. */
const LONGEST = 2 ** 28;

/** @typedef {import("../../shared/codec").Encoded} Encoded */

class Column {
  constructor() {
    /** @type {any[]} */
    this.keys = [];
    /** @type {(Encoded | undefined)[]} */
    this.values = [];
    /** @type {number[]} */
    this.formats = [];
    /** All values are JSON. */
    this.isText = true;
    /** About how many bytes. */
    this.length = 0;
  }

  /** @param {any} key @param {Encoded | undefined} value @param {number} format */
  put(key, value, format) {
    this.keys.push(key);
    this.values.push(value);
    this.formats.push(value === undefined ? UNDEFINED : format);
    if (typeof value !== "string") this.isText = false;
    this.length += value === undefined ? 1 : value.length + 1;
    if (typeof key === "string") this.length += key.length;
  }

  /** @param {Column} other */
  merge({ keys, values, formats }) {
    for (let at = 0; at < keys.length; at++) this.put(keys[at], values[at], formats[at]);
  }

  /**
   * @param {import("../spill").AnySpill} spill
   * @param {import("./steps").AnyStep} step
   * @param {number} side
   */
  write(spill, step, side) {
    const keys = JSON.stringify(this.keys);
    const isText = this.isText && this.length < LONGEST;
    return spill.write(step, side, keys, isText ? `[${this.values.join(",")}]` : this.bytes());
  }

  /** The values as bytes, and where each one ends. */
  bytes() {
    const pieces = this.values.map((value) => Buffer.from(value === undefined ? "" : value));
    const ends = new Uint32Array(pieces.length);
    let end = 0;
    for (let at = 0; at < pieces.length; at++) {
      end += pieces[at].length;
      ends[at] = end;
    }
    return { bytes: Buffer.concat(pieces), ends, formats: Uint8Array.from(this.formats) };
  }
}

module.exports = { Column };
