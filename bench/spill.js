"use strict";
/**
 * Measures the shuffle's files alone, without workers: records of 100 bytes with a random key of 10 are written, sorted, and
 * read in order, in this process; and the same lines by `sort` of the system, with one thread and with those that it takes.
 * Then pairs as a count of words has them: short strings with whole numbers, in 16 partitions.
 *
 *   node bench/spill.js [--records N] [--events N]
 */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { performance } = require("node:perf_hooks");
const { parseArgs } = require("node:util");
const native = require("../native");

const { values: options } = parseArgs({
  options: {
    records: { type: "string", default: "10000000" },
    events: { type: "string", default: "50" },
  },
});

/** Bytes of a record, its line break included, and of its key. */
const RECORD = 100;
const KEY = 10;
/** Records that are written at once: 4 MB. */
const BATCH = 40_000;
const CHUNK = 1 << 20;
const PARTITIONS = 16;
const WORDS = 1_000_000;
const PAIRS = 200_000;

/** Whole numbers below 2^32, the same in every run. @param {number} seed */
function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Milliseconds that it takes. @param {() => void} work */
function timed(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/** @param {string} label @param {number} milliseconds @param {number} count */
function show(label, milliseconds, count) {
  const each = ((milliseconds * 1e6) / count).toFixed(0);
  console.log(
    `${label.padEnd(44)}${(milliseconds / 1000).toFixed(2).padStart(8)} s${each.padStart(8)} ns each`,
  );
}

/** Lines with random keys. @param {string} file @param {number} count */
function generate(file, count) {
  const random = generator(1);
  const payload = "payload ".repeat(RECORD).slice(0, RECORD - KEY - 2);
  const to = fs.openSync(file, "w");
  for (let done = 0; done < count; done += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, count - done) }, () => {
      const key = `${random().toString(36)}${random().toString(36)}`.padEnd(KEY, "0").slice(0, KEY);
      return `${key} ${payload}\n`;
    });
    fs.writeSync(to, lines.join(""));
  }
  fs.closeSync(to);
}

/** Writes the lines of a file as sorted extents. Returns where they are, as JSON. */
function spill(from, dir, count) {
  const file = native.spillOpen(dir, "1-1");
  const source = fs.openSync(from, "r");
  const buffer = Buffer.alloc(BATCH * RECORD);
  const extents = [];
  for (let done = 0; done < count; done += BATCH) {
    const read = fs.readSync(source, buffer, 0, buffer.length, done * RECORD);
    const lines = buffer.latin1Slice(0, read - 1).split("\n");
    const keys = JSON.stringify(lines.map((line) => line.slice(0, KEY)));
    const told = JSON.parse(native.spillWrite(file, 1, 0, keys, JSON.stringify(lines)));
    for (const [, offset, length] of told.parts) extents.push([told.file, offset, length]);
  }
  fs.closeSync(source);
  return JSON.stringify(extents);
}

/** Writes what a merge has, as records, to a file. */
function unspill(dir, extents, to) {
  const target = fs.openSync(to, "w");
  const merge = native.spillRead(dir, extents, null);
  let next = native.spillRecords(merge, 0x25, CHUNK);
  for (; next !== null; next = native.spillRecords(merge, 0x25, CHUNK))
    fs.writeSync(target, next.bytes);
  fs.closeSync(target);
}

function sort(dir, lines, count) {
  for (const [label, threads] of Object.entries({
    "sort, one thread": ["--parallel=1"],
    sort: [],
  })) {
    const args = [...threads, "-S", "256M", "-T", dir, "-o", path.join(dir, "sorted"), lines];
    const env = { ...process.env, LC_ALL: "C" };
    const run = () => spawnSync("sort", args, { env, stdio: "inherit" });
    show(label, timed(run), count);
  }
}

/** Pairs of a count of words: of each event, a fifth of all words. */
function words(dir, events) {
  const random = generator(2);
  const all = Array.from({ length: WORDS }, (_, at) =>
    (Math.imul(at + 1, 2654435761) >>> 0).toString(36),
  );
  const file = native.spillOpen(dir, "2-1");
  const parts = Array.from({ length: PARTITIONS }, () => /** @type {unknown[]} */ ([]));
  let spent = 0;
  for (let event = 0; event < events; event++) {
    const own = new Set();
    while (own.size < PAIRS) own.add(all[random() % WORDS]);
    const keys = JSON.stringify([...own]);
    const values = JSON.stringify(Array.from(own, () => random() % 9));
    let told = "";
    spent += timed(() => {
      told = native.spillWrite(file, PARTITIONS, 0, keys, values);
    });
    const { file: name, parts: written } = JSON.parse(told);
    for (const [partition, offset, length] of written)
      parts[partition].push([name, offset, length]);
  }
  show(`words: write, ${events} events`, spent, events * PAIRS);
  const merge = () => {
    for (const extents of parts) {
      const merge = native.spillRead(dir, JSON.stringify(extents), null);
      while (native.spillNext(merge, CHUNK) !== null);
    }
  };
  show(`words: next, ${events} extents`, timed(merge), events * PAIRS);
}

function main() {
  const count = Number(options.records);
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "spill-bench-"));
  const dir = path.join(native.spillBase(temporary, 0), "1");
  try {
    words(dir, Number(options.events));
    const lines = path.join(temporary, "lines");
    generate(lines, count);
    let extents = "[]";
    const write = timed(() => {
      extents = spill(lines, dir, count);
    });
    const read = timed(() => unspill(dir, extents, path.join(temporary, "read")));
    show("records: read lines, JSON, write", write, count);
    show("records: merge, write lines", read, count);
    show("records: both", write + read, count);
    if (process.platform !== "win32") sort(temporary, lines, count);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

main();
