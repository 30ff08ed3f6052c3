"use strict";
// The worker's half: joins the master while modules load, serves one of the program's calls, and
// runs its events one at a time. The rest of the process is the program's own.

const cluster = require("cluster");
const { performance } = require("perf_hooks");
const { nextCall } = require("./calls");
const { codecOf } = require("./codec");
const { describe, errorToJson, invalidType, shown } = require("./errors");
const { getLogger, getWorkerName } = require("./log");
const { native, wire } = require("./native");
const { RingWriter } = require("./ring");
const { words } = require("./words");

const { setImmediate } = globalThis;
const { now } = performance;

/** Milliseconds for which events run one after the other before timers and sockets get a turn. */
const TURN = 1;

/** The variable that makes a process a worker; see `VARIABLE` in src/protocol.rs. */
const VARIABLE = "SONIC_DISTRIBUTE_WORKER";

// What the master's `WAITS` word says of this thread.
const AWAKE = 0;
const ASLEEP = 1;
const BUSY = 2;

/** @typedef {{ index: number, flags: number, data: any }} Task */
/** @typedef {(event: { data: any }, args: any) => any} WorkerFn */
/** @typedef {WorkerProcess} Self */

class WorkerProcess {
  /** @param {any} handle */
  constructor(handle) {
    this.native = native();
    this.wire = wire();
    this.handle = handle;
    this.call = this.native.workerCall(handle);
    this.codec = codecOf(this.native.workerSerialization(handle));
    const memory = this.native.workerMemory(handle);
    this.words = new Int32Array(memory);
    this.answers = new RingWriter(memory, this.wire.answers);
    /** What to add to this process's clock to get the one that all processes share. */
    this.clockOffset = this.native.clock() - now.call(performance);
    this.worker = /** @type {import("cluster").Worker} */ (cluster.worker);
    this.id = this.worker.id;
    /** @type {WorkerFn[]} */
    this.workerFns = [];
    /** @type {any} */
    this.args = undefined;
    this.registered = false;
    /** The last call that this worker passed by: its arguments.
     * @type {any} */
    this.passed = undefined;
    this.released = false;
    /** Events that arrived and were not started, from `next` on.
     * @type {Task[]} */
    this.inbox = [];
    this.next = 0;
    /** An event runs that must end before the next begins. */
    this.busy = false;
    this.scheduled = false;
    /** Answers were written since the master was last rung. */
    this.unrung = false;
    this.turned = 0;
  }

  time() {
    return now.call(performance) + this.clockOffset;
  }

  /**
   * Serves the program's call from now on.
   * @param {WorkerFn[]} workerFns
   * @param {any} args
   */
  register(workerFns, args) {
    this.workerFns = workerFns;
    this.args = args;
    this.registered = true;
    words.store(this.words, this.wire.waits, ASLEEP);
    if (!this.released) this.native.workerHold(this.handle, true);
    this.native.workerRegister(this.handle);
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
    if (what & 1) {
      this.turned = this.time();
      this.run();
    }
    if (what & 2) this.release();
  }

  /** The master lets go: the process ends when the program has nothing to do any more. */
  release() {
    this.released = true;
    require("./channel").stopListening();
    this.native.workerHold(this.handle, false);
  }

  /** Starts what has arrived, one event after the other, until there is nothing left to start. */
  run() {
    if (this.busy) {
      // Messages, and events sent to this very worker, do not wait.
      this.collect();
      this.sleep(BUSY);
      return;
    }
    let started = this.time();
    for (;;) {
      if (this.next === this.inbox.length) {
        this.inbox.length = 0;
        this.next = 0;
        if (!this.collect() && this.sleep(ASLEEP)) return;
        continue;
      }
      if (started - this.turned > TURN) {
        this.yieldTurn();
        return;
      }
      const task = this.inbox[this.next++];
      if (!this.claim(task)) continue;
      if (!this.start(task, started, true)) {
        this.sleep(BUSY);
        return;
      }
      started = this.finished;
    }
  }

  /** Lets timers and sockets have their turn before the next event. */
  yieldTurn() {
    if (this.scheduled) return;
    this.scheduled = true;
    this.ring();
    setImmediate(() => {
      this.scheduled = false;
      this.turned = this.time();
      this.run();
    });
  }

