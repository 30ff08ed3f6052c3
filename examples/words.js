/**
 * Counts the words of a text that may be larger than memory: a flow with `reduceByKey`, which sorts on disk.
 *
 *   node examples/words.js [--workers N] [--chunk BYTES] [--memory BYTES] [--top N] [--spill FOLDER] [--check] [FILE]
 *
 * Without a FILE, it generates a text of `--size` MB (20) once, with up to `--vocabulary` different words (100,000): a
 * word of rank n is about n times as rare as the first. `--check` counts again in a single process, without a flow, and
 * compares. That needs memory for all different words; the flow does not.
 */
"use strict";

const { parseArgs } = require("node:util");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, flow, NUM_CPUS } = require("..");
const { ranges, read } = require("./logs/ranges");
const { randomFrom } = require("./random");

/** The text is read as Latin-1, which keeps every byte: so only these characters are space in UTF-8 too. */
const WORD = /[^ \t-\r]+/g;

/**
 * An event is a range of bytes, and the workers read the text themselves. All words of a range are counted before
 * anything is written: `flatMap` runs in the same event as the write. So a range should have some megabytes.
 */
const wordsOf = (memory) =>
  flow((source) =>
    source
      .flatMap(function* words({ data: part }, { file }) {
        for (const [word] of read(file, part).matchAll(WORD)) yield [word, 1];
      })
      .reduceByKey((a, b) => a + b, { memory }),
  );

/** What the results come to. They arrive one by one, so only the top words are kept. */
class Summary {
  constructor(top) {
    this.top = top;
    this.total = 0;
    this.different = 0;
    /** Adds up a hash of each pair: the same in any order. */
    this.hash = 0n;
    /** The most frequent words so far, the rarest of them last. */
    this.words = [];
  }

  add(word, count) {
    this.total += count;
    this.different++;
    this.hash = (this.hash + hashOf(`${word} ${count}`)) & 0xffffffffffffffffn;
    const { words, top } = this;
    if (words.length === top && rank([word, count], words[top - 1]) >= 0) return;
    words.push([word, count]);
    words.sort(rank);
    words.length = Math.min(words.length, top);
  }
}

const rank = ([a, m], [b, n]) => n - m || (a < b ? -1 : 1);

/** FNV-1a. */
function hashOf(text) {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let at = 0; at < text.length; at++) {
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000193) >>> 0;
    high = Math.imul(high ^ text.charCodeAt(at), 0x01000197) >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

async function main() {
  const { values, file } = readArguments();
  const words = wordsOf(values.memory);
  const options = { numWorkers: values.workers, spillDir: values.spill };
  const pool = await createPool({ words }, options);
  // Only the master gets here.
  try {
    prepare(file, values);
    const summary = new Summary(values.top);
    const began = performance.now();
    // A worker that dies is replaced, and its range is read again. No word counts twice.
    const call = { args: { file }, retries: { limit: 2, on: ["crash"] }, onError: "abort" };
    for await (const { response } of pool.stream(words, ranges(file, values.chunk), call)) {
      summary.add(...response);
    }
    const seconds = (performance.now() - began) / 1000;
    for (const [word, count] of summary.words) {
      console.log(`${String(count).padStart(9)}  ${Buffer.from(word, "latin1")}`);
    }
    console.log(`\n${summary.total} words, ${summary.different} different`);
    const peak = (process.resourceUsage().maxRSS / 1024).toFixed(0);
    console.log(`${values.workers} workers: ${seconds.toFixed(2)} s, master ${peak} MB at most`);
    if (values.check) compare(summary, file, values);
  } finally {
    await pool.close();
  }
}

function compare(summary, file, { chunk, top }) {
  const began = performance.now();
  const counts = new Map();
  for (const part of ranges(file, chunk)) {
    for (const [word] of read(file, part).matchAll(WORD)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const alone = new Summary(top);
  for (const [word, count] of counts) alone.add(word, count);
  for (const what of ["total", "different", "hash"]) {
    if (alone[what] !== summary[what]) {
      throw new Error(`a single process counts ${alone[what]} (${what}), not ${summary[what]}`);
    }
  }
  if (JSON.stringify(alone.words) !== JSON.stringify(summary.words)) {
    throw new Error("a single process finds other top words");
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(`one process: ${seconds.toFixed(2)} s`);
  console.log("verified: both count the same, each word");
}

function prepare(file, { size, vocabulary, isGiven }) {
  if (!isGiven) generate(file, size * 1e6, vocabulary);
  const { size: bytes } = fs.statSync(file);
  console.log(`${file}, ${(bytes / 1e6).toFixed(1)} MB\n`);
}

/**
 * Writes a text, the same one each time, unless the file exists. The file gets its name when it is complete.
 * The logarithm of a word's rank is uniform: few words are frequent, and most are rare.
 */
function generate(file, bytes, vocabulary) {
  if (fs.existsSync(file)) return;
  const aside = `${file}.${process.pid}`;
  const output = fs.openSync(aside, "w");
  const random = randomFrom(vocabulary);
  for (let written = 0; written < bytes; ) {
    let text = "";
    while (text.length < 2 ** 20 && written + text.length < bytes) {
      const line = [];
      for (let n = 0; n < 12; n++) line.push(wordOf(Math.floor(vocabulary ** random())));
      text += `${line.join(" ")}\n`;
    }
    written += fs.writeSync(output, text);
  }
  fs.closeSync(output);
  fs.renameSync(aside, file);
}

const CONSONANTS = "bdfgklmnprstvz";
const VOWELS = "aeiou";

/** The word of a rank, in syllables: frequent words are short. */
function wordOf(rank) {
  let word = "";
  for (let left = rank; left > 0; ) {
    word += CONSONANTS[left % CONSONANTS.length];
    left = Math.floor(left / CONSONANTS.length);
    word += VOWELS[left % VOWELS.length];
    left = Math.floor(left / VOWELS.length);
  }
  return word;
}

function readArguments() {
  const number = (value) => ({ type: "string", default: String(value) });
  const numbers = {
    workers: number(Math.max(NUM_CPUS, 2)),
    chunk: number(4 * 2 ** 20),
    memory: number(64 * 2 ** 20),
    top: number(10),
    size: number(20),
    vocabulary: number(100_000),
  };
  const options = {
    ...numbers,
    spill: { type: "string" },
    check: { type: "boolean", default: false },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  for (const name of Object.keys(numbers)) {
    const given = values[name];
    values[name] = Number(given);
    if (!Number.isInteger(values[name]) || values[name] < 1) {
      throw new Error(`--${name} needs a positive integer, got ${given}`);
    }
  }
  const name = `sonic-distribute-${values.size}-${values.vocabulary}.txt`;
  const [file = path.join(os.tmpdir(), name)] = positionals;
  values.isGiven = positionals.length > 0;
  return { values, file: path.resolve(file) };
}

main().catch((error) => {
  console.error(`words: ${error.message}`);
  process.exitCode = 1;
});
