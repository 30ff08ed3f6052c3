"use strict";
// Events of which each has a promise of its own: the calls of a pool that stays, and its `map`. A batch is a run of the core whose
// entries have the events' numbers.

const { checkpointOf } = require("./checkpoint");
const { entriesOf, answersOf } = require("./decode");
const { Input, over } = require("./input");
const { settingsInPool } = require("./launch");
const { poolIsClosed } = require("./lasting");
const { revive } = require("./revive");
const { firstFailure, invalidType, shown } = require("../shared/errors");
const { native, wire } = require("../shared/native");
const { ownOf } = require("../shared/own");
const { Map, Promise } = require("../shared/primordials");
const { addressOf } = require("../shared/routing");

/** @typedef {InstanceType<typeof import("./lasting").LastingPool>} LastingPool */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {(value: any) => void} Settle */
/** @typedef {{ data: any, site: { stack?: unknown } | undefined, resolve: Settle, reject: Settle }} Awaited */

/** The core's queue. */
const RESULTS = 0;

/** Why its events cannot emit others. */
const ONE_ANSWER = "a call and a map have one answer an event";

/** A run whose only event has the names of the pool's stages and their options as its answer. @type {import("./work").Work} */
const STAGES = { name: "the stages of the file", stages: undefined, key: "", options: {} };

/** Only a `MapReduce` has such. */
const NOTHING = { checkLog() {}, takeObserved() {}, observeForListeners() {} };

class BatchInput extends Input {
  /** Data that is undefined is as good as any. */
  noData() {}
}

class Batch {
  /**
   * @param {LastingPool} pool
   * @param {import("./work").Work} work what each event goes through
   * @param {import("../shared/options").Options & { recorded?: "events" }} options `recorded`: what is kept of its events
   * @param {string | undefined} args as text
   * @param {string | null} refusal why its events cannot emit others; null if they can
   */
  constructor(pool, work, options, args, refusal = ONE_ANSWER) {
    this.pool = pool;
    this.work = work;
    this.native = native();
    this.wire = wire();
    const { classes, recorded: record } = options;
    const why = refusal === null ? undefined : refusal;
    const how = { keepsNull: true, keepsData: false, classes, refusal: why };
    const about = pool.aboutOf(work, args, how);
    const isUncounted = work === STAGES;
    const isWatched = pool.observer !== null;
    this.settings = ownOf(settingsInPool(options, about, true), { isUncounted, isWatched, record });
    this.label = options.label;
    this.handle = this.native.runOpen(pool.handle, this.settings);
    this.id = this.native.runNumber(this.handle);
    this.isRunning = true;
    /** @type {{ error: unknown } | null} */
    this.failure = null;
    this.site = undefined;
    this.routing = undefined;
    this.manual = { isOn: false };
    this.reader = null;
    this.output = NOTHING;
    this.checkpoint = checkpointOf(this);
    this.input = new BatchInput(/** @type {any} */ (this));
    this.input.what = "the data";
    /** Makes what a call rejects with. */
    this.revive = revive;
    /** The client that asked for it, if it was not the program itself. @type {unknown} */
    this.owner = undefined;
    /** Those that have not ended, by their numbers. @type {globalThis.Map<number, Awaited>} */
    this.awaited = new Map();
    /** Whether there may be more of them when all have ended. */
    this.isKept = false;
    /** Something is awaited, and keeps this process alive. */
    this.isHolding = false;
    /** How many events were handed over. */
    this.count = 0;
    pool.runs.push(/** @type {any} */ (this));
  }

  /**
   * Hands an event over at once, whether there is credit or not. Throws if its data cannot travel.
   * @param {Awaited} awaited
   * @param {Routing} [routing]
   */
  add(awaited, routing) {
    checkData(awaited.data);
    const { data } = awaited;
    const address = routing === undefined ? undefined : addressOf(undefined, routing, data);
    if (address === undefined) this.input.hand({ data });
    else this.input.routed.hand({ data }, address);
    this.expect(awaited);
    this.pool.listenSoon();
  }

  /**
   * Hands an event over. Resolves when a worker has it, or will have it next.
   * @param {Awaited} awaited
   * @param {Routing} [routing]
   * @returns {Promise<void> | undefined} undefined: over a cluster, where there is room
   */
  addWhenReady(awaited, routing) {
    checkData(awaited.data);
    const before = this.input.handedOver;
    const handedOver = this.input.handOver({ data: awaited.data }, routing);
    if (this.input.handedOver > before) this.expect(awaited);
    return handedOver;
  }

