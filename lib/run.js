"use strict";
// One run in the master: its pool, its queues, and the order in which the program hears of things.
//
// The native core calls `wake` when there is something to look at. Events go into the backlog that all
// workers share, by one short call each; results stay in the core until somebody looks. Only what the
// program asked to see as it happens (log lines, message listeners, a queue's array, the free
// workers) is brought here event by event.

const cluster = require("./cluster");
const dataless = require("./dataless");
const { coded, firstFailure, invalidType, reasonOf, shown } = require("./errors");
const { hintForThread } = require("./host");
const { getLogger, getWorkerName, hint, isQuiet } = require("./log");
const { native, wire } = require("./native");
const { MASK, codecOf, decode, encodedWithin, formatOf, textWithin } = require("./codec");
const { hasOwn } = require("./own");
const primary = require("./primary");
const {
  Buffer,
  JSON,
  Map,
  Promise,
  Set,
  clearTimeout,
  nextTick,
  setImmediate,
  setTimeout,
} = require("./primordials");
const { ResultQueue, WorkerQueue } = require("./queue");
const { publish } = require("./diagnostics");
const { Recording } = require("./record");
const { launchOptions } = require("./settings");
const { pointAt, siteOf } = require("./stack");
const unread = require("./unread");

/** A longer string is worth the try to hand it over as it is. */
const LARGE = 16384;

// How an event was put in, the sum of these; 0 if it was not. See `poolPutter`.
const HAS_ROOM = 2;
const IS_URGENT = 4;
const IS_LATE = 8;

/** Milliseconds between looks at a queue of ids that changes without telling: a plain array. */
const LOOK_AGAIN = 5;

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

const HANDED_OVER = Promise.resolve();

/**
 * The runs that are not over, by the ids of their workers.
 * @type {globalThis.Map<number, Run>}
 */
const runOfWorker = new Map();

/** How many runs there have been. */
let runs = 0;

/** @typedef {{ run: Run | null }} Wakes */
/** @typedef {import("./primary").Worker} Worker */
/** @typedef {{ resolve: () => void, reject: (error: unknown) => void, number: number }} Waiting */
/** @typedef {{ queue: any, resolve: (id: number) => void, reject: (error: unknown) => void }} IdWanted */

class Run {
  /**
   * Starts `numWorkers` processes for one of the program's calls.
   * @param {number} numWorkers
   * @param {InstanceType<typeof import("./calls").Call>} call
   * @param {import("./options").Options} options
   */
  constructor(numWorkers, call, options) {
    this.recording = new Recording(options);
    /** Which run of this process it is. */
    this.number = ++runs;
    this.ids = primary.newIds(numWorkers);
    this.launch = launchOptions(this, call, options);
    this.codec = codecOf(this.launch.serialization);
    this.log = getLogger(getWorkerName());
    this.wire = wire();
    this.native = native();
    /** What the core wakes, until the run is over.
     * @type {Wakes} */
    this.wakes = { run: this };
    this.pool = this.native.poolCreate(this.launch, wakerOf(this.wakes));
    /** Puts an event in; see `poolPutter`. */
    this.put = this.native.poolPutter(this.pool);

    /** How many events `Map` has handed over, modulo 2^32. */
    this.handedOver = 0;
    /** `Map`s whose events have no room, from `nextWaiting` on.
     * @type {Waiting[]} */
    this.waiting = [];
    this.nextWaiting = 0;
    this.observing = 0;
    /** Why the run cannot go on, or was stopped.
     * @type {{ error: unknown } | null} */
    this.failure = null;
    this.released = false;
    this.closed = false;
    /** Who reads the entries while the run goes on.
     * @type {InstanceType<typeof import("./stream").Reader> | null} */
    this.reader = null;
    this.onResult = options.onResult;
    /** Calls of `onResult` that have not come to their end. */
    this.showing = 0;
    /** @type {(() => void) | null} */
    this.hasShown = null;

    /** @type {IdWanted[]} */
    this.idsWanted = [];
    /** @type {NodeJS.Timeout | null} */
    this.lookAgain = null;

    /** What happened and was not told yet: an exception of a listener must not lose the rest.
     * @type {(() => void)[]} */
    this.untold = [];
    this.telling = false;

    this.results = new ResultQueue(this.source(RESULTS));
    this.failures = new ResultQueue(this.source(FAILURES));
    /** Somebody has looked for results in vain while it was on. */
    this.isMissed = false;
    /** The program began it itself, and has its queues while it is on. */
    this.isByHand = false;
    /** How many failures the program's own listeners were told of. */
    this.toldFailures = 0;
    /** The program was told that it did not come out well. */
    this.hasFailed = false;
    /** What is unread when it is over; see `lib/unread.js`.
     * @type {{ failures?: import("./unread").Unseen }} */
    this.unread = {};
    /** Where the program made the call, until the run is over.
     * @type {{ stack?: unknown } | undefined} */
    this.site = undefined;
    /** The program has looked at the free workers. */
    this.isExact = false;
    this.workerQueue = new WorkerQueue(this);
    /** Workers in `cluster.workers` or on their way out of it, by id.
     * @type {globalThis.Map<number, Worker>} */
    this.workers = new Map();
    /** @type {Set<number>} */
    this.registered = new Set();
    /** How many workers there are to be before the run is on. */
    this.awaited = numWorkers;

    /** @type {Promise<void>} */
    this.ready = new Promise((resolve, reject) => {
      this.isReady = resolve;
      this.isFailed = reject;
    });
    /** Rejects if the run cannot go on.
     * @type {Promise<never>} */
    this.failed = new Promise((_, reject) => {
      this.fails = reject;
    });
    this.failed.catch(() => {});
    this.ready.catch(() => {});
    /** @type {(() => void) | null} */
    this.isDrained = null;
    /** Resolves what waits for news from the core.
     * @type {(() => void) | null} */
    this.hasHeard = null;

    this.watchListeners();
    for (const id of this.ids) runOfWorker.set(id, this);
    this.recording.begin(this);
    unread.begin(this);
    this.start();
  }

