"use strict";
/** Reads the file of a checkpoint, with an eye of its own: what src/checkpoint/record.rs says of its bytes. */
const fs = require("node:fs");

const MAGIC = "sonic-checkpoint v1\n";
const HEAD = 40;

/** The program, and where each whole record ends. @param {string} file */
function read(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) throw new Error("it is no checkpoint");
  const start = MAGIC.length + 12;
  let at = start + bytes.readUInt32LE(start - 4);
  const program = JSON.parse(bytes.toString("utf8", start, at));
  const records = [];
  while (at + HEAD <= bytes.length) {
    const end = at + HEAD + bytes.readUInt32LE(at + 36);
    if (end > bytes.length) break;
    const number = Number(bytes.readBigUInt64LE(at + 8));
    records.push({ number, at, end });
    at = end;
  }
  return { program, records, length: bytes.length };
}

/** The numbers of the events that are written down; none if there is no file yet, or no whole head. @param {string} file */
function written(file) {
  try {
    return read(file).records.map(({ number }) => number);
  } catch {
    return [];
  }
}

module.exports = { read, written };
