"use strict";
// One run: what goes in, what comes out, and how it ends. The processes are its pool's. Its life is one phase: running,
// released (its workers leave), closed (the last has exited); `failure` says why it could not go on.

const { Input } = require("./input");
const { lockStatistics } = require("./lock-statistics");
const { ManualQueue } = require("./manual");
const { statisticsOf } = require("./nodes");
const { Output } = require("./output");
const unread = require("./unread");
const { firstFailure } = require("../shared/errors");
const { native, wire } = require("../shared/native");
const { ownOf } = require("../shared/own");
const { JSON, Promise, setImmediate } = require("../shared/primordials");
const { ResultQueue, WorkerQueue } = require("../shared/queue");
const { tagsAlone } = require("../shared/routing");
const { pointAt } = require("../shared/stack");

/** @typedef {{ error: unknown }} Failure */

class Run {
  /**
   * @param {object} parts
   * @param {InstanceType<typeof import("./pool").Pool>} parts.pool
   * @param {import("./launch").RunSettings} parts.settings
   * @param {InstanceType<typeof import("./record").Recording>} parts.recording
   * @param {((entry: any) => unknown) | undefined} parts.onResult
   * @param {{ stack?: unknown }} parts.site where the program made the call
   * @param {boolean} parts.isByHand the program has the queues from `initMaster`
   * @param {import("../shared/routing").Routing} [parts.routing] of all its events
   * @param {import("./flow").Flow} [parts.flow] what its events go through, if that is a flow
   */
  constructor({ pool, settings, recording, onResult, site, isByHand, routing, flow }) {
    this.pool = pool;
    /** What its events go through, if that is a flow. */
    this.flow = flow;
    /** The arguments of the call, for what is reduced here. @type {any} */
    this.args = {};
    this.routing = routing;
    this.settings = settings;
    this.recording = recording;
    this.isByHand = isByHand;
    /** Which run of this process it is. */
    this.number = settings.run;
    this.native = native();
    this.wire = wire();
    /** What the core knows the run by. */
    this.handle = this.native.runOpen(pool.handle, ownOf(settings, { tags: tagsAlone(routing) }));
    /** What the core's notes call it. */
    this.id = this.native.runNumber(this.handle);
    /** @type {{ stack?: unknown } | undefined} */
    this.site = site;

    /** @type {"running" | "released" | "closed"} */
    this.phase = "running";
    /** Why the run cannot go on, or was stopped. @type {Failure | null} */
    this.failure = null;
    /** The program was told that the run failed. */
    this.hasFailed = false;
    /** Rejects if the run cannot go on. @type {Promise<never>} */
    this.failed = new Promise((_, reject) => {
      this.rejectFailed = reject;
    });
    this.failed.catch(() => {});
    /** Wakes those that wait for news of the run. @type {(() => void)[]} */
    this.waiting = [];

    this.checkpoint =
      settings.checkpoint === undefined ? undefined : require("./checkpoint").checkpointOf(this);
    this.input = new Input(this);
    this.manual = new ManualQueue(this);
    this.output = new Output(this, onResult);
    this.workerQueue = new WorkerQueue(this.input, this.manual);
    this.results = new ResultQueue(this.output.results);
    this.failures = new ResultQueue(this.output.failures);
    /** What its events go through, by its name, in a pool that stays. @type {string | undefined} */
    this.work = undefined;
    /** The client that asked for it, if it was not the program itself. @type {unknown} */
    this.owner = undefined;
    /** Has the pool forget this run, where that stays. @type {(() => void) | undefined} */
    this.leave = undefined;
    /** Who reads the entries while the run goes on.
     * @type {InstanceType<typeof import("./stream").Reader> | null} */
    this.reader = null;
    /** What is unread when it is over. @type {{ failures?: import("./unread").Unseen }} */
    this.unread = {};
  }

  get isRunning() {
    return this.phase === "running";
  }

  /** Begins the run, and starts the processes of its pool. */
  begin() {
    this.pool.serve(this);
    this.output.begin();
    this.recording.begin(this);
    unread.begin(this);
    try {
      this.pool.start();
    } catch (error) {
      this.fail(error);
      this.release();
    }
  }

  /** @returns {import("../../index").RunStatistics} the statistics so far */
  statistics() {
    const told = JSON.parse(this.native.runStatistics(this.handle));
    return { ...statisticsOf(told, this.flow?.plan).statistics, ...lockStatistics() };
  }

  /** Resolves at the next news of the run. @returns {Promise<void>} */
  news() {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  onNews() {
    this.input.admit();
    for (const resolve of this.waiting.splice(0)) resolve();
    if (this.reader !== null) this.reader.makeRoom();
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.failure) return;
    this.failure = { error: pointAt(error, this.site) };
    this.hasFailed = true;
    this.rejectFailed(error);
    this.manual.fail(error);
  }

  /**
   * Stops the run for good: nothing more is started, everything that waits rejects, and the workers exit.
   * @param {unknown} error
   */
  stop(error) {
    if (this.failure) return;
    this.fail(error);
    this.native.runStop(this.handle);
    this.release();
  }

  /** Nobody waits for it any more: what has not started does not, and what runs ends unseen. @param {unknown} error */
  abandon(error) {
    this.fail(error);
    this.release();
    this.onNews();
    if (this.leave !== undefined) this.leave();
  }

  /** An event failed, and that is to stop the run. */
  stopByFailure() {
    if (this.failure === null) this.stop(firstFailure(this.output.failures.take()));
  }

  /**
   * Hands all events over, and waits until they are answered. Releases the run if that fails.
   * @param {any} masterFn
   * @param {any} args
   */
  async lead(masterFn, args) {
    this.args = args;
    try {
      await Promise.race([masterFn(this.workerQueue, args), this.failed]);
      this.recording.progress.complete();
      await Promise.race([this.drain(), this.failed]);
      this.throwFailure();
      if (this.checkpoint !== undefined) this.checkpoint.close();
    } catch (error) {
      this.release({ error });
      throw error;
    }
  }

  throwFailure() {
    if (this.failure) throw this.failure.error;
  }

  /** Resolves when every event that was handed over is answered. */
  async drain() {
    const { native, handle, input, manual, output, pool } = this;
    while (manual.wanted.length > 0 && !this.failure) {
      // No id is given back any more: any free worker will do. If none is free, one will answer.
      if (manual.giveFree() > 0) await new Promise((resolve) => setImmediate(resolve));
      else await this.news();
    }
    output.checkLog();
    while (!native.runDrained(handle)) await this.news();
    // The exit of a worker whose event was the last to end, for one, is told while the run is there.
    pool.wake();
    input.admit();
    output.takeObserved();
    pool.told.tellNow();
    while (output.showing > 0) await this.news();
    // The note that says so may still be on its way.
    if (this.settings.stopOnFailure && !output.failures.isEmpty()) this.stopByFailure();
  }

  /**
   * Ends the run. Its pool releases the workers, if it has no other.
   * @param {Failure | null} failure why the run ends, if it has not succeeded
   */
  release(failure = this.failure) {
    if (!this.isRunning) return;
    this.phase = "released";
    this.hasFailed = failure !== null;
    // Nothing is answered any more that anybody could wait for.
    this.input.end();
    this.manual.stopPolling();
    if (this.checkpoint !== undefined) this.checkpoint.drop();
    this.pool.release();
    this.recording.end(this, failure);
  }

  /** The last worker has exited. */
  close() {
    this.phase = "closed";
    this.site = undefined;
    unread.over(this);
    this.recording.close(this);
  }
}

module.exports = { Run };