  start() {
    try {
      this.ids.forEach((id, place) => {
        const started = this.native.poolSpawn(this.pool, place);
        // The machine has none to spare now: the core tries again, and tells.
        if (started === null) return;
        const worker = this.add(id, started);
        // As Node does: the caller may add its listener first.
        nextTick(() => cluster.emit("fork", worker));
      });
    } catch (error) {
      this.fail(error);
      this.release();
    }
  }

  // ---- events in ----

  /**
   * Hands an event to a free worker.
   * @param {any} event
   * @returns {Promise<void>} resolves when the event has a worker
   */
  map(event) {
    return this.reader === null ? this.handOver(event) : this.reader.slow(this.handOver(event));
  }

  /**
   * @param {any} event
   * @returns {Promise<void>}
   */
  handOver(event) {
    if (this.released) return this.refuse();
    if (this.isExact) return this.mapExactly(event);
    const number = this.handedOver;
    let how;
    try {
      how = this.hand(event, number);
    } catch (error) {
      return Promise.reject(pointAt(error, siteOf(this.handOver)));
    }
    this.handedOver = (number + 1) | 0;
    if (how & IS_URGENT) this.flush();
    if (!(how & HAS_ROOM) && !this.lookForRoom(number)) return this.waitForRoom(number);
    return how & IS_LATE ? this.letTurn() : HANDED_OVER;
  }

  /**
   * Puts an event into the backlog.
   * @param {any} event
   * @param {number} number
   * @returns {number} how that came out: see `poolPutter`
   */
  hand(event, number) {
    const { wire, put } = this;
    const isWhole = hasMoreThanData(event);
    const data = isWhole ? undefined : event.data;
    if (typeof data === "number") {
      const how = put(data, wire.task, number);
      if (how !== 0) return how;
    } else if (typeof data === "string") {
      const flags = wire.task | wire.string;
      const how = put(data, flags, number);
      if (how !== 0) return how;
      // Long ones are worth a try; others have failed because they are not ASCII, as a rule.
      if (data.length > LARGE && this.native.poolSubmit(this.pool, data, flags)) return 0;
    }
    const { encoded, flags } = this.encoded(event, isWhole);
    const how = put(encoded, flags, number);
    if (how === 0) this.native.poolSubmit(this.pool, encoded, flags);
    return how;
  }

  /**
   * Where events are short, room is there sooner than this thread would wake.
   * @param {number} number
   */
  lookForRoom(number) {
    return !this.isAwaited && this.native.poolLookForRoom(this.pool, number);
  }

  /**
   * What `Map` gives when there are no workers any more.
   * @returns {Promise<never>}
   */
  refuse() {
    /** @type {Promise<never>} */
    const promise = Promise.reject(pointAt(this.ending(), siteOf(this.refuse)));
    // A program that sends without waiting must not end by an abort, which its call tells it of.
    if (this.failure) promise.catch(() => {});
    return promise;
  }

  /** Why nothing can be handed over any more. */
  ending() {
    return this.failure ? this.failure.error : over();
  }

