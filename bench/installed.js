"use strict";
// The package as an install has it, in a folder of its own: users run that, and not the modules of the tree one by one.

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.join(__dirname, "..");

/** Makes the folder, which is removed when this process exits. */
function install() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-bench-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  const binaries = fs.readdirSync(ROOT).filter((name) => name.endsWith(".node"));
  for (const name of ["package.json", "lib", ...binaries])
    fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  const args = [path.join(ROOT, "scripts", "bundle.js"), folder];
  execFileSync(process.execPath, args, { stdio: "inherit" });
  return folder;
}

module.exports = { install };
