/**
 * Hashes all files of a folder on all processors, and writes a manifest for `sha256sum --check`, as
 * `sha256sum` would.
 *
 *   node examples/hash.js [--workers N] [--out FILE] [--timeout SECONDS] [--check] [FOLDER]
 *
 * The default FOLDER is node_modules, with the manifest in the folder for temporary files. `--check` compares
 * the manifest with that of a single process, and runs `sha256sum --check`.
 */
"use strict";

process.env.QUIET = process.env.QUIET ?? "true"; // no log lines in the manifest

const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { isMaster, Map: send, NUM_CPUS, stream } = require("..");

/** The files are read in pieces of this size, so large files need little memory. */
const buffer = Buffer.allocUnsafe(2 ** 20);

/** Runs in the master. `await` makes it walk through the folder only as fast as the workers hash. */
async function sendFiles(workerQueue, { folder, out }) {
  for (const name of walk(folder, out)) await send(workerQueue, { data: name });
}

/** Runs in a worker, for every file. */
function hash({ data: name }, { folder }) {
  const sum = createHash("sha256");
  const input = fs.openSync(path.join(folder, name), "r");
  try {
    let bytes = 0;
    for (;;) {
      const length = fs.readSync(input, buffer, 0, buffer.length, null);
      if (length === 0) return { digest: sum.digest("hex"), bytes };
      sum.update(buffer.subarray(0, length));
      bytes += length;
    }
  } finally {
    fs.closeSync(input);
  }
}

/** Runs in the master: writes the manifest as answers arrive, in the order of the file names. */
async function writeManifest(args, output) {
  const { timeout } = args;
  const options = {
    order: "submission",
    // A network file system can hang. Errors are not retried: they would happen again.
    taskTimeout: timeout,
    retries: { limit: 2, on: ["crash", "timeout"] },
  };
  const total = { files: 0, bytes: 0, failures: 0 };
  for await (const { data: name, response, failed, error } of stream(
    sendFiles,
    [hash],
    args,
    options,
  )) {
    if (failed) {
      console.error(`failed: ${name}: ${error.message}`);
      total.failures++;
      continue;
    }
    total.files++;
    total.bytes += response.bytes;
    // If the output is full, wait: then no more files are hashed either.
    if (!output.write(entry(response.digest, name))) await once(output, "drain");
  }
  return total;
}

/** A line as `sha256sum` writes it. Line ends and backslashes in the name are escaped. */
function entry(digest, name) {
  const escapes = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };
  const escaped = name.replace(/[\\\n\r]/g, (character) => escapes[character]);
  return `${escaped === name ? "" : "\\"}${digest}  ${escaped}\n`;
}

/** The names of all regular files, sorted, as `find .` prints them. `except` is the manifest itself. */
function* walk(folder, except, below = ".") {
  const entries = fs.readdirSync(path.join(folder, below), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(folder, except, name);
    else if (entry.isFile() && path.join(folder, name) !== except) yield name;
  }
}

async function main() {
  const { check, ...args } = readArguments();
  const { folder, out, numWorkers } = args;
  // The workers run this program too: only the master opens the manifest.
  const output = !isMaster() ? undefined : out ? fs.createWriteStream(out) : process.stdout;
  const began = performance.now();
  const { files, bytes, failures } = await writeManifest(args, output);
  if (!isMaster()) return;

  const seconds = (performance.now() - began) / 1000;
  if (out) await new Promise((resolve) => output.end(resolve));
  console.error(
    `${files} files, ${(bytes / 1e6).toFixed(1)} MB of ${folder}${out ? `: ${out}` : ""}`,
  );
  console.error(`${numWorkers} workers: ${seconds.toFixed(2)} s`);
  if (failures > 0) throw new Error(`${failures} files could not be hashed`);
  if (check) verify(args, seconds);
}

function verify({ folder, out }, seconds) {
  const began = performance.now();
  let expected = "";
  for (const name of walk(folder, out))
    expected += entry(hash({ data: name }, { folder }).digest, name);
  const alone = (performance.now() - began) / 1000;
  const times = (alone / seconds).toFixed(1);
  console.error(`one process: ${alone.toFixed(2)} s, ${times} times as long`);
  const manifest = fs.readFileSync(out, "utf8");
  if (manifest !== expected) throw new Error("a single process writes another manifest");

  const checked = spawnSync("sha256sum", ["--check", "--quiet", out], {
    cwd: folder,
    stdio: "inherit",
  });
  if (checked.error?.code === "ENOENT")
    return console.error("verified: both manifests are the same");
  if (checked.status !== 0) throw new Error("sha256sum --check failed");
  console.error("verified: both manifests are the same, and sha256sum agrees");
}

function readArguments() {
  const options = {
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    out: { type: "string" },
    timeout: { type: "string", default: "600" },
    check: { type: "boolean", default: false },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [given] = positionals;
  const folder = path.resolve(given ?? path.join(__dirname, "../node_modules"));
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`there is no folder ${folder}`);
  }
  const scratch = path.join(os.tmpdir(), "sonic-distribute-SHA256SUMS");
  const out = values.out ?? (given === undefined ? scratch : undefined);
  if (values.check && out === undefined) throw new Error("--check needs --out");
  return {
    folder,
    out: out && path.resolve(out),
    timeout: Number(values.timeout) * 1000,
    numWorkers: Number(values.workers),
    check: values.check,
  };
}

main().catch((error) => {
  console.error(`hash: ${error.message}`);
  process.exitCode = 1;
});