  /** @returns {Promise<void>} */
  letTurn() {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.native.poolTurned(this.pool);
        resolve();
      });
    });
  }

  /**
   * @param {number} number
   * @returns {Promise<void>}
   */
  waitForRoom(number) {
    /** @type {Promise<void>} */
    const promise = new Promise((resolve, reject) => {
      this.waiting.push({ number, resolve, reject });
    });
    // Whoever awaits it hears of a failure; a program that does not must not end by it.
    promise.catch(() => {});
    // The core knows already that there is one that waits, and need not hear of those behind it.
    if (this.waiting.length - this.nextWaiting > 1) return promise;
    this.awaitRoom();
    this.flush();
    this.admit();
    return promise;
  }

  /** Whether a `Map` waits for room. */
  get isAwaited() {
    return this.nextWaiting < this.waiting.length;
  }

  /** Tells the core which event waits first. */
  awaitRoom() {
    this.native.poolAwaitRoom(this.pool, this.waiting[this.nextWaiting].number);
  }

  /** Resolves the `Map`s whose events have found a worker. */
  admit() {
    if (!this.isAwaited) return;
    const { native, pool } = this;
    while (this.isAwaited && native.poolHasRoom(pool, this.waiting[this.nextWaiting].number)) {
      this.waiting[this.nextWaiting++].resolve();
    }
    if (this.isAwaited) this.awaitRoom();
    else native.poolAwaitRoom(pool, null);
    // Seldom enough that a long list is not moved again and again.
    if (this.nextWaiting * 2 > this.waiting.length) {
      this.waiting.splice(0, this.nextWaiting);
      this.nextWaiting = 0;
    }
  }

  flush() {
    this.checkLog();
    this.native.poolFlush(this.pool);
  }

  // ---- the free workers, once the program looks at them ----

  lookAtWorkers() {
    this.observing |= FOR_FREE_WORKERS;
    this.isExact = true;
    const exact = this.native.poolExact(this.pool);
    this.results.absorb();
    this.failures.absorb();
    // Those ids take into account what was observed before: whoever sees a worker free must see its
    // results too.
    for (const piece of exact.observed) this.observe(piece, false);
    this.tellNow();
    return exact.idle;
  }

  /**
   * Takes the id of a free worker out of a queue.
   * @param {any} queue
   * @returns {Promise<number>}
   */
  takeId(queue) {
    if (this.released) return this.refuse();
    return new Promise((resolve, reject) => {
      this.idsWanted.push({ queue, resolve, reject });
      this.serveIds();
    });
  }

  /** Gives ids that are there to whoever waits for one. */
  serveIds() {
    const still = [];
    for (const wanted of this.idsWanted) {
      const id = this.nextId(wanted.queue);
      if (id !== undefined) wanted.resolve(id);
      else still.push(wanted);
    }
    this.idsWanted = still;
    if (this.lookAgain !== null) clearTimeout(this.lookAgain);
    // An id that is pushed on the array itself, or on a queue of the program's own, tells nobody.
    this.lookAgain =
      still.length > 0
        ? setTimeout(() => {
            this.lookAgain = null;
            this.serveIds();
          }, LOOK_AGAIN)
        : null;
  }

  /**
   * The next id in a queue that is a worker's; others are dropped, as 1.0.3 does.
   * @param {any} queue
   */
  nextId(queue) {
    while (!queue.isEmpty()) {
      const id = queue.dequeue();
      // One of ours that has just ended is being replaced, and keeps its id.
      const run = runOfWorker.get(id);
      if (cluster.workers?.[id] || (run !== undefined && !run.released)) return id;
    }
    return undefined;
  }

  /**
   * `Map`, once the program sees which workers are free.
   * @param {any} event
   * @returns {Promise<void>}
   */
  mapExactly(event) {
    let encoding;
    try {
      encoding = this.encoded(event);
    } catch (error) {
      return Promise.reject(pointAt(error, siteOf(this.handOver)));
    }
    const { encoded, flags } = encoding;
    // The program may write to its Buffer while this waits.
    const kept =
      encoded === event.data && typeof encoded !== "string" ? Buffer.from(encoded) : encoded;
    const promise = this.sendToFree(kept, flags);
    // As for those that wait for room.
    promise.catch(() => {});
    return promise;
  }

  /**
   * Sends an event to the worker whose id is next in the queue. One that has gone meanwhile gets none.
   * @param {import("./codec").Encoded} encoded
   * @param {number} flags
   */
  async sendToFree(encoded, flags) {
    for (;;) {
      const id = await this.takeId(this.workerQueue);
      const run = runOfWorker.get(id);
      const isSent =
        run === undefined
          ? sendToOther(id, this.decodedEvent(encoded, flags))
          : run.sendEvent(id, encoded, flags);
      if (isSent) return;
    }
  }

  /**
   * The event that was encoded.
   * @param {import("./codec").Encoded} encoded
   * @param {number} flags
   */
  decodedEvent(encoded, flags) {
    const { hole, whole, formatAt } = this.wire;
    if (flags & hole) return {};
    const value = decode(encoded, (flags >> formatAt) & MASK);
    return flags & whole ? value : { data: value };
  }

  /**
   * @param {any} event
   * @param {boolean} isWhole whether all of it is to travel, and not its data alone
   * @returns {{ encoded: import("./codec").Encoded, flags: number }}
   */
  encoded(event, isWhole = hasMoreThanData(event)) {
    const { task, hole, whole, formatAt } = this.wire;
    const value = isWhole ? event : event.data;
    // What has data is no mistake, and nearly everything has.
    if (value === undefined || (isWhole && event.data === undefined)) {
      dataless.warn(event);
    }
    const encoded = encodedWithin(this.codec, value, isWhole ? "" : "data", "Map: the event");
    if (encoded !== undefined) {
      const format = formatOf(value, encoded) << formatAt;
      return { encoded, flags: task | format | (isWhole ? whole : 0) };
    }
    if (!isWhole) return { encoded: "", flags: task | hole };
    throw invalidType(`Map: the event must be a value that JSON has, got ${shown(event)}`);
  }

  /**
   * @param {number} id
   * @param {import("./codec").Encoded} encoded
   * @param {number} flags
   */
  sendEvent(id, encoded, flags) {
    this.checkLog();
    return this.native.poolSubmitTo(this.pool, id, encoded, flags);
  }

  /**
   * Hands an event to one worker, whatever else runs there. False if it is gone.
   * @param {number} id
   * @param {any} event
   */
  sendDirectly(id, event) {
    const { encoded, flags } = this.encoded(event);
    return this.sendEvent(id, encoded, flags);
  }

  /**
   * What `worker.send` does: an event if it looks like one, or if the program took the worker's id
   * out of the queue to send it one; else a message.
   * @param {number} id
   * @param {any} message
   * @returns {Error | null}
   */
  send(id, message) {
    const isObject = message !== null && typeof message === "object";
    if (isObject && (hasOwn(message, "data") || this.isHeld(id))) {
      return this.sendDirectly(id, message) ? null : gone(id);
    }
    const text = textWithin(this.codec, message, "worker.send: the message");
    if (text === undefined) {
      throw invalidType(
        `worker.send: the message must be a value that JSON has, got ${shown(message)}`,
      );
    }
    return this.native.poolMessage(this.pool, id, text) ? null : gone(id);
  }

  /**
   * Whether the program holds the worker: free, and not in the queue.
   * @param {number} id
   */
  isHeld(id) {
    if (!this.isExact || this.workerQueue.elements.includes(id)) return false;
    return this.native.poolIsFree(this.pool, id);
  }

  // ---- results out ----

  /**
   * @param {number} queue
   * @returns {import("./queue").Source}
   */
  source(queue) {
    return {
      pull: () => {
        for (;;) {
          const piece = this.native.poolTake(this.pool, queue);
          if (piece === null) return null;
          const entries = this.decodeAnyhow(piece, queue);
          if (entries.length > 0) return entries;
        }
      },
      count: () => this.native.poolCount(this.pool, queue),
      seen: () => {
        if (queue === FAILURES) unread.seen(this);
      },
      touched: () => {
        if (!this.closed) this.observeFor(FOR_ARRAYS, true);
      },
      missed: () => {
        // A stream's entries are elsewhere.
        if (queue !== RESULTS || this.released || this.reader !== null) return;
        this.isMissed = true;
      },
      found: () => {
        if (queue !== RESULTS || !this.isMissed) return;
        this.isMissed = false;
        unread.found(this);
      },
    };
  }

  /**
   * @param {Piece} piece
   * @param {number} queue that the piece was in
   * @returns {any[]}
   */
  decodeAnyhow(piece, queue) {
    try {
      return this.decode(piece);
    } catch (_) {
      return this.salvage(piece, queue);
    }
  }

  /**
   * @param {Piece} piece
   * @returns {any[]}
   */
  decode(piece) {
    if (ArrayBuffer.isView(piece)) return this.decodeNumbers(piece);
    const values = valuesOf(piece);
    const entries = new Array(values.length / 4);
    for (let at = 0, to = 0; at < values.length; at += 4, to++) {
      entries[to] = this.entry(values[at], values[at + 1], values[at + 2], values[at + 3]);
    }
    return entries;
  }

  /**
   * The same of a piece that some worker has put garbage into: the others' entries are what they are, and
   * what makes no sense has failed.
   * @param {Piece} piece
   * @param {number} queue that the piece was in
   * @returns {any[]}
   */
  salvage(piece, queue) {
    const entries = [];
    const values = soundValuesOf(piece);
    for (let at = 0; at < values.length; at += 4) {
      const { kind, entry } = this.soundEntry(values.slice(at, at + 4));
      const isElsewhere = queue === RESULTS && this.reader === null;
      if (isElsewhere && kind & this.wire.entryFailed) this.failures.push(entry);
      else entries.push(entry);
    }
    return entries;
  }

  /** @param {any[]} values */
  soundEntry([kind, id, data, response]) {
    try {
      return { kind, entry: this.entry(kind, id, data, response) };
    } catch (_) {
      const [failed, , , error] = garbage(kind, id);
      return { kind: failed, entry: { id, failed: true, error } };
    }
  }

  /**
   * The same of entries that are numbers: a loop of its own, because V8 is fast in one that sees one kind
   * of array.
   * @param {Int32Array} values
   * @returns {any[]}
   */
  decodeNumbers(values) {
    const entries = new Array(values.length / 4);
    for (let at = 0, to = 0; at < values.length; at += 4, to++) {
      entries[to] = this.entry(values[at], values[at + 1], values[at + 2], values[at + 3]);
    }
    return entries;
  }

  /**
   * @param {number} kind
   * @param {number} id
   * @param {any} data its JSON parsed, or in the format that the kind says
   * @param {any} response likewise
   */
  entry(kind, id, data, response) {
    const { wire } = this;
    if (kind === (wire.entryData | wire.entryResponse)) return { id, data, response };
    if (kind & wire.entryMessage) return this.codec.fromText(response);
    /** @type {any} */
    const entry = { id };
    const value = decoded(data, kind >> wire.entryDataFormatAt);
    if (kind & wire.entryWhole) {
      if (value.data !== undefined) entry.data = value.data;
    } else if (kind & wire.entryData) {
      entry.data = value;
    }
    if (kind & wire.entryFailed) {
      entry.failed = true;
      entry.error = response;
    } else if (kind & wire.entryResponse) {
      entry.response = decoded(response, kind >> wire.entryResponseFormatAt);
    }
    return entry;
  }

  /**
   * Brings answers here one by one, or stops doing so.
   * @param {number} why
   * @param {boolean} on
   */
  observeFor(why, on) {
    const observing = on ? this.observing | why : this.observing & ~why;
    if ((observing === 0) !== (this.observing === 0)) {
      this.native.poolObserve(this.pool, observing !== 0);
      if (observing !== 0) {
        // What was answered before comes first.
        this.results.absorb();
        this.failures.absorb();
      } else {
        this.takeObserved();
        this.tell();
      }
    }
    this.observing = observing;
  }

  /** Log lines are wanted or not: programs change it while they run. */
  checkLog() {
    const wanted = !isQuiet();
    if (wanted !== Boolean(this.observing & FOR_LOG)) this.observeFor(FOR_LOG, wanted);
  }

  takeObserved() {
    for (;;) {
      const piece = this.native.poolTake(this.pool, OBSERVED);
      if (piece === null) return;
      this.observe(piece, this.isExact);
    }
  }

  /**
   * @param {Piece} piece
   * @param {boolean} frees whether the workers that answered are to be listed as free
   */
  observe(piece, frees) {
    let values;
    try {
      values = valuesOf(piece);
    } catch (_) {
      values = soundValuesOf(piece);
    }
    for (let at = 0; at < values.length; at += 4) {
      const answer = Array.from(values.slice(at, at + 4));
      this.untold.push(() => this.tellAnswer(answer, frees));
    }
  }

  /**
   * In 1.0.3's order: listeners, then the free worker, its log line, and the result.
   * @param {any[]} answer kind, worker, data and response
   * @param {boolean} frees
   */
  tellAnswer(answer, frees) {
    const { wire } = this;
    const [, id] = answer;
    const { kind, entry } = this.soundEntry(answer);
    const isMessage = Boolean(kind & wire.entryMessage);
    // Pushed even if a listener throws: nothing is lost.
    try {
      const worker = this.workers.get(id);
      if (worker && !(kind & wire.entryCrash)) {
        if (kind & wire.entryFailed && this.observing & FOR_LISTENERS) this.toldFailures++;
        worker.process.emit("message", entry, undefined);
      }
    } finally {
      if (frees && !isMessage && id !== 0 && !(kind & wire.entryTaken))
        this.workerQueue.enqueue(id);
      // Whether lines are wanted is asked once for all answers that are told together.
      const isLogged = this.observing & FOR_LOG && !isMessage && !(kind & wire.entryCrash);
      if (isLogged) this.log(`Worker ${id} now available`);
      // A stream's are in its own order in the core.
      if (this.reader === null)
        this.keep(entry, kind & wire.entryFailed, kind & wire.entryResponse);
    }
  }

  /**
   * Puts an entry where it belongs, and shows it to who wants to see it.
   * @param {any} entry
   * @param {any} isFailure
   * @param {any} isResult
   */
  keep(entry, isFailure, isResult) {
    if (isFailure && this.reader === null) this.failures.push(entry);
    else if (isFailure || isResult) this.results.push(entry);
    else return;
    if (this.onResult !== undefined) this.show(entry, this.onResult);
  }

  /**
   * @param {any} entry
   * @param {(entry: any) => unknown} onResult
   */
  show(entry, onResult) {
    try {
      const shown = onResult(entry);
      // What is no object or function promises nothing.
      if (shown !== null && MAY_PROMISE.has(typeof shown)) this.awaitShown(shown);
    } catch (error) {
      this.stop(error);
    }
  }

  /** @param {unknown} shown what `onResult` has returned */
  async awaitShown(shown) {
    this.showing++;
    try {
      await shown;
    } catch (error) {
      this.stop(error);
    }
    this.showing--;
    if (this.showing === 0 && this.hasShown) this.hasShown();
  }

  // ---- what the core tells ----

  wake() {
    this.native.poolTurned(this.pool);
    this.checkLog();
    const notes = this.native.poolNotes(this.pool);
    /** @type {any[]} */
    const list = notes === null ? [] : JSON.parse(notes);
    // In order, because a replacement has its predecessor's id; answers come before the first end.
    const end = list.findIndex((/** @type {any} */ note) => ENDS.has(note.type));
    const begins = end < 0 ? list : list.slice(0, end);
    for (const note of begins) this.untold.push(() => this.hear(note));
    if (this.observing !== 0) this.takeObserved();
    for (const note of list.slice(begins.length)) this.untold.push(() => this.hear(note));
    this.tell();
    this.admit();
    if (this.hasHeard) this.hasHeard();
    if (this.reader !== null) this.reader.look();
  }

  /** Tells the program what happened; what a listener throws is uncaught, and the rest follows. */
  tell() {
    if (this.telling) return;
    this.telling = true;
    let at = 0;
    try {
      while (at < this.untold.length) this.untold[at++]();
    } finally {
      this.untold.splice(0, at);
      this.telling = false;
      if (this.untold.length > 0) setImmediate(() => this.tell());
    }
  }

  /** The same, amid the program's own code, which is not to be thrown at. */
  tellNow() {
    try {
      this.tell();
    } catch (error) {
      nextTick(() => {
        throw error;
      });
    }
  }

  /** @param {any} note */
  hear(note) {
    // Every note that is about a worker names one that was added.
    const worker = /** @type {Worker} */ (this.workers.get(note.worker));
    switch (note.type) {
      case "fork":
        cluster.emit("fork", this.add(note.worker, { ...note, pipes: note.pipes.flat() }));
        break;
      case "online":
        primary.online(worker);
        break;
      case "listening":
        primary.listening(worker, JSON.parse(note.text));
        break;
      case "message":
        this.hearMessage(worker, JSON.parse(note.text));
        break;
      case "leaving":
        worker.exitedAfterDisconnect = true;
        break;
      case "recycled":
        // As when the program itself disconnects it.
        worker.exitedAfterDisconnect = true;
        primary.removeWorker(worker);
        break;
      case "registered":
        publish("workerReady", () => this.ofWorker(worker));
        this.log(`Worker ${note.worker} now available`);
        this.registered.add(note.worker);
        if (this.registered.size === this.awaited) this.isReady();
        break;
      case "disconnect":
        primary.disconnected(worker);
        if (this.released) this.log(`Gracefully shutting down worker #${note.worker}`);
        break;
      case "exit":
        publish("workerExit", () => ({
          ...this.ofWorker(worker),
          code: note.code,
          signal: note.signal,
        }));
        primary.exited(worker, note.code, note.signal);
        break;
      case "retired":
        runOfWorker.delete(note.worker);
        console.error(
          `@tiemma/sonic-distribute: goes on without worker ${note.worker}: ${note.message}`,
        );
        // Before the run is on, that is one that could not be started.
        if (!this.registered.has(note.worker)) this.awaited--;
        if (this.registered.size === this.awaited) this.isReady();
        break;
      case "hint":
        hint(note.text);
        break;
      case "failed":
        this.fail(failureOf(note));
        break;
      case "stopped":
        this.stopByFailure();
        break;
      case "drained":
        if (this.isDrained) this.isDrained();
        break;
      case "closed":
        this.close();
        break;
    }
  }

  /**
   * A message that left the worker before this package was loaded there.
   * @param {Worker} worker
   * @param {any} message
   */
  hearMessage(worker, message) {
    worker.process.emit("message", message, undefined);
    if (message === null || typeof message !== "object") return;
    const { failed, response } = message;
    this.keep(message, failed, response !== undefined && response !== null);
  }

  /**
   * @param {number} id
   * @param {import("../native").StartedWorker} started
   */
  add(id, started) {
    const worker = primary.addWorker(this, id, started);
    this.workers.set(id, worker);
    // Its start is told after the others were let go: so was it.
    if (this.released) worker.exitedAfterDisconnect = true;
    publish("workerStart", () => this.ofWorker(worker));
    for (const emitter of [worker, worker.process]) {
      emitter.on("newListener", (/** @type {string} */ name) => {
        if (name === "message") this.observeFor(FOR_LISTENERS, true);
      });
    }
    return worker;
  }

  /**
   * What is told of a worker on a diagnostics channel.
   * @param {Worker} worker
   */
  ofWorker(worker) {
    return { run: this.number, worker: worker.id, pid: worker.process.pid };
  }

  /** Answers are made into messages only while somebody listens for them. */
  watchListeners() {
    if (cluster.listenerCount("message") > 0) this.observeFor(FOR_LISTENERS, true);
    this.onListener = (/** @type {string | symbol} */ name) => {
      if (name === "message") this.observeFor(FOR_LISTENERS, true);
    };
    cluster.on("newListener", this.onListener);
    if (this.onResult !== undefined) this.observeFor(FOR_ON_RESULT, true);
    this.checkLog();
  }

  // ---- the end ----

  /** @param {unknown} error */
  fail(error) {
    if (this.failure) return;
    this.failure = { error: pointAt(error, this.site) };
    this.hasFailed = true;
    this.isFailed(error);
    this.fails(error);
    for (const wanted of this.idsWanted) wanted.reject(error);
    this.idsWanted = [];
  }

  /**
   * Stops the run for good: nothing more is started, whoever waits for it is told why, and the workers end.
   * @param {unknown} error
   */
  stop(error) {
    if (this.failure) return;
    this.fail(error);
    this.native.poolStop(this.pool);
    this.release();
  }

  /** An event failed, and that is to stop the run. */
  stopByFailure() {
    if (this.failure === null) this.stop(firstFailure(this.failures.dequeue()));
  }

  /**
   * Stops the run when the signal does. The function that is returned makes an end of that.
   * @param {AbortSignal} signal
   */
  stopBy(signal) {
    const stop = () => this.stop(reasonOf(signal));
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    return () => signal.removeEventListener("abort", stop);
  }

  /** Resolves when every event that was handed over is answered. */
  async drain() {
    while (this.idsWanted.length > 0 && !this.failure) {
      // Nobody gives an id back any more: any free worker will do. If there is none, one will answer.
      const free = this.native.poolFree(this.pool);
      const served = this.idsWanted.splice(0, free.length);
      for (const [at, wanted] of served.entries()) wanted.resolve(free[at]);
      /** @type {Promise<void>} */
      const changed = new Promise((resolve) => {
        if (served.length > 0) setImmediate(resolve);
        else this.hasHeard = resolve;
      });
      await changed;
    }
    this.checkLog();
    /** @type {Promise<void>} */
    const drained = new Promise((resolve) => {
      this.isDrained = resolve;
    });
    if (!this.native.poolDrained(this.pool)) await drained;
    this.admit();
    if (this.observing !== 0) this.takeObserved();
    this.tell();
    while (this.showing > 0) {
      /** @type {Promise<void>} */
      const shown = new Promise((resolve) => {
        this.hasShown = resolve;
      });
      await shown;
    }
    // The note that says so may still be on its way.
    if (this.launch.stopOnFailure && !this.failures.isEmpty()) this.stopByFailure();
  }

  /**
   * Lets the workers go: they leave `cluster.workers` now, and end when they have nothing to do.
   * @param {{ error: unknown } | null} failure why the run ends, if it has not come out well
   */
  release(failure = this.failure) {
    if (this.released) return;
    this.released = true;
    this.hasFailed = failure !== null;
    this.observeForNothing();
    for (const worker of this.workers.values()) {
      worker.exitedAfterDisconnect = true;
      primary.removeWorker(worker);
    }
    this.native.poolRelease(this.pool);
    this.recording.end(this, failure);
  }

  /** Nothing is answered any more that anybody could wait for. */
  observeForNothing() {
    if (this.onListener) cluster.removeListener("newListener", this.onListener);
    for (const waiting of this.waiting.splice(this.nextWaiting)) {
      waiting.reject(pointAt(this.ending(), this.site));
    }
    this.native.poolAwaitRoom(this.pool, null);
    if (this.lookAgain !== null) clearTimeout(this.lookAgain);
    this.lookAgain = null;
  }

  close() {
    this.closed = true;
    this.wakes.run = null;
    this.site = undefined;
    unread.over(this);
    this.recording.close(this);
    if (this.launch.preload) this.launch.preload.close();
    for (const id of this.ids) runOfWorker.delete(id);
    this.native.poolHold(this.pool, false);
  }

  /**
   * @param {number} id
   * @param {number} pid
   * @param {number} number
   */
  signal(id, pid, number) {
    const worker = this.workers.get(id);
    if (!worker || worker.process.pid !== pid) return false;
    return this.native.poolSignal(this.pool, id, number);
  }

  /** @param {number} id */
  disconnect(id) {
    this.native.poolDisconnect(this.pool, id);
  }
}

