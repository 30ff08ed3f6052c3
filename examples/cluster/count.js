"use strict";
// What is counted, and how.
const fs = require("fs");
const path = require("path");

const SOURCES = /\.(js|ts|mjs|cjs|rs|md)$/;

/** All files of source code below a folder. @param {string} within @returns {Generator<string>} */
function* filesIn(within) {
  for (const entry of fs.readdirSync(within, { withFileTypes: true })) {
    const file = path.join(within, entry.name);
    if (entry.isDirectory()) yield* filesIn(file);
    else if (entry.isFile() && SOURCES.test(file)) yield file;
  }
}

/** How many words a file has, and how many different ones. @param {string} file */
function countWords(file) {
  /** @type {Record<string, number>} */
  const counts = Object.create(null);
  const text = fs.readFileSync(file, "utf8").toLowerCase();
  for (const [word] of text.matchAll(/[a-z]+/g)) counts[word] = (counts[word] || 0) + 1;
  const words = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { words, different: Object.keys(counts).length };
}

module.exports = { countWords, filesIn };
