"use strict";
/** Counts the words of a file in one process, with a Map. It prints a line of JSON. */
const fs = require("node:fs");
const { performance } = require("node:perf_hooks");

const [, , file] = process.argv;
const began = performance.now();
const counts = new Map();
const buffer = Buffer.allocUnsafe(4 << 20);
const descriptor = fs.openSync(file, "r");
let rest = "";
for (;;) {
  const read = fs.readSync(descriptor, buffer, 0, buffer.length);
  if (read === 0) break;
  const text = rest + buffer.latin1Slice(0, read);
  const end = text.lastIndexOf("\n");
  rest = text.slice(end + 1);
  for (const line of text.slice(0, end).split("\n")) {
    if (line !== "")
      for (const word of line.split(" ")) counts.set(word, (counts.get(word) || 0) + 1);
  }
}
console.log(JSON.stringify({ milliseconds: performance.now() - began, count: counts.size }));