/** Notes before which the answers that arrived with them are told. */
const ENDS = new Set([
  "leaving",
  "recycled",
  "disconnect",
  "exit",
  "retired",
  "stopped",
  "failed",
  "drained",
  "closed",
]);

/**
 * What the core calls, and keeps as long as there is the pool. It must not keep the run, which has the
 * pool: nobody would see that both are of no use any more, and each run's results would stay for good.
 * @param {Wakes} wakes
 */
const wakerOf = (wakes) => () => {
  if (wakes.run !== null) wakes.run.wake();
};

/**
 * What is taken out of a queue of the core's at once.
 * @typedef {string | Int32Array | import("../native").LongPiece} Piece
 */

/**
 * Kind, worker, data and response of each entry, one after the other: what was JSON is parsed.
 * @param {Piece} piece
 * @returns {any[] | Int32Array}
 */
function valuesOf(piece) {
  if (typeof piece === "string") {
    const values = JSON.parse(piece);
    if (values.length % 4 === 0) return values;
    throw new SyntaxError("an entry that is none");
  }
  if (ArrayBuffer.isView(piece)) return piece;
  const { entryDataFormatAt, entryResponseFormatAt } = wire();
  const { kind, worker, data, dataFormat, response, responseFormat } = piece;
  const formats = (dataFormat << entryDataFormatAt) | (responseFormat << entryResponseFormatAt);
  return [kind | formats, worker, parsed(data, dataFormat), parsed(response, responseFormat)];
}

