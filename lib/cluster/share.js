"use strict";
// How much a run has of the workers, beside others of the same priority: the one that has had least is next. A run of several parts, such as
// the nodes of a flow, has one share. Pure.

/** Where the runs are: what the one had which was served last. @typedef {{ at: number }} Served */

class Share {
  /** @param {number} [weight] a run of weight 2 has had half as much for the same events */
  constructor(weight = 1) {
    this.weight = weight;
    /** Milliseconds that its events take, over the weight. */
    this.had = 0;
    /** How many events it has that have not ended, and their characters. */
    this.events = 0;
    this.size = 0;
  }

  /** It gets an event of so many characters. @param {number} size @param {Served} served */
  enters(size, served) {
    // It has had nothing to do until now: it has saved nothing up, and owes nothing.
    if (this.events === 0) this.had = Math.max(this.had, served.at);
    this.events++;
    this.size += size;
  }

  /** An event of so many characters has ended, or is asked for no more. @param {number} size */
  leaves(size) {
    this.events--;
    this.size -= size;
  }

  /** It gets so many milliseconds. @param {number} cost @param {Served} served */
  takes(cost, served) {
    served.at = Math.max(served.at, this.had);
    this.had += cost / this.weight;
  }
}

module.exports = { Share };
