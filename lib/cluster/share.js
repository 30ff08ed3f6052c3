"use strict";
// How much a run has had of the workers, beside others of the same priority: the one that has had least is next. Pure.

/** Where the runs are: what the one had which was served last. @typedef {{ at: number }} Served */

class Share {
  /** @param {number} [weight] a run of weight 2 has had half as much for the same events */
  constructor(weight = 1) {
    this.weight = weight;
    /** Milliseconds that its events take, over the weight. */
    this.had = 0;
  }

  /** It has had nothing to do until now: it has saved nothing up, and owes nothing. @param {Served} served */
  begin(served) {
    this.had = Math.max(this.had, served.at);
  }

  /** It gets so many milliseconds. @param {number} cost @param {Served} served */
  takes(cost, served) {
    served.at = Math.max(served.at, this.had);
    this.had += cost / this.weight;
  }
}

module.exports = { Share };
