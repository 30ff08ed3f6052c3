"use strict";
// What one run of a pool in this process does with its events. Values are encoded and decoded before and after the stages, as they are
// between processes. Knows nothing of calls and results.

const { argsCopier } = require("../shared/args");
const { crossed, pack, unpack } = require("./in-process-values");
const { argsOfText } = require("../shared/codec");
const { JSON, Promise, Set, clearTimeout, now, setTimeout } = require("../shared/primordials");
const { NO_ADDRESS, routingOf } = require("../shared/routing");
const { inside } = require("../shared/site");
const { bytesOf } = require("./tally");
const { functionsOf } = require("../shared/stages");
const { abort: abortWaits, endScope } = require("../shared/sync/scopes");
const { PublicTask } = require("../shared/task");
const { errorToJson } = require("../shared/thrown");

/** @typedef {InstanceType<typeof import("./in-process-seen").Seen>} Seen */
/** @typedef {InstanceType<typeof import("./in-process").InProcessPool>} InProcessPool */
/** @typedef {import("./in-process-values").Packed} Packed */
/** @typedef {import("../shared/routing").Routing} Routing */

/**
 * How an attempt ended: `data` is the event's as the stages have left it, `error` a plain object as it travels.
 * @typedef {{ data: any, response?: any, error?: any, cause?: "error" | "timeout", added?: import("../shared/task").Added }} Outcome
 */

class Job {
  /**
   * @param {InProcessPool} pool
   * @param {import("./work").Work} work
   * @param {import("../shared/options").Options} options
   * @param {{ args: string | undefined, keepsData: boolean, refusal?: string, seen?: Seen }} how args as text; whether entries show
   *   the data; why events cannot emit others; what a dashboard shows of its run
   */
  constructor(pool, work, options, { args, keepsData, refusal, seen }) {
    const { taskTimeout = Infinity, retries } = options;
    this.pool = pool;
    this.keepsData = keepsData;
    /** The names of the program's classes of errors. */
    this.classes = new Set(options.classes || pool.errors.keys());
    this.refusal = refusal;
    this.seen = seen;
    this.routing = routingOf(options);
    this.workerFns = functionsOf(pool.stages, work.stages);
    this.copyArgs = argsCopier(args === undefined ? {} : argsOfText(pool.codec, args), pool.id);
    this.taskTimeout = taskTimeout;
    this.retries = retries;
    this.isStopped = false;
    // As many in each place where a worker would be.
    /** What failures are called where a dashboard shows them. */
    this.work = String(work.name);
    this.label = options.label;
    this.limits = pool.limited.limitsOf(this.workerFns, pool.size / pool.concurrency);
    /** Those that have not ended. @type {globalThis.Set<JobEvent>} */
    this.events = new Set();
  }

  /**
   * Hands an event over. Throws if its data has no encoding.
   * @param {any} data
   * @param {string} what it is, for errors
   * @param {(outcome: Outcome, priority: number) => void} settle
   * @param {Routing | undefined} routing
   * @returns {number} its priority
   */
  add(data, what, settle, routing) {
    const address = this.pool.addressOf(this.routing, routing, data);
    this.addPacked(pack(this.pool.codec, data, "data", what), settle, address);
    return address === undefined ? 0 : address.priority;
  }

  /**
   * @param {Packed} packed its data
   * @param {(outcome: Outcome, priority: number) => void} settle
   * @param {{ key: string | undefined, priority: number }} [address]
   */
  addPacked(packed, settle, address) {
    const event = new JobEvent(this, packed, settle, address);
    this.events.add(event);
    this.pool.tally.add(packed.encoded);
    this.seen?.tally.add(packed.encoded);
    this.pool.hold();
    this.pool.begin(event);
  }

  /** Nothing of it starts any more, and nothing waits for what runs: that cannot be ended. */
  stop() {
    this.isStopped = true;
    for (const event of this.events) event.interrupt();
    this.pool.forget(this);
  }

  /** What the stages get at an attempt. @param {{ attempts: object[] }} event */
  newTask({ attempts }) {
    const { codec } = this.pool;
    return new PublicTask(attempts.length, { codec, refusal: this.refusal });
  }

  /** @param {{ packed: any }} event @param {InstanceType<typeof PublicTask>} task @returns {Promise<Outcome>} */
  async runEventStages(event, task) {
    const data = unpack(event.packed);
    const { codec } = this.pool;
    try {
      let value = data;
      for (const workerFn of this.workerFns) {
        value = await workerFn({ data: value }, this.copyArgs(), task);
      }
      const packed = pack(codec, value, "response", "the response");
      this.pool.tally.bytesOut += bytesOf(packed.encoded);
      const response = unpack(packed);
      return { data: this.dataAfter(data), response, added: PublicTask.end(task) };
    } catch (thrown) {
      PublicTask.end(task);
      const error = JSON.parse(errorToJson(thrown, this.classes));
      return { data: this.dataOfFailed(event, data), error, cause: "error" };
    } finally {
      endScope(task);
    }
  }

