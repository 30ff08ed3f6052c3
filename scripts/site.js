"use strict";
/**
 * Builds the site of `docs/` with VitePress: to `dist/site`, or to the folder of `--out`. `SITE_BASE` is the path at
 * which it is served, for example `/sonic-distribute/`. `--serve` shows it while the pages are edited.
 *
 * VitePress comes from `site/package.json`. It is installed the first time.
 *
 *   node scripts/site.js [--out FOLDER] [--serve]
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

const HOME = path.join(__dirname, "site");
const LOCK = path.join(HOME, "package-lock.json");
/** npm writes this file when everything is installed. */
const INSTALLED = path.join(HOME, "node_modules", ".package-lock.json");

function main() {
  const { values } = parseArgs({
    options: { out: { type: "string" }, serve: { type: "boolean", default: false } },
  });
  ensureVitePress();
  const vitepress = path.join(HOME, "node_modules", "vitepress", "bin", "vitepress.js");
  const env = { ...process.env };
  if (values.out !== undefined) env.SITE_OUT = path.resolve(values.out);
  const args = [vitepress, values.serve ? "dev" : "build", HOME];
  execFileSync(process.execPath, args, { cwd: HOME, env, stdio: "inherit" });
}

function ensureVitePress() {
  const isPresent =
    fs.existsSync(INSTALLED) && fs.statSync(INSTALLED).mtimeMs >= fs.statSync(LOCK).mtimeMs;
  if (isPresent) return;
  const args = ["ci", "--prefix", HOME, "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync("npm", args, { stdio: ["ignore", "ignore", "inherit"] });
}

main();
