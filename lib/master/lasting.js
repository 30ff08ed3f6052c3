"use strict";
// The workers of a pool that stays: started once, they serve any number of runs, one after another and at once. They are no business of
// Node's cluster: the program sees the pool alone.

const { Idle } = require("./idle");
const { poolSettings } = require("./launch");
const { publish } = require("./diagnostics");
const { lockStatistics } = require("./lock-statistics");
const { hearAll, hearQuietly } = require("./notes");
const { Pool, poolOfWorker } = require("./pool");
const { Resizing } = require("./resize");
const { removeSpilled } = require("./spill");
const { coded } = require("../shared/errors");
const { JSON, Map, Promise, Set, now } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./calls").Call>} Call */

/** Milliseconds for which this thread waits for an answer itself. */
const LONGEST_WAIT = 1;

/** So often in a row it does so in vain: what runs now takes longer than what ran before. */
const MOST_IN_VAIN = 3;

/** The pools that are not closed. @type {globalThis.Set<LastingPool>} */
const open = new Set();

/** The program has nothing more to do: what is idle ends. */
function endIdle() {
  for (const pool of open) if (pool.holding === 0) pool.end();
}

class LastingPool extends Pool {
  /** @param {number} numWorkers @param {Call} call @param {import("../shared/options").Options} options */
  constructor(numWorkers, call, options) {
    super(numWorkers, call, options, poolSettings());
    this.call = call;
    this.startedAt = now();
    this.errors = new Map((options.errors || []).map((Class) => [Class.name, Class]));
    /** How many workers there are to be. */
    this.size = numWorkers;
    this.resizing = new Resizing(this);
    this.isReleased = false;
    this.isStarted = false;
    this.idle = new Idle();
    /** The processes of its workers, by their ids. @type {globalThis.Map<number, number>} */
    this.pids = new Map();
    /** Work that keeps this process alive: calls, runs, the start, the end. */
    this.holding = 0;
    /** Nothing new is taken in. */
    this.isClosing = false;
    /** Why it cannot go on. @type {{ error: unknown } | undefined} */
    this.failure = undefined;
    /** Rejects then. @type {Promise<never>} */
    this.failed = new Promise((_, reject) => {
      this.rejectFailed = reject;
    });
    this.failed.catch(() => {});
    /** Those that hear of it then: a promise would keep each for as long as the pool. @type {globalThis.Set<(error: unknown) => void>} */
    this.listeners = new Set();
    /** Resolves when the last worker has exited. @type {Promise<void>} */
    this.closed = new Promise((resolve) => {
      this.hasClosed = resolve;
    });
    /** @type {((value?: any) => void)[]} */
    this.waitingForEnd = [];
    this.isClosed = false;
  }

  /** At its first run it is started already. */
  start() {
    if (this.isStarted) return;
    this.isStarted = true;
    for (const id of this.ids) poolOfWorker.set(id, this);
    if (open.size === 0) process.on("beforeExit", endIdle);
    open.add(this);
    this.ids.forEach((id, slot) => {
      const started = this.native.poolSpawn(this.handle, slot);
      // The machine has none to spare now: the core tries again, and tells.
      if (started !== null) this.hasStarted(id, started.pid);
    });
  }

  /** @param {number} id of a worker @param {number} pid */
  hasStarted(id, pid) {
    this.pids.set(id, pid);
    publish("workerStart", () => this.describedAt(id));
  }

  /** A worker as diagnostics channels show it. @param {number} id */
  describedAt(id) {
    return { run: this.launch.number, worker: id, pid: this.pids.get(id) };
  }

  /**
   * What workers are told of a run.
   * @param {import("./work").Work} work
   * @param {string | undefined} args as text
   * @param {{ keepsNull: boolean, keepsData: boolean, classes?: string[], refusal?: string }} how `classes`: the names of those of which
   *   its errors may be, by default the program's own; the others see `Job` in lib/worker/jobs.js
   */
  aboutOf(work, args, { classes = [...this.errors.keys()], ...how }) {
    const errors = classes.length > 0 ? classes : undefined;
    const chains = work.options.chains?.map(({ length }) => length);
    const flow = work.options.flow?.plan.fingerprint;
    return JSON.stringify({ work: work.stages, chains, flow, args, errors, ...how });
  }

