"use strict";
// The worker's half: joins the master while modules load, serves one of the program's calls, and
// runs its events one at a time. The rest of the process is the program's own.

const cluster = require("./cluster");
const { argsCopier } = require("./args");
const channel = require("./channel");
const { MASK, codecOf, decode, encodedWithin, formatOf, joinWithin } = require("./codec");
const copies = require("./copies");
const { invalidType, shown } = require("./errors");
const { passForeign } = require("./foreign");
const { getLogger, getWorkerName, isQuiet } = require("./log");
const { inside, stopFollowing } = require("./inside");
const { native, wire } = require("./native");
const { variable } = require("./own");
const { JSON, nextTick, setImmediate, setTimeout } = require("./primordials");
const { Search } = require("./search");
const { pointAt, siteOf } = require("./stack");
const { describe, errorToJson } = require("./thrown");

// Why the native core stops running events; see `workerRun`.
const ASLEEP = 0;
const TURN_OVER = 1;
const BUSY = 2;

/** In the place of a time: the event is the one that runs in turn, and the core knows when it started. */
const IN_TURN = -1;

/** How many events are followed: a stage that makes calls does so early, and each promise costs more meanwhile, a quarter of
 * a short asynchronous event before Node 24. */
const FOLLOWED = 100;

/** Milliseconds after which a call that is most likely the worker's own is served, though the program still runs: longer
 * than it takes to get from one call to the next, past which it would be another's. */
const SETTLED = 3000;

/** The variable that makes a process a worker; see `VARIABLE` in src/protocol.rs. */
const VARIABLE = "SONIC_DISTRIBUTE_WORKER";

/**
 * An event that runs. `flags` are those of its frame or its place in the backlog; `answers` those that
 * its answer has beside its outcome; `started` is when it started; `data` is what it came with, `before`
 * how that was then, and `text` its JSON, if it had any.
 * @typedef {object} Task
 * @property {number} index
 * @property {number} flags
 * @property {number} answers
 * @property {number} started
 * @property {any} data
 * @property {any} before
 * @property {string | undefined} text
 */
/** @typedef {(event: { data: any }, args: any) => any} WorkerFn */
/** @typedef {WorkerProcess} Self */

class WorkerProcess {
  /** @param {import("../native").ExternalObject<import("../native").WorkerHandle>} handle */
  constructor(handle) {
    this.native = native();
    this.wire = wire();
    this.handle = handle;
    /** @type {InstanceType<typeof Search<Call>>} */
    this.search = new Search(JSON.parse(this.native.workerCall(handle)));
    this.codec = codecOf(this.native.workerSerialization(handle));
    /** Answers an event; see `workerAnswerer`. */
    this.answerNow = this.native.workerAnswerer(handle);
    /** Runs an event for the native core; see `workerRun`. */
    this.serve = this.runClaimed.bind(this);
    this.worker = /** @type {import("cluster").Worker} */ (cluster.worker);
    this.id = this.worker.id;
    /** @type {WorkerFn[]} */
    this.workerFns = [];
    /** What each function gets beside its event.
     * @type {() => any} */
    this.copyArgs = () => ({ workerID: this.id });
    this.registered = false;
    this.released = false;
    /** An event runs, or its text is awaited, that must end before the next is claimed. */
    this.busy = false;
    this.scheduled = false;
    /** Some stage has returned a promise. */
    this.hasPromised = false;
    /** What the next event leads to is followed. */
    this.isFollowing = true;
    /** How many events were. */
    this.followed = 0;
  }

