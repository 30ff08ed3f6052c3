"use strict";
// The progress of a run while it is on: drawn by the core on the error stream, and told to the program. Only a
// master has any of it, as with what `record` leaves. What most runs do not need is loaded when it is wanted: a start
// has few milliseconds.

const { isAsked } = require("./ancestor");
const { native } = require("./native");
const { variable } = require("./own");

const { setInterval, clearInterval } = globalThis;

/** Milliseconds between two looks for `onProgress`. */
const LOOK = 100;

/** Values of `SONIC_PROGRESS` that ask for nothing. */
const OFF = ["", "0", "false"];

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

/** Whether the error stream is a terminal on which the cursor can be moved. */
const isTerminal = () => require("tty").isatty(STDERR) && variable("TERM") !== "dumb";

class Progress {
  /** @param {import("./options").Options} options */
  constructor(options) {
    const shown = wanted(options.progress);
    this.isShown = shown !== false;
    this.showsWorkers = shown === "workers";
    /** Something is drawn over again and again, where else there is a line now and then. */
    this.isTerminal = this.isShown && isTerminal();
    this.total = options.total;
    this.onProgress = options.onProgress;
    /** How far the run had come when the program was last told. */
    this.told = 0;
    /** What it is called where it is shown.
     * @type {number | undefined} */
    this.shown = undefined;
  }

  /** @param {Run} run whose pool is there */
  begin(run) {
    if (this.onProgress !== undefined) {
      this.look = setInterval(() => this.tell(run), LOOK);
      this.look.unref();
    }
    if (!this.isShown) return;
    const { isTerminal: isDrawn, total, showsWorkers: workers } = this;
    this.shown = native().progressBegin(run.pool, { isTerminal: isDrawn, total, workers });
    // Should the program end before its run does.
    this.atExit = () => this.hide(run, false);
    process.on("exit", this.atExit);
    if (!isDrawn) return;
    const { ERASE, standBeside } = require("./terminal");
    this.undo = standBeside((isOpen) => native().progressLineIsOpen(isOpen));
    // Node writes what nobody has caught past the stream.
    this.atError = () => require("fs").writeSync(STDERR, ERASE);
    process.on("uncaughtExceptionMonitor", this.atError);
  }

  /** All events have been handed over. */
  complete() {
    if (this.shown !== undefined) native().progressComplete(this.shown);
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
    if (this.onProgress === undefined) return;
    try {
      this.onProgress(statistics);
    } catch (error) {
      run.fail(error);
    }
  }

  /**
   * @param {Run} run
   * @param {boolean} isWhole
   */
  hide(run, isWhole) {
    if (this.shown === undefined) return;
    native().progressEnd(this.shown, run.pool, isWhole);
    this.shown = undefined;
    if (this.undo) this.undo();
    if (this.atExit) process.removeListener("exit", this.atExit);
    if (this.atError) process.removeListener("uncaughtExceptionMonitor", this.atError);
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
    if (come === this.told || this.onProgress === undefined) return;
    this.told = come;
    try {
      this.onProgress(statistics);
    } catch (error) {
      run.stop(error);
    }
  }
}

module.exports = { Progress };
