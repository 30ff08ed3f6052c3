"use strict";
// The progress of a run while it is on: drawn by the core on the error stream, and told to the program. Only a
// master has any of it, as with what `record` leaves. What most runs do not need is loaded when it is wanted: a start
// has few milliseconds.

const { writeSync } = require("fs");
const { isAsked } = require("./ancestor");
const { HOME } = require("./home");
const { native } = require("./native");
const { variable } = require("./own");
const { JSON, Map, Promise, clearInterval, setInterval } = require("./primordials");
const { ERASE, standBeside } = require("./terminal");

/** Milliseconds between two looks for `onProgress`. */
const LOOK = 100;

/** Values of `SONIC_PROGRESS` that ask for nothing. */
const OFF = ["", "0", "false", "no", "off"];

/**
 * The runs that are shown, and their progress: should the program end before they do.
 * @type {globalThis.Map<Progress, Run>}
 */
const shown = new Map();

/** Has signals take the drawing off the terminal, while there is one.
 * @type {NodeJS.Timeout | undefined} */
let arming;

/** Where a copy of this package leaves its place that draws in this process: two would draw over each other. */
const DRAWS = Symbol.for("@tiemma/sonic-distribute.draws");

/** @type {any} */
const marked = process;

const hideAll = () => {
  for (const [progress, run] of shown) progress.hide(run, false);
};

/** Node writes what nobody has caught past the stream. */
const erase = () => {
  try {
    writeSync(STDERR, ERASE);
  } catch (_) {
    // There is no terminal any more, and the program is to hear of its own error.
  }
};

/** What hears of the program's own writes to the terminal. */
const listener = {
  opens: () => native().progressOpenLine(),
  ends: () => native().progressEndLine(),
};

/** The error stream's descriptor. */
const STDERR = 2;

/** @typedef {InstanceType<typeof import("./run").Run>} Run */
/** @typedef {import("../index").RunStatistics} RunStatistics */

/**
 * What is shown that an option or the environment asks for.
 * @param {boolean | "workers" | undefined} option
 * @returns {boolean | "workers"}
 */
function wanted(option) {
  if (option !== undefined) return option;
  const value = variable("SONIC_PROGRESS");
  if (value === undefined || OFF.includes(value) || isAsked()) return false;
  return value === "workers" ? value : true;
}

/** Whether the error stream is a terminal on which the cursor can be moved, and no other copy of this package does. */
const isTerminal = () =>
  require("tty").isatty(STDERR) &&
  variable("TERM") !== "dumb" &&
  [undefined, HOME].includes(marked[DRAWS]);

/** This copy of the package draws on the terminal from now on. */
function draw() {
  if (marked[DRAWS] === HOME) return;
  marked[DRAWS] = HOME;
  process.on("uncaughtExceptionMonitor", erase);
  // Signals are the main thread's.
  if (!require("worker_threads").isMainThread) return;
  native().progressArm();
  arming = setInterval(() => native().progressArm(), LOOK);
  arming.unref();
}

/** It draws nothing any more. */
function drawNothing() {
  if (marked[DRAWS] !== HOME) return;
  delete marked[DRAWS];
  process.removeListener("uncaughtExceptionMonitor", erase);
  clearInterval(arming);
}

class Progress {
  /** @param {import("./options").Options} options */
  constructor(options) {
    const asked = wanted(options.progress);
    this.isShown = asked !== false;
    this.showsWorkers = asked === "workers";
    /** Something is drawn over again and again, where else there is a line now and then. */
    this.isTerminal = this.isShown && isTerminal();
    this.total = options.total;
    this.onProgress = options.onProgress;
    /** How far the run had come when the program was last told. */
    this.told = 0;
    /** What it is called where it is shown.
     * @type {number | undefined} */
    this.name = undefined;
    this.standsApart = () => {};
  }

  /** @param {Run} run whose pool is there */
  begin(run) {
    if (this.onProgress !== undefined) {
      this.look = setInterval(() => this.tell(run), LOOK);
      this.look.unref();
    }
    if (!this.isShown) return;
    const { isTerminal: isDrawn, total, showsWorkers: workers } = this;
    this.name = native().progressBegin(run.pool, { isTerminal: isDrawn, total, workers });
    if (shown.size === 0) process.on("exit", hideAll);
    if (isDrawn) {
      draw();
      this.standsApart = standBeside(listener);
    }
    shown.set(this, run);
  }

  /** All events have been handed over. */
  complete() {
    if (this.name !== undefined) native().progressComplete(this.name);
  }

  /**
   * The workers are let go.
   * @param {Run} run
   * @param {RunStatistics} statistics
   * @param {boolean} isWhole whether the run has come out well
   */
  end(run, statistics, isWhole) {
    if (this.look) clearInterval(this.look);
    this.hide(run, isWhole);
    this.call(statistics, (error) => run.fail(error));
  }

  /**
   * @param {Run} run
   * @param {boolean} isWhole
   */
  hide(run, isWhole) {
    if (this.name === undefined) return;
    native().progressEnd(this.name, run.pool, isWhole);
    this.name = undefined;
    this.standsApart();
    shown.delete(this);
    if (shown.size > 0) return;
    drawNothing();
    process.removeListener("exit", hideAll);
  }

  /**
   * Tells the program how far the run has come, if it has come further.
   * @param {Run} run
   */
  tell(run) {
    /** @type {RunStatistics} */
    const statistics = JSON.parse(native().poolStatistics(run.pool));
    const { handedOver, answered, nothing, failed, retried } = statistics;
    const come = handedOver + answered + nothing + failed + retried;
    if (come === this.told) return;
    this.told = come;
    this.call(statistics, (error) => run.stop(error));
  }

  /**
   * Tells the program.
   * @param {RunStatistics} statistics
   * @param {(error: unknown) => void} fails what becomes of what it throws, or rejects with later
   */
  call(statistics, fails) {
    if (this.onProgress === undefined) return;
    try {
      /** @type {any} */
      const promise = this.onProgress(statistics);
      // Also one that is not Node's own.
      if (typeof Object(promise).then === "function") Promise.resolve(promise).catch(fails);
    } catch (error) {
      fails(error);
    }
  }
}

module.exports = { Progress };
