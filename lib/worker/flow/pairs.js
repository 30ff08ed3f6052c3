"use strict";
// What one event writes into files: keys with their values, of each hold that its items reach.

const { Combined } = require("./combined");
const { Listed } = require("./listed");

/** @typedef {import("./steps").AnyStep} Step */
/** @typedef {import("./attempt").AnyAttempt} Attempt */
/** @typedef {import("../spill").AnySpill} Spill */
/** @typedef {Pairs} AnyPairs */
/** @typedef {InstanceType<typeof Combined> | InstanceType<typeof Listed>} AnyPut */

class Pairs {
  /** @param {Spill} spill */
  constructor(spill) {
    this.spill = spill;
    /** @type {AnyPut[]} */
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
    if (to.length >= to.most) to.write(attempt);
  }

  /** About how many bytes there are. */
  get length() {
    return this.puts.reduce((sum, { length }) => sum + length, 0);
  }

  /** @param {Step} step @param {number} side */
  of(step, side) {
    const { puts } = this;
    for (let at = 0; at < puts.length; at++)
      if (puts[at].step === step && puts[at].side === side) return puts[at];
    const Kind = step.planKind === "reduceByKey" ? Combined : Listed;
    const put = new Kind(this.spill, step, side);
    puts.push(put);
    return put;
  }

  /** Takes over what an item has put that is complete. @param {Pairs} other @param {Attempt} attempt */
  merge(other, attempt) {
    for (const put of other.puts) {
      const to = this.of(put.step, put.side);
      to.merge(/** @type {any} */ (put), attempt);
      if (to.length >= to.most) to.write(attempt);
    }
  }

  /** Writes all there is. @param {Attempt} attempt */
  write(attempt) {
    for (const put of this.puts) put.write(attempt);
  }
}

module.exports = { Pairs };
