"use strict";
/**
 * Builds the addon for this machine, with `native.js` and `native.d.ts`. On Linux x64 with glibc it uses a toolchain from
 * npm, so that the addon runs with glibc 2.17 and newer. Elsewhere it uses the installed toolchain.
 *
 *   node scripts/build.js [--debug]
 */
const { spawnSync } = require("node:child_process");
const path = require("node:path");
const { parseArgs } = require("node:util");

const ROOT = path.resolve(__dirname, "..");

/** The target of the toolchain from npm. */
const OLD_GLIBC = ["--use-napi-cross", "--target", "x86_64-unknown-linux-gnu"];

const { values } = parseArgs({ options: { debug: { type: "boolean", default: false } } });
const hasGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
const isOurs = process.platform === "linux" && process.arch === "x64" && hasGlibc;

const args = ["build", "--platform", "--js", "native.js", "--dts", "native.d.ts"];
if (!values.debug) args.push("--release", ...(isOurs ? OLD_GLIBC : []));
const cli = path.join(ROOT, "node_modules/@napi-rs/cli/dist/cli.js");
const { status } = spawnSync(process.execPath, [cli, ...args], { cwd: ROOT, stdio: "inherit" });
process.exitCode = status ?? 1;
