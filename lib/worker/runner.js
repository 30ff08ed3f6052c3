"use strict";
// Runs a worker's events: takes them from the native core, one at a time, through the program's worker functions. Which call
// it serves is decided in join.js; how an answer travels, in answer.js.

const { Answers } = require("./answer");
const channel = require("./channel");
const { Jobs, chainOf } = require("./jobs");
const { WorkerSync } = require("./sync");
const { IN_TURN } = require("./task");
const { MASK, codecOf, decode } = require("../shared/codec");
const cluster = require("../shared/cluster");
const { log } = require("../shared/log");
const { native, wire } = require("../shared/native");
const { setImmediate } = require("../shared/primordials");
const { inside, stopFollowing } = require("../shared/site");
const { PublicTask } = require("../shared/task");

// Why the native core stops running events; see `workerRun`.
const PARKED = 0;
const TURN_OVER = 1;
const TEXT = 4;

// Why the native core calls: the sum of these.
const HAS_ARRIVED = 1;
const IS_RELEASED = 2;

/**
 * How many events are followed: a stage that makes calls does so early, and each promise costs more meanwhile, a quarter
 * of a short asynchronous event before Node 24.
 */
const FOLLOWED = 100;

/** @typedef {import("./task").Task} Task */
/** @typedef {import("../../native").Arrived} Arrived */
/** @typedef {import("./jobs").Job} Job */
/** @typedef {import("./jobs").WorkerFn} WorkerFn */
/** @typedef {Runner} Self */

class Runner {
  /**
   * @param {import("../../native").ExternalObject<import("../../native").WorkerHandle>} handle
   * @param {InstanceType<typeof import("./search").Search<import("./join").Call>>} search
   */
  constructor(handle, search) {
    this.native = native();
    this.wire = wire();
    this.handle = handle;
    /** Its search for the call that it serves. */
    this.search = search;
    this.codec = codecOf(this.native.workerSerialization(handle));
    this.answers = new Answers(this);
    /** Runs an event for the native core; see `workerRun`. */
    this.serve = this.runClaimed.bind(this);
    this.worker = /** @type {import("cluster").Worker} */ (cluster.worker);
    this.id = this.worker.id;
    const leave = this.native.workerSuspend.bind(undefined, handle);
    const spillFor = (/** @type {number} */ run) => require("./in-flow").spillOf(this, run);
    this.jobs = new Jobs(this.id, this.codec, leave, spillFor);
    /** An event runs beside which no other may. */
    this.isAlone = false;
    this.registered = false;
    this.released = false;
    /** How many events run at once. */
    this.concurrency = this.native.workerConcurrency(handle);
    /** How many run now that count for that, all but those that the program has given to this worker itself. */
    this.running = 0;
    /** How many are claimed whose texts are on their way. */
    this.texts = 0;
    /** What the master gave to this worker alone, and waits for its turn. @type {Arrived[]} */
    this.given = [];
    this.scheduled = false;
    /** Some stage has returned a promise. */
    this.hasPromised = false;
    /** Whatever the next event starts is followed. */
    this.isFollowing = true;
    this.followed = 0;
    /** Hears what the master tells of locks and the like. @type {((text: string, value: Buffer | undefined) => void) | undefined} */
    this.onSync = undefined;
    this.sync = new WorkerSync(this);
  }

  /** Serves the program's call from now on. @param {any} work functions, or a flow @param {any} args */
  register(work, args) {
    this.jobs.setOnly(work, args);
    this.begin();
    log(`Worker ${this.id} now active and processing requests`);
  }

  /** Serves the runs of a pool from now on. @param {Record<string, unknown>} stages which belong to this */
  registerStages(stages) {
    this.jobs.stages = stages;
    this.begin();
  }

  begin() {
    this.registered = true;
    // Other calls' functions and arguments are of no use any more.
    this.search.passed = [];
    if (!this.released) this.native.workerHold(this.handle, true);
    this.native.workerRegister(this.handle);
    // Events may wait already, and begin when the program's own code has had its turn.
    this.runSoon();
  }

  /** Called by the native core. @param {number} why */
  wake(why) {
    if (why & HAS_ARRIVED) {
      // Events need not have ended, or be there at all, for what waits for a lock to go on.
      if (this.onSync !== undefined) this.collect();
      this.run(true);
    }
    if (why & IS_RELEASED) this.release();
  }

  /** The master releases this worker: the process exits when the program has nothing to do any more. */
  release() {
    this.released = true;
    channel.stopListening();
    this.native.workerHold(this.handle, false);
  }

  /**
   * Runs what there is, until there is nothing more or it has to wait.
   * @param {boolean} isTurn timers and sockets have just had their turn
   */
  run(isTurn) {
    const { native, handle } = this;
    for (let isFirst = isTurn; ; isFirst = false) {
      this.startGiven();
      if (!this.isBusy) {
        const pause = this.runEvents(isFirst);
        if (pause === PARKED) return;
        if (pause === TURN_OVER) {
          native.workerNotify(handle);
          this.runSoon();
          return;
        }
        if (pause === TEXT) this.texts++;
      }
      this.collect();
      if (this.isBusy && native.workerListen(handle)) break;
    }
    // Finished events do not wait for the one that runs; many short events share a wake-up.
    if (native.workerIsUnnotified(handle)) this.runSoon();
  }

