"use strict";
// Runs a worker's events: takes them from the native core, one at a time, through the program's worker functions. Which call
// it serves is decided in join.js; how an answer travels, in answer.js.

const { Answers } = require("./answer");
const { argsCopier } = require("./args");
const channel = require("./channel");
const { MASK, codecOf, decode } = require("../shared/codec");
const cluster = require("../shared/cluster");
const { log } = require("../shared/log");
const { native, wire } = require("../shared/native");
const { nextTick, setImmediate } = require("../shared/primordials");
const { inside, stopFollowing } = require("../shared/site");

// Why the native core stops running events; see `workerRun`.
const PARKED = 0;
const TURN_OVER = 1;
const BUSY = 2;

// Why the native core calls: the sum of these.
const HAS_ARRIVED = 1;
const IS_RELEASED = 2;

/** In the place of a time: the event is the one that runs in turn, and the core knows when it started. */
const IN_TURN = -1;

/**
 * How many events are followed: a stage that makes calls does so early, and each promise costs more meanwhile, a quarter
 * of a short asynchronous event before Node 24.
 */
const FOLLOWED = 100;

/**
 * An event that runs. `flags` are those of its frame or its place in a lane; `answers` those that its answer has
 * beside its outcome; `data` is what it came with, `before` how that was then, and `text` its JSON, if it had any.
 * @typedef {{ index: number, flags: number, answers: number, started: number, data: any, before: any, text: string | undefined }} Task
 */
