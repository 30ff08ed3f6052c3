"use strict";
// Writes a program to start with.

const fs = require("fs");
const path = require("path");
const { hasOwn } = require("../lib/own");

const STARTERS = path.join(__dirname, "starters");

/** How each is run. */
const RUN = {
  ".js": (/** @type {string} */ file) => `node ${file}`,
  ".mjs": (/** @type {string} */ file) => `node ${file}`,
  ".ts": (/** @type {string} */ file) =>
    `node ${file}   (Node 22.18 and later; before that: npx tsx ${file})`,
};

/**
 * @param {string} [file]
 * @returns {number} the exit code
 */
function init(file = "map-reduce.js") {
  const kind = path.extname(file);
  if (!hasOwn(RUN, kind)) {
    const kinds = Object.keys(RUN).join(", ");
    console.error(`sonic-distribute: the file's name must end with one of ${kinds}, got ${file}`);
    return 2;
  }
  try {
    // Whatever is there already stays.
    fs.copyFileSync(path.join(STARTERS, `map-reduce${kind}`), file, fs.constants.COPYFILE_EXCL);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    const why = code === "EEXIST" ? "there is such a file already" : message;
    console.error(`sonic-distribute: ${file} was not written: ${why}`);
    return 1;
  }
  console.log(`wrote ${file}\n\n  ${RUN[/** @type {".js"} */ (kind)](file)}`);
  return 0;
}

module.exports = { init };
