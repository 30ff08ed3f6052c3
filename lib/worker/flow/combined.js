"use strict";
// The pairs of a reduceByKey that one event makes: one of each key, because values are combined as they come. The core knows the keys,
// by number; values are kept here, by these numbers. So no string is looked up in JavaScript, where that takes most of the time.

const { Column } = require("./column");
const { failAt, hasPair, spilled } = require("./keyed");
const { encodedOf, isPlain } = require("./records");
const { formatOf } = require("../../shared/codec");
const { combined } = require("../../shared/flow/rules");
const { JSON } = require("../../shared/primordials");

/** About what a key and its value take, beside the characters of the key. */
const BYTES_OF_KEY = 64;

/** So many pairs wait at most until they are combined: few enough to stay near the processor, and to be collected early. */
const MOST_WAITING = 4096;

/** What waits has one of so many parts of the node's memory. */
const WAITING = 8;

/** The numbers of the keys that wait: used again each time. */
const numbers = new Uint32Array(MOST_WAITING);

/** @typedef {import("./steps").AnyStep} Step */
/** @typedef {import("./attempt").AnyAttempt} Attempt */
/** @typedef {import("../spill").AnySpill} Spill */

class Combined {
  /** @param {Spill} spill @param {Step} step @param {number} side */
  constructor(spill, step, side) {
    this.spill = spill;
    this.step = step;
    this.side = side;
    /** Pairs that are not combined yet. @type {any[]} */
    this.keys = [];
    /** @type {any[]} */
    this.waiting = [];
    this.areStrings = true;
    /** About how many bytes those take, and may take. */
    this.lengthWaiting = 0;
    this.mostWaiting = step.memory / WAITING;
    /** The keys of all others. @type {any} */
    this.numbered = undefined;
    /** Their values, by number. @type {any[]} */
    this.values = [];
    /** About how many bytes these take, and may take: what waits has the rest. */
    this.length = 0;
    this.most = step.memory - this.mostWaiting;
  }

  /** @param {any} item @param {Attempt} attempt */
  put(item, attempt) {
    if (hasPair(this, item, attempt)) this.add(item[0], item[1], attempt);
  }

  /** @param {any} key @param {any} value @param {Attempt} attempt */
  add(key, value, attempt) {
    const { keys } = this;
    keys.push(key);
    this.waiting.push(value);
    if (typeof key !== "string") this.areStrings = false;
    this.lengthWaiting += bytesOf(key);
    if (keys.length === MOST_WAITING || this.lengthWaiting >= this.mostWaiting)
      this.combine(attempt);
  }

  /** Nothing waits any more. @param {Attempt} attempt */
  combine(attempt) {
    const { keys, waiting, values, step } = this;
    if (keys.length === 0) return;
    this.number();
    for (let at = 0; at < keys.length; at++) {
      const number = numbers[at];
      if (number === values.length) {
        values.push(waiting[at]);
        this.length += bytesOf(keys[at]);
        continue;
      }
      try {
        values[number] = combined(step, values[number], waiting[at]);
      } catch (thrown) {
        failAt(this, [keys[at], waiting[at]], thrown, attempt);
      }
    }
  }

  /** Has the keys that wait numbered. */
  number() {
    const { keys, areStrings, spill } = this;
    const { native } = spill;
    if (this.numbered === undefined) this.numbered = native.spillNumbers();
    const own = numbers.subarray(0, keys.length);
    // Few keys have line breaks, or are no ASCII.
    if (!areStrings || !native.spillNumber(this.numbered, keys.join("\n"), false, own))
      native.spillNumber(this.numbered, JSON.stringify(keys), true, own);
    this.keys = [];
    this.waiting = [];
    this.areStrings = true;
    this.lengthWaiting = 0;
  }

  /** @param {Combined} other @param {Attempt} attempt */
  merge({ spill, numbered, values, keys, waiting }, attempt) {
    const known = numbered === undefined ? [] : JSON.parse(spill.native.spillNumbered(numbered));
    for (let at = 0; at < known.length; at++) this.add(known[at], values[at], attempt);
    for (let at = 0; at < keys.length; at++) this.add(keys[at], waiting[at], attempt);
  }

  /** What has been combined and cannot be encoded fails the event. @param {Attempt} attempt */
  write(attempt) {
    this.combine(attempt);
    const { numbered, values, spill, step, side } = this;
    if (numbered === undefined) return;
    this.numbered = undefined;
    this.values = [];
    this.length = 0;
    const column = new Column();
    for (const value of values) {
      if (isShort(value)) {
        column.putPlain(undefined, value);
        continue;
      }
      const encoded = attempt.orDie(() => encodedOf(spill.codec, value));
      column.put(undefined, encoded, formatOf(value, encoded || ""));
    }
    spilled(step, () => column.write(spill, step, side, numbered), attempt);
  }
}

/** @param {any} key */
const bytesOf = (key) => BYTES_OF_KEY + (typeof key === "string" ? key.length : 0);

/** @param {any} value */
const isShort = (value) => typeof value !== "string" && isPlain(value);

module.exports = { Combined };
