"use strict";
// The worker's half: joins the master while modules load, serves one of the program's calls, and
// runs its events one at a time. The rest of the process is the program's own.

const cluster = require("./cluster");
const { performance } = require("perf_hooks");
const { argsCopier } = require("./args");
const { nextCall } = require("./calls");
const { codecOf } = require("./codec");
const { describe, errorToJson, invalidType, shown } = require("./errors");
const { getLogger, getWorkerName } = require("./log");
const { BacklogReader } = require("./backlog");
const { native, wire } = require("./native");
const { RingWriter } = require("./ring");
const { words } = require("./words");

const { setImmediate } = globalThis;
const { now } = performance;

/** Milliseconds for which events run one after the other before timers and sockets get a turn. */
const TURN = 1;

/** The variable that makes a process a worker; see `VARIABLE` in src/protocol.rs. */
const VARIABLE = "SONIC_DISTRIBUTE_WORKER";

/**
 * An event that runs. `flags` are those of its frame or its place in the backlog; `answers` those that
 * its answer has beside its outcome; `text` is what its data was made from, if that was needed.
 * @typedef {{ index: number, flags: number, answers: number, data: any, text: string | undefined }} Task
 */
/** @typedef {(event: { data: any }, args: any) => any} WorkerFn */
/** @typedef {WorkerProcess} Self */

class WorkerProcess {
  /** @param {import("../native").ExternalObject<import("../native").WorkerHandle>} handle */
  constructor(handle) {
    this.native = native();
    this.wire = wire();
    this.handle = handle;
    this.call = this.native.workerCall(handle);
    this.codec = codecOf(this.native.workerSerialization(handle));
    const memory = this.native.workerMemory(handle);
    this.words = new Int32Array(memory);
    this.backlog = new BacklogReader(
      this.native.workerBacklog(handle),
      this.native.workerPlace(handle),
      this.codec.decode,
    );
    this.answers = new RingWriter(memory, this.wire.answers);
    /** What to add to this process's clock to get the one that all processes share. */
    this.clockOffset = this.native.clock() - now.call(performance);
    this.worker = /** @type {import("cluster").Worker} */ (cluster.worker);
    this.id = this.worker.id;
    /** @type {WorkerFn[]} */
    this.workerFns = [];
    /** What each function gets beside its event.
     * @type {() => any} */
    this.copyArgs = () => ({ workerID: this.id });
    this.registered = false;
    /** The last call that this worker passed by: its arguments.
     * @type {any} */
    this.passed = undefined;
    this.released = false;
    /** An event runs, or its text is awaited, that must end before the next is claimed. */
    this.busy = false;
    this.scheduled = false;
    /** Answers were written since the master was last rung. */
    this.unrung = false;
    this.turned = 0;
    /** When the last event of the backlog began. */
    this.claimedAt = 0;
    /** When the last answer was given. */
    this.finished = 0;
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
    this.copyArgs = argsCopier(args, this.id);
    this.registered = true;
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
    if (what & 1) {
      // It may have been woken for something else than the backlog.
      this.backlog.wake();
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

  /** Does what there is to do, until there is nothing more or it has to wait. */
  run() {
    do {
      this.collect();
      if (!this.busy && this.runEvents()) return;
    } while (!this.listen());
    // What is finished does not wait for what is not; many short events share a ring.
    if (this.unrung) this.runSoon();
  }

  /**
   * Claims and runs events, one after the other. True if the thread is to go on elsewhere: there is
   * nothing to do, or others are to have their turn. False if an event is not finished.
   */
  runEvents() {
    let started = this.time();
    while (!this.busy) {
      if (started - this.turned > TURN) {
        this.yieldTurn();
        return true;
      }
      if (this.hasFrames()) {
        this.collect();
        started = this.time();
      } else if (!this.claim()) {
        if (!this.lookAround()) {
          if (this.sleep()) return true;
          // The I/O thread may have taken from the ring what there is.
          this.collect();
        }
        started = this.time();
      } else if (this.backlog.isLong) {
        // The master sees who claimed it, and sends the text.
        this.busy = true;
        this.ring();
      } else {
        const { index, flags, data, text } = this.backlog;
        this.claimedAt = started;
        this.start({ index, flags, answers: 0, data, text }, started, true);
        started = this.finished;
      }
    }
    return false;
  }

  /** Whether this worker takes events from the backlog. */
  get isServing() {
    const { held } = this.wire;
    return this.registered && !this.released && words.load(this.words, held) === 0;
  }

  /** Makes the next event this worker's. False if there is none for it. */
  claim() {
    const { backlog } = this;
    if (!this.isServing || !backlog.claim()) return false;
    backlog.read();
    if (backlog.isToRing()) this.ring();
    return true;
  }

  /** Lets timers and sockets have their turn before the next event. */
  yieldTurn() {
    this.ring();
    this.runSoon();
  }

  runSoon() {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.turned = this.time();
      if (this.unrung) this.ring();
      this.run();
    });
  }

