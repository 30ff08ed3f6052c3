"use strict";
// Suggests the known name nearest to a mistyped one.

/**
 * The name that was meant, if one is near.
 * @param {string} name
 * @param {string[]} names
 * @returns {string | undefined}
 */
function nearest(name, names) {
  const distances = names.map((known) => distance(name.toLowerCase(), known.toLowerCase()));
  const least = Math.min(...distances);
  const found = names[distances.indexOf(least)];
  // Anything farther is another word.
  return least <= Math.max(2, found.length / 3) ? found : undefined;
}

/**
 * How many characters to insert, remove or replace (Levenshtein's distance).
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return row[b.length];
}

module.exports = { nearest };
