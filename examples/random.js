"use strict";
// Numbers that look random and are the same in every process: what an example makes of them can be checked.

/** A generator of numbers from 0 to 1 with a seed: mulberry32. @param {number} seed a whole number */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

module.exports = { randomFrom };
