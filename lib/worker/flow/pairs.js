"use strict";
// What one event writes into files: keys with their values, of each hold that its items reach. Those of reduceByKey are combined
// before.

const { Column } = require("./column");
const { encodedOf, isPlain } = require("./records");
const { formatOf } = require("../../shared/codec");
const { combined, isKey, noKey, noPair } = require("../../shared/flow/rules");
const { Buffer, JSON, Map } = require("../../shared/primordials");

/** An event writes what it has when that takes so many bytes, unless the node says another number. */
const MOST_BYTES = 2 ** 26;

/** About what a key and its value take in a map, beside the characters of the key. */
const BYTES_OF_KEY = 64;

/** The format of a Buffer; see codec.js. */
const BUFFER = 3;

/** @typedef {import("./steps").AnyStep} Step */
/** @typedef {import("./attempt").AnyAttempt} Attempt */
/** @typedef {import("../spill").AnySpill} Spill */
/** @typedef {Pairs} AnyPairs */

class Pairs {
  /** @param {Spill} spill */
  constructor(spill) {
    this.spill = spill;
    /** @type {(Combined | Listed)[]} */
    this.puts = [];
  }

  /**
   * An item reaches a hold. Throws if it cannot be encoded; otherwise what fails is the item at the hold.
   * @param {Step} step
   * @param {number} side
   * @param {any} item
   * @param {Attempt} attempt
   */
  put(step, side, item, attempt) {
    const to = this.of(step, side);
    to.put(item, attempt);
    this.check(to, attempt);
  }

  /** @param {Combined | Listed} put @param {Attempt} attempt */
  check(put, attempt) {
    const { memory = MOST_BYTES } = put.step;
    if (put.length >= memory) put.write(this.spill, attempt);
  }

  /** About how many bytes there are. */
  get length() {
    return this.puts.reduce((sum, { length }) => sum + length, 0);
  }

  /** @param {Step} step @param {number} side */
  of(step, side) {
    for (const put of this.puts) if (put.step === step && put.side === side) return put;
    const put = step.planKind === "reduceByKey" ? new Combined(step, side) : new Listed(step, side);
    this.puts.push(put);
    return put;
  }

  /** Takes over what an item has put that is complete. @param {Pairs} other @param {Attempt} attempt */
  merge(other, attempt) {
    for (const put of other.puts) {
      const to = this.of(put.step, put.side);
      if (to instanceof Combined) to.merge(/** @type {Combined} */ (put), attempt);
      else to.merge(/** @type {Listed} */ (put));
      this.check(to, attempt);
    }
  }

  /** Writes all there is. @param {Attempt} attempt */
  write(attempt) {
    for (const put of this.puts) put.write(this.spill, attempt);
  }
}

/** The pairs of a reduceByKey, one of each key. */
class Combined {
  /** @param {Step} step @param {number} side */
  constructor(step, side) {
    this.step = step;
    this.side = side;
    /** @type {globalThis.Map<any, any>} */
    this.values = new Map();
    /** About how many bytes they take. */
    this.length = 0;
  }

  /** @param {any} item @param {Attempt} attempt */
  put(item, attempt) {
    if (!hasPair(this, item, attempt)) return;
    try {
      this.add(item[0], item[1]);
    } catch (thrown) {
      failAt(this, item, thrown, attempt);
    }
  }

  /** @param {any} key @param {any} value */
  add(key, value) {
    const { values } = this;
    const before = values.get(key);
    const isFirst = before === undefined && !values.has(key);
    values.set(key, isFirst ? value : combined(this.step, before, value));
    if (isFirst) this.length += BYTES_OF_KEY + (typeof key === "string" ? key.length : 0);
  }

  /** @param {Combined} other @param {Attempt} attempt */
  merge({ values }, attempt) {
    for (const item of values) this.put(item, attempt);
  }