/** @typedef {(event: { data: any }, args: any) => any} WorkerFn */
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
    /** @type {WorkerFn[]} */
    this.workerFns = [];
    /** Makes what each function gets beside its event. @type {() => any} */
    this.copyArgs = () => ({ workerID: this.id });
    this.registered = false;
    this.released = false;
    /** An event runs, or its text is awaited, that must end before the next is claimed. */
    this.busy = false;
    this.scheduled = false;
    /** Some stage has returned a promise. */
    this.hasPromised = false;
    /** Whatever the next event starts is followed. */
    this.isFollowing = true;
    this.followed = 0;
  }

  /** Serves the program's call from now on. @param {WorkerFn[]} workerFns @param {any} args */
  register(workerFns, args) {
    this.workerFns = workerFns;
    this.copyArgs = argsCopier(args, this.id);
    this.registered = true;
    // Other calls' functions and arguments are of no use any more.
    this.search.passed = [];
    if (!this.released) this.native.workerHold(this.handle, true);
    this.native.workerRegister(this.handle);
    // Events may wait already, and begin when the program's own code has had its turn.
    this.runSoon();
    log(`Worker ${this.id} now active and processing requests`);
  }

  /** Called by the native core. @param {number} why */
  wake(why) {
    if (why & HAS_ARRIVED) this.run(true);
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
      if (!this.busy) {
        const pause = this.runEvents(isFirst);
        if (pause === PARKED) return;
        if (pause === TURN_OVER) {
          native.workerNotify(handle);
          this.runSoon();
          return;
        }
        if (pause === BUSY) this.busy = true;
      }
      this.collect();
      if (this.busy && native.workerListen(handle)) break;
    }
    // Finished events do not wait for the one that runs; many short events share a wake-up.
    if (native.workerIsUnnotified(handle)) this.runSoon();
  }

  /** @param {boolean} isTurn */
  runEvents(isTurn) {
    let hasThrown = true;
    try {
      const pause = this.native.workerRun(this.handle, this.serve, isTurn);
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
    const { message, hole, direct, formatAt } = this.wire;
    for (const { kind, index, text } of this.native.workerTake(this.handle)) {
      if ((kind & 0xff) === message) {
        this.deliver(decode(text, (kind >> formatAt) & MASK));
        continue;
      }
      if (!this.native.workerStart(this.handle, index)) continue;
      const inTurn = !(kind & direct);
      const started = this.native.clock();
      const data = kind & hole ? undefined : decode(text, (kind >> formatAt) & MASK);
      const before = this.codec.snapshot(data, text);
      const task = { index, flags: kind, answers: direct, started, data, before, text };
      if (this.startEvent(task, inTurn) && inTurn) this.busy = false;
    }
  }

  /** The program's own listeners hear of messages, and of events as in 1.0.3. @param {any} message */
  deliver(message) {
    try {
      process.emit(/** @type {any} */ ("message"), message, undefined);
    } catch (error) {
      // Uncaught, as it would be from Node's own channel; the events go on.
      nextTick(() => {
        throw error;
      });
    }
  }

  /**
   * Runs an event of a lane. Called by the native core.
   * @param {any} value its data if that is a number, or in the format that the flags say
   * @param {number} flags
   * @param {number} index
   */
  runClaimed(value, flags, index) {
    const format = (flags >> this.wire.formatAt) & MASK;
    const isEncoded = format === 0 ? typeof value === "string" : format > 1;
    const data = isEncoded ? decode(value, format) : value;
    const before = isEncoded ? this.codec.snapshot(data, value) : undefined;
    const text = isEncoded ? value : undefined;
    return this.startEvent(
      { index, flags, answers: 0, started: IN_TURN, data, before, text },
      true,
    );
  }

  /**
   * Whether the program listens for messages. Asked for every event: `listenerCount` would take as long as everything
   * else here.
   */
  hasListeners() {
    // @ts-expect-error: an emitter's listeners by name, one function or an array of them
    const { message } = process._events;
    // One is Node's own, which tells `cluster.worker`.
    if (typeof message !== "function") return message !== undefined;
    // @ts-expect-error: the same
    return this.worker._events.message !== undefined;
  }

  /**
   * Runs an event so that a call which it makes is recognised, however late; see `inside`.
   * @param {Task} task
   * @param {boolean} inTurn
   * @returns {number | boolean}
   */
  startEvent(task, inTurn) {
    if (!this.isFollowing) return this.runEventStages(task, inTurn);
    this.followed++;
    const outcome = inside(() => this.runEventStages(task, inTurn));
    if (!this.hasPromised || this.followed >= FOLLOWED) {
      this.isFollowing = false;
      stopFollowing();
    }
    return outcome;
  }

  /**
   * Runs an event through the worker functions. If it is not finished then, the loop goes on when it is, if it was
   * `inTurn`.
   * @param {Task} task
   * @param {boolean} inTurn
   * @returns {number | boolean} true if it was answered; false if it is not finished; or the response of an event of a
   *   lane, if a small number is all there is to answer
   */
  runEventStages(task, inTurn) {
    const isWhole = (task.flags & this.wire.whole) !== 0;
    const data = isWhole ? task.data.data : task.data;
    if (this.hasListeners()) this.deliver(isWhole ? task.data : { data });
    let value = data;
    const { workerFns } = this;
    try {
      for (let at = 0; at < workerFns.length; at++) {
        value = workerFns[at]({ data: value }, this.copyArgs());
        if (value !== null && typeof value === "object" && typeof value.then === "function") {
          if (inTurn) this.busy = true;
          this.hasPromised = true;
          this.isFollowing = this.followed < FOLLOWED;
          this.finishEventStages(task, data, inTurn, value, at + 1);
          return false;
        }
      }
    } catch (thrown) {
      this.answers.fail(task, data, thrown);
      return true;
    }
    const isSmall = typeof value === "number" && (value | 0) === value;
    if (isSmall && task.started === IN_TURN && typeof data !== "object" && !isWhole) return value;
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
      for (let at = next; at < this.workerFns.length; at++) {
        value = await this.workerFns[at]({ data: value }, this.copyArgs());
      }
      this.answers.answer(task, data, value);
    } catch (thrown) {
      this.answers.fail(task, data, thrown);
    }
    if (!inTurn) {
      this.native.workerNotify(this.handle);
      return;
    }
    this.busy = false;
    this.run(false);
  }
}

module.exports = { Runner };
