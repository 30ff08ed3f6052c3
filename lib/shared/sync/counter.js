"use strict";
// `sync.counter`: numbers in memory that all processes share. No call of them waits for anything.

const { textOf } = require("./names");
const { coded, invalidRange } = require("../errors");
const { wrongType } = require("../checks");
const { Map } = require("../primordials");

/**
 * The core's functions for counters, which it knows by their indices.
 * @typedef {object} Core
 * @property {(name: string) => number} counterIndex
 * @property {(index: number) => number} counterLoad
 * @property {(index: number, value: number) => void} counterStore
 * @property {(index: number, value: number) => number} counterAdd
 * @property {(index: number, value: number) => number} counterExchange
 * @property {(index: number, expected: number, value: number) => number} counterCompareExchange
 */

class Counter {
  #core;
  #index;

  /** @param {Core} core @param {number} index */
  constructor(core, index) {
    this.#core = core;
    this.#index = index;
  }

  load() {
    return this.#core.counterLoad(this.#index);
  }

  /** @param {number} value */
  store(value) {
    if (!Number.isSafeInteger(value)) throw wrong("store: the value", value);
    this.#core.counterStore(this.#index, value);
    return value;
  }

  /** @param {number} n */
  add(n = 1) {
    if (!Number.isSafeInteger(n)) throw wrong("add: the number", n);
    return this.#core.counterAdd(this.#index, n);
  }

  /** @param {number} value */
  exchange(value) {
    if (!Number.isSafeInteger(value)) throw wrong("exchange: the value", value);
    return this.#core.counterExchange(this.#index, value);
  }

  /** @param {number} expected @param {number} value */
  compareExchange(expected, value) {
    if (!Number.isSafeInteger(expected))
      throw wrong("compareExchange: the expected value", expected);
    if (!Number.isSafeInteger(value)) throw wrong("compareExchange: the value", value);
    return this.#core.counterCompareExchange(this.#index, expected, value);
  }
}

class Counters {
  /** @type {globalThis.Map<string, Counter>} */
  #known = new Map();
  #core;

  /** @param {Core} core */
  constructor(core) {
    this.#core = core;
  }

  /** @param {unknown} name */
  of(name) {
    const text = textOf("sync.counter: the name", name);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const counter = new Counter(this.#core, this.#core.counterIndex(text));
    this.#known.set(text, counter);
    return counter;
  }
}

/** What stands in for them where no memory is shared. */
const NO_COUNTERS = {
  /** @param {unknown} name @returns {never} */
  of(name) {
    textOf("sync.counter: the name", name);
    throw coded(
      Error,
      "ERR_SONIC_COUNTER_REMOTE",
      "sync.counter: a client of connectPool shares no memory with the pool's program, so it has no counters there: have a stage " +
        "of the pool count, or use sync.store(name).update(key, fn)",
    );
  },
};

/** @param {string} what @param {unknown} value */
function wrong(what, value) {
  const name = `sync.counter: ${what}`;
  const must = "an integer from -(2 ** 53 - 1) to 2 ** 53 - 1";
  if (typeof value !== "number") return wrongType(name, must, value);
  return invalidRange(`${name} must be ${must}, got ${value}`);
}

module.exports = { Counters, NO_COUNTERS };
