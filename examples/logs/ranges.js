"use strict";
// Cuts a text file into ranges of bytes that end at line ends.

const fs = require("node:fs");

const NEWLINE = 10;
/** How many bytes are read at once to find a line end. */
const STEP = 4096;

/**
 * Cuts a file into ranges of about `size` bytes. Each byte is in one range, and no line is in two.
 * @param {string} file
 * @param {number} size
 */
function* ranges(file, size) {
  const input = fs.openSync(file, "r");
  try {
    const end = fs.fstatSync(input).size;
    for (let from = 0, to; from < end; from = to) {
      to = lineEnd(input, Math.min(from + size, end), end);
      yield { from, to };
    }
  } finally {
    fs.closeSync(input);
  }
}

/** The end of the line that contains the byte before `at`. */
function lineEnd(input, at, end) {
  const buffer = Buffer.alloc(STEP);
  for (let position = at - 1; position < end; ) {
    const length = fs.readSync(input, buffer, 0, STEP, position);
    if (length === 0) break;
    const found = buffer.subarray(0, length).indexOf(NEWLINE);
    if (found >= 0) return position + found + 1;
    position += length;
  }
  return end;
}

/**
 * The text of a range, as Latin-1: it keeps every byte, and decodes fastest.
 * @param {string} file
 * @param {{ from: number, to: number }} range
 */
function read(file, { from, to }) {
  const buffer = Buffer.allocUnsafe(to - from);
  const input = fs.openSync(file, "r");
  try {
    let length = 0;
    while (length < buffer.length) {
      const more = fs.readSync(input, buffer, length, buffer.length - length, from + length);
      if (more === 0) throw new Error(`${file} became shorter while it was read`);
      length += more;
    }
  } finally {
    fs.closeSync(input);
  }
  return buffer.toString("latin1");
}

module.exports = { ranges, read };
