"use strict";
// Where workers write what flows have that is too large for memory: a folder for each pool, in it one for each run. What is left of
// processes that are gone is removed when the next one begins to write there.

const { isSpilling } = require("../shared/flow/given");
const { native } = require("../shared/native");
const { Set } = require("../shared/primordials");

/** Folders that were swept by now. @type {globalThis.Set<string>} */
const swept = new Set();

/**
 * The folder of a pool, which is there once something was written.
 * @param {import("../shared/options").Options} options
 * @param {number} number of the pool
 */
const spillFolderOf = (options, number) => native().spillBase(dirOf(options), number);

/** @param {import("../shared/options").Options} options */
const dirOf = ({ spillDir }) =>
  spillDir === undefined ? require("os").tmpdir() : require("path").resolve(spillDir);

/** A run begins that may write. @param {import("../shared/options").Options} options */
function sweepFor(options) {
  const { flow } = options;
  if (flow !== undefined && isSpilling(flow.plan)) sweep(options);
}

/** Removes what processes have left that are gone, the first time. @param {import("../shared/options").Options} options */
function sweep(options) {
  const dir = dirOf(options);
  if (swept.has(dir)) return;
  swept.add(dir);
  native().spillSweep(dir);
}

/**
 * Nothing of it is read any more. What cannot be removed now, a sweep removes later.
 * @param {string | undefined} folder
 * @param {number} [run] all runs of the pool if none is given
 */
function removeSpilled(folder, run) {
  if (folder === undefined) return;
  try {
    native().spillRemove(run === undefined ? folder : require("path").join(folder, String(run)));
  } catch (_) {
    // As above.
  }
}

module.exports = { removeSpilled, spillFolderOf, sweep, sweepFor };