  /** Whether no other event is to be claimed before one has ended, or is known what it is about. */
  get isBusy() {
    return (
      this.running + this.texts >= this.concurrency || this.isAlone || this.jobs.early.length > 0
    );
  }

  /** @param {boolean} isTurn */
  runEvents(isTurn) {
    let hasThrown = true;
    try {
      const pause = this.native.workerRun(
        this.handle,
        this.serve,
        isTurn,
        this.running + this.texts,
      );
      hasThrown = false;
      return pause;
    } finally {
      // A program that survives its own exception, in its log for example, goes on.
      if (hasThrown) this.runSoon();
    }
  }

  runSoon() {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.native.workerNotify(this.handle);
      this.run(true);
    });
  }

  /** Takes in what the master has sent to this worker alone. */
  collect() {
    const { message, hole, formatAt, abort, sync } = this.wire;
    for (const arrived of this.native.workerTake(this.handle)) {
      const { kind, index, run, text } = arrived;
      if ((kind & 0xff) === sync) this.onSync?.(text, arrived.value);
      else if ((kind & 0xff) === this.wire.run)
        this.jobs.hear(index, kind & hole ? undefined : text, this.given);
      else if ((kind & 0xff) === abort) this.abort(kind & ~0xff, index, run !== 0);
      else if ((kind & 0xff) === message) channel.deliver(decode(text, (kind >> formatAt) & MASK));
      else {
        this.given.push(arrived);
        this.startGiven();
      }
    }
  }

  /** An event is over as far as the master is concerned. @param {number} answers @param {number} index @param {boolean} isLate */
  abort(answers, index, isLate) {
    this.native.workerHeardAbort(this.handle);
    this.jobs.abort(answers, index, isLate);
  }

  /** Starts what was given to this worker, up to what has to wait until nothing else runs. */
  startGiven() {
    const { direct, formatAt, hole, turn } = this.wire;
    for (let next = this.given[0]; next !== undefined; next = this.given[0]) {
      const { kind, index, run, text } = next;
      const inTurn = !(kind & direct);
      const waits = this.running >= this.concurrency || this.isAlone || this.jobs.isFull(run);
      if (inTurn && waits) return;
      this.given.shift();
      if (!this.native.workerStart(this.handle, index, !(kind & turn))) continue;
      if (inTurn && !(kind & turn)) this.texts--;
      const started = this.native.clock();
      const data = kind & hole ? undefined : decode(text, (kind >> formatAt) & MASK);
      const before = this.jobs.keepsData(run) ? this.codec.snapshot(data, text) : undefined;
      const failed = run >>> 16;
      const parts = { index, flags: kind, answers: direct, failed, started, data, before, text };
      this.startIn(run & 0xffff, { ...parts, job: undefined, context: undefined }, inTurn);
    }
  }

  /**
   * Starts an event of a run, once it is known what that is about.
   * @param {number} run its number @param {Task} task whose job is not known yet @param {boolean} inTurn
   * @returns {number | boolean | undefined} see `runEventStages`
   */
  startIn(run, task, inTurn) {
    const start = (/** @type {Job} */ job) => {
      task.job = chainOf(job, task.flags >>> this.wire.chainAt);
      return this.startEvent(task, inTurn);
    };
    const job = this.jobs.of(run);
    if (job !== undefined) return start(job);
    // What tells of it was sent before the event, and is on its way.
    if (task.started === IN_TURN) task.started = this.native.workerStarted(this.handle);
    this.jobs.whenKnown(run, start);
    return false;
  }

  /**
   * Runs an event of a lane. Called by the native core.
   * @param {any} value its data if that is a number, or in the format that the flags say
   * @param {number} flags
   * @param {number} index
   * @param {number} run
   */
  runClaimed(value, flags, index, run) {
    const format = (flags >> this.wire.formatAt) & MASK;
    const isEncoded = format === 0 ? typeof value === "string" : format > 1;
    const data = isEncoded ? decode(value, format) : value;
    const job = this.jobs.only;
    const isKept = isEncoded && this.jobs.keepsData(run);
    const before = isKept ? this.codec.snapshot(data, value) : undefined;
    const [text, context] = [isEncoded ? value : undefined, undefined];
    const [answers, failed, started] = [flags & this.wire.lane, run >>> 16, IN_TURN];
    const task = { index, flags, answers, failed, started, data, before, text, job, context };
    if (job?.chains !== undefined) task.job = chainOf(job, flags >>> this.wire.chainAt);
    return job === undefined ? this.startIn(run & 0xffff, task, true) : this.startEvent(task, true);
  }

  /**
   * Runs an event so that the locks which it asks for are known to be its own.
   * @param {Task} task
   * @param {boolean} inTurn
   * @returns {number | boolean | undefined}
   */
  startEvent(task, inTurn) {
    const { sync } = this;
    let outcome;
    sync.current = task;
    try {
      if (sync.inEvent === undefined) outcome = this.followEvent(task, inTurn);
      else outcome = sync.inEvent(task, () => this.followEvent(task, inTurn));
    } finally {
      sync.leave(task, outcome);
    }
    return outcome;
  }

  /**
   * Runs an event so that a call which it makes is recognised, however late; see `inside`.
   * @param {Task} task
   * @param {boolean} inTurn
   * @returns {number | boolean | undefined}
   */
  followEvent(task, inTurn) {
    if (!this.isFollowing) return this.runEventStages(task, inTurn);
    this.followed++;
    const outcome = inside(() => this.runEventStages(task, inTurn), task);
    if (!this.hasPromised || this.followed >= FOLLOWED) {
      this.isFollowing = false;
      if (!this.sync.isUsed) stopFollowing();
    }
    return outcome;
  }

  /**
   * Runs an event through the worker functions. If it is not finished then, the loop goes on when it is, if it was
   * `inTurn`.
   * @param {Task} task
   * @param {boolean} inTurn
   * @returns {number | boolean | undefined} true if it was answered; the response of an event of a lane, if a small number is
   *   all there is to answer; undefined if it is not finished, or false if no other is to run meanwhile either
   */
  runEventStages(task, inTurn) {
    const isWhole = (task.flags & this.wire.whole) !== 0;
    const data = isWhole ? task.data.data : task.data;
    if (channel.hasListeners(this) && task.flags >>> this.wire.chainAt < 2)
      channel.deliver(isWhole ? task.data : { data });
    let value = data;
    const { workerFns, copyArgs, givesTask, runInFlow, maps, leaveMaps } = task.job;
    if (givesTask) task.context = new PublicTask(task.failed, task.job);
    const isRun = maps !== undefined && (task.flags & (this.wire.parts | this.wire.failure)) === 0;
    if (runInFlow !== undefined && !isRun) return runInFlow(this, task, data, inTurn);
    let entered = data;
    let at = 0;
    try {
      for (; at < workerFns.length; at++) {
        // As a member of the array it would have that as `this`, and in stacks its name.
        const workerFn = workerFns[at];
        entered = value;
        value = givesTask
          ? workerFn({ data: value }, copyArgs(), task.context)
          : workerFn({ data: value }, copyArgs());
        if (value !== null && typeof value === "object" && typeof value.then === "function") {
          if (maps !== undefined) break;
          this.goesOn(task, inTurn);
          this.finishEventStages(task, data, inTurn, value, at + 1);
          return this.isBusy ? false : undefined;
        }
      }
    } catch (thrown) {
      if (maps !== undefined) return leaveMaps(this, task, data, inTurn, at, entered, thrown, true);
      this.answers.fail(task, data, thrown);
      return true;
    }
    const isSmall = typeof value === "number" && (value | 0) === value;
    if (isSmall && task.started === IN_TURN && typeof data !== "object" && !isWhole) {
      if (task.context !== undefined) this.answers.add(PublicTask.end(task.context));
      return value;
    }
    if (maps !== undefined) return leaveMaps(this, task, data, inTurn, at, entered, value, false);
    this.answers.answer(task, data, value);
    return true;
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {boolean} inTurn
   * @param {PromiseLike<any>} first
   * @param {number} next the function that is next
   */
  async finishEventStages(task, data, inTurn, first, next) {
    try {
      let value = await first;
      const { workerFns, copyArgs, givesTask } = task.job;
      for (let at = next; at < workerFns.length; at++) {
        const workerFn = workerFns[at];
        value = await (givesTask
          ? workerFn({ data: value }, copyArgs(), task.context)
          : workerFn({ data: value }, copyArgs()));
      }
      this.answers.answer(task, data, value);
    } catch (thrown) {
      this.answers.fail(task, data, thrown);
    }
    this.hasEnded(task, inTurn);
  }

  /** An event goes on although its function has returned. @param {Task} task @param {boolean} inTurn */
  goesOn(task, inTurn) {
    if (inTurn) this.running += this.jobs.count(task.job, 1);
    this.jobs.begun(task);
    if (task.flags & this.wire.alone) this.isAlone = true;
    // Others may be claimed before it ends.
    if (this.concurrency > 1 && task.started === IN_TURN)
      task.started = this.native.workerStarted(this.handle);
    this.hasPromised = true;
    this.isFollowing = this.followed < FOLLOWED;
  }

  /** An event that went on was answered. @param {Task} task @param {boolean} inTurn */
  hasEnded(task, inTurn) {
    this.jobs.ended(task);
    this.sync.ended(task);
    if (task.flags & this.wire.alone) this.isAlone = false;
    if (!inTurn) {
      this.native.workerNotify(this.handle);
      return;
    }
    this.running += this.jobs.count(task.job, -1);
    this.run(false);
  }
}

module.exports = { Runner };
