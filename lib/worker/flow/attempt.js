"use strict";
// One attempt at an event of a flow: what its functions get beside their items, and all that it has put out so far.

const { Records, encodedOf } = require("./records");

/** @typedef {import("./steps").AnyStep} Step */
/** @typedef {import("./steps").AnyPort} Port */
/** @typedef {{ args: () => any, context: any }} How */

class Attempt {
  /** @param {Pick<import("../flow").Work, "codec" | "errors" | "spill">} work @param {Step} entry @param {How} how */
  constructor({ codec, errors, spill }, entry, { args, context }) {
    this.entry = entry;
    this.args = args;
    this.context = context;
    this.codec = codec;
    this.spill = spill;
    this.records = new Records(codec, errors);
    /** What is to be written into files. @type {import("../spill").Pairs | undefined} */
    this.pairs = undefined;
  }

  /**
   * An item leaves a step through a port, but for the step that is next. Throws if it cannot be encoded: nothing has left then.
   * @param {Port} port
   * @param {any} value
   */
  emit(port, value) {
    if (port.spills !== undefined) this.put(port.spills, value);
    if (port.exit >= 0) this.records.add(port.prefix, value);
  }

  /** @param {{ step: Step, side: number }[]} spills @param {any} value */
  put(spills, value) {
    // It goes to all of them or to none.
    encodedOf(this.codec, value);
    if (this.pairs === undefined) this.pairs = this.spill.pairs();
    for (const { step, side } of spills) this.pairs.put(step, side, value, this);
  }

  /**
   * An item failed at a step: at the entry that is the whole event.
   * @param {Step} step
   * @param {any} data
   * @param {unknown} thrown
   */
  fail(step, data, thrown) {
    if (step === this.entry) throw thrown;
    this.records.fail(step.number, data, thrown);
  }

  /** Where it is, before an item whose outputs count together. */
  mark() {
    const { pairs } = this;
    this.pairs = undefined;
    return { records: this.records.mark(), pairs };
  }

  /** The item is complete. @param {ReturnType<Attempt["mark"]>} mark */
  keep({ pairs }) {
    if (pairs === undefined) return;
    if (this.pairs !== undefined) pairs.merge(this.pairs, this);
    this.pairs = pairs;
  }

  /** Nothing of the item counts. @param {ReturnType<Attempt["mark"]>} mark */
  rollBack({ records, pairs }) {
    this.records.rollBack(records);
    this.pairs = pairs;
  }

  /** Writes what is to be written into files. @returns {string | import("buffer").Buffer} what the answer has */
  payload() {
    if (this.pairs !== undefined) this.pairs.write(this);
    return this.records.payload();
  }
}

module.exports = { Attempt };
