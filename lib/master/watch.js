"use strict";
// What a program hears of a pool that stays: how far it is, its statistics at its end, and when the program's signal ends it.

const { Listener } = require("./listener");
const { stopBy } = require("../shared/signals");

/** @typedef {import("../shared/options").Options} Options */

/**
 * Tells the program of its pool until that is closed. What `onStats` throws, or `onProgress` at the end, `close` rejects with.
 * @param {any} pool a LastingPool, or what stands in for it
 * @param {Options} options
 * @param {(error: unknown) => void} abort ends the pool: whatever it has to do rejects with that
 */
function watch(pool, options, abort) {
  const { onStats, signal } = options;
  /** @type {{ error: unknown } | undefined} */
  let failure;
  const fail = (/** @type {unknown} */ error) => {
    if (failure === undefined) failure = { error };
  };
  const stop = (/** @type {unknown} */ error) => {
    fail(error);
    abort(error);
  };
  const listener = new Listener(options);
  listener.begin({ statistics: () => pool.statistics(), stop, fail });
  const ignore = stopBy(signal, abort);
  pool.closed = pool.closed.then(() => {
    ignore();
    if (options.onProgress === undefined && onStats === undefined) return;
    const statistics = pool.statistics();
    listener.end({ fail }, statistics);
    try {
      if (onStats !== undefined) onStats(statistics);
    } catch (error) {
      fail(error);
    }
    if (failure !== undefined) throw failure.error;
  });
}

module.exports = { watch };