  /**
   * Hands an event to every worker with these tags. Throws if its data cannot travel, or no worker has them.
   * @param {any} data
   * @param {string[]} tags
   * @param {string | undefined} title of work that is kept: each worker that comes later runs it first
   * @param {Awaited["site"]} site
   * @returns {Promise<any>[]} the answers
   */
  addToEach(data, tags, title, site) {
    checkData(data);
    const { encoded, flags } = this.input.encoded({ data });
    const workers = this.native.runEach(this.handle, tags, encoded, flags, title);
    // The last one was given up, which is told soon.
    if (workers.length === 0) return [this.pool.failed];
    return workers.map(
      () => new Promise((resolve, reject) => this.expect({ data, site, resolve, reject })),
    );
  }

  /** @param {Awaited} awaited */
  expect(awaited) {
    if (!this.isHolding) this.pool.hold();
    this.isHolding = true;
    this.awaited.set(this.count++ >>> 0, awaited);
  }

  /** The core has news. */
  onNews() {
    this.input.admit();
    for (;;) {
      const piece = this.native.runTake(this.handle, RESULTS);
      if (piece === null) return;
      for (const entry of decoded(piece)) this.settle(entry);
    }
  }

  /** @param {any} entry */
  settle({ id, failed, error, data: worker, response }) {
    const number = id >>> 0;
    const awaited = this.awaited.get(number);
    if (awaited === undefined) return;
    this.awaited.delete(number);
    if (failed) this.hasFailed(error, worker, awaited);
    else awaited.resolve(response);
    if (this.awaited.size === 0) this.isEmpty();
  }

  /** @param {any} error as the entry tells it @param {number} worker @param {Awaited} awaited */
  hasFailed(error, worker, awaited) {
    const { observer } = this.pool;
    if (observer !== null) {
      const work = String(this.work.name);
      observer.failed({ work, data: awaited.data, error, worker, label: this.label });
    }
    awaited.reject(this.errorOf(error, worker, awaited));
  }

  /** @param {any} error as the entry tells it @param {number} worker @param {Awaited} awaited */
  errorOf(error, worker, { data, site }) {
    const { attempts, pid = this.pool.pids.get(worker) } = Object(error);
    const task = { work: this.work.name, data, attempts: attempts?.length || 1, worker, pid };
    return this.revive(error, task, site, this.pool.errors);
  }

  /** Nothing that is awaited keeps this process alive any more. */
  letGo() {
    if (this.isHolding) this.pool.letGo();
    this.isHolding = false;
  }

  /** Nothing is awaited any more. */
  isEmpty() {
    this.letGo();
    if (!this.isKept) this.leave();
  }

  /** The pool cannot go on. @param {unknown} error */
  fail(error) {
    if (this.failure === null) this.failure = { error };
    this.isRunning = false;
    this.input.end();
  }

  stopByFailure() {
    this.fail(firstFailure(undefined));
  }

  /** Stops it: what has not started does not, and the workers that run something of it are killed. @param {unknown} error */
  stop(error) {
    if (!this.isRunning) return;
    this.fail(error);
    this.native.runStop(this.handle);
    this.rejectAll(error);
    this.leave();
  }

  /** Nobody waits for it any more: what has not started does not, and what runs ends unseen. @param {unknown} error */
  abandon(error) {
    if (!this.isRunning) return;
    this.fail(error);
    this.rejectAll(error);
    this.leave();
  }

  /** @param {unknown} error */
  rejectAll(error) {
    const all = [...this.awaited.values()];
    this.awaited.clear();
    for (const awaited of all) awaited.reject(error);
    this.letGo();
  }

  /** Nobody asks for it any more, and the core tells of nothing that has not ended: it would keep the process alive. */
  leave() {
    this.isRunning = false;
    this.rejectAll(this.failure === null ? over() : this.failure.error);
    if (this.checkpoint !== undefined) this.checkpoint.drop();
    this.pool.leave(/** @type {any} */ (this));
  }

  /** The pool is closed: nothing is answered any more. */
  close() {
    const error = this.pool.failure?.error || poolIsClosed();
    this.rejectAll(error);
    this.fail(error);
    // What no worker came to run of work that is kept is not left unfinished.
    this.native.runClose(this.handle);
  }
}

/** Neither has an encoding, and a worker would get undefined in silence. @param {unknown} data */
function checkData(data) {
  if (typeof data !== "function" && typeof data !== "symbol") return;
  throw invalidType(`the data must be a value that JSON has, got ${shown(data)}`);
}

/** The entries of a piece: garbage of a worker has become one that failed. @param {import("./decode").Piece} piece */
function decoded(piece) {
  try {
    return entriesOf(piece);
  } catch (_) {
    return answersOf(piece).map(({ entry }) => entry);
  }
}

/**
 * The stages in a worker file, as the first worker tells of them. Each is asked beside its events, and none of them counts.
 * @param {LastingPool} pool
 * @returns {Promise<string>} see `toldStages`
 */
const toldBy = (pool) =>
  Promise.race(new Batch(pool, STAGES, {}, undefined).addToEach(null, [], undefined, undefined));

module.exports = { Batch, ONE_ANSWER, checkData, toldBy };
