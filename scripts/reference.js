"use strict";
/**
 * Writes `docs/api.md`, the reference, from the comments of `index.d.ts`. With `--check` it writes nothing, and
 * fails when the file is not what the comments say now.
 *
 * What does it needs a TypeScript of its own; `reference/package.json` has both, installed when first needed.
 *
 *   node scripts/reference.js [--check]
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const HOME = path.join(__dirname, "reference");
const LOCK = path.join(HOME, "package-lock.json");
/** What npm writes when it has installed everything. */
const INSTALLED = path.join(HOME, "node_modules", ".package-lock.json");
const REFERENCE = path.resolve(__dirname, "../docs/api.md");
const HEAD = "<!-- Written by `npm run docs` from index.d.ts: change that. -->\n\n";

function main() {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  ensureTypedoc();
  const text = HEAD + generate();
  if (!values.check) return fs.writeFileSync(REFERENCE, text);
  if (fs.existsSync(REFERENCE) && fs.readFileSync(REFERENCE, "utf8") === text) return;
  console.error("docs/api.md is not what index.d.ts says: run `npm run docs`");
  process.exitCode = 1;
}

function ensureTypedoc() {
  const isPresent =
    fs.existsSync(INSTALLED) && fs.statSync(INSTALLED).mtimeMs >= fs.statSync(LOCK).mtimeMs;
  if (isPresent) return;
  const args = ["ci", "--prefix", HOME, "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", args, { stdio: ["ignore", "ignore", "inherit"] });
}

function generate() {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-reference-"));
  try {
    const typedoc = path.join(HOME, "node_modules", "typedoc", "bin", "typedoc");
    const args = [typedoc, "--options", path.join(HOME, "typedoc.json"), "--out", out];
    execFileSync(process.execPath, args, { cwd: HOME, stdio: ["ignore", "ignore", "inherit"] });
    return fs.readFileSync(path.join(out, "api.md"), "utf8");
  } finally {
    fs.rmSync(out, { recursive: true, force: true });
  }
}

main();
