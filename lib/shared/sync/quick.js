"use strict";
// Exclusive locks that nobody else wants: taken and given back in the shared memory, without a word to anybody. Knows the places of the
// last locks that this process has had.

const { Map } = require("../primordials");

/** @typedef {import("./grant").Place} Place */
/** @typedef {import("./context").Frame} Frame */
/**
 * The core's functions for it. `lockTry` returns the token, or 0 if the lock has to be asked for; `lockEnd` false if its end has to be told.
 * @typedef {object} Core
 * @property {(place: number, generation: number, event: number) => number} lockTry
 * @property {(index: number, flags: number) => number} syncEvent how `lockTry` is told of an event
 * @property {(place: number, generation: number, token: number) => boolean} lockEnd
 */

/** The most places that a process knows: a quarter of those that there are. */
const MOST_PLACES = 1024;

/** In the place of an event. */
const NO_EVENT = -1;

class Quick {
  /** @type {Core} */
  #core;
  /** By the name as it travels, the one first that was learned first. @type {globalThis.Map<string, Place>} */
  #places = new Map();
  /** How many requests wait for a reply, by the same: those that come later do not overtake them. @type {globalThis.Map<string, number>} */
  #asked = new Map();

  /** @param {Core} core */
  constructor(core) {
    this.#core = core;
  }

  /** How many places it knows. */
  get size() {
    return this.#places.size;
  }

  /** @param {string} name @returns {Place | undefined} */
  placeOf(name) {
    return this.#places.get(name);
  }

  /** Takes a lock. @param {string} name @param {Place} place @param {Frame} frame @returns {number} the token, or 0 if it is to be asked for */
  take(name, { place, generation }, { scope }) {
    if (this.#asked.size > 0 && this.#asked.has(name)) return 0;
    return this.#core.lockTry(place, generation, this.#eventOf(scope));
  }

  /** @param {Frame["scope"]} scope */
  #eventOf(scope) {
    if (scope?.name === undefined) return NO_EVENT;
    if (scope.word === undefined) scope.word = this.#core.syncEvent(...scope.name);
    return scope.word;
  }

  /** Gives a lock back. @param {Place} place @param {number} token @returns {boolean} false if that is to be told */
  giveBack({ place, generation }, token) {
    return this.#core.lockEnd(place, generation, token);
  }

  /** @param {string} name @param {Place} place */
  learn(name, place) {
    if (this.#places.size >= MOST_PLACES && !this.#places.has(name)) {
      const [oldest] = this.#places.keys();
      this.#places.delete(oldest);
    }
    this.#places.set(name, place);
  }

  /** A request for it is on its way, or has its reply. @param {string} name @param {1 | -1} change */
  count(name, change) {
    const count = (this.#asked.get(name) || 0) + change;
    if (count > 0) this.#asked.set(name, count);
    else this.#asked.delete(name);
  }
}

module.exports = { MOST_PLACES, Quick };
