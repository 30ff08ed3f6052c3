"use strict";
// Keys with their values, on their way into a file. Values that are plain stay what they are, to be encoded all at once; all are encoded
// as soon as one is not.

const { UNDEFINED } = require("../../shared/flow/parts");
const { Buffer, JSON } = require("../../shared/primordials");

/** Strings have a longest length, of twice as many characters; what is longer is written as bytes. */
const LONGEST = 2 ** 28;

/** The same of plain values: each of their characters may become six. */
const LONGEST_PLAIN = 2 ** 26 + 2 ** 24;

/** About how many bytes of JSON a plain value takes that is no string. */
const SHORT = 8;

/** @typedef {import("../../shared/codec").Encoded} Encoded */

class Column {
  constructor() {
    /** @type {any[]} */
    this.keys = [];
    /** Plain values, or encoded ones. @type {any[]} */
    this.values = [];
    /** The formats of encoded values. @type {number[]} */
    this.formats = [];
    this.arePlain = true;
    /** All encoded values are JSON. */
    this.areText = true;
    /** About how many bytes. */
    this.length = 0;
  }

  /** A value that has the same JSON everywhere; see `isPlain`. @param {any} key @param {any} value */
  putPlain(key, value) {
    if (!this.arePlain) {
      this.put(key, JSON.stringify(value), 0);
      return;
    }
    this.values.push(value);
    this.putKey(key, typeof value === "string" ? value.length + 2 : SHORT);
  }

  /** @param {any} key @param {Encoded | undefined} value @param {number} format */
  put(key, value, format) {
    if (this.arePlain) this.encode();
    this.values.push(value);
    this.formats.push(value === undefined ? UNDEFINED : format);
    if (typeof value !== "string") this.areText = false;
    this.putKey(key, value === undefined ? 0 : value.length);
  }

  /** @param {any} key @param {number} length of the value */
  putKey(key, length) {
    this.keys.push(key);
    this.length += length + 1;
    if (typeof key === "string") this.length += key.length;
  }

  encode() {
    const { values, formats } = this;
    this.arePlain = false;
    for (let at = 0; at < values.length; at++) {
      values[at] = JSON.stringify(values[at]);
      formats.push(0);
    }
  }

  /** @param {Column} other */
  merge({ keys, values, formats, arePlain }) {
    for (let at = 0; at < keys.length; at++) {
      if (arePlain) this.putPlain(keys[at], values[at]);
      else this.put(keys[at], values[at], formats[at]);
    }
  }

  /**
   * Writes all, and returns where.
   * @param {import("../spill").AnySpill} spill
   * @param {import("./steps").AnyStep} step
   * @param {number} side
   * @param {any} [numbered] the keys, if they have numbers
   */
  write(spill, step, side, numbered) {
    if (this.arePlain && this.length >= LONGEST_PLAIN) this.encode();
    const keys = numbered === undefined ? JSON.stringify(this.keys) : numbered;
    return spill.write(step, side, keys, this.text() || this.bytes());
  }

  /** All values as JSON, if they have one. */
  text() {
    if (this.arePlain) return JSON.stringify(this.values);
    return this.areText && this.length < LONGEST ? `[${this.values.join(",")}]` : undefined;
  }

  /** Encoded values as bytes, and where each one ends. */
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