/**
 * The same of a piece that `valuesOf` cannot read: what is garbage in it is an entry that has failed.
 * @param {Piece} piece
 * @returns {any[]}
 */
function soundValuesOf(piece) {
  if (typeof piece !== "string") {
    const { kind, worker } = /** @type {import("../native").LongPiece} */ (piece);
    return garbage(kind, worker);
  }
  // An entry has a line of its own, whatever it says.
  const lines = piece.slice(1, -1).split(/,?\n/);
  return lines.flatMap((line) => {
    try {
      const values = JSON.parse(`[${line}]`);
      if (values.length === 4) return values;
    } catch (_) {
      // It is none.
    }
    const [kind, worker] = line.split(",", 2).map(Number);
    return garbage(kind, worker);
  });
}

/**
 * What is made of an entry that makes no sense.
 * @param {number} kind
 * @param {number} worker
 * @returns {any[]}
 */
function garbage(kind, worker) {
  const { entryCrash, entryFailed, entryMessage, entryResponse, entryTaken } = wire();
  const message = `worker ${worker} has answered with what makes no sense`;
  const stack = `Error: ${message}`;
  const error = { name: "Error", message, stack, code: "ERR_SONIC_PROTOCOL" };
  // A message frees nobody.
  const rest = kind & entryMessage ? entryCrash | entryTaken : kind & entryTaken;
  return [entryFailed | entryResponse | rest, worker, 0, error];
}

