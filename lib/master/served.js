"use strict";
// One client of a listening pool, as the pool's process serves it: its calls are events of batches of its own, which its end stops
// without touching any other client's. What its maps and runs do is `served-run`'s business.

const { inEach } = require("./each");
const { PoolCalls } = require("./pool-calls");
const { broken, packed, packedBytes, packedJson, packedText } = require("./connection");
const { INFINITY, TO_CLIENT, TO_POOL } = require("./protocol");
const { ServedMap, ServedRun } = require("./served-run");
const { aborter } = require("../shared/abort");
const { coded } = require("../shared/errors");
const { ownOf } = require("../shared/own");
const { Map, Set, WeakMap, clearTimeout, now, setTimeout } = require("../shared/primordials");
const { errorToJson } = require("../shared/thrown");
const { checkCount } = require("../shared/checks");
const { CALL_CHECKS, EACH_CHECKS, MAX_WORKERS, checkOptions } = require("../shared/options");

/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("./work").Work} Work */
/** @typedef {InstanceType<typeof import("./connection").Connection>} Connection */
/** @typedef {InstanceType<typeof import("./connection").Values>} Values */
/** @typedef {ReturnType<typeof import("../shared/sync/own").hub>} AHub */

/**
 * The pool, and how its calls and runs are made.
 * @typedef {object} Parts
 * @property {any} pool
 * @property {InstanceType<typeof import("./work").Stages>} stages
 * @property {Options} options
 * @property {typeof import("./batch").Batch} Batch
 * @property {import("./pool-run").Begin} begin
 * @property {import("./pool-calls").Load} load
 */

/** Milliseconds between two reports of workers and statistics: each costs what some calls cost. */
const BETWEEN_STATES = 100;

/** What an event's failure is told by: the client makes the error. */
class Told {
  /** @param {any} told @param {import("./revive").Task} task */
  constructor(told, task) {
    this.told = told;
    this.task = task;
  }
}

class Served {
  /** @param {Connection} connection @param {Parts} parts @param {string[]} classes of errors that the client knows */
  constructor(connection, parts, classes) {
    const { pool, stages, options, load } = parts;
    this.connection = connection;
    this.parts = parts;
    this.pool = pool;
    this.classes = classes;
    this.known = new Set(classes);
    this.Batch = batchOf(parts.Batch, this);
    const open = (
      /** @type {Work} */ work,
      /** @type {Options} */ own,
      /** @type {string | undefined} */ args,
    ) => new this.Batch(pool, work, ownOf(own, { abortGrace: 0, classes }), args);
    this.calls = new PoolCalls(open, () => pool.places, options.maxQueue || Infinity, load);
    /** The options of calls without any of their own, by their works. @type {WeakMap<Work, Options>} */
    this.plainOptions = new WeakMap();
    /** How calls are stopped, by their ids. @type {globalThis.Map<number, (reason: unknown) => void>} */
    this.stops = new Map();
    /** Maps and runs, by their ids. @type {globalThis.Map<number, InstanceType<typeof ServedMap> | InstanceType<typeof ServedRun>>} */
    this.runs = new Map();
    /** Work that is kept, by its ids. @type {globalThis.Map<number, () => void>} */
    this.kept = new Map();
    /** Its part of the program's locks, once it has asked for one. @type {ReturnType<AHub["enter"]> | undefined} */
    this.owner = undefined;
    this.isOver = false;
    /** When its last state was sent. */
    this.stated = 0;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    connection.send([TO_CLIENT.WELCOME, pool.encoding, stages.names, stages.flows]);
    this.sendState();
  }

  /** @param {any[]} message @param {Values} values */
  hear(message, values) {
    const [kind, id] = message;
    switch (kind) {
      case TO_POOL.CALL:
        this.call(message, values.value(message, 6));
        break;
      case TO_POOL.EVENT:
        this.event(message, values.value(message, 6));
        break;
      case TO_POOL.STOP:
        this.stop(id);
        break;
      case TO_POOL.EACH:
        this.each(message, values.value(message, 5));
        break;
      case TO_POOL.OPEN_MAP:
        this.open(ServedMap, message);
        break;
      case TO_POOL.OPEN_RUN:
        this.open(ServedRun, message);
        break;
      case TO_POOL.INPUT_ENDED:
        this.runs.get(id)?.endInput();
        break;
      case TO_POOL.READ:
        this.runs.get(id)?.hasRead(message[2]);
        break;
      case TO_POOL.LEAVE:
        this.runs.get(id)?.leave();
        break;
      case TO_POOL.DISPOSE:
        this.dispose(id);
        break;
      case TO_POOL.RESIZE:
        this.resize(id, message[2]);
        break;
      case TO_POOL.LOOK:
        this.sendState();
        break;
      case TO_POOL.ASK:
        this.ask(id, values.value(message, 2));
        break;
      default:
        throw broken(`a message of the kind ${kind}`);
    }
    // One that does not read gets nothing more to do.
    if (this.connection.isClogged) this.connection.socket.pause();
  }

