"use strict";
// Atomic access to words of shared memory: `Atomics`, or the native core where it refuses memory
// that is not a SharedArrayBuffer (Node 14).

const { native } = require("./native");

/** @typedef {{ load(words: Int32Array, at: number): number, store(words: Int32Array, at: number, value: number): void, compareExchange(words: Int32Array, at: number, expected: number, value: number): number }} Words */

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
};

module.exports = { words: /** @type {Words} */ (takesAnyMemory() ? Atomics : byNative) };