  /** The data of an event as its entry shows it. Throws if it has no encoding any more. @param {any} data as the stages have left it */
  dataAfter(data) {
    const mayHaveChanged = this.keepsData && data !== null && typeof data === "object";
    return mayHaveChanged ? crossed(this.pool.codec, data, "data", "the event's data") : data;
  }

  /** @param {{ packed: any }} event @param {any} data */
  dataOfFailed(event, data) {
    try {
      return this.dataAfter(data);
    } catch (_) {
      return this.dataOf(event);
    }
  }

  /** The data as it was handed over. @param {{ packed: any }} event @returns {any} */
  dataOf({ packed }) {
    return unpack(packed);
  }
}

class JobEvent {
  /**
   * @param {Job} job
   * @param {Packed} packed
   * @param {(outcome: Outcome, priority: number) => void} settle
   * @param {{ key: string | undefined, priority: number }} [address] the key of which no other event may run meanwhile, and the priority
   */
  constructor(job, packed, settle, { key, priority } = NO_ADDRESS) {
    this.job = job;
    this.key = key;
    this.priority = priority;
    this.packed = packed;
    this.settle = settle;
    /** Those that have failed, as errors list them. @type {object[]} */
    this.attempts = [];
    /** What its stages get now. @type {InstanceType<typeof PublicTask> | undefined} */
    this.task = undefined;
    /** Has nobody wait for it any more. */
    this.interrupt = () => this.end(undefined);
  }

  async run() {
    const started = now();
    const outcome = await this.attempt();
    this.job.pool.tally.busy += now() - started;
    this.job.pool.freePlace(this.job);
    if (outcome === undefined || this.job.isStopped) return;
    const { retries } = this.job;
    if (outcome.error === undefined || retries === undefined || retries.limit === 0) {
      this.end(outcome);
      return;
    }
    const { name, message, code } = outcome.error;
    const { id } = this.job.pool;
    const duration = now() - started;
    this.attempts.push({ name, message, code, worker: id, pid: process.pid, duration });
    const count = this.attempts.length;
    const isWanted = retries.on.includes(/** @type {any} */ (outcome.cause));
    if (count > retries.limit || !isWanted) {
      this.end({ ...outcome, error: { ...outcome.error, attempts: this.attempts } });
      return;
    }
    this.job.pool.tally.retried++;
    if (this.job.seen !== undefined) this.job.seen.tally.retried++;
    const delay = Math.min(retries.backoff * retries.factor ** (count - 1), retries.maxDelay);
    this.backOff(delay);
  }

  /** How one attempt ends; undefined if its run was stopped. @returns {Promise<Outcome | undefined>} */
  async attempt() {
    const { taskTimeout } = this.job;
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    const interrupted = new Promise((resolve) => {
      this.interrupt = () => {
        resolve(undefined);
        this.abort(false);
        this.end(undefined);
      };
      if (taskTimeout === Infinity) return;
      timer = setTimeout(() => resolve(this.late()), taskTimeout);
    });
    const task = this.job.newTask(this);
    this.task = task;
    const ran = inside(() => this.job.runEventStages(this, task), { event: this, attempt: task });
    const outcome = await Promise.race([ran, interrupted]);
    if (timer !== undefined) clearTimeout(timer);
    return outcome;
  }

  /** @param {number} delay */
  backOff(delay) {
    const timer = setTimeout(() => this.job.pool.submit(this), delay);
    this.interrupt = () => {
      clearTimeout(timer);
      this.end(undefined);
    };
  }

  /** @returns {Outcome} */
  late() {
    this.abort(true);
    const message =
      `this event ran longer than the taskTimeout of ${this.job.taskTimeout} ms; it goes on, because an event cannot ` +
      "be ended in this process";
    const code = "ERR_SONIC_TASK_TIMEOUT";
    const error = { name: "Error", message, stack: `Error: ${message}`, code };
    return { data: this.job.dataOf(this), cause: "timeout", error };
  }

  /** Tells the stages that nobody waits for them. @param {boolean} isLate */
  abort(isLate) {
    if (this.task === undefined) return;
    PublicTask.abort(this.task, isLate);
    abortWaits(this.task, isLate);
  }

  /** @param {Outcome | undefined} outcome */
  tellFailure(outcome) {
    const { work, label, pool } = this.job;
    const { observer, id: worker } = pool;
    if (observer === null || outcome === undefined || outcome.error === undefined) return;
    observer.failed({ work, label, data: this.job.dataOf(this), error: outcome.error, worker });
  }

  /** @param {Outcome | undefined} outcome undefined: nobody asks for it */
  end(outcome) {
    if (!this.job.events.delete(this)) return;
    this.job.pool.tally.end(outcome);
    this.job.seen?.tally.end(outcome);
    this.tellFailure(outcome);
    this.job.pool.hasEnded(this);
    if (outcome !== undefined) this.settle(outcome, this.priority);
    // Whoever settles it may have added others.
    this.job.pool.letGo();
  }
}

module.exports = { Job };