  /** It has read what was sent. */
  drained() {
    this.connection.socket.resume();
    for (const run of this.runs.values()) run.goOn();
  }

  /**
   * What it asks for, checked as the program's own calls are. Throws what such a call rejects with.
   * @param {any[]} message @param {Parameters<typeof checkOptions>[1]} checks
   * @param {string} [method] of those that give each event one answer
   */
  asked([, , given, own, args], checks, method) {
    const { pool, stages, options: defaults } = this.parts;
    pool.check();
    const work = method === undefined ? stages.workOf(given) : stages.singleOf(method, given);
    const text = typeof args === "string" ? args : undefined;
    const known = own === 0 ? this.plainOptions.get(work) : undefined;
    if (known !== undefined) return { work, options: known, args: text };
    const { taskTimeout, retries, spillDir } = defaults;
    const checked = checkOptions(own === 0 ? undefined : withInfinity(own), checks);
    const options = ownOf({ taskTimeout, retries, spillDir }, work.options, checked);
    if (own === 0) this.plainOptions.set(work, options);
    return { work, options, args: text };
  }

  /** @param {any[]} message @param {any} data */
  call(message, data) {
    const [, id, , , , mayStop] = message;
    const resolve = (/** @type {any} */ value) => this.answer(id, value);
    const reject = (/** @type {unknown} */ error) => this.fail(id, error);
    try {
      const { work, options, args } = this.asked(message, CALL_CHECKS, "call");
      const all = mayStop ? ownOf(options, { signal: this.signalOf(id) }) : options;
      this.calls.add(work, all, args, { data, site: undefined, resolve, reject });
    } catch (error) {
      reject(error);
    }
  }

  /** @param {number} id of a call */
  signalOf(id) {
    const { signal, abort } = aborter();
    this.stops.set(id, abort);
    return signal;
  }

  /** @param {number} id @param {any} value */
  answer(id, value) {
    this.stops.delete(id);
    try {
      this.connection.send([TO_CLIENT.DONE, id], this.packed(value));
    } catch (error) {
      this.fail(id, error);
    }
    this.stateSoon();
  }

  /** @param {number} id @param {unknown} error */
  fail(id, error) {
    this.stops.delete(id);
    const { FAILED } = TO_CLIENT;
    if (error instanceof Told) {
      const { attempts, worker, pid } = error.task;
      const about = [FAILED, id, attempts, worker, pid === undefined ? null : pid];
      this.connection.send(about, packedJson(error.told));
    } else {
      this.connection.send([FAILED, id, 0, 0, 0], this.plain(error));
    }
    this.stateSoon();
  }

  /** @param {any} value */
  packed(value) {
    return packed(this.pool.codec, value, "response", "the response");
  }

  /** An error that no event has failed by. @param {unknown} error */
  plain(error) {
    return packedText(errorToJson(error, this.known));
  }

  /** @param {typeof ServedMap | typeof ServedRun} Class @param {any[]} message */
  open(Class, message) {
    const [, id] = message;
    if (this.runs.has(id)) throw broken(`the number ${id} twice`);
    try {
      this.runs.set(id, new Class(this, message));
    } catch (error) {
      this.tellOfBreak(id, error);
    }
  }

  /** @param {any[]} message @param {any} value */
  event([, id, event, isOwn, routing, isWhole], value) {
    const run = this.runs.get(id);
    if (run !== undefined) run.add({ event, isOwn, routing, isWhole, value });
  }

  /** @param {number} id */
  stop(id) {
    const error = coded(Error, "ABORT_ERR", "the client has stopped it");
    const abort = this.stops.get(id);
    if (abort !== undefined) abort(error);
    else this.runs.get(id)?.stop(error);
  }

