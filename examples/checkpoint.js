/**
 * A long job that is killed in the midst of it, and goes on: counts the primes of many ranges.
 *
 *   node examples/checkpoint.js [--state FILE] [--ranges N] [--workers N] [--check]
 *
 * Kill it, however you like, and start it again: what was counted is not counted again. `--check` does so: it starts this file, kills
 * it when a part is done, starts it once more, and compares the outcome with that of a single process.
 */
"use strict";

const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, NUM_CPUS } = require("..");

/** How many numbers are in a range. */
const LENGTH = 20_000;

/** Runs in a worker: how many primes there are from `data` on. */
function countPrimes({ data: from }) {
  let count = 0;
  for (let n = Math.max(from, 2); n < from + LENGTH; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) count++;
  }
  return count;
}

const starts = (ranges) => Array.from({ length: ranges }, (_, at) => at * LENGTH);

async function job({ state, ranges, workers }) {
  const pool = await createPool({ countPrimes }, { numWorkers: workers });
  let done = 0;
  let total = 0;
  try {
    const options = { checkpoint: state, order: "submission", onError: "abort" };
    for await (const { response } of pool.stream(countPrimes, starts(ranges), options)) {
      total += response;
      if (++done % 10 === 0) console.log(`${done} of ${ranges} ranges`);
    }
    const { resumed } = pool.statistics();
    console.log(`${total} primes; ${resumed} of ${ranges} ranges were counted before`);
  } finally {
    await pool.close();
  }
}

/** Starts this file, and kills it once it has printed a line that matches. Returns what it has printed. */
async function start(args, killAt) {
  const child = spawn(process.execPath, [__filename, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more) => {
    text += more;
    if (killAt?.test(text)) child.kill("SIGKILL");
  });
  await once(child, "close");
  return text;
}

async function check({ ranges, workers }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "checkpoint-"));
  try {
    const state = path.join(folder, "job.state");
    const args = ["--state", state, "--ranges", `${ranges}`, "--workers", `${workers}`];
    const before = await start(args, /ranges\n/);
    if (before.includes("primes")) throw new Error("it had ended before it was killed");
    console.log("killed; once more:");
    const after = await start(args);
    console.log(after.trim());
    const [, total, resumed] = after.match(/(\d+) primes; (\d+) of/) || [];
    const expected = starts(ranges).reduce((sum, data) => sum + countPrimes({ data }), 0);
    if (Number(total) !== expected) throw new Error(`one process counts ${expected} primes`);
    if (!(Number(resumed) >= 10)) throw new Error("what was counted before was lost");
    console.log("verified: one process counts as many");
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function positive(name, text) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`--${name} needs a positive integer`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      state: { type: "string", default: "primes.state" },
      ranges: { type: "string", default: "100" },
      workers: { type: "string", default: `${NUM_CPUS}` },
      check: { type: "boolean", default: false },
    },
  });
  const { state } = values;
  const [ranges, workers] = [
    positive("ranges", values.ranges),
    positive("workers", values.workers),
  ];
  await (values.check ? check({ ranges, workers }) : job({ state, ranges, workers }));
}

main().catch((error) => {
  console.error(`checkpoint: ${error.message}`);
  process.exitCode = 1;
});
