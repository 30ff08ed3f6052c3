"use strict";
// Calls, maps and runs of a pool over several machines: they stand in for those of this process's workers.

const { checkSupported } = require("./supported");
const { ONE_ANSWER, checkData } = require("../master/batch");
const dataless = require("../master/dataless");
const { CountedRun } = require("../master/counted-run");
const { IN_ORDER } = require("../master/pool-run");
const { revive } = require("../master/revive");
const { NOTHING, carried, valueOf } = require("../shared/carried");
const { KEEP } = require("../shared/clustered");
const { coded, firstFailure, invalidType, shown } = require("../shared/errors");
const { Set, WeakMap } = require("../shared/primordials");
const { addressOf, routingOf } = require("../shared/routing");

/** @typedef {InstanceType<typeof import("./pool").ClusterPool>} ClusterPool */
/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("../master/batch").Awaited} Awaited */
/** @typedef {import("../master/work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {import("../shared/routing").Address} Address */
/** @typedef {import("../shared/carried").Carried} Carried */

/**
 * What a run is about, as it travels.
 * @param {ClusterPool} pool
 * @param {string[]} work the names of its stages
 * @param {Options} options
 * @param {string | undefined} args as text
 * @param {string[]} classes
 * @param {string | null} refusal why its events cannot emit others, if so
 */
function aboutOf(pool, work, options, args, classes, refusal) {
  const { taskTimeout, retries, weight } = options;
  const about = {
    work,
    args: args === undefined ? null : args,
    taskTimeout: taskTimeout === undefined || taskTimeout === Infinity ? null : taskTimeout,
    retries: retries === undefined ? null : retries,
    classes,
    refusal,
  };
  const { maxBytesWaiting, maxEventsPerWorker = pool.options.maxEventsPerWorker } = options;
  return pool.coordinator.begin(about, { weight, maxBytesWaiting, maxEventsPerWorker });
}

/**
 * What an event has come to. An answer that cannot be read is a failure.
 * @param {Outcome} outcome
 * @returns {{ told?: any, value?: any, changed?: { data: any } }}
 */
function readOf(outcome) {
  const { told: failed, worker, text = "", format = NOTHING, data } = outcome;
  if (failed !== undefined) return { told: failed };
  try {
    const changed = data === undefined ? undefined : { data: valueOf(carriedOf(data)) };
    return { value: valueOf({ text, format }), changed };
  } catch (error) {
    const message = `an answer of worker ${worker} cannot be decoded: ${Object(error).message}`;
    const told = { name: "Error", message, stack: `Error: ${message}`, code: "ERR_SONIC_PROTOCOL" };
    return { told };
  }
}

/** @param {[string, number]} listed @returns {Carried} */
const carriedOf = ([text, format]) => ({ text, format });

/** Events of which each has a promise of its own. */
class ClusterBatch {
  /** @param {ClusterPool} pool @param {Work} work @param {Options} options @param {string | undefined} args as text */
  constructor(pool, work, options, args) {
    checkSupported(options, "the option");
    this.pool = pool;
    this.work = work;
    this.isRunning = true;
    this.isKept = false;
    /** @type {unknown} */
    this.owner = undefined;
    this.revive = revive;
    /** @type {globalThis.Set<Awaited>} */
    this.awaited = new Set();
    const classes = [...pool.errors.keys()];
    const stages = /** @type {string[]} */ (work.stages);
    this.run = aboutOf(pool, stages, options, args, classes, ONE_ANSWER);
    pool.runs.push(this);
  }

  /** @param {Awaited} awaited @param {Routing} [routing] */
  add(awaited, routing) {
    checkData(awaited.data);
    const { pool } = this;
    const { data } = awaited;
    const address = routing === undefined ? undefined : addressOf(undefined, routing, data);
    const value = carried(pool.codec, data, "data", "the data");
    pool.tally.add(value.text);
    const settle = (/** @type {Outcome} */ outcome) => this.settle(awaited, outcome);
    const event = pool.coordinator.add(this.run, value, settle, address);
    this.awaited.add(awaited);
    pool.hold();
    return event;
  }

  /** Resolves when there is room for another. @param {Awaited} awaited @param {Routing} [routing] */
  async addWhenReady(awaited, routing) {
    if (!this.isRunning) throw coded(Error, "ERR_SONIC_RUN_OVER", "the map is over");
    await this.pool.coordinator.room(this.add(awaited, routing));
  }

  /** @param {Awaited} awaited @param {Outcome} outcome */
  settle(awaited, outcome) {
    this.awaited.delete(awaited);
    const { attempts, worker, pid } = outcome;
    this.pool.tally.end(tallied(outcome));
    this.pool.tally.count(addedOf(outcome));
    const { told, value } = readOf(outcome);
    if (told === undefined) awaited.resolve(value);
    else {
      const { data, site } = awaited;
      const task = { work: this.work.name, data, attempts, worker, pid };
      awaited.reject(this.revive(told, task, site, this.pool.errors));
    }
    this.pool.letGo();
    if (this.awaited.size === 0 && !this.isKept) this.leave();
  }

