"use strict";
// The producer of a ring, in JavaScript: ASCII texts go into the shared memory without a native call.
// The layout is that of src/ring.rs, where it is explained.

const { words } = require("./words");

/** Texts up to this length are copied faster one by one than by a call. */
const SHORT = 64;

/** The most bytes of a character. */
const CHARACTER = 4;

class RingWriter {
  /**
   * @param {ArrayBuffer} memory
   * @param {import("../native").RingPlace} place
   */
  constructor(memory, place) {
    this.words = new Int32Array(memory);
    this.frames = new Int32Array(memory, place.bytes, place.size / 4);
    this.times = new Float64Array(memory, place.bytes, place.size / 8);
    this.bytes = Buffer.from(memory, place.bytes, place.size);
    this.tail = place.tail;
    this.head = place.head;
    this.size = place.size;
    this.mask = place.size - 1;
    /** A longer text travels in pieces. */
    this.longest = place.size / 4;
    /** Where the reader was when last looked at. */
    this.seen = 0;
  }

  /**
   * Publishes a frame. False, with nothing written, if the text is very long or not ASCII, or if there
   * is no room: then the native core does it.
   * @param {number} kind kind and flags
   * @param {number} index
   * @param {string} text
   * @param {number} started
   * @param {number} finished
   */
  write(kind, index, text, started, finished) {
    const length = text.length;
    if (length > this.longest) return false;
    const tail = this.words[this.tail];
    const total = 32 + ((length + 7) & ~7);
    const room = total + CHARACTER;
    if (((tail - this.seen) >>> 0) + room > this.size) {
      this.seen = words.load(this.words, this.head);
      if (((tail - this.seen) >>> 0) + room > this.size) return false;
    }
    const { bytes, mask, frames } = this;
    const start = tail + 32;
    if (length <= SHORT) {
      for (let i = 0; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 127) return false;
        bytes[(start + i) & mask] = unit;
      }
    } else {
      const at = start & mask;
      const end = at + length + CHARACTER;
      // What is not ASCII takes more than its length of that.
      if (end > this.size || bytes.write(text, at, end - at, "utf8") !== length) return false;
    }
    const wordMask = mask >> 2;
    const word = (tail & mask) >> 2;
    frames[word] = length;
    frames[(word + 1) & wordMask] = kind;
    frames[(word + 2) & wordMask] = index;
    frames[(word + 3) & wordMask] = length;
    const times = mask >> 3;
    const time = word >> 1;
    this.times[(time + 2) & times] = started;
    this.times[(time + 3) & times] = finished;
    words.store(this.words, this.tail, (tail + total) | 0);
    return true;
  }
}

module.exports = { RingWriter };
