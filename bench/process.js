"use strict";
// Starts one run of one contestant, and makes sure that it and all its workers end.

const { spawn } = require("node:child_process");
const path = require("node:path");
const { performance } = require("node:perf_hooks");
const { install } = require("./installed");

const ROOT = path.resolve(__dirname, "..");
const TRIAL = path.join(__dirname, "trial.js");

/** How many characters of a failed run's output are shown, from its first error on. */
const SHOWN = 600;

/** The current run. */
let current;

/** The folder of this package. @type {string | undefined} */
let installed;

/**
 * @param {string} name
 * @param {import("./contestants").Job} job
 * @param {number} deadline milliseconds
 * @returns {Promise<{ value: number } | { failed: string }>} milliseconds or megabytes
 */
function runTrial(name, job, deadline) {
  installed ??= install();
  const own = { QUIET: "1", BENCH_JOB: JSON.stringify(job), BENCH_PACKAGE: installed };
  const began = performance.now();
  const child = spawn(process.execPath, [TRIAL, name], {
    cwd: ROOT,
    env: { ...process.env, ...own },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own process group: one signal ends everything that is left of it.
    detached: true,
  });
  current = child;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    let isLate = false;
    let ended;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child);
    }, deadline);
    child.once("error", (error) => {
      clearTimeout(timer);
      resolve({ failed: error.message });
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      ended = { ms: performance.now() - began, code, signal };
      // Remaining workers hold the output open, but there will be no more results.
      killGroup(child);
    });
    child.once("close", () => {
      current = undefined;
      if (isLate) resolve({ failed: `did not finish within ${deadline / 1000} s` });
      else if (ended) resolve(outcome(ended, output, job));
    });
  });
}

function outcome({ ms, code, signal }, output, { cold }) {
  const [, result] = /^RESULT (.*)$/m.exec(output) ?? [];
  if (code === 0 && result !== undefined) return cold ? { value: ms } : JSON.parse(result);
  const from = Math.max(output.search(/^.*Error/m), 0);
  const shown = output.slice(from).trim().slice(0, SHOWN);
  return { failed: `exited with ${signal ?? `code ${code}`}: ${shown}` };
}

function killGroup({ pid }) {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // The whole group has exited.
  }
}

/** Kills the current run, which does not get signals from the terminal. */
function killCurrent() {
  if (current !== undefined) killGroup(current);
}

module.exports = { killCurrent, runTrial };
