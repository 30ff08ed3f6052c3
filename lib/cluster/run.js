"use strict";
// Calls, maps and runs of a pool over several machines: they stand in for those of this process's workers.

const { carried, valueOf } = require("./values");
const { NO_EMIT } = require("./station");
const { checkSupported } = require("./supported");
const { ONE_ANSWER, checkData } = require("../master/batch");
const dataless = require("../master/dataless");
const { CountedRun } = require("../master/counted-run");
const { revive } = require("../master/revive");
const { ANSWER, KEEP } = require("../shared/clustered");
const { coded, firstFailure } = require("../shared/errors");
const { Set } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./pool").ClusterPool>} ClusterPool */
/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("../master/batch").Awaited} Awaited */
/** @typedef {import("../master/work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/routing").Routing} Routing */

/**
 * What a run is about, as it travels.
 * @param {ClusterPool} pool
 * @param {string[]} work the names of its stages
 * @param {Options} options
 * @param {string | undefined} args as text
 * @param {string[]} classes
 * @param {string} refusal
 */
const aboutOf = (pool, work, { taskTimeout, retries }, args, classes, refusal) =>
  pool.coordinator.begin({
    work,
    args: args === undefined ? null : args,
    taskTimeout: taskTimeout === undefined || taskTimeout === Infinity ? null : taskTimeout,
    retries: retries === undefined ? null : retries,
    classes,
    refusal,
  });

/**
 * What an event has come to. An answer that cannot be read is a failure.
 * @param {Outcome} outcome
 * @param {(carried: any) => any} read
 * @returns {{ told?: any, value?: any }}
 */
function readOf(outcome, read) {
  const { told: failed, worker } = outcome;
  if (failed !== undefined) return { told: failed };
  try {
    return { value: read(outcome) };
  } catch (error) {
    const message = `an answer of worker ${worker} cannot be decoded: ${Object(error).message}`;
    const told = { name: "Error", message, stack: `Error: ${message}`, code: "ERR_SONIC_PROTOCOL" };
    return { told };
  }
}

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
    if (routing !== undefined) checkSupported(routing, "an event's");
    checkData(awaited.data);
    const { pool } = this;
    const value = carried(pool.codec, awaited.data, "data", "the data");
    pool.tally.add(value.text);
    pool.coordinator.add(this.run, value, (outcome) => this.settle(awaited, outcome));
    this.awaited.add(awaited);
    pool.hold();
  }

  /** Resolves when there is room for another. @param {Awaited} awaited @param {Routing} [routing] */
  async addWhenReady(awaited, routing) {
    if (!this.isRunning) throw coded(Error, "ERR_SONIC_RUN_OVER", "the map is over");
    this.add(awaited, routing);
    await this.pool.coordinator.room(this.run);
  }

  /** @param {Awaited} awaited @param {Outcome} outcome */
  settle(awaited, outcome) {
    this.awaited.delete(awaited);
    const { attempts, worker, pid } = outcome;
    this.pool.tally.end(tallied(outcome));
    const { told, value } = readOf(outcome, valueOf);
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
    const classes = options.onError === "abort" ? [...pool.errors.keys()] : [];
    this.about = aboutOf(pool, [KEEP, ...stages, ANSWER], options, args, classes, NO_EMIT);
  }

  halt() {
    this.pool.coordinator.end(this.about);
  }

  /** @param {any} event @param {Routing} [routing] */
  async handOver(event, routing) {
    this.checkRunning();
    if (routing !== undefined) checkSupported(routing, "an event's");
    const { data } = event;
    if (data === undefined) dataless.warn(event);
    const { pool } = this;
    const value = carried(pool.codec, data, "data", "Map: the event");
    const number = this.begun();
    pool.tally.add(value.text);
    pool.coordinator.add(this.about, value, (/** @type {Outcome} */ outcome) =>
      this.settle(number, value, outcome),
    );
    await pool.coordinator.room(this.about);
  }

  /** @param {number} number @param {import("./values").Carried} value @param {Outcome} outcome */
  settle(number, value, outcome) {
    this.pool.tally.end(tallied(outcome));
    this.ended(number, entryOf(value, outcome));
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

/** @param {Outcome} outcome @returns {any} */
const tallied = ({ told, text }) => (told === undefined ? { response: text } : { error: told });

/** What a run's last stage answers. @param {import("./values").Carried} carried @returns {any[]} */
function answerOf(carried) {
  const answer = valueOf(carried);
  if (Array.isArray(answer)) return answer;
  throw new TypeError("it is no list");
}

/** @param {import("./values").Carried} value @param {Outcome} outcome */
function entryOf(value, outcome) {
  const { worker } = outcome;
  const data = valueOf(value);
  /** @type {any} */
  const entry = { id: worker };
  if (data !== undefined) entry.data = data;
  const { told, value: answer } = readOf(outcome, answerOf);
  if (told !== undefined) return Object.assign(entry, { failed: true, error: told });
  const [id, response, changed] = answer;
  entry.id = id;
  if (changed !== undefined) entry.data = changed;
  if (response !== undefined) entry.response = response;
  return entry;
}

/** @param {ClusterPool} pool @param {Work} work @param {import("../master/pool-run").Given} given */
const begin = (pool, work, { options, args }) =>
  new ClusterRun(pool, /** @type {string[]} */ (work.stages), options, args).begin(options.signal);

module.exports = { ClusterBatch, ClusterRun, begin };