  /**
   * Says how this thread is to be woken. False if something arrived meanwhile.
   * @param {number} how
   */
  sleep(how) {
    if (this.unrung && how === ASLEEP) this.ring();
    words.store(this.words, this.wire.waits, how);
    if (how === BUSY || !this.native.workerHasArrived(this.handle)) return true;
    words.store(this.words, this.wire.waits, AWAKE);
    return false;
  }

  ring() {
    this.unrung = false;
    this.native.workerRing(this.handle);
  }

  /** Takes in what has arrived. False if nothing has. */
  collect() {
    const text = this.native.workerTake(this.handle);
    if (text === null) return false;
    const items = JSON.parse(text);
    const { message, direct, hole } = this.wire;
    for (let at = 0; at < items.length; at += 3) {
      const flags = items[at];
      if ((flags & 0xff) === message) {
        this.deliver(this.codec.decode(items[at + 2]));
        continue;
      }
      const data = flags & hole ? undefined : this.codec.decode(items[at + 2]);
      const task = { index: items[at + 1], flags, data };
      if (flags & direct) this.startDirectly(task);
      else this.inbox.push(task);
    }
    return true;
  }

  /** @param {Task} task */
  startDirectly(task) {
    if (this.claim(task)) this.start(task, this.time(), false);
  }

