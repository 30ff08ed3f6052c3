"use strict";
/**
 * Builds and runs `examples/typescript` as its own `npm run build`, `npm start` and `npm run dev` do. What those
 * who copy it install is the tree's here: the compilers from its node_modules, and the package itself by a link.
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
console.log("\nby tsx:");
npm("run", "dev", "--", "--check", ...args);
