"use strict";
// Shows how far a run has come: the core draws it on the error stream. Only a master does.

const { isAsked } = require("./ancestor");
const { native } = require("../shared/native");
const { variable } = require("../shared/own");
const { Set } = require("../shared/primordials");

/** Values of `SONIC_PROGRESS` that ask for nothing. */
const OFF = ["", "0", "false", "no", "off"];

/** How it is shown; null if it is not. @typedef {{ workers?: boolean, label?: string, unit?: string } | null} Style */

/**
 * What an option or the environment asks for.
 * @param {import("../shared/options").Options["progress"]} option
 * @returns {Style}
 */
function wanted(option) {
  if (option !== undefined) return styleOf(option);
  const value = variable("SONIC_PROGRESS");
  if (value === undefined || OFF.includes(value) || isAsked()) return null;
  return styleOf(value === "workers" ? value : true);
}

/** @param {NonNullable<import("../shared/options").Options["progress"]>} option @returns {Style} */
function styleOf(option) {
  if (typeof option === "object") return option;
  return option === false ? null : { workers: option === "workers" };
}

/** @type {Set<Progress>} */
const shown = new Set();

/** The program exits before its runs end. */
const hideAll = () => {
  for (const progress of shown) progress.hide(": stopped");
};

class Progress {
  /** @param {import("../shared/options").Options} options */
  constructor({ progress, total = 0 }) {
    this.style = wanted(progress);
    this.total = total;
    /** @type {ReturnType<ReturnType<typeof native>["progressBegin"]> | undefined} */
    this.handle = undefined;
  }

  /** Whether the core has to know what each worker does. */
  get showsWorkers() {
    return this.style !== null && this.style.workers === true;
  }

  /** @param {{ native: any, handle: any }} run that begins, or what stands in for it */
  show(run) {
    if (this.style === null) return;
    const { label, unit } = this.style;
    const style = { total: this.total, workers: this.showsWorkers, label, unit };
    this.handle = run.native.progressBegin(run.handle, style);
    if (shown.size === 0) process.on("exit", hideAll);
    shown.add(this);
  }

  /** All events have been handed over. */
  complete() {
    if (this.handle !== undefined) native().progressComplete(this.handle);
  }

  /** @param {string} note what the summary ends with */
  hide(note) {
    if (this.handle === undefined) return;
    native().progressEnd(this.handle, note);
    this.handle = undefined;
    shown.delete(this);
    if (shown.size === 0) process.removeListener("exit", hideAll);
  }
}

/** Whether it is shown. @param {import("../shared/options").Options} options */
const isShown = ({ progress }) => wanted(progress) !== null;

module.exports = { Progress, isShown };