  /** What has been combined and cannot be encoded fails the event. @param {Spill} spill @param {Attempt} attempt */
  write(spill, attempt) {
    const keys = [...this.values.keys()];
    const values = [...this.values.values()];
    this.values = new Map();
    this.length = 0;
    if (keys.length === 0) return;
    if (values.every(isShort)) {
      const told = () =>
        spill.write(this.step, this.side, JSON.stringify(keys), JSON.stringify(values));
      spilled(this.step, told, attempt);
      return;
    }
    const column = new Column();
    for (let at = 0; at < keys.length; at++) {
      const value = values[at];
      const encoded = attempt.orDie(() => encodedOf(spill.codec, value));
      column.put(keys[at], encoded, formatOf(value, encoded || ""));
    }
    spilled(this.step, () => column.write(spill, this.step, this.side), attempt);
  }
}

/** Pairs as they come. */
class Listed {
  /** @param {Step} step @param {number} side */
  constructor(step, side) {
    this.step = step;
    this.side = side;
    this.column = new Column();
  }

  get length() {
    return this.column.length;
  }

  /** @param {any} item @param {Attempt} attempt */
  put(item, attempt) {
    const { step, side } = this;
    const isPair = step.planKind === "groupByKey";
    if (isPair && !hasPair(this, item, attempt)) return;
    const value = isPair ? item[1] : item;
    const encoded = encodedOf(attempt.codec, value);
    let key;
    try {
      key = isPair ? item[0] : keyOf(step, side, item);
    } catch (thrown) {
      failAt(this, item, thrown, attempt);
      return;
    }
    const format = formatOf(value, encoded || "");
    // The program may write something else into its Buffer before all is written.
    this.column.put(key, format === BUFFER ? Buffer.from(value) : encoded, format);
  }

  /** @param {Listed} other */
  merge({ column }) {
    this.column.merge(column);
  }

  /** @param {Spill} spill @param {Attempt} attempt */
  write(spill, attempt) {
    const { column } = this;
    this.column = new Column();
    if (column.keys.length === 0) return;
    spilled(this.step, () => column.write(spill, this.step, this.side), attempt);
  }
}

/** What cannot be written fails the event. @param {Step} step @param {() => string} write @param {Attempt} attempt */
function spilled(step, write, attempt) {
  attempt.records.spilled(step.number, attempt.orDie(write));
}

/** @param {Combined | Listed} put @param {any} item @param {unknown} thrown @param {Attempt} attempt */
function failAt({ step, side }, item, thrown, attempt) {
  attempt.fail(step, item, thrown, () => redoOf(attempt.codec, side, item));
}

/**
 * The data, as JSON, of an event that tries once more to put an item: its side, and the item as `itemOfRedo` reads it.
 * @param {import("../../shared/codec").Codec} codec
 * @param {number} side
 * @param {any} item
 */
function redoOf(codec, side, item) {
  let encoded;
  try {
    encoded = encodedOf(codec, item);
  } catch (_) {
    // It cannot be tried again, which the error says that there is.
  }
  if (encoded === undefined) return `{"side":${side}}`;
  if (typeof encoded === "string") return `{"side":${side},"item":${encoded}}`;
  const base64 = Buffer.from(encoded).toString("base64");
  return JSON.stringify({ side, format: formatOf(item, encoded), base64 });
}

/** @param {Step} step @param {number} side @param {any} item */
function keyOf(step, side, item) {
  // As a member of the array it would have that as `this`.
  const fn = step.planKind === "join" ? step.fn[side] : step.fn;
  const key = fn(item);
  if (!isKey(key)) throw noKey(step, key);
  return key;
}

/**
 * Whether an item is a key with its value. It fails at the hold if not, and does so if it is tried again: as JSON it may be one.
 * @param {Combined | Listed} put
 * @param {any} item
 * @param {Attempt} attempt
 */
function hasPair({ step, side }, item, attempt) {
  const isPair = Array.isArray(item) && item.length === 2;
  if (isPair && isKey(item[0])) return true;
  const error = isPair ? noKey(step, item[0]) : noPair(step, item);
  attempt.fail(step, item, error, () => JSON.stringify({ side, wrong: error.message }));
  return false;
}

/** @param {any} value */
const isShort = (value) => typeof value !== "string" && isPlain(value);

module.exports = { Pairs };