  /** @param {import("./pool").AnyRun} run that begins */
  serve(run) {
    this.runs.push(run);
  }

  /** Its run is over, and nobody asks for it any more. @param {import("./pool").AnyRun} run */
  leave(run) {
    const at = this.runs.indexOf(run);
    if (at < 0) return;
    this.runs.splice(at, 1);
    this.native.runClose(run.handle);
    if (run.flow !== undefined) removeSpilled(this.launch.spillFolder, run.id);
  }

  /** From now on this keeps the process alive, until `letGo` was called as often. */
  hold() {
    if (this.holding++ === 0) this.native.poolHold(this.handle, true);
  }

  letGo() {
    if (--this.holding > 0 || this.isClosed) return;
    this.native.poolHold(this.handle, false);
    for (const resolve of this.waitingForEnd.splice(0)) resolve();
  }

  /**
   * An answer is awaited: where they come soon, this thread waits for them when nothing else is to be done, and never for longer than
   * a millisecond at a time. If none comes, it is called as usual.
   * @param {number} inVain how often it has done so for nothing
   */
  listenSoon(inVain = 0) {
    this.idle.whenIdle(() => {
      if (this.holding === 0) return;
      const hasEntries = this.native.poolListen(this.handle, LONGEST_WAIT);
      if (hasEntries) for (const run of [...this.runs]) run.onNews();
      else if (inVain + 1 < MOST_IN_VAIN) this.listenSoon(inVain + 1);
    });
  }

  /** The core has news. */
  wake() {
    for (const run of this.runs) this.native.runTurned(run.handle);
    try {
      hearAll(this, hearQuietly);
    } finally {
      for (const run of [...this.runs]) run.onNews();
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.rejectFailed(error);
    for (const listener of this.listeners) listener(error);
    this.resizing.fail(error);
  }

  /** Calls this when the pool cannot go on, until the function that is returned is called. @param {(error: unknown) => void} listener */
  onFailure(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Throws if the pool takes nothing in any more. */
  check() {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.isClosing) throw poolIsClosed();
  }

  /** @param {number} size */
  resize(size) {
    return this.resizing.to(size);
  }

  /** How values cross. */
  get encoding() {
    return this.launch.serialization;
  }

  /** How many events its workers run at once. */
  get places() {
    const { groups, groupOf, concurrency } = this.launch;
    const placesOf = (/** @type {number} */ group) => groups[group].concurrency || concurrency;
    // Only a pool with one group is resized.
    return groups.length === 1
      ? this.size * placesOf(0)
      : groupOf.reduce((sum, group) => sum + placesOf(group), 0);
  }

  /** What it has done since its start. @returns {import("../../index").RunStatistics} */
  statistics() {
    const { startedAt } = this;
    const own = JSON.parse(this.native.poolStatistics(this.handle));
    return { ...own, ...lockStatistics(), startedAt };
  }

  /** A run is over: the workers stay. */
  release() {}

  /** Takes nothing in any more, and resolves when all that it has is done. */
  async drain() {
    this.isClosing = true;
    // Once they are released there is nothing else.
    if (this.holding > 0 && !this.isReleased)
      await new Promise((resolve) => this.waitingForEnd.push(resolve));
  }

  /** Releases the workers. */
  end() {
    this.isClosing = true;
    if (this.isReleased) return;
    this.isReleased = true;
    this.hold();
    this.native.poolRelease(this.handle);
  }

  /** The last worker has exited. */
  close() {
    // What was answered until then comes first.
    for (const run of [...this.runs]) run.onNews();
    super.close();
    this.isClosing = true;
    this.isReleased = true;
    this.isClosed = true;
    open.delete(this);
    if (open.size === 0) process.removeListener("beforeExit", endIdle);
    this.call.end();
    for (const resolve of this.waitingForEnd.splice(0)) resolve();
    this.resizing.fail(poolIsClosed());
    this.hasClosed();
  }
}

const poolIsClosed = () => coded(Error, "ERR_SONIC_POOL_CLOSED", "the pool is closed");

module.exports = { LastingPool, poolIsClosed };
