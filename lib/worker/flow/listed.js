"use strict";
// The pairs of a groupByKey, and the items of a join and a sortBy, that one event makes: as they come.

const { Column } = require("./column");
const { failAt, hasPair, keyOf, spilled } = require("./keyed");
const { encodedOf, isPlain } = require("./records");
const { formatOf } = require("../../shared/codec");
const { Buffer } = require("../../shared/primordials");

/** A longer string is encoded at once: it may be too long. */
const LONG = 2 ** 16;

/** The format of a Buffer; see codec.js. */
const BUFFER = 3;

/** @typedef {import("./steps").AnyStep} Step */
/** @typedef {import("./attempt").AnyAttempt} Attempt */
/** @typedef {import("../spill").AnySpill} Spill */

class Listed {
  /** @param {Spill} spill @param {Step} step @param {number} side */
  constructor(spill, step, side) {
    this.spill = spill;
    this.step = step;
    this.side = side;
    this.most = step.memory;
    this.column = new Column();
  }

  get length() {
    return this.column.length;
  }

  /** @param {any} item @param {Attempt} attempt */
  put(item, attempt) {
    const { step, side, column } = this;
    const isPair = step.planKind === "groupByKey";
    if (isPair && !hasPair(this, item, attempt)) return;
    const value = isPair ? item[1] : item;
    const isShort = isPlain(value) && !(typeof value === "string" && value.length > LONG);
    const encoded = isShort ? undefined : encodedOf(attempt.codec, value);
    let key;
    try {
      key = isPair ? item[0] : keyOf(step, side, item);
    } catch (thrown) {
      failAt(this, item, thrown, attempt);
      return;
    }
    if (isShort) {
      column.putPlain(key, value);
      return;
    }
    const format = formatOf(value, encoded || "");
    // The program may write something else into its Buffer before all is written.
    column.put(key, format === BUFFER ? Buffer.from(value) : encoded, format);
  }

  /** @param {Listed} other */
  merge({ column }) {
    this.column.merge(column);
  }

  /** @param {Attempt} attempt */
  write(attempt) {
    const { column, spill, step, side } = this;
    this.column = new Column();
    if (column.keys.length > 0) spilled(step, () => column.write(spill, step, side), attempt);
  }
}

module.exports = { Listed };