  /** Has the master ring for what it sends to this worker alone; false if that has happened. */
  listen() {
    words.store(this.words, this.wire.waits, 1);
    return !this.native.workerHasArrived(this.handle);
  }

  /** After events that were short: the next may come sooner than a sleeper wakes. */
  lookAround() {
    if (!this.unrung || !this.isServing || this.finished - this.claimedAt > TURN) return false;
    this.ring();
    this.native.workerLookForEvents(this.handle, this.backlog.next);
    return true;
  }

  /** Has the master ring for anything. False if there is something already. */
  sleep() {
    if (this.unrung) this.ring();
    const { isServing } = this;
    if (isServing) this.backlog.sleep();
    if (this.listen() && !(isServing && this.backlog.hasMore())) return true;
    this.backlog.wake();
    words.store(this.words, this.wire.waits, 0);
    return false;
  }

  ring() {
    this.unrung = false;
    if (!this.backlog.masterLooks()) this.native.workerRing(this.handle);
  }

  /** Whether the master has sent something to this worker alone. */
  hasFrames() {
    const { head, tail } = this.wire.tasks;
    return this.words[head] !== this.words[tail];
  }

  /** Takes in what the master has sent to this worker alone. */
  collect() {
    const { message, hole, direct, giveBack, string } = this.wire;
    for (const { kind, index, text } of this.native.workerTake(this.handle)) {
      const isString = Boolean(kind & string);
      const data = isString ? text : kind & hole ? undefined : this.codec.decode(JSON.parse(text));
      if ((kind & 0xff) === message) {
        this.deliver(data);
        continue;
      }
      if (!this.makeMine(index)) continue;
      if (kind & giveBack && this.busy) {
        this.giveBack(index);
        continue;
      }
      const inTurn = !(kind & direct);
      const task = { index, flags: kind, answers: direct, data, text };
      if (this.start(task, this.time(), inTurn) && inTurn) this.busy = false;
    }
  }

  /**
   * Has an event run elsewhere that the master sent when this worker had just claimed another.
   * @param {number} index
   */
  giveBack(index) {
    const { answer, direct, giveBack } = this.wire;
    const flags = direct | giveBack;
    const time = this.time();
    if (!this.answers.write(answer | flags, index, "", time, time)) {
      const header = { index, flags, started: time, finished: time };
      this.native.workerAnswer(this.handle, header, "", null);
    }
    this.ring();
  }

  /**
   * Makes an event of the task ring this worker's for good. False if the master took it back.
   * @param {number} index
   */
  makeMine(index) {
    const { started } = this.wire;
    const next = (index + 1) | 0;
    return words.compareExchange(this.words, started, index | 0, next) === (index | 0);
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
        value = workerFns[at]({ data: value }, this.copyArgs());
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
        value = await this.workerFns[at]({ data: value }, this.copyArgs());
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
    words.store(this.words, this.wire.waits, 0);
    this.run();
  }

  /**
   * @param {Task} task
   * @param {any} data
   * @param {number} started
   * @param {any} value
   */
  answer(task, data, started, value) {
    if (typeof value === "string" && this.codec.keepsStrings) {
      this.write(task, data, started, this.wire.response | this.wire.string, value);
      return;
    }
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
    const flags = outcome | task.answers;
    const changed = this.changedData(task, data, flags);
    if (
      changed !== undefined ||
      !this.answers.write(wire.answer | flags, task.index, response, started, finished)
    ) {
      const answer = { index: task.index, flags, started, finished, ...changed?.answer };
      const text = changed?.response === undefined ? response : changed.response;
      const newData = changed === undefined ? null : changed.text;
      if (!this.native.workerAnswer(this.handle, answer, text, newData)) {
        answer.flags &= ~wire.string;
        this.native.workerAnswer(this.handle, answer, JSON.stringify(text), newData);
      }
    }
    this.unrung = true;
    if (words.load(this.words, wire.ringAlways) === 1) this.ring();
  }

  /**
   * What the worker function made of the event's data, if that is another value now.
   * @param {Task} task
   * @param {any} data
   * @param {number} flags
   * @returns {{ text: string | null, answer?: { flags: number }, response?: string } | undefined}
   */
  changedData(task, data, flags) {
    const isWhole = Boolean(task.flags & this.wire.whole);
    if (!isWhole && (data === null || typeof data !== "object")) return undefined;
    const { failed, response, dataHole, string } = this.wire;
    try {
      const text = this.codec.encode(data, "data");
      if (text === undefined) return { text: null, answer: { flags: flags | dataHole } };
      return text === task.text ? undefined : { text };
    } catch (error) {
      if (flags & failed) return undefined;
      // What the worker function left cannot travel: the event fails, with the data that it had.
      this.log(`Error occurred: ${describe(error)}`);
      const answer = { flags: (flags & ~string) | failed | response };
      return { text: null, answer, response: errorToJson(error) };
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
