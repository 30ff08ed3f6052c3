"use strict";
// Work that takes a given time on the processor. It is counted in turns of a loop, which the CPU clock
// gauges once, before anything is measured: a thread has no CPU clock of its own to watch, and so the
// work is the same for threads and processes, however busy the machine is.

const { execFile } = require("node:child_process");
const os = require("node:os");
const { promisify } = require("node:util");

/** Long enough for the optimised loop to be what is measured. */
const GAUGE_MS = 300;

/** Few enough to look at the clock often, enough for the look not to count. */
const TURNS_A_LOOK = 100_000;

/** @returns {number} Something that depends on every turn, so that none can be left out. */
function spin(turns) {
  let state = 1;
  for (let turn = 0; turn < turns; turn++) state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return state;
}

/** Turns in a millisecond of CPU time of this process. */
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

/** Turns in a millisecond of CPU time while all processors work, as they do when it matters. */
async function gauge() {
  const run = () => promisify(execFile)(process.execPath, [__filename]);
  const outputs = await Promise.all(Array.from({ length: os.cpus().length }, run));
  const rates = outputs.map(({ stdout }) => Number(stdout));
  return Math.round(rates.reduce((sum, rate) => sum + rate, 0) / rates.length);
}

if (require.main === module) console.log(gaugeHere());

module.exports = { gauge, spin };
