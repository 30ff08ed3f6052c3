"use strict";
// What comes out of a run: its queues of results and failures, and each answer as it happens where somebody watches.
// Results stay in the core until somebody looks. Answers are brought here one by one only for the reasons below.

const { answersOf, entriesOf } = require("./decode");
const unread = require("./unread");
const { isQuiet, log } = require("../shared/log");
const { wire } = require("../shared/native");
const { Set } = require("../shared/primordials");
const { Entries } = require("../shared/queue");

/** @typedef {InstanceType<typeof import("./run").Run>} Run */
/** @typedef {import("./decode").Piece} Piece */

// The core's queues.
const RESULTS = 0;
const FAILURES = 1;
const OBSERVED = 2;

// Why answers are brought here one by one: the sum of these.
const FOR_LOG = 1;
const FOR_LISTENERS = 2;
const FOR_ARRAYS = 4;
const FOR_FREE_WORKERS = 8;
const FOR_ON_RESULT = 16;

const MAY_PROMISE = new Set(["object", "function"]);

class Output {
  /** @param {Run} run @param {((entry: any) => unknown) | undefined} onResult */
  constructor(run, onResult) {
    this.run = run;
    this.onResult = onResult;
    this.wire = wire();
    this.results = new Entries(this.source(RESULTS));
    this.failures = new Entries(this.source(FAILURES));
    this.observing = 0;
    /** Calls of `onResult` whose promises are pending. */
    this.showing = 0;
    /** How many failures the program's own listeners have heard of. */
    this.toldFailures = 0;
  }

  /** @param {number} queue @returns {import("../shared/queue").Source} */
  source(queue) {
    const { run } = this;
    return {
      pull: () => {
        for (;;) {
          const piece = run.native.runTake(run.handle, queue);
          if (piece === null) return null;
          const entries = this.decode(piece, queue);
          if (entries.length > 0) return entries;
        }
      },
      count: () => run.native.runCount(run.handle, queue),
      seen: () => {
        if (queue === FAILURES) unread.seen(run);
      },
      touched: () => {
        if (run.phase !== "closed") this.observeFor(FOR_ARRAYS, true);
      },
      // The entries of a stream are elsewhere.
      isEarly: () => queue === RESULTS && run.isRunning && run.reader === null,
      found: () => unread.found(run),
    };
  }

  /** @type {(piece: Piece, queue: number) => any[]} */
  decode(piece, queue) {
    const entries = this.decoded(piece, queue);
    const { observer } = this.run.pool;
    if (observer !== null && (queue === FAILURES || this.run.reader !== null))
      observer.heard(entries, queue === FAILURES, this.run);
    return entries;
  }

  /** @type {(piece: Piece, queue: number) => any[]} */
  decoded(piece, queue) {
    try {
      return entriesOf(piece, this.run.flow?.plan);
    } catch (_) {
      // Some worker has put garbage into it: that has failed, and the others' entries are what they are.
      const answers = answersOf(piece, this.run.flow?.plan);
      if (queue !== RESULTS || this.run.reader !== null) return answers.map(({ entry }) => entry);
      const isFailure = (/** @type {{ kind: number }} */ { kind }) => kind & this.wire.entryFailed;
      for (const answer of answers) if (isFailure(answer)) this.failures.push(answer.entry);
      return answers.filter((answer) => !isFailure(answer)).map(({ entry }) => entry);
    }
  }

  /** Brings answers here one by one, or stops doing so. @param {number} why @param {boolean} on */
  observeFor(why, on) {
    const observing = on ? this.observing | why : this.observing & ~why;
    if ((observing === 0) !== (this.observing === 0)) {
      const { native, handle, pool } = this.run;
      native.runObserve(handle, observing !== 0);
      // What was answered before comes first.
      if (observing !== 0) this.absorb();
      else {
        this.takeObserved();
        pool.told.tell();
      }
    }
    this.observing = observing;
  }

  absorb() {
    this.results.absorb();
    this.failures.absorb();
  }

  begin() {
    if (this.onResult !== undefined) this.observeFor(FOR_ON_RESULT, true);
    this.checkLog();
  }

