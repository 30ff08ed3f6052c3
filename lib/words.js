"use strict";
// Atomic access to words of shared memory: `Atomics`, or the native core where it refuses memory
// that is not a SharedArrayBuffer (Node 14).

const { native } = require("./native");

/** @typedef {Int32Array<ArrayBuffer>} WordArray */
/**
 * @typedef {object} Words
 * @property {(words: WordArray, at: number) => number} load
 * @property {(words: WordArray, at: number, value: number) => void} store
 * @property {(words: WordArray, at: number, expected: number, value: number) => number} compareExchange
 *   returns what the word was
 * @property {(words: WordArray, at: number, bits: number) => number} or returns what the word was
 * @property {(words: WordArray, at: number, bits: number) => number} and returns what the word was
 */

/** @returns {boolean} */
function takesAnyMemory() {
  try {
    Atomics.load(new Int32Array(1), 0);
    return true;
  } catch (_) {
    return false;
  }
}

/** @type {Words} */
const byNative = {
  load: (words, at) => native().wordLoad(words.buffer, at),
  store: (words, at, value) => native().wordStore(words.buffer, at, value),
  compareExchange: (words, at, expected, value) =>
    native().wordCompareExchange(words.buffer, at, expected, value),
  or: (words, at, bits) => change(words, at, (value) => value | bits),
  and: (words, at, bits) => change(words, at, (value) => value & bits),
};

/**
 * @param {WordArray} words
 * @param {number} at
 * @param {(value: number) => number} to
 */
function change(words, at, to) {
  for (;;) {
    const was = byNative.load(words, at);
    if (byNative.compareExchange(words, at, was, to(was)) === was) return was;
  }
}

module.exports = { words: /** @type {Words} */ (takesAnyMemory() ? Atomics : byNative) };
