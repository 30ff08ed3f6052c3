"use strict";
// A worker's part of its program's locks, which the master keeps: loaded when it is first used. Knows which event asks for them.

const { coded } = require("../shared/errors");
const { eventInside } = require("../shared/site");
const { endScope } = require("../shared/sync/scopes");

/** @typedef {import("./runner").Task} Task */

const context = () => require("../shared/sync/context");

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
    if (this.#runner.search.wanted.isClustered) throw notOverCluster();
    if (this.#namespace === undefined) this.#namespace = this.#load();
    return this.#namespace;
  }

  #load() {
    const { Namespace } = require("../shared/sync/namespace");
    const { native, concurrency } = this.#runner;
    if (concurrency > 1) this.#follow();
    this.isUsed = true;
    const wire = { send: native.syncSend, hold: native.syncHold, isOwn: true };
    const namespace = new Namespace(wire, native);
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

const notOverCluster = () =>
  coded(
    Error,
    "ERR_SONIC_CLUSTER",
    "locks and sync do not work over a cluster yet: workers of other machines would not see them. Use the database's own locks, or " +
      "run on one machine",
  );

module.exports = { WorkerSync };