  /**
   * Serves the program's call from now on.
   * @param {WorkerFn[]} workerFns
   * @param {any} args
   */
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
    this.log(`Worker ${this.id} now active and processing requests`);
  }

  /** @param {string} text */
  log(text) {
    getLogger(getWorkerName())(text);
  }

  /**
   * Called by the native core.
   * @param {number} what
   */
  wake(what) {
    if (what & 1) this.run(true);
    if (what & 2) this.release();
  }

  /** The master lets go: the process ends when the program has nothing to do any more. */
  release() {
    this.released = true;
    channel.stopListening();
    this.native.workerHold(this.handle, false);
  }

  /**
   * Does what there is to do, until there is nothing more or it has to wait.
   * @param {boolean} isTurn timers and sockets have just had their turn
   */
  run(isTurn) {
    const { native, handle } = this;
    for (let isFirst = isTurn; ; isFirst = false) {
      if (!this.busy) {
        const pause = this.runEvents(isFirst);
        if (pause === ASLEEP) return;
        if (pause === TURN_OVER) {
          native.workerRing(handle);
          this.runSoon();
          return;
        }
        if (pause === BUSY) this.busy = true;
      }
      this.collect();
      if (this.busy && native.workerListen(handle)) break;
    }
    // What is finished does not wait for what is not; many short events share a ring.
    if (native.workerIsUnrung(handle)) this.runSoon();
  }

  /** @param {boolean} isTurn */
  runEvents(isTurn) {
    let hasThrown = true;
    try {
      const pause = this.native.workerRun(this.handle, this.serve, isTurn);
      hasThrown = false;
      return pause;
    } finally {
      // A program that survives what it throws itself, in its log for example, goes on.
      if (hasThrown) this.runSoon();
    }
  }

  runSoon() {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.native.workerRing(this.handle);
      this.run(true);
    });
  }

  /** Takes in what the master has sent to this worker alone. */
  collect() {
    const { message, hole, direct, giveBack, formatAt } = this.wire;
    for (const { kind, index, text } of this.native.workerTake(this.handle)) {
      if ((kind & 0xff) === message) {
        this.deliver(this.codec.fromText(JSON.parse(text)));
        continue;
      }
      if (!this.native.workerStart(this.handle, index)) continue;
      if (kind & giveBack && this.busy) {
        this.giveBack(index);
        continue;
      }
      const inTurn = !(kind & direct);
      const started = this.native.clock();
      const data = kind & hole ? undefined : decode(text, (kind >> formatAt) & MASK);
      const before = this.codec.snapshot(data, text);
      const task = { index, flags: kind, answers: direct, started, data, before, text };
      if (this.startEvent(task, inTurn) && inTurn) this.busy = false;
    }
  }

  /**
   * Has an event run elsewhere that the master sent when this worker had just claimed another.
   * @param {number} index
   */
  giveBack(index) {
    const flags = this.wire.direct | this.wire.giveBack;
    if (this.answerNow(index, flags, this.native.clock(), "") === 0) {
      this.native.workerAnswer(this.handle, index, flags, this.native.clock(), "", null);
    }
    this.native.workerRing(this.handle);
  }

  /**
   * The program's own listeners hear of messages, and of events as in 1.0.3.
   * @param {any} message
   */
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
   * Runs an event of the backlog. Called by the native core.
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
   * Whether the program listens for messages. Asked for every event: `listenerCount` would take as long as
   * everything else here.
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
   * Runs an event so that a call which it makes is known for that, however it comes to it; see `lib/inside.js`.
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
   * Runs an event through the worker functions. If it is not finished then, the loop goes on when it is,
   * if it was `inTurn`.
   * @param {Task} task
   * @param {boolean} inTurn
   * @returns {number | boolean} true if it was answered; false if it is not finished; or the response
   *   of an event of the backlog, if that is all there is to answer and a small number
   */
  runEventStages(task, inTurn) {
    const isWhole = (task.flags & this.wire.whole) !== 0;
    const data = isWhole ? task.data.data : task.data;
    if (this.hasListeners()) {
      this.deliver(isWhole ? task.data : { data });
    }
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
      this.fail(task, data, thrown);
      return true;
    }
    const isSmall = typeof value === "number" && (value | 0) === value;
    if (isSmall && task.started === IN_TURN && typeof data !== "object" && !isWhole) return value;
    this.answer(task, data, value);
    return true;
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {boolean} inTurn
   * @param {PromiseLike<any>} first
   * @param {number} next the function that is next in turn
   */
  async finishEventStages(task, data, inTurn, first, next) {
    try {
      let value = await first;
      for (let at = next; at < this.workerFns.length; at++) {
        value = await this.workerFns[at]({ data: value }, this.copyArgs());
      }
      this.answer(task, data, value);
    } catch (thrown) {
      this.fail(task, data, thrown);
    }
    if (!inTurn) {
      this.native.workerRing(this.handle);
      return;
    }
    this.busy = false;
    this.run(false);
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {any} value
   */
  answer(task, data, value) {
    if (typeof value === "string") {
      this.write(task, data, this.wire.response | this.wire.string, value);
      return;
    }
    let encoded;
    try {
      encoded = encodedWithin(this.codec, value, "response", "the response");
    } catch (error) {
      this.fail(task, data, error);
      return;
    }
    // `undefined`, and `null` once encoded, count as no response.
    if (encoded === undefined || encoded === "null") {
      this.write(task, data, 0, "");
      return;
    }
    const format = formatOf(value, encoded) << this.wire.formatAt;
    this.write(task, data, this.wire.response | format, encoded);
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {unknown} thrown
   */
  fail(task, data, thrown) {
    const { failed, response } = this.wire;
    this.write(task, data, failed | response, this.failureOf(thrown));
  }

  /**
   * Tells of what was thrown, and returns what the entry says of it.
   * @param {unknown} thrown
   */
  failureOf(thrown) {
    if (!isQuiet()) this.log(`Error occurred: ${describe(thrown)}`);
    return errorToJson(thrown);
  }

  /**
   * Publishes an answer: from here on a crash does not touch the event any more.
   * @param {Task} task
   * @param {any} data
   * @param {number} outcome
   * @param {import("./codec").Encoded} response
   */
  write(task, data, outcome, response) {
    const { index, answers, started } = task;
    const flags = outcome | answers;
    const changed = this.changedData(task, data, flags, response);
    if (changed === undefined && this.answerNow(index, flags, started, response) !== 0) return;
    const answer = { flags, response, data: null, ...changed };
    const write = () =>
      this.native.workerAnswer(
        this.handle,
        index,
        answer.flags,
        started,
        answer.response,
        answer.data,
      );
    if (write()) return;
    answer.flags = this.asJson(answer.flags);
    answer.response = JSON.stringify(answer.response);
    write();
  }

  /**
   * The flags of an answer whose response is JSON.
   * @param {number} flags
   */
  asJson(flags) {
    return flags & ~(MASK << this.wire.formatAt);
  }

  /**
   * What the worker function made of the event's data, if that is another value now, and how the answer
   * is another one then.
   * @param {Task} task
   * @param {any} data
   * @param {number} flags
   * @param {import("./codec").Encoded} answer the response
   * @returns {{ data: import("./codec").Encoded | null, flags?: number, response?: string } | undefined}
   */
  changedData(task, data, flags, answer) {
    const { failed, response, dataHole, dataFormatAt, whole } = this.wire;
    const isWhole = Boolean(task.flags & whole);
    if (!isWhole && (data === null || typeof data !== "object")) return undefined;
    try {
      if (this.codec.isAsBefore(task.data, task.before)) return undefined;
      const encoded = encodedWithin(this.codec, data, "data", "the event's data");
      if (encoded === undefined) return { data: null, flags: flags | dataHole };
      if (typeof encoded === "string" && encoded === task.text && !isWhole) return undefined;
      joinWithin(answer, encoded);
      return { data: encoded, flags: flags | (formatOf(data, encoded) << dataFormatAt) };
    } catch (error) {
      if (flags & failed) return undefined;
      // What the worker function left cannot travel: the event fails, with the data that it had.
      return {
        data: null,
        flags: this.asJson(flags) | failed | response,
        response: this.failureOf(error),
      };
    }
  }
}

/**
 * This process's place in a run, if a master of this package started it.
 * @type {WorkerProcess | undefined}
 */
let self;

/** Joins the master. Called once, while this package loads. */
function join() {
  self = copies.joinedBefore();
  const invitation = variable(VARIABLE);
  if (invitation === undefined || !cluster.isWorker || copies.isForAnother()) return;
  // Children of this process are no workers.
  delete process.env[VARIABLE];
  copies.forget();
  const handle = native().workerJoin(invitation, (what) => {
    if (self !== undefined) self.wake(what);
  });
  // Its master ended before this process came so far.
  if (handle === null) process.exit(1);
  const joined = new WorkerProcess(handle);
  self = joined;
  copies.joins(joined);
  // When the program's own listeners have had their turn.
  process.once("beforeExit", () => nextTick(() => endSearch(joined)));
  channel.adapt(self);
  require("./exit").reportExits(self);
  if (native().workerSharesTerminal(handle)) require("./terminal").standBeside();
  require("./typescript").compileWhenNeeded();
}

/**
 * A call that the program has reached here.
 * @typedef {import("./search").Reached & { workerFns: any, args: any }} Call
 */

/**
 * The program has reached a call: the one that this worker was started for, or another, which it passes by.
 * @param {any} workerFns
 * @param {any} args
 * @param {import("./identity").Identity} identity
 */
function serve(workerFns, args, identity) {
  if (self === undefined) {
    passForeign();
    return;
  }
  if (self.registered) return;
  const { search } = self;
  const isSound = wrongWorkerFns(workerFns) === undefined;
  const call = { identity, isSound, workerFns, args };
  if (search.isFound(call)) {
    register(self, workerFns, args);
    return;
  }
  if (search.isListed) self.native.workerPassed(self.handle, search.describe(call));
  if (search.likely() === call) setTimeout(serveLikely, SETTLED, self, call).unref();
}

/**
 * No better call than one that was passed by has come for a while.
 * @param {WorkerProcess} self
 * @param {Call} call
 */
function serveLikely(self, call) {
  if (!self.registered && !self.released && self.search.likely() === call) {
    register(self, call.workerFns, call.args);
  }
}

/**
 * The program has nothing more to do: it makes no other call.
 * @param {WorkerProcess} self
 */
function endSearch(self) {
  if (self.registered || self.released) return;
  const call = self.search.atEnd();
  if (call === undefined) {
    const { native, handle, search } = self;
    native.workerRefuse(handle, "Error", "ERR_SONIC_CALL_UNREACHABLE", search.failure());
    return;
  }
  try {
    register(self, call.workerFns, call.args);
  } catch (_) {
    // The master knows, and the program's own call has resolved long ago.
  }
}

/**
 * @param {WorkerProcess} self
 * @param {any} workerFns
 * @param {any} args
 */
function register(self, workerFns, args) {
  const wrong = wrongWorkerFns(workerFns);
  if (wrong === undefined) {
    self.register([...workerFns], args);
    return;
  }
  const error = pointAt(invalidType(wrong), siteOf(register));
  self.native.workerRefuse(self.handle, "TypeError", error.code, wrong);
  throw error;
}

/** @param {any} workerFns */
function wrongWorkerFns(workerFns) {
  const must = "workerFns must be an array of functions in a worker";
  if (!Array.isArray(workerFns)) return `${must}, got ${shown(workerFns)}`;
  const at = workerFns.findIndex((fn) => typeof fn !== "function");
  return at < 0 ? undefined : `${must}, got ${shown(workerFns[at])} at index ${at}`;
}

module.exports = { join, serve, VARIABLE };