/**
 * @param {any} encoded
 * @param {number} format
 */
const parsed = (encoded, format) =>
  format === 0 && typeof encoded === "string" ? JSON.parse(encoded) : encoded;

/**
 * @param {any} value what `valuesOf` gives: bytes are base64 in a piece with other entries
 * @param {number} kind its lowest bits are the format
 */
function decoded(value, kind) {
  const format = kind & MASK;
  if (format === 0) return value;
  if (format > 1 && typeof value === "string") return decode(Buffer.from(value, "base64"), format);
  return decode(value, format);
}

/** @param {any} event */
function hasMoreThanData(event) {
  if (event === null || typeof event !== "object") return false;
  for (const key in event) if (key !== "data" && hasOwn(event, key)) return true;
  return false;
}

/** @param {any} note */
function failureOf({ name, code, message, stderr }) {
  const Class = name === "TypeError" ? TypeError : name === "RangeError" ? RangeError : Error;
  const hint = code === "ERR_SONIC_WORKER_START" ? hintForThread() : "";
  const error = coded(Class, code, hint + message);
  return stderr === undefined ? error : Object.assign(error, { stderr });
}

const over = () =>
  coded(Error, "ERR_SONIC_RUN_OVER", "Map: the run is over, its workers have been released");

/** @param {number} id */
const gone = (id) => coded(Error, "ERR_IPC_CHANNEL_CLOSED", `Channel closed: worker ${id} is gone`);

/**
 * Hands an event to the worker with this id, whatever else runs there. False if it is gone.
 * @param {number} id
 * @param {any} event
 */
function sendTo(id, event) {
  const run = runOfWorker.get(id);
  return run === undefined ? sendToOther(id, event) : run.sendDirectly(id, event);
}

/**
 * The same of a worker that the program has forked itself: that is its message, as in 1.0.3.
 * @param {number} id
 * @param {any} event
 */
function sendToOther(id, event) {
  const worker = cluster.workers?.[id];
  if (!worker?.isConnected()) return false;
  worker.send(event);
  return true;
}

module.exports = { Run, runOfWorker, sendTo };
