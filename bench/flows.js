"use strict";
/**
 * Measures flows with two workers, in turns: against `MapReduce` with the same functions, against one process with a Map, and against
 * `sort` of the system on the same lines. Prints the median of each measurement, the least and the most, and whether the goals are
 * met. A missed goal fails nothing.
 *
 *   node bench/flows.js [--runs N] [--only TEXT]
 *
 * SONIC_BENCH_MB sets how many megabytes of words and of lines there are: 100 if it is not set. SONIC_BENCH_PYTHON names a Python that
 * has pyspark: words are counted by Spark SQL too.
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { performance } = require("node:perf_hooks");
const { measureAll } = require("./goals");
const { randomFrom } = require("../examples/random");

const PROGRAM = path.join(__dirname, "workers", "flows.js");
const ONE_PROCESS = path.join(__dirname, "workers", "count-words.js");
const MEGABYTES = Number(process.env.SONIC_BENCH_MB || 100);
const SPARK = path.join(__dirname, "workers", "count_words_spark.py");
const python = process.env.SONIC_BENCH_PYTHON;
const SMALL = 200_000;
const OUTPUTS = 2_000_000;
const ROWS = 1_000_000;
const WORDS = 1_000_000;
const LINE = 100;
const A_LINE = 12;

/** Writes pieces until there are so many megabytes. @param {string} file @param {() => string} piece */
function writeMegabytes(file, piece) {
  const descriptor = fs.openSync(file, "w");
  for (let bytes = 0; bytes < MEGABYTES * 1e6; ) bytes += fs.writeSync(descriptor, piece());
  fs.closeSync(descriptor);
}

/** Words, of which few are frequent: their ranks are log-uniform. @param {string} file */
function writeWords(file) {
  const next = randomFrom(1);
  const word = () => {
    const rank = Math.floor(Math.exp(next() * Math.log(WORDS)));
    return `w${Math.imul(rank, 0x9e3779b1) >>> 0}`;
  };
  const line = () => Array.from({ length: A_LINE }, word).join(" ");
  writeMegabytes(file, () => `${Array.from({ length: 1000 }, line).join("\n")}\n`);
}

/** Lines of 100 bytes with random keys of 10. @param {string} file */
function writeLines(file) {
  const next = randomFrom(2);
  const rest = "x".repeat(LINE - 11);
  const line = () => `${String(Math.floor(next() * 1e10)).padStart(10, "0")}${rest}\n`;
  writeMegabytes(file, () => Array.from({ length: 1000 }, line).join(""));
}

/** Seconds of a measurement of our own. */
function ours(...args) {
  const env = { ...process.env, QUIET: "1" };
  const told = execFileSync(process.execPath, [PROGRAM, ...args], { env, encoding: "utf8" });
  const { milliseconds, memory } = JSON.parse(told.trim().split("\n").pop());
  if (args.length > 1) console.log(`    memory of ${args[0]}: ${JSON.stringify(memory)} MB`);
  return milliseconds / 1000;
}

/** Seconds of a command of the shell. @param {string} command */
function shell(command) {
  const began = performance.now();
  execFileSync("bash", ["-c", command], { env: { ...process.env, LC_ALL: "C" } });
  return (performance.now() - began) / 1000;
}

/** Seconds of Spark SQL without its start. */
function spark() {
  const told = execFileSync(python, [SPARK, words], { encoding: "utf8", stdio: "pipe" });
  return Number(told.trim().split(" ")[0]);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-bench-"));
const words = path.join(folder, "words.txt");
const lines = path.join(folder, "lines.txt");

async function main() {
  writeWords(words);
  writeLines(lines);
  const counted = () => {
    const told = execFileSync(process.execPath, [ONE_PROCESS, words], { encoding: "utf8" });
    return JSON.parse(told).milliseconds / 1000;
  };
  await measureAll([
    {
      name: `${SMALL} numbers through two functions, seconds`,
      of: { MapReduce: async () => ours("plain"), fused: async () => ours("fused") },
      goals: [
        { says: "of MapReduce's speed", is: (all) => all.MapReduce / all.fused, least: 0.95 },
      ],
    },
    {
      name: `${SMALL} numbers through two nodes in other workers, seconds`,
      of: { tags: async () => ours("tags"), "any worker": async () => ours("hop") },
      goals: [{ says: "hops a second", is: (all) => SMALL / all.tags, least: 400_000 }],
    },
    {
      name: `${OUTPUTS} outputs of a flatMap, seconds`,
      of: { flatMap: async () => ours("flatMap") },
      goals: [{ says: "outputs a second", is: (all) => OUTPUTS / all.flatMap, least: 1_000_000 }],
    },
    {
      name: `words of ${MEGABYTES} MB, seconds`,
      of: {
        flow: async () => ours("words", words),
        "one Map": async () => counted(),
        sort: async () =>
          shell(`tr ' ' '\\n' < ${words} | sort -S 64M --parallel=2 | uniq -c > /dev/null`),
        ...(python && { Spark: async () => spark() }),
      },
      goals: [
        {
          says: "times as fast as one process",
          is: (all) => all["one Map"] / all.flow,
          least: 1.8,
        },
        { says: "times as fast as sort", is: (all) => all.sort / all.flow, least: 1 },
        ...(python
          ? [{ says: "times as fast as Spark", is: (all) => all.Spark / all.flow, least: 1 }]
          : []),
      ],
    },
    {
      name: `sort of ${MEGABYTES} MB in lines of ${LINE} bytes, seconds`,
      of: {
        flow: async () => ours("sort", lines),
        sort: async () => shell(`sort -S 128M --parallel=2 ${lines} > /dev/null`),
      },
      goals: [{ says: "of sort's time", is: (all) => all.flow / all.sort, most: 2.5 }],
    },
    {
      name: `join of ${ROWS} with ${ROWS}, seconds`,
      of: { join: async () => ours("join") },
      goals: [{ says: "rows a second", is: (all) => ROWS / all.join, least: 400_000 }],
    },
  ]);
}

main().finally(() => fs.rmSync(folder, { recursive: true }));
