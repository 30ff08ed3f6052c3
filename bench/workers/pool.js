"use strict";
// The stages of bench/pool.js: a worker file, and functions for a child of `child_process.fork` and a thread of piscina.

const next = (data) => data + 1;

/** Keeps a processor busy. @param {number} milliseconds by the clock, which is what a slot is taken for */
function spinFor(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return milliseconds;
}

module.exports = {
  next: ({ data }) => next(data),
  spin: ({ data }) => spinFor(data),
  waits: ({ data }) => new Promise((resolve) => setTimeout(resolve, data, data)),
};

if (process.argv[2] === "child") process.on("message", (data) => process.send?.(next(data)));