  /** @param {any[]} message @param {any} data */
  async each(message, data) {
    const [, id] = message;
    try {
      const { work, options, args } = this.asked(message, EACH_CHECKS, "each");
      const about = { options, args, site: {} };
      /** @type {any} */
      const made = await inEach(this.Batch, this.pool, work, data, about);
      if (options.keep) this.keep(id, made.dispose);
      const results = options.keep ? made.results : made;
      const all = results.map((/** @type {any} */ result) => this.packed(result));
      this.sendState();
      this.connection.send([TO_CLIENT.EACH_DONE, id], ...all);
    } catch (error) {
      this.fail(id, error);
    }
  }

  /** @param {number} id @param {() => void} dispose */
  keep(id, dispose) {
    if (this.isOver) dispose();
    else this.kept.set(id, dispose);
  }

  /** @param {number} id */
  dispose(id) {
    const dispose = this.kept.get(id);
    this.kept.delete(id);
    if (dispose !== undefined) dispose();
  }

  /** @param {number} id @param {any} size */
  async resize(id, size) {
    try {
      this.pool.check();
      await this.pool.resize(checkCount("numWorkers", size, MAX_WORKERS));
      this.sendState();
      this.answer(id, undefined);
    } catch (error) {
      this.fail(id, error);
    }
  }

  /** Something about locks. Throws if it is none of the questions that there are. @param {any} text @param {any} value */
  ask(text, value) {
    if (typeof text !== "string") throw broken("a question that is none");
    if (this.owner === undefined) {
      // Few clients ask for locks.
      const { hub } = require("../shared/sync/own");
      this.owner = hub().enter(({ text, value }) =>
        this.connection.send([TO_CLIENT.TOLD, text], packedBytes(value)),
      );
    }
    this.owner.ask(text, value instanceof Uint8Array ? value : null);
  }

  /** A map or run cannot go on. @param {number} id @param {unknown} error */
  tellOfBreak(id, error) {
    this.connection.send([TO_CLIENT.BROKEN, id], this.plain(error));
  }

  /** What it asked for is not done. @param {unknown} error why the pool does not wait for it */
  stopWaiting(error) {
    this.calls.stopWaiting(error);
    for (const run of [...this.runs.values()]) run.break(error);
  }

  /** Something has happened that it may want to know of. */
  stateSoon() {
    if (this.timer !== undefined || this.isOver) return;
    const left = this.stated + BETWEEN_STATES - now();
    if (left <= 0) this.sendState();
    else this.timer = setTimeout(() => this.sendState(), Math.min(left, BETWEEN_STATES));
  }

  /** What its workers are, and what the pool has done. */
  sendState() {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isOver) return;
    const { pool } = this;
    const workers = pool.native.poolWorkers(pool.handle);
    const all = workers.map((/** @type {any} */ worker) => ({
      ...worker,
      tags: pool.tagsOf(worker.id),
    }));
    this.connection.send([TO_CLIENT.STATE, all, pool.statistics()]);
    this.stated = now();
  }

  /** Nothing new is taken in. @param {unknown} error */
  tellOfClosing(error) {
    if (error === undefined) this.connection.send([TO_CLIENT.CLOSING]);
    else this.connection.send([TO_CLIENT.CLOSING], this.plain(error));
  }

  /** All that it asked for has ended. */
  async finish() {
    for (const run of [...this.runs.values()]) await run.finish();
    this.sendState();
    this.connection.send([TO_CLIENT.CLOSED]);
  }

  /** The client is gone: nobody waits for what it asked for. */
  over() {
    this.isOver = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
    const error = coded(Error, "ERR_SONIC_CLIENT_GONE", "the client is gone");
    this.calls.stopWaiting(error);
    if (this.owner !== undefined) this.owner.leave();
    for (const dispose of this.kept.values()) dispose();
    this.kept.clear();
    for (const run of [...this.pool.runs]) if (run.owner === this) run.abandon(error);
    for (const run of [...this.runs.values()]) run.over();
  }
}

/** Batches of one client. @param {typeof import("./batch").Batch} Batch @param {Served} owner @returns {typeof import("./batch").Batch} */
function batchOf(Batch, owner) {
  return class extends Batch {
    /** @param {ConstructorParameters<typeof Batch>} given */
    constructor(...given) {
      super(...given);
      this.owner = owner;
      this.revive = /** @type {any} */ (
        (/** @type {any} */ told, /** @type {any} */ task) => new Told(told, task)
      );
    }
  };
}

/** The number that JSON has not. @param {any} options */
function withInfinity(options) {
  const own = ownOf(Object(options));
  if (own.taskTimeout === INFINITY) own.taskTimeout = Infinity;
  return own;
}

module.exports = { Served };
