"use strict";
// Short digests that tell texts apart: functions, places and arguments. Not cryptographic: Node's own, which are, take 3 ms to load in
// each process.

/** Seeds for two independent halves. */
const SEEDS = [0x9e3779b9, 0x85ebca6b];

/** The digits of a digest, each of 4 bits: no two are equal by chance. */
const DIGITS = 20;

/** @param {string} text @returns {string} 20 hexadecimal digits */
const digest = (text) =>
  SEEDS.map((seed) => hash(text, seed))
    .join("")
    .slice(0, DIGITS);

/**
 * The hash cyrb53 by bryc with all of its 64 bits: two multiplicative hashes, mixed at the end.
 * @param {string} text
 * @param {number} seed
 */
function hash(text, seed) {
  let one = 0xdeadbeef ^ seed;
  let other = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 2654435761);
    other = Math.imul(other ^ code, 1597334677);
  }
  const mixed = mix(one) ^ Math.imul(other ^ (other >>> 13), 3266489909);
  const last = mix(other) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return hex(mixed) + hex(last);
}

/** @param {number} half */
const mix = (half) => Math.imul(half ^ (half >>> 16), 2246822507);

/** @param {number} half */
const hex = (half) => (half >>> 0).toString(16).padStart(8, "0");

module.exports = { digest, DIGITS };
