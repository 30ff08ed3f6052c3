"use strict";
/**
 * Builds and runs `examples/typescript` with its own scripts: `npm run build`, `npm start` and `npm run dev`. It uses the
 * compilers of this repository, and a link to the package, so nothing has to be installed.
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..");
const PROJECT = path.join(ROOT, "examples", "typescript");
const LINK = path.join(PROJECT, "node_modules", "@tiemma", "sonic-distribute");

const npm = (...args) =>
  execFileSync("npm", ["--silent", ...args], { cwd: PROJECT, stdio: "inherit" });

if (!fs.existsSync(LINK)) {
  fs.mkdirSync(path.dirname(LINK), { recursive: true });
  fs.symlinkSync(ROOT, LINK, "junction");
}
const args = process.argv.slice(2);
npm("run", "build");
npm("start", "--", "--check", ...args);
console.log("\nwith tsx:");
npm("run", "dev", "--", "--check", ...args);