  /** What has not started does not, and the workers that run something of it are stopped. @param {unknown} error */
  stop(error) {
    if (!this.isRunning) return;
    const all = [...this.awaited];
    this.awaited.clear();
    this.leave();
    for (const { reject } of all) {
      reject(error);
      this.pool.letGo();
    }
  }

  /** Nobody waits for it any more. @param {unknown} error */
  abandon(error) {
    this.stop(error);
  }

  leave() {
    if (this.isRunning) this.pool.coordinator.end(this.run);
    this.isRunning = false;
    this.pool.leave(this);
  }
}

/** A run as `MapReduce` has it, or a stream. */
class ClusterRun extends CountedRun {
  /**
   * @param {ClusterPool} pool
   * @param {string[]} stages the names of what its events go through
   * @param {Options} options
   * @param {string | undefined} args as text
   */
  constructor(pool, stages, options, args) {
    super(pool, options);
    checkSupported(options, "the option");
    this.isAborting = options.onError === "abort" && !this.isStream;
    this.onResult = options.onResult;
    this.routing = routingOf(options);
    this.label = options.label;
    const classes = options.onError === "abort" ? [...pool.errors.keys()] : [];
    const refusal = options.order === "submission" ? IN_ORDER : null;
    /** The characters of entries that nobody has read, where somebody reads them. @type {WeakMap<object, number>} */
    this.sizes = new WeakMap();
    this.unread = 0;
    this.native.runIsFull = (_, most, mostBytes) =>
      this.results.elements.length + this.held >= most || this.unread >= mostBytes;
    this.about = aboutOf(pool, [KEEP, ...stages], options, args, classes, refusal);
  }

  halt() {
    this.pool.coordinator.end(this.about);
  }

  /** @param {any} event @param {Routing} [routing] */
  async handOver(event, routing) {
    this.checkRunning();
    const { data } = event;
    if (data === undefined) dataless.warn(event);
    const { pool } = this;
    if (this.label !== undefined) checkLabel(this.label(data));
    const address = addressOf(this.routing, routing, data);
    const value = carried(pool.codec, data, "data", "Map: the event");
    await pool.coordinator.room(this.submit(value, address));
  }

  /** @param {Carried} value the data of one more event @param {Address} [address] */
  submit(value, address) {
    const { pool } = this;
    const number = this.begun();
    pool.tally.add(value.text);
    const settle = (/** @type {Outcome} */ outcome) => this.settle(number, value, outcome, address);
    return pool.coordinator.add(this.about, value, settle, address);
  }

  /** @param {number} number @param {Carried} value @param {Outcome} outcome @param {Address} [address] */
  settle(number, value, outcome, address) {
    const { tally } = this.pool;
    tally.end(tallied(outcome));
    tally.count(addedOf(outcome));
    // What it emits goes to the same workers, and is as urgent, but has no key. Before this one has ended: the run is not over.
    const further = address === undefined ? undefined : { ...address, key: undefined };
    for (const one of outcome.emitted || []) this.submit(carriedOf(one), further);
    const entry = entryOf(value, outcome);
    if (this.isStream) {
      const size = value.text.length + (outcome.text || "").length;
      this.sizes.set(entry, size);
      this.unread += size;
    }
    this.ended(number, entry);
  }

  /** The next entry for a stream's reader. */
  take() {
    const entry = super.take();
    this.unread -= this.sizes.get(entry) || 0;
    return entry;
  }

  /** @param {any} entry */
  keep(entry) {
    super.keep(entry);
    if (this.onResult !== undefined && (entry.failed || isResult(entry))) this.tell(entry);
    if (entry.failed && this.isAborting) this.stop(firstFailure(entry, this.pool.errors));
  }

  /** What the callback throws stops the run. @param {any} entry */
  tell(entry) {
    try {
      /** @type {Function} */ (this.onResult)(entry);
    } catch (error) {
      this.stop(error);
    }
  }
}

/** @param {any} entry */
const isResult = ({ response }) => response !== undefined && response !== null;

/** @param {unknown} name of an event */
function checkLabel(name) {
  if (typeof name !== "string")
    throw invalidType(`options.label must return a string, got ${shown(name)}`);
}

/** @param {Outcome} outcome @returns {any} */
function tallied({ told, text, format }) {
  if (told !== undefined) return { error: told };
  return { response: format === NOTHING || text === "null" ? undefined : text };
}

/** @param {Outcome} outcome @returns {any} */
const addedOf = ({ counts }) => ({ counts });

/** @param {Carried} value its data as it was handed over @param {Outcome} outcome */
function entryOf(value, outcome) {
  const { told, value: response, changed = { data: valueOf(value) } } = readOf(outcome);
  const { data } = changed;
  /** @type {any} */
  const entry = { id: outcome.worker };
  if (data !== undefined) entry.data = data;
  if (told !== undefined) Object.assign(entry, { failed: true, error: told });
  else if (response !== undefined) entry.response = response;
  return entry;
}

/** @param {ClusterPool} pool @param {Work} work @param {import("../master/pool-run").Given} given */
const begin = (pool, work, { options, args }) =>
  new ClusterRun(pool, /** @type {string[]} */ (work.stages), options, args).begin(options.signal);

module.exports = { ClusterBatch, ClusterRun, begin };
