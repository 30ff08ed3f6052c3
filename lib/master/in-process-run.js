"use strict";
// Calls and runs of a pool whose stages run in this process: the same as `Batch` and `Run` are of workers.

const { ONE_ANSWER, checkData } = require("./batch");
const { CountedRun } = require("./counted-run");
const { checkFlowOptions } = require("./flow");
const { Job } = require("./in-process-job");
const { seenOf } = require("./in-process-seen");
const { IN_ORDER } = require("./pool-run");
const { revive } = require("./revive");
const { Promise, Set } = require("../shared/primordials");

/** @typedef {import("./batch").Awaited} Awaited */
/** @typedef {import("./in-process-job").InProcessPool} InProcessPool */
/** @typedef {import("./in-process-job").Outcome} Outcome */
/** @typedef {import("./work").Work} Work */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {import("../shared/options").Options} Options */

/** Events of which each has a promise of its own. */
class Batch {
  /** @param {InProcessPool} pool @param {Work} work @param {Options} options @param {string | undefined} args as text */
  constructor(pool, work, options, args) {
    this.pool = pool;
    this.work = work;
    const how = { args, keepsData: false, refusal: ONE_ANSWER };
    this.job = new Job(pool, work, options, how);
    this.isRunning = true;
    this.isKept = false;
    /** Makes what a call rejects with. */
    this.revive = revive;
    /** The client that asked for it, if it was not the program itself. @type {unknown} */
    this.owner = undefined;
    /** @type {globalThis.Set<Awaited>} */
    this.awaited = new Set();
    pool.runs.push(this);
  }

  /** @param {Awaited} awaited @param {Routing} [routing] @returns {number} its priority */
  add(awaited, routing) {
    checkData(awaited.data);
    const settle = (/** @type {Outcome} */ outcome) => this.settle(awaited, outcome);
    const priority = this.job.add(awaited.data, "the data", settle, routing);
    this.awaited.add(awaited);
    return priority;
  }

  /** There is one worker, and none that comes later. @type {InstanceType<typeof import("./batch").Batch>["addToEach"]} */
  addToEach(data, tags, _title, site) {
    return [new Promise((resolve, reject) => this.add({ data, site, resolve, reject }, { tags }))];
  }

  /** Resolves when there is room for another. @param {Awaited} awaited @param {Routing} [routing] */
  async addWhenReady(awaited, routing) {
    await this.pool.whenRoom(this.job, this.add(awaited, routing));
  }

  /** @param {Awaited} awaited @param {Outcome} outcome */
  settle(awaited, { response, error, added }) {
    this.pool.tally.count(added);
    this.awaited.delete(awaited);
    if (error === undefined) awaited.resolve(response);
    else awaited.reject(this.errorOf(error, awaited));
    if (this.awaited.size === 0 && !this.isKept) this.leave();
  }

  /** @param {any} error @param {Awaited} awaited */
  errorOf(error, { data, site }) {
    const attempts = error.attempts?.length || 1;
    const { id: worker } = this.pool;
    const task = { work: this.work.name, data, attempts, worker, pid: process.pid };
    return this.revive(error, task, site, this.pool.errors);
  }

  /** @param {unknown} error */
  stop(error) {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.job.stop();
    for (const awaited of this.awaited) awaited.reject(error);
    this.awaited.clear();
    this.leave();
  }

  /** Nobody waits for it any more. @param {unknown} error */
  abandon(error) {
    this.stop(error);
  }

  leave() {
    this.isRunning = false;
    this.pool.leave(this);
  }
}

/** A run as `MapReduce` has it, or a stream. */
class Run extends CountedRun {
  /** @param {InProcessPool} pool @param {Work} work @param {Options} options @param {string | undefined} args as text */
  constructor(pool, work, options, args) {
    super(pool, options);
    const refusal = options.order === "submission" ? IN_ORDER : undefined;
    this.seen = seenOf(pool, work);
    this.job = new Job(pool, work, options, { args, keepsData: true, refusal, seen: this.seen });
  }

  halt() {
    this.job.stop();
  }

  /** @param {any} event @param {Routing} [routing] */
  async handOver({ data }, routing) {
    this.checkRunning();
    // Its number counts once it is taken in.
    const priority = this.job.add(data, "Map: the event", this.settling(this.count), routing);
    this.begun();
    await this.pool.whenRoom(this.job, priority);
  }

  /**
   * An event has ended well: what it adds is this run's, and as urgent.
   * @param {import("../shared/task").Added | undefined} added
   * @param {number} priority
   */
  add(added, priority) {
    this.pool.tally.count(added);
    if (added === undefined) return;
    for (const packed of added.emitted) {
      const number = this.begun();
      this.job.addPacked(packed, this.settling(number), { key: undefined, priority });
    }
  }

  /** @param {number} number of an event @returns {(outcome: Outcome, priority: number) => void} */
  settling(number) {
    return (outcome, priority) => this.settle(number, outcome, priority);
  }

  /** @param {number} number @param {Outcome} outcome @param {number} priority */
  settle(number, outcome, priority) {
    this.add(outcome.added, priority);
    this.ended(number, this.entryOf(outcome));
  }

  /** @param {Outcome} outcome */
  entryOf({ data, response, error }) {
    /** @type {any} */
    const entry = { id: this.pool.id };
    if (data !== undefined) entry.data = data;
    if (error !== undefined) Object.assign(entry, { failed: true, error });
    else if (response !== undefined) entry.response = response;
    return entry;
  }
}

/** @param {InProcessPool} pool @param {Work} work @param {import("./pool-run").Given} given */
function begin(pool, work, { options, args }) {
  const { flow, signal } = options;
  if (flow === undefined) return new Run(pool, work, options, args).begin(signal);
  checkFlowOptions(options);
  // Few pools have flows.
  const { FlowRun } = require("./in-process-flow");
  return new FlowRun(pool, work, options, args).begin(signal);
}

module.exports = { Batch, begin };
