"use strict";
// Has this thread wait for workers itself, which saves a thread and a turn of the event loop, but only when the program has nothing
// else to do: once all that was scheduled has had its turn.

const { executionAsyncId } = require("async_hooks");
const { setImmediate } = require("../shared/primordials");

class Idle {
  constructor() {
    this.isScheduled = false;
    /** The number that Node gave the last operation in which this thread waited. */
    this.waitedIn = 0;
    /** How many operations this package has begun itself since. */
    this.begun = 0;
  }

  /** Calls this when there is nothing else to do; not at all if the program has begun something meanwhile. @param {() => void} wait */
  whenIdle(wait) {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.begun++;
    setImmediate(() => {
      this.isScheduled = false;
      if (!this.isBusyBeside()) wait();
    });
  }

  /** Whether the program has begun anything else since this thread last waited: its event loop turns for that. */
  isBusyBeside() {
    // Node numbers all operations: timers, reads, requests.
    const operation = executionAsyncId();
    const isBusy = operation - this.waitedIn > this.begun;
    this.waitedIn = operation;
    this.begun = 0;
    return isBusy;
  }
}

module.exports = { Idle };
