/**
 * Counts the words of text files on all processors.
 *
 *   node examples/word-count.js [--workers N] [--top N] [PATH…]
 *
 * A PATH is a text file, or a folder whose README files are counted. The default is node_modules.
 */
"use strict";

process.env.QUIET = process.env.QUIET ?? "true"; // no log lines between the output

const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { isMaster, Map: send, MapReduce, NUM_CPUS } = require("..");

/** Runs in the master: sends one event per file. `await` keeps the loop from running ahead. */
async function sendFiles(workerQueue, { files }) {
  for (const file of files) await send(workerQueue, { data: file });
}

/** Runs in a worker, once per event. The return value is the response. */
function countWords({ data: file }) {
  const text = fs.readFileSync(file, "utf8");
  const counts = Object.create(null);
  for (const [word] of text.toLowerCase().matchAll(/\p{L}[\p{L}\p{M}'’]*/gu)) {
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return { counts, bytes: Buffer.byteLength(text), worker: process.pid };
}

/** Runs in the master, when every event is answered. */
function addUp(results, failures) {
  const total = { words: new Map(), bytes: 0, times: new Map(), workers: new Set(), failures: [] };
  while (!results.isEmpty()) {
    const { data: file, response } = results.dequeue();
    for (const [word, count] of Object.entries(response.counts)) add(total.words, word, count);
    add(total.times, file, 1);
    total.bytes += response.bytes;
    total.workers.add(response.worker);
  }
  while (!failures.isEmpty()) total.failures.push(failures.dequeue());
  return total;
}

async function main() {
  const { files, numWorkers, top } = readArguments();
  const started = process.hrtime.bigint();
  const total = await MapReduce(sendFiles, [countWords], addUp, { files, numWorkers });
  // Workers get here too, at once. Only the master has the result.
  if (!isMaster()) return;

  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const ranking = [...total.words].sort(([, a], [, b]) => b - a).slice(0, top);
  for (const [word, count] of ranking) console.log(`${String(count).padStart(9)}  ${word}`);
  const sum = [...total.words.values()].reduce((a, b) => a + b, 0);
  console.log(`${sum} words, ${total.words.size} different, in ${total.bytes} bytes`);
  console.log(
    `${files.length} files, ${total.workers.size} of ${numWorkers} workers, ${seconds.toFixed(2)} s`,
  );
  verify(files, total);
}

/** Fails unless every file was counted exactly once. */
function verify(files, { times, failures }) {
  for (const { data, error } of failures) console.error(`failed: ${data}: ${error.message}`);
  const wrong = files.filter((file) => times.get(file) !== 1);
  for (const file of wrong) console.error(`counted ${times.get(file) ?? 0} times: ${file}`);
  if (wrong.length > 0 || times.size !== files.length) throw new Error("the count is wrong");
  console.log(`verified: each of the ${files.length} files was counted exactly once`);
}

function readArguments() {
  const options = { workers: { type: "string" }, top: { type: "string", default: "10" } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const numWorkers = Number(values.workers ?? Math.max(NUM_CPUS, 2));
  // Workers run this program too, with the same arguments, but only the master needs the files.
  if (!isMaster()) return { numWorkers };

  const paths = positionals.length > 0 ? positionals : [path.join(__dirname, "../node_modules")];
  const files = [...new Set(paths.flatMap((name) => textFiles(path.resolve(name))))];
  if (files.length === 0) throw new Error(`no README in ${paths.join(", ")}`);
  return { files, numWorkers, top: Number(values.top) };
}

function textFiles(name) {
  const found = fs.statSync(name, { throwIfNoEntry: false });
  if (!found) throw new Error(`there is no file or folder ${name}`);
  if (!found.isDirectory()) return [name];
  return readmes(name);
}

/** Skips hidden folders: they are often caches, which may change during the run. */
function readmes(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith(".") ? [] : readmes(name);
    return entry.isFile() && /^readme/i.test(entry.name) ? [name] : [];
  });
}

function add(counts, key, count) {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

main().catch((error) => {
  console.error(`word-count: ${error.message}`);
  process.exitCode = 1;
});
