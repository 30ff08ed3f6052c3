"use strict";
/**
 * An AbortController that tells how many listen to its signal: Node's own where that knows reasons (from 17.2 on), else one
 * as programs bring it.
 */
function controller() {
  return typeof AbortSignal !== "undefined" && "reason" in AbortSignal.prototype
    ? native()
    : plain();
}

function native() {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args) => {
    count++;
    return addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args) => {
    count--;
    return removeEventListener.apply(signal, args);
  };
  return { signal, abort: (reason) => controller.abort(reason), listeners: () => count };
}

function plain() {
  const heard = new Set();
  const signal = {
    aborted: false,
    reason: undefined,
    addEventListener: (name, listener) => name === "abort" && heard.add(listener),
    removeEventListener: (name, listener) => name === "abort" && heard.delete(listener),
  };
  const abort = (reason) => {
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason;
    for (const listener of heard) listener();
  };
  return { signal, abort, listeners: () => heard.size };
}

module.exports = { controller, plain };