  /**
   * Makes the event this worker's for good. False if the master took it back.
   * @param {Task} task
   */
  claim({ index, data }) {
    const { started } = this.wire;
    const next = (index + 1) | 0;
    if (words.compareExchange(this.words, started, index | 0, next) === (index | 0)) return true;
    if (data !== null && typeof data === "object") this.native.workerForget(this.handle, index);
    return false;
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
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /**
   * Runs an event through the worker functions. True if it is finished; otherwise the loop goes on
   * when it is, if it was `inTurn`.
   * @param {Task} task
   * @param {number} started
   * @param {boolean} inTurn
   */
  start(task, started, inTurn) {
    const { flags } = task;
    const isWhole = Boolean(flags & this.wire.whole);
    const data = isWhole ? task.data.data : task.data;
    // One listener is Node's own, which tells `cluster.worker`.
    if (process.listenerCount("message") > 1 || this.worker.listenerCount("message") > 0) {
      this.deliver(isWhole ? task.data : { data });
    }
    let value = data;
    const { workerFns } = this;
    try {
      for (let at = 0; at < workerFns.length; at++) {
        value = workerFns[at]({ data: value }, { ...this.args, workerID: this.id });
        if (value !== null && typeof value === "object" && typeof value.then === "function") {
          if (inTurn) this.busy = true;
          this.finishLater(task, data, started, inTurn, value, at + 1);
          return false;
        }
      }
    } catch (thrown) {
      this.fail(task, data, started, thrown);
      return true;
    }
    this.answer(task, data, started, value);
    return true;
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {number} started
   * @param {boolean} inTurn
   * @param {PromiseLike<any>} first
   * @param {number} next the function that is next in turn
   */
  async finishLater(task, data, started, inTurn, first, next) {
    try {
      let value = await first;
      for (let at = next; at < this.workerFns.length; at++) {
        value = await this.workerFns[at]({ data: value }, { ...this.args, workerID: this.id });
      }
      this.answer(task, data, started, value);
    } catch (thrown) {
      this.fail(task, data, started, thrown);
    }
    if (!inTurn) {
      if (this.unrung) this.ring();
      return;
    }
    this.busy = false;
    words.store(this.words, this.wire.waits, AWAKE);
    this.run();
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {number} started
   * @param {any} value
   */
  answer(task, data, started, value) {
    let text;
    try {
      text = this.codec.encode(value, "response");
    } catch (error) {
      this.fail(task, data, started, error);
      return;
    }
    // `undefined`, and `null` once encoded, count as no response.
    if (text === undefined || text === "null") this.write(task, data, started, 0, "");
    else this.write(task, data, started, this.wire.response, text);
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {number} started
   * @param {unknown} thrown
   */
  fail(task, data, started, thrown) {
    this.log(`Error occurred: ${describe(thrown)}`);
    const { failed, response } = this.wire;
    this.write(task, data, started, failed | response, errorToJson(thrown));
  }

  /**
   * Publishes an answer: from here on a crash does not touch the event any more.
   * @param {Task} task
   * @param {any} data
   * @param {number} started
   * @param {number} outcome
   * @param {string} response
   */
  write(task, data, started, outcome, response) {
    const { wire } = this;
    const finished = this.time();
    this.finished = finished;
    const flags = wire.answer | outcome;
    const isWhole = Boolean(task.flags & wire.whole);
    const canChange = isWhole || (data !== null && typeof data === "object");
    if (canChange || !this.answers.write(flags, task.index, response, started, finished)) {
      this.writeLong(
        data,
        { index: task.index, flags: outcome, started, finished },
        response,
        canChange,
      );
    }
    this.unrung = true;
    const ringAt = words.load(this.words, wire.ringAt);
    if (((task.index + 1) | 0) === ringAt || words.load(this.words, wire.ringAlways) === 1)
      this.ring();
  }

  /**
   * @param {any} data
   * @param {{ index: number, flags: number, started: number, finished: number }} answer
   * @param {string} response
   * @param {boolean} canChange
   */
  writeLong(data, answer, response, canChange) {
    if (!canChange) {
      this.native.workerAnswer(this.handle, answer, response, null);
      return;
    }
    let text;
    let error;
    try {
      text = this.codec.encode(data, "data");
    } catch (thrown) {
      error = thrown;
    }
    if (error !== undefined && !(answer.flags & this.wire.failed)) {
      // What the worker function left cannot travel: the event fails, with the data that it had.
      this.log(`Error occurred: ${describe(error)}`);
      answer.flags = this.wire.failed | this.wire.response;
      response = errorToJson(error);
    }
    if (text === undefined && error === undefined) answer.flags |= this.wire.dataHole;
    this.native.workerAnswer(this.handle, answer, response, text === undefined ? null : text);
  }
}

/**
 * This process's place in a run, if a master of this package started it.
 * @type {WorkerProcess | undefined}
 */
let self;

/** Joins the master. Called once, while this package loads. */
function join() {
  const invitation = process.env[VARIABLE];
  if (invitation === undefined || !cluster.isWorker) return;
  // Children of this process are no workers.
  delete process.env[VARIABLE];
  const handle = native().workerJoin(invitation, (what) => {
    if (self !== undefined) self.wake(what);
  });
  // Its master ended before this process came so far.
  if (handle === null) process.exit(1);
  self = new WorkerProcess(handle);
  require("./channel").adapt(self);
  require("./typescript").compileWhenNeeded();
}

/**
 * @param {any} workerFns
 * @param {any} args
 * @param {number} call
 */
function serve(workerFns, args, call) {
  if (self === undefined) {
    warnForeign();
    return;
  }
  if (self.registered) return;
  if (call === self.call) register(self, workerFns, args);
  else passBy(self, workerFns, args);
}

/**
 * Remembers a call that another worker serves. A program that chooses its call by the environment or
 * the arguments reaches only one in a worker, whatever its number: that is the one it is to serve.
 * @param {WorkerProcess} self
 * @param {any} workerFns
 * @param {any} args
 */
function passBy(self, workerFns, args) {
  if (self.passed === undefined) {
    process.once("beforeExit", () => {
      if (!self.registered && !self.released)
        Reflect.apply(register, undefined, [self, ...self.passed]);
    });
  }
  self.passed = [workerFns, args];
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
  const error = invalidType(wrong);
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

let warned = false;

/** This process is a worker of somebody else's cluster, where 1.0.3 silently does nothing. */
function warnForeign() {
  if (warned) return;
  warned = true;
  console.error(
    "@tiemma/sonic-distribute: this process is a worker of another cluster (PM2 in cluster mode, for " +
      "example), so it is not a master and MapReduce does nothing here. Run the program in a process " +
      "of its own (PM2: exec_mode fork).",
  );
}

/**
 * @param {any} workerFns
 * @param {any} args
 */
async function initWorkers(workerFns, args) {
  serve(workerFns, args, nextCall());
}

module.exports = { join, serve, initWorkers, VARIABLE };
