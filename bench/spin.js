"use strict";
// Work that takes a given processor time. It is a number of loop iterations, calibrated once with the CPU
// clock before the measurements. A thread cannot read its own CPU clock, so this makes the work the same for
// threads and processes, however busy the machine is.

const { execFile } = require("node:child_process");
const os = require("node:os");
const { promisify } = require("node:util");

/** Long enough to measure the optimised loop. */
const GAUGE_MS = 300;

/** Iterations per reading of the clock: few enough to read it often, enough to make its cost negligible. */
const TURNS_A_LOOK = 100_000;

/** @returns {number} a value that depends on every iteration, so that the compiler cannot drop any */
function spin(turns) {
  let state = 1;
  for (let turn = 0; turn < turns; turn++) state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return state;
}

/** Iterations per millisecond of CPU time of this process. */
function gaugeHere() {
  spin(TURNS_A_LOOK);
  spin(TURNS_A_LOOK);
  const from = process.cpuUsage();
  for (let turns = 0; ; ) {
    spin(TURNS_A_LOOK);
    turns += TURNS_A_LOOK;
    const { user, system } = process.cpuUsage(from);
    const ms = (user + system) / 1000;
    if (ms >= GAUGE_MS) return Math.round(turns / ms);
  }
}

/** Iterations per millisecond of CPU time while all processors are busy, as in the measurements. */
async function gauge() {
  const run = () => promisify(execFile)(process.execPath, [__filename]);
  const outputs = await Promise.all(Array.from({ length: os.cpus().length }, run));
  const rates = outputs.map(({ stdout }) => Number(stdout));
  return Math.round(rates.reduce((sum, rate) => sum + rate, 0) / rates.length);
}

if (require.main === module) console.log(gaugeHere());

module.exports = { gauge, spin };
