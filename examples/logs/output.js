"use strict";
// Prints an analysis, and compares it with that of a single process.

const { isDeepStrictEqual } = require("node:util");

const { ranges, read } = require("./ranges");
const { count, merge, nothing, percentile } = require("./statistics");

/** The order of pages: those that were requested most often come first. */
const rank = ([a, m], [b, n]) => n - m || (a < b ? -1 : 1);

function analyseAlone({ file, range }) {
  const total = nothing();
  for (const part of ranges(file, range)) merge(total, count(read(file, part)));
  return total;
}

function compare(total, seconds, args) {
  const began = performance.now();
  const alone = analyseAlone(args);
  const alonesSeconds = (performance.now() - began) / 1000;
  if (!isDeepStrictEqual(total, alone)) throw new Error("a single process counts something else");
  const times = (alonesSeconds / seconds).toFixed(1);
  console.log(`one process: ${alonesSeconds.toFixed(2)} s, ${times} times as long`);
  console.log("verified: both count the same");
}

/** @param {any} total @param {[string, number][]} pages the most requested ones */
function print(total, pages) {
  const { lines, malformed, bytes } = total;
  console.log(`${lines} requests, ${malformed} malformed lines, ${bytes} bytes sent`);
  const shares = [0.5, 0.9, 0.99].map((share) => `p${share * 100} ${percentile(total, share)} ms`);
  console.log(`durations: ${shares.join(", ")}`);
  const statuses = Object.entries(total.statuses).map(([status, times]) => `${status}: ${times}`);
  console.log(`statuses: ${statuses.join(", ")}`);
  console.log("\npages:");
  for (const [url, times] of pages) console.log(`${String(times).padStart(9)}  ${url}`);
  console.log("\nbytes per hour:");
  const hours = Object.entries(total.hours).sort(([a], [b]) => timeOf(a) - timeOf(b));
  for (const [hour, sent] of hours) console.log(`${String(sent).padStart(12)}  ${hour}:00`);
}

/** The time of an hour as logs write it: 15/Jan/2026:06. */
const timeOf = (hour) =>
  Date.parse(`${hour.slice(0, -3).replaceAll("/", " ")} ${hour.slice(-2)}:00Z`);

module.exports = { compare, print, rank };
