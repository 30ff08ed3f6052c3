"use strict";
// What is done with a worker's events: the functions that they go through, and what those get beside the event. `MapReduce` has one
// job for all events. In a pool that stays each run has one, which the worker hears of before the run's first event, or soon after.

const { argsCopier } = require("../shared/args");
const { argsOfText } = require("../shared/codec");
const { coded } = require("../shared/errors");
const { otherFlow } = require("../shared/flow/given");
const { isFlow, planOfFlow } = require("../shared/flow/made");
const { hasOwn, ownOf } = require("../shared/own");
const { Places, count, isFull } = require("../shared/places");
const { JSON, Map, Set } = require("../shared/primordials");
const { chainsOf, cut, isStage, optionsOf } = require("../shared/stage");
const { functionsOf } = require("../shared/stages");
const { abort: abortWaits } = require("../shared/sync/scopes");
const { PublicTask } = require("../shared/task");

/**
 * `keepsNull`: null is an answer like any other. `keepsData`: the event's data is read again, as it is then. `givesTask`: the
 * functions get a third parameter. `refusal`: why they cannot emit further events, if so. `errors`: the names of those classes of
 * errors that the master knows. `limits`: those of its stages.
 * @typedef {object} Job
 * @property {WorkerFn[]} workerFns
 * @property {() => any} copyArgs
 * @property {import("../shared/codec").Codec} codec
 * @property {boolean} logs
 * @property {boolean} keepsNull
 * @property {boolean} keepsData
 * @property {boolean} givesTask
 * @property {string} [refusal]
 * @property {ReadonlySet<string>} [errors]
 * @property {number} run
 * @property {import("../shared/places").Job["limits"]} limits
 * @property {Job[]} [chains] the job of each chain of its functions, if there are several, or of each node of its flow
 * @property {any} [flow] the `FlowWork` that runs its events, if they go through one
 * @property {(runner: any, task: Task, given: any, inTurn: boolean) => number | boolean | undefined} [runInFlow] runs an event through it
 * @property {number} [node] the number of the node that they enter
 * @property {import("./flow/steps").AnyStep[]} [maps] if they go through nothing but maps from there: the functions of these are `workerFns`
 * @property {(runner: any, task: Task, given: any, inTurn: boolean, at: number, data: any, result: any, isThrown: boolean) => number | boolean | undefined} [leaveMaps]
 */
/** @typedef {(event: { data: any }, args: any, task?: any) => any} WorkerFn */
/** @typedef {(job: Job) => void} Start */
/** @typedef {import("./runner").Task} Task */

/** @typedef {Jobs} AllJobs */

class Jobs {
  /**
   * @param {number} id of the worker
   * @param {InstanceType<typeof import("./runner").Runner>["codec"]} codec
   * @param {(run: number, isLeft: boolean) => void} leave leaves the events of a run to other workers, or does not any more
   * @param {(run: number) => any} [spillFor] what a run's flow writes too large values with
   */
  constructor(id, codec, leave, spillFor = () => undefined) {
    this.id = id;
    this.codec = codec;
    this.leave = leave;
    this.spillFor = spillFor;
    /** Of every event; in a pool that stays, none. @type {Job | undefined} */
    this.only = undefined;
    /** A pool's stages by name. @type {Record<string, unknown>} */
    this.stages = {};
    this.places = new Places();
    /** By the number of the run. @type {globalThis.Map<number, Job>} */
    this.byRun = new Map();
    /** Events whose runs this worker has yet to hear of. @type {{ run: number, start: Start }[]} */
    this.early = [];
    /** The events that go on: they may be told that they are over. @type {globalThis.Set<Task>} */
    this.open = new Set();
  }

  /** All events go through this. @param {WorkerFn[] | object} work functions, or a flow @param {any} args */
  setOnly(work, args) {
    this.only = isFlow(work)
      ? this.onlyFlow(work, args)
      : this.onlyFunctions(/** @type {WorkerFn[]} */ (work), args);
  }

  /** @param {WorkerFn[]} workerFns @param {any} args */
  onlyFunctions(workerFns, args) {
    const givesTask = workerFns.some(isStage);
    const fns = givesTask ? workerFns.map(withTwo) : workerFns;
    const lengths = chainsOf(workerFns.map(optionsOf)).map(({ length }) => length);
    const only = { ...this.plain(fns, args), logs: true, keepsData: true, givesTask };
    return this.withChains(only, lengths);
  }

  /** @param {object} flow @param {any} args */
  onlyFlow(flow, args) {
    const only = { ...this.plain([], args), logs: true, givesTask: true };
    const job = this.withFlow(only, flow);
    for (const { jobs } of job.limits) jobs.add(job);
    return job;
  }

  /**
   * A job whose events go through a flow: each node has a job of its own, which names it.
   * @param {Job} job
   * @param {object} flow
   * @returns {Job}
   */
  withFlow(job, flow) {
    return require("./in-flow").jobOfFlow(this, job, flow);
  }

  /** @param {WorkerFn[]} workerFns @param {any} args @returns {Job} */
  plain(workerFns, args = {}) {
    const copyArgs = argsCopier(args, this.id);
    const { codec } = this;
    const flags = { logs: false, keepsNull: false, keepsData: false, givesTask: false };
    return { workerFns, copyArgs, codec, ...flags, run: 0, limits: [] };
  }

