"use strict";
/** Work that several tests look at the outcome of, and that is done once, when the first of them runs. */

/** @template T @param {() => Promise<T>} work @returns {() => Promise<T>} */
function once(work) {
  /** @type {Promise<T> | undefined} */
  let began;
  return () => {
    began ??= work();
    return began;
  };
}

module.exports = { once };
