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

// In a program of your own: require("@tiemma/sonic-distribute")
const { isMaster, Map: send, stream } = require("../..");
const { readArguments } = require("./arguments");
const { compare, print, rank } = require("./output");
const { ranges, read } = require("./ranges");
const { count, merge, nothing } = require("./statistics");

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

async function main() {
  const { check, top, ...args } = readArguments();
  const began = performance.now();
  const total = await analyse(args);
  // Workers get here too, at once, without a result.
  if (!isMaster()) return;
  const seconds = (performance.now() - began) / 1000;
  print(total, Object.entries(total.urls).sort(rank).slice(0, top));
  console.log(`\n${args.numWorkers} workers: ${seconds.toFixed(2)} s`);
  if (check) compare(total, seconds, args);
}

main().catch((error) => {
  console.error(`analyse: ${error.message}`);
  process.exitCode = 1;
});
