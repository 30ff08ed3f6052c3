"use strict";
// One listener for each signal, however many calls it is for: an `AbortSignal` warns of more than ten.

const { reasonOf } = require("./errors");
const { Set, WeakMap } = require("./primordials");

/** @typedef {(error: unknown) => void} Stop */

/** @type {WeakMap<AbortSignal, { stops: globalThis.Set<Stop>, listener: () => void }>} */
const heard = new WeakMap();

/** @param {AbortSignal | undefined} signal */
function throwIfAborted(signal) {
  if (signal?.aborted) throw reasonOf(signal);
}

/**
 * Calls `stop` with the reason when the signal is aborted, at once if it is already, until the function that is returned is called.
 * @param {AbortSignal | undefined} signal
 * @param {Stop} stop
 * @returns {() => void}
 */
function stopBy(signal, stop) {
  if (signal === undefined) return () => {};
  const { stops, listener } = heard.get(signal) || listen(signal);
  stops.add(stop);
  if (signal.aborted) stop(reasonOf(signal));
  return () => {
    stops.delete(stop);
    if (stops.size > 0) return;
    signal.removeEventListener("abort", listener);
    heard.delete(signal);
  };
}

/** @param {AbortSignal} signal */
function listen(signal) {
  /** @type {globalThis.Set<Stop>} */
  const stops = new Set();
  const listener = () => {
    const reason = reasonOf(signal);
    for (const stop of [...stops]) stop(reason);
  };
  const entry = { stops, listener };
  heard.set(signal, entry);
  signal.addEventListener("abort", listener);
  return entry;
}

module.exports = { stopBy, throwIfAborted };