  /** Somebody listens for messages. */
  observeForListeners() {
    this.observeFor(FOR_LISTENERS, true);
  }

  /** Log lines are wanted or not: programs change it while they run. */
  checkLog() {
    // A pool that stays prints nothing.
    if (this.run.settings.about !== undefined) return;
    const wanted = !isQuiet();
    if (wanted !== Boolean(this.observing & FOR_LOG)) this.observeFor(FOR_LOG, wanted);
  }

  /** The ids of the free workers, which are listed here from now on. */
  observeFreeWorkers() {
    const { native, handle, pool } = this.run;
    this.observing |= FOR_FREE_WORKERS;
    const { free, observed } = native.runManual(handle);
    this.absorb();
    // These answers freed some of the workers: a program that sees a worker free must see its results too.
    for (const piece of observed) this.observe(piece, false);
    pool.told.tellNow();
    return free;
  }

  /** Takes in the answers that somebody watches for. */
  takeObserved() {
    if (this.observing === 0) return;
    const { native, handle, manual } = this.run;
    for (;;) {
      const piece = native.runTake(handle, OBSERVED);
      if (piece === null) return;
      this.observe(piece, manual.isOn);
    }
  }

  /**
   * @param {Piece} piece
   * @param {boolean} frees whether to list the workers that answered as free
   */
  observe(piece, frees) {
    for (const answer of answersOf(piece, this.run.flow?.plan)) {
      this.run.pool.told.add(() => this.tellAnswer(answer, frees));
    }
  }

  /**
   * In 1.0.3's order: listeners, then the free worker, its log line, and the result.
   * @param {import("./decode").Answer} answer
   * @param {boolean} frees
   */
  tellAnswer({ kind, id, entry }, frees) {
    const { run, wire } = this;
    const isMessage = Boolean(kind & wire.entryMessage);
    const isCrash = Boolean(kind & wire.entryCrash);
    // Nothing is lost if a listener throws.
    try {
      const worker = run.pool.workers.get(id);
      if (worker && !isCrash) {
        if (kind & wire.entryFailed && this.observing & FOR_LISTENERS) this.toldFailures++;
        worker.process.emit("message", entry, undefined);
      }
    } finally {
      if (frees && !isMessage && id !== 0 && !(kind & wire.entryTaken)) run.workerQueue.enqueue(id);
      // Whether lines are wanted is asked once for all answers that are told together.
      if (this.observing & FOR_LOG && !isMessage && !isCrash) log(`Worker ${id} now available`);
      // The core keeps a stream's entries in their own order.
      if (run.reader === null) this.keep(entry, kind & wire.entryFailed, kind & wire.entryResponse);
    }
  }

  /**
   * Puts an entry where it belongs, and shows it to `onResult`.
   * @param {any} entry
   * @param {any} isFailure
   * @param {any} isResult
   */
  keep(entry, isFailure, isResult) {
    const { observer } = this.run.pool;
    if (isFailure && observer !== null) observer.heard([entry], true, this.run);
    if (isFailure && this.run.reader === null) this.failures.push(entry);
    else if (isFailure || isResult) this.results.push(entry);
    else return;
    if (this.onResult !== undefined) this.show(entry, this.onResult);
  }

  /** @type {(entry: any, onResult: (entry: any) => unknown) => void} */
  show(entry, onResult) {
    try {
      const shown = onResult(entry);
      // Nothing else can be a promise.
      if (shown !== null && MAY_PROMISE.has(typeof shown)) this.awaitShown(shown);
    } catch (error) {
      this.run.stop(error);
    }
  }

  /** @param {unknown} shown what `onResult` has returned */
  async awaitShown(shown) {
    this.showing++;
    try {
      await shown;
    } catch (error) {
      this.run.stop(error);
    }
    this.showing--;
    this.run.onNews();
  }

  /**
   * A message that left the worker before this package was loaded there.
   * @param {import("./cluster").Worker} worker
   * @param {any} message
   */
  tellMessage(worker, message) {
    worker.process.emit("message", message, undefined);
    if (message === null || typeof message !== "object") return;
    const { failed, response } = message;
    this.keep(message, failed, response !== undefined && response !== null);
  }
}

module.exports = { Output };
