"use strict";
// One attempt at an event of a flow: what its functions get beside their items, and all that it has put out so far.

const { Records, encodedOf } = require("./records");

/** So many times more bytes than are put out may be written by one event. */
const WRITES = 16;

/** @typedef {import("./steps").AnyStep} Step */
/** @typedef {import("./steps").AnyPort} Port */
/** @typedef {{ args: () => any, context: any }} How */
/** @typedef {Attempt} AnyAttempt */

class Attempt {
  /** @param {Pick<import("../flow").Work, "codec" | "errors" | "spill">} work @param {Step} entry @param {How} how */
  constructor({ codec, errors, spill }, entry, { args, context }) {
    this.entry = entry;
    this.args = args;
    this.context = context;
    this.codec = codec;
    this.spill = spill;
    this.records = new Records(codec, errors);
    /** What is to be written into files. @type {import("./pairs").AnyPairs | undefined} */
    this.pairs = undefined;
    /** What fails the event wherever it is thrown. @type {{ thrown: unknown } | undefined} */
    this.death = undefined;
  }

  /** About how much was put out. Few large writes are better than many small ones. */
  get size() {
    const written = this.pairs === undefined ? 0 : this.pairs.length;
    return this.records.size + written / WRITES;
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
    // It goes to all of them or to none, and what is combined is not encoded until then.
    const isPut = spills.length === 1 && spills[0].step.planKind !== "reduceByKey";
    if (!isPut && !isSimplePair(value)) encodedOf(this.codec, value);
    if (this.pairs === undefined) this.pairs = this.spill.pairs();
    for (const { step, side } of spills) this.pairs.put(step, side, value, this);
  }

  /**
   * An item failed at a step: at the entry that is the whole event.
   * @param {Step} step
   * @param {any} data
   * @param {unknown} thrown
   * @param {() => string} [redo] makes the JSON of the data that tries it again, if that is not its own
   */
  fail(step, data, thrown, redo) {
    this.check();
    if (step === this.entry) throw thrown;
    this.records.fail(step.number, data, thrown, redo?.());
  }

  /**
   * What cannot be done fails the event.
   * @template T
   * @param {() => T} act
   * @returns {T}
   */
  orDie(act) {
    try {
      return act();
    } catch (thrown) {
      this.death = { thrown };
      throw thrown;
    }
  }

  /** Throws what fails the event, although something else may have caught it. */
  check() {
    if (this.death !== undefined) throw this.death.thrown;
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
    this.check();
    return this.records.payload();
  }
}

/** Whether a value is a pair whose value has an encoding. @param {any} value */
function isSimplePair(value) {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const type = typeof value[1];
  return type === "number" || type === "string" || type === "boolean" || value[1] === null;
}

module.exports = { Attempt };
