"use strict";
// Signals that this package aborts: Node's own, or where it has none (Node 14) a plain one that does the same.

const { AbortController, Set } = require("./primordials");

/** @typedef {{ signal: AbortSignal, abort: (reason: unknown) => void }} Aborter */

/** @returns {Aborter} */
function aborter() {
  if (AbortController === undefined) return plainAborter();
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
}

/** @returns {Aborter} */
function plainAborter() {
  const signal = new PlainSignal();
  return {
    signal: /** @type {any} */ (signal),
    abort: (reason) => {
      if (signal.aborted) return;
      signal.aborted = true;
      signal.reason = reason;
      signal.tell();
    },
  };
}

class PlainSignal {
  /** @type {globalThis.Set<any>} */
  #listeners = new Set();

  constructor() {
    this.aborted = false;
    /** @type {unknown} */
    this.reason = undefined;
    /** @type {((event: any) => void) | null} */
    this.onabort = null;
  }

  /** @param {string} name @param {any} listener */
  addEventListener(name, listener) {
    if (name === "abort") this.#listeners.add(listener);
  }

  /** @param {string} name @param {any} listener */
  removeEventListener(name, listener) {
    if (name === "abort") this.#listeners.delete(listener);
  }

  throwIfAborted() {
    if (this.aborted) throw this.reason;
  }

  tell() {
    const event = { type: "abort", target: this };
    const { onabort } = this;
    if (typeof onabort === "function") onabort.call(this, event);
    for (const listener of this.#listeners) {
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    }
  }
}

module.exports = { aborter };