  /**
   * A job whose functions are chains of these lengths.
   * @param {Job} job
   * @param {number[]} [lengths]
   * @returns {Job}
   */
  withChains(job, lengths = []) {
    if (lengths.length < 2) return job;
    const last = lengths.length - 1;
    const chains = cut(job.workerFns, lengths).map((workerFns, at) => {
      // The data of the entry is the event's own, and what is in between is whatever it is.
      const how =
        at === last
          ? { keepsData: false }
          : { keepsNull: true, keepsData: at === 0 && job.keepsData };
      // An event takes the places of those stages alone that it goes through here.
      const limits = job.limits.length > 0 ? this.places.limitsOf(workerFns) : job.limits;
      return { ...job, workerFns, limits, ...how };
    });
    return { ...job, chains };
  }

  /** @param {number} run @returns {Job | undefined} */
  of(run) {
    return this.only || this.byRun.get(run);
  }

  /** Whether an event's data is looked at again when it ends, as far as that is known. @param {number} run its number, in the lower half */
  keepsData(run) {
    const job = this.of(run & 0xffff);
    return job === undefined || job.keepsData;
  }

  /**
   * The master tells of a run of a pool that stays.
   * @param {number} run
   * @param {string | undefined} about what its events go through; undefined if the run is over
   * @param {{ run: number }[]} given the events that wait for their turn here
   */
  hear(run, about, given) {
    if (about === undefined) {
      this.forget(this.byRun.get(run));
      if (given.some((event) => (event.run & 0xffff) === run))
        this.byRun.set(run, this.plain([runIsOver]));
      else this.byRun.delete(run);
      this.startEarly(run, this.plain([runIsOver]));
      return;
    }
    const told = ownOf(JSON.parse(about));
    const { args, keepsNull, keepsData, refusal, errors } = told;
    const copied = args === undefined ? {} : argsOfText(this.codec, args);
    const how = { keepsNull, keepsData, refusal, errors: new Set(errors), givesTask: true, run };
    const job =
      told.flow === undefined ? this.jobOf(told, copied, how) : this.flowOf(told, copied, how);
    for (const { jobs } of job.limits) jobs.add(job);
    if (isFull(job)) this.leave(run, true);
    this.byRun.set(run, job);
    this.startEarly(run, job);
  }

  /** @param {any} told @param {any} args @param {any} how @returns {Job} */
  jobOf({ work, chains }, args, how) {
    const workerFns = functionsOf(this.stages, work);
    const limits = this.places.limitsOf(workerFns);
    return this.withChains({ ...this.plain(workerFns, args), ...how, limits }, chains);
  }

  /** The same of a run whose events go through a flow. @param {any} told @param {any} args @param {any} how @returns {Job} */
  flowOf({ work, flow: fingerprint }, args, how) {
    const [name] = work;
    /** @type {any} */
    const found = hasOwn(this.stages, name) ? this.stages[name] : undefined;
    if (isFlow(found) && planOfFlow(found).fingerprint === fingerprint)
      return this.withFlow({ ...this.plain([], args), ...how, keepsData: false }, found);
    const other = () => {
      throw coded(Error, "ERR_SONIC_FLOW", otherFlow(name));
    };
    return { ...this.plain([other], args), ...how };
  }

  /** @param {Job | undefined} job of a run that is over */
  forget(job) {
    if (job === undefined || job.limits.length === 0) return;
    for (const { jobs } of job.limits) jobs.delete(job);
    this.leave(job.run, false);
  }

  /** An event begins to go on beside others, or ends. What has enough of a stage leaves others to other workers. @param {Job} job @param {1 | -1} change */
  count(job, change) {
    count(job, change);
    for (const { jobs } of job.limits)
      for (const other of jobs) this.leave(other.run, isFull(other));
    return change;
  }

  /** Whether no other event of a run may begin now. @param {number} run its number, in the lower half */
  isFull(run) {
    const job = this.of(run & 0xffff);
    return job !== undefined && isFull(job);
  }

  /** An event goes on, and has not ended. @param {Task} task */
  begun(task) {
    this.open.add(task);
  }

  /** The only event that goes on. @returns {Task | undefined} */
  onlyOpen() {
    if (this.open.size !== 1) return undefined;
    const [task] = this.open;
    return task;
  }

  /** @param {Task} task */
  ended(task) {
    this.open.delete(task);
  }

  /** Nobody waits for an event any more. @param {number} answers @param {number} index @param {boolean} isLate */
  abort(answers, index, isLate) {
    for (const task of this.open) {
      if (task.index !== index || laneOf(task.answers) !== laneOf(answers)) continue;
      if (task.context !== undefined) PublicTask.abort(task.context, isLate);
      abortWaits(task, isLate);
    }
  }

  /** Starts an event when it is known what its run is about. @param {number} run @param {Start} start */
  whenKnown(run, start) {
    this.early.push({ run, start });
  }

  /** @param {number} run @param {Job} job */
  startEarly(run, job) {
    const now = this.early.filter((early) => early.run === run);
    if (now.length === 0) return;
    this.early = this.early.filter((early) => early.run !== run);
    for (const { start } of now) start(job);
  }
}

/** What names an event among those that run, beside its index. @param {number} answers the flags of its answer */
const laneOf = (answers) => answers >>> 9;

/** What an event with these flags goes through. @param {Job} job @param {number} chain its number, 0 where there is but one @returns {Job} */
const chainOf = (job, chain) =>
  chain === 0 || job.chains === undefined ? job : job.chains[chain - 1];

/** A function that is no stage gets two parameters, whatever the others get. @param {WorkerFn} fn @returns {WorkerFn} */
const withTwo = (fn) => (isStage(fn) ? fn : (event, args) => fn(event, args));

/** In the place of what a run was about that was over before: nobody sees it. */
const runIsOver = () => {
  throw new Error("the run is over");
};

module.exports = { Jobs, chainOf };
