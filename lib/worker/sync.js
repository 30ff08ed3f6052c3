"use strict";
// A worker's part of its program's locks, which the master keeps: loaded when it is first used. Knows which event asks for them.

const { eventInside } = require("../shared/site");
const { endScope } = require("../shared/sync/scopes");

/** @typedef {import("./runner").Task} Task */

const context = () => require("../shared/sync/context");

/** Few masters have several machines. */
const overCluster = () => require("../shared/sync/clustered");

class WorkerSync {
  #runner;
  /** @type {InstanceType<typeof import("../shared/sync/namespace").Namespace> | undefined} */
  #namespace;
  /** Locks were first used in the event whose functions run at this very moment. */
  #hasEntered = false;

  /** @param {Pick<import("./runner").Self, "native" | "concurrency" | "jobs" | "onSync" | "search">} runner */
  constructor(runner) {
    this.#runner = runner;
    this.isUsed = false;
    /** The event whose functions run at this very moment. @type {Task | undefined} */
    this.current = undefined;
    /** Follows an event into what it waits for, once locks are used and if several events run at once. @type {typeof import("../shared/sync/context").inEvent | undefined} */
    this.inEvent = undefined;
  }

  /** The event that the code belongs to which runs now, if that is known. @returns {Task | undefined} */
  eventNow() {
    return this.current || eventInside() || this.#runner.jobs.onlyOpen();
  }

  namespace() {
    if (this.#namespace === undefined) this.#namespace = this.#load();
    return this.#namespace;
  }

  #load() {
    const { Namespace } = require("../shared/sync/namespace");
    const { native, concurrency } = this.#runner;
    const sendFar = (/** @type {string} */ text, /** @type {Uint8Array | null} */ value) => {
      const { MOST_BYTES, tooLarge } = overCluster();
      if (value !== null && value.byteLength > MOST_BYTES) throw tooLarge("the value", value);
      native.syncSend(text, value);
    };
    if (concurrency > 1) this.#follow();
    this.isUsed = true;
    const { isClustered } = this.#runner.search.wanted;
    if (isClustered === "no locks") throw overCluster().noLocks();
    // On another machine than the master.
    const isOnHost = isClustered === "host";
    // Of another machine the master shares no memory, and does not know its events.
    const wire = {
      send: isOnHost ? sendFar : native.syncSend,
      hold: native.syncHold,
      isOwn: !isOnHost,
    };
    const namespace = new Namespace(wire, isOnHost ? undefined : native);
    if (isClustered) namespace.sync = overCluster().clustered(namespace.sync);
    this.#runner.onSync = (text, value) => namespace.hear({ text, value });
    return namespace;
  }

  /** Events are followed from now on, the one that runs now too. */
  #follow() {
    const { enter, inEvent } = context();
    const task = this.eventNow();
    if (task !== undefined) enter(task);
    this.#hasEntered = this.current !== undefined;
    this.inEvent = inEvent;
  }

  /** The functions of an event have returned: a promise, if nothing has come of it yet. @param {Task} task @param {number | boolean | undefined} outcome */
  leave(task, outcome) {
    this.current = undefined;
    if (!this.isUsed) return;
    if (outcome !== undefined && outcome !== false) this.ended(task);
    if (!this.#hasEntered) return;
    this.#hasEntered = false;
    context().leave();
  }

  /** An event has ended: code that it has left behind belongs to none. @param {Task} task */
  ended(task) {
    if (this.isUsed) endScope(task);
  }
}

module.exports = { WorkerSync };
