"use strict";
// A worker's part of its program's locks, which the master keeps: loaded when it is first used. Knows which event asks for them.

/** @typedef {import("./runner").Task} Task */

class WorkerSync {
  #runner;
  /** @type {InstanceType<typeof import("../shared/sync/namespace").Namespace> | undefined} */
  #namespace;

  /** @param {Pick<import("./runner").Self, "native" | "concurrency" | "jobs" | "onSync">} runner */
  constructor(runner) {
    this.#runner = runner;
    /** The event whose functions run at this very moment. @type {Task | undefined} */
    this.current = undefined;
    /** Follows an event into what it waits for, once locks are used and if several events run at once. @type {typeof import("../shared/sync/context").inEvent | undefined} */
    this.inEvent = undefined;
  }

  /** The event that the code belongs to which runs now, if that is known. @returns {Task | undefined} */
  eventNow() {
    return this.current || this.#runner.jobs.onlyOpen();
  }

  namespace() {
    if (this.#namespace === undefined) this.#namespace = this.#load();
    return this.#namespace;
  }

  #load() {
    const { inEvent } = require("../shared/sync/context");
    const { Namespace } = require("../shared/sync/namespace");
    /** @type {any} */
    const { native, concurrency } = this.#runner;
    if (concurrency > 1) this.inEvent = inEvent;
    const wire = { send: native.syncSend, hold: native.syncHold, isOwn: true };
    const namespace = new Namespace(wire, native);
    this.#runner.onSync = (text, value) => namespace.hear({ text, value });
    return namespace;
  }
}

module.exports = { WorkerSync };
