/**
 * Analyses a large access log on all processors: the most requested pages, the statuses, how long requests
 * took, and the bytes sent per hour.
 *
 *   node examples/logs/analyse.js [--workers N] [--top N] [--range BYTES] [--check] [FILE]
 *
 * Without a FILE, it generates a log of `--lines` lines (a million) once. `--check` repeats the work in a
 * single process, and compares results and times.
 */
"use strict";

process.env.QUIET = process.env.QUIET ?? "true"; // no log lines between the output

const { isDeepStrictEqual, parseArgs } = require("node:util");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

// In a program of your own: require("@tiemma/sonic-distribute")
const { isMaster, Map: send, NUM_CPUS, stream } = require("../..");
const { generate } = require("./generate");
const { ranges, read } = require("./ranges");
const { count, merge, nothing, percentile } = require("./statistics");

/** Runs in the master. An event is a range of bytes; the text itself is never sent. */
async function sendRanges(workerQueue, { file, range }) {
  for (const part of ranges(file, range)) await send(workerQueue, { data: part });
}

/** Runs in a worker, once per range. */
const countRange = ({ data: part }, { file }) => count(read(file, part));

/** Runs in the master: adds each part as it arrives, so only a few are in memory. */
async function analyse(args) {
  const options = {
    // With a part missing, the counts would be wrong: the first failure ends the run. If only the worker
    // died, another worker tries again.
    onError: "abort",
    retries: { limit: 2, on: ["crash"] },
  };
  const total = nothing();
  for await (const { response } of stream(sendRanges, [countRange], args, options)) {
    merge(total, response);
  }
  return total;
}

function analyseAlone({ file, range }) {
  const total = nothing();
  for (const part of ranges(file, range)) merge(total, count(read(file, part)));
  return total;
}

async function main() {
  const { check, top, ...args } = readArguments();
  const began = performance.now();
  const total = await analyse(args);
  // Workers get here too, at once, without a result.
  if (!isMaster()) return;
  const seconds = (performance.now() - began) / 1000;
  print(total, top);
  console.log(`\n${args.numWorkers} workers: ${seconds.toFixed(2)} s`);
  if (check) compare(total, seconds, args);
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

function print(total, top) {
  const { lines, malformed, bytes } = total;
  console.log(`${lines} requests, ${malformed} malformed lines, ${bytes} bytes sent`);
  const shares = [0.5, 0.9, 0.99].map((share) => `p${share * 100} ${percentile(total, share)} ms`);
  console.log(`durations: ${shares.join(", ")}`);
  const statuses = Object.entries(total.statuses).map(([status, times]) => `${status}: ${times}`);
  console.log(`statuses: ${statuses.join(", ")}`);
  console.log("\npages:");
  const pages = Object.entries(total.urls).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const [url, times] of pages.slice(0, top)) {
    console.log(`${String(times).padStart(9)}  ${url}`);
  }
  console.log("\nbytes per hour:");
  const hours = Object.entries(total.hours).sort(([a], [b]) => timeOf(a) - timeOf(b));
  for (const [hour, sent] of hours) console.log(`${String(sent).padStart(12)}  ${hour}:00`);
}

/** The time of an hour as logs write it: 15/Jan/2026:06. */
const timeOf = (hour) =>
  Date.parse(`${hour.slice(0, -3).replaceAll("/", " ")} ${hour.slice(-2)}:00Z`);

function readArguments() {
  const options = {
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    top: { type: "string", default: "10" },
    range: { type: "string", default: String(4 * 2 ** 20) },
    lines: { type: "string", default: "1000000" },
    check: { type: "boolean", default: false },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [top, range, numWorkers] = [values.top, values.range, values.workers].map(Number);
  if (!(range >= 1)) throw new RangeError(`--range must be at least 1 byte, got ${values.range}`);
  // Workers run this program too, with the same arguments, and read the same log.
  const lines = Number(values.lines);
  const file = positionals[0] ?? path.join(os.tmpdir(), `sonic-distribute-${lines}.log`);
  if (isMaster()) prepare(file, positionals.length > 0 ? undefined : lines);
  return { file: path.resolve(file), range, top, numWorkers, check: values.check };
}

function prepare(file, lines) {
  if (lines !== undefined) generate(file, lines);
  const { size } = fs.statSync(file);
  console.log(`${file}, ${(size / 1e6).toFixed(1)} MB\n`);
}

main().catch((error) => {
  console.error(`analyse: ${error.message}`);
  process.exitCode = 1;
});
