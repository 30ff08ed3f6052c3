"use strict";
/**
 * Makes thumbnails of all pictures in a folder, on all processors.
 *
 *   npm install && npm start -- [--width N] [--workers N] FOLDER OUT
 *
 * A picture that cannot be read fails alone. So does one that crashes or blocks the library: only its worker ends.
 */
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { createPool, NUM_CPUS } = require("@tiemma/sonic-distribute");

const PICTURES = new Set([".avif", ".gif", ".jpeg", ".jpg", ".png", ".tiff", ".webp"]);

async function main() {
  const { numWorkers, ...args } = readArguments();
  const pool = await createPool(require.resolve("./resize.js"), {
    numWorkers,
    taskTimeout: 30_000,
    // A broken picture stays broken, but a worker may have died for another reason.
    retries: { limit: 1, on: ["crash"] },
  });
  const total = { pictures: 0, bytes: 0, failures: 0 };
  try {
    // The folder is read only as fast as the workers need names.
    const entries = pool.stream("resize", picturesIn(args.folder, args.out), { args });
    for await (const { data: name, response: bytes, failed, error } of entries) {
      if (failed) {
        console.error(`failed: ${name}: ${error.message}`);
        total.failures++;
      } else {
        total.pictures++;
        total.bytes += bytes;
      }
    }
  } finally {
    await pool.close();
  }
  console.log(`${total.pictures} thumbnails, ${total.bytes} bytes`);
  if (total.failures > 0) throw new Error(`${total.failures} pictures have no thumbnail`);
}

/** The names of all pictures in the folder, relative to it. `out` may be in it too. */
function* picturesIn(folder, out, below = "") {
  for (const entry of fs.readdirSync(path.join(folder, below), { withFileTypes: true })) {
    const name = path.join(below, entry.name);
    if (path.join(folder, name) === out) continue;
    if (entry.isDirectory()) yield* picturesIn(folder, out, name);
    else if (entry.isFile() && PICTURES.has(path.extname(name).toLowerCase())) yield name;
  }
}

function readArguments() {
  const options = {
    width: { type: "string", default: "200" },
    workers: { type: "string", default: String(NUM_CPUS) },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 2) throw new Error("name the folder, and the one for the thumbnails");
  const [folder, out] = positionals.map((name) => path.resolve(name));
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`there is no folder ${folder}`);
  }
  const width = Number(values.width);
  if (!Number.isInteger(width) || width < 1) throw new Error("--width needs a positive integer");
  return { folder, out, width, numWorkers: Number(values.workers) };
}

main().catch((error) => {
  console.error(`thumbnails: ${error.message}`);
  process.exitCode = 1;
});
