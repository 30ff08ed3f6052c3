/**
 * The analysis of analyse.js as a flow, with the same result.
 *
 *   node examples/logs/flow.js [--workers N] [--top N] [--range BYTES] [--check] [FILE]
 *
 * analyse.js adds the counts of all ranges up in the master. Here the workers do, by `reduceByKey`, and sort the pages.
 * So no process needs memory for all pages, however many there are. Without a FILE, it generates a log of `--lines` lines
 * (a million) once. `--check` repeats the work in a single process, and compares results and times.
 */
"use strict";

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, flow } = require("../..");
const { readArguments } = require("./arguments");
const { compare, print, rank } = require("./output");
const { ranges, read } = require("./ranges");
const { NAMED, count, merge, nothing } = require("./statistics");

/** Runs in a worker, once per range: the counts of the range as pairs. A key says what is counted: `statuses 404`. */
function* countRange({ data: part }, { file }) {
  const counts = count(read(file, part));
  for (const what of Object.keys(counts)) {
    if (!NAMED.includes(what)) yield [`${what} `, counts[what]];
    else for (const [name, times] of Object.entries(counts[what])) yield [`${what} ${name}`, times];
  }
}

/** The order of the pages. A key is one value: so two of them become a string, with the number filled up. */
const byTimesAndUrl = ([key, times]) => `${String(MOST - times).padStart(16, "0")} ${key}`;
const MOST = Number.MAX_SAFE_INTEGER;

const analysis = flow((source) => {
  const { pages, others } = source
    .flatMap(countRange)
    .reduceByKey((a, b) => a + b)
    .split(
      ({ data: [key] }) => (key.startsWith("urls ") ? "pages" : "others"),
      ["pages", "others"],
    );
  return { pages: pages.sortBy(byTimesAndUrl), others };
});

/** Runs in the master. `keep` is how many pages it wants; they arrive in order. */
async function analyse(pool, { file, range }, keep) {
  const options = {
    args: { file },
    // With a part missing, the counts would be wrong: the first failure ends the run. If only the worker
    // died, another worker tries again.
    onError: "abort",
    retries: { limit: 2, on: ["crash"] },
  };
  const total = nothing();
  const pages = [];
  for await (const { sink, response } of pool.stream("analysis", ranges(file, range), options)) {
    const [key, times] = response;
    const at = key.indexOf(" ");
    const [what, name] = [key.slice(0, at), key.slice(at + 1)];
    if (sink === "others") merge(total, partOf(what, name, times));
    else if (pages.length < keep) pages.push([name, times]);
  }
  return { total, pages };
}

/** The counts of a log of which only this is known. */
function partOf(what, name, times) {
  const part = nothing();
  if (NAMED.includes(what)) part[what][name] = times;
  else part[what] = times;
  return part;
}

async function main() {
  const { check, top, ...args } = readArguments();
  const pool = await createPool({ analysis }, { numWorkers: args.numWorkers });
  // Only the master gets here.
  try {
    const began = performance.now();
    const { total, pages } = await analyse(pool, args, check ? Number.POSITIVE_INFINITY : top);
    const seconds = (performance.now() - began) / 1000;
    print(total, pages.slice(0, top));
    console.log(`\n${args.numWorkers} workers: ${seconds.toFixed(2)} s`);
    if (!check) return;
    for (const [url, times] of pages) total.urls[url] = times;
    if (pages.some((page, at) => at > 0 && rank(pages[at - 1], page) >= 0)) {
      throw new Error("the pages are not in order");
    }
    compare(total, seconds, args);
  } finally {
    await pool.close();
  }
}

main().catch((error) => {
  console.error(`flow: ${error.message}`);
  process.exitCode = 1;
});
