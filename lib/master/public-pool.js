"use strict";
// A pool that stays, as the program has it: checks what it gave, and leads each call through a batch or a run. Whether these are of this
// process's workers, of this process itself or of another process's pool is no business of it.

const { programOfWork } = require("./checkpoint");
const { inOrder } = require("./map");
const { PoolCalls } = require("./pool-calls");
const { entriesInPool, runInPool } = require("./pool-run");
const { stopBy, throwIfAborted } = require("../shared/signals");
const { checkSendable } = require("./work");
const { textOfArgs } = require("../shared/codec");
const { invalidType } = require("../shared/errors");
const { ownOf } = require("../shared/own");
const own = require("../shared/sync/public");
const { Promise, WeakMap, now } = require("../shared/primordials");
const { pointAt, siteOf } = require("../shared/stack");
const { checkCount, checkFunction } = require("../shared/checks");
const {
  CALL_CHECKS,
  EACH_CHECKS,
  MAX_WORKERS,
  OWN_MAP_CHECKS,
  OWN_RUN_CHECKS,
  OWN_STREAM_CHECKS,
  checkArgs,
  checkOptions,
} = require("../shared/options");

/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("./batch").Awaited} Awaited */
/** @typedef {import("./work").Work} Work */

/**
 * How calls and runs are made. `calls`: how single calls are, if not as events of batches; `listener`: what opens the pool to others.
 * @typedef {object} How
 * @property {typeof import("./batch").Batch} Batch
 * @property {import("./pool-run").Begin} begin
 * @property {(pool: any, work: Work, data: any, given: { options: Options, args: string | undefined, site: { stack?: unknown } }) => Promise<any>} each
 * @property {Pick<InstanceType<typeof PoolCalls>, "add" | "stopWaiting">} [calls]
 * @property {InstanceType<typeof import("./listen").Listener>} [listener]
 * @property {typeof import("./watch").watch} [watch] tells the program of the pool
 * @property {boolean} [isSeen] whether there is a record of its runs here, and they can be drawn
 * @property {() => { locks: any, sync: any }} [shared] locks of another program, where the pool is one of that
 */

/** Milliseconds between two calls whose lines are noted: to note one costs a hundredth of that. */
const BETWEEN_SITES = 0.3;

/** What only the core of this process can show of a run. @type {("progress" | "trace" | "report")[]} */
const SEEN = ["progress", "trace", "report"];

/** The symbol, where this version of Node has it. @type {symbol | undefined} */
const ASYNC_DISPOSE = Reflect.get(Symbol, "asyncDispose");

class PublicPool {
  /** A LastingPool, or what stands in for it. @type {any} */
  #pool;
  /** @type {InstanceType<typeof import("./work").Stages>} */
  #stages;
  /** @type {How} */
  #how;
  /** What calls have where they have no options of their own. @type {Options} */
  #defaults;
  /** @type {NonNullable<How["calls"]>} */
  #calls;
  /** What calls have that give no options, by their works. @type {WeakMap<Work, Options>} */
  #plainOptions = new WeakMap();
  /** When the line of a call was last noted. */
  #noted = 0;

  /**
   * @param {any} pool
   * @param {InstanceType<typeof import("./work").Stages>} stages
   * @param {Options} options
   * @param {any} how
   * @param {import("./pool-calls").Load} load
   */
  constructor(pool, stages, options, how, load = { calling: 0 }) {
    const { maxQueue = Number.POSITIVE_INFINITY, taskTimeout, retries, spillDir } = options;
    const { label, maxBytesWaiting, progress } = options;
    this.#pool = pool;
    this.#how = how;
    this.#stages = stages;
    this.#defaults = { taskTimeout, retries, spillDir, maxBytesWaiting, label, progress };
    const open = (
      /** @type {Work} */ work,
      /** @type {Options} */ own,
      /** @type {string | undefined} */ args,
    ) => this.#newBatch(work, own, args);
    this.#calls = how.calls || new PoolCalls(open, () => pool.places, maxQueue, load);
    if (how.watch === undefined) return;
    how.watch(pool, options, (/** @type {unknown} */ error) => {
      this.#abort(error);
      // The program learns of it by its calls, and by its own `close`.
      this.close().catch(() => {});
    });
  }

  /** @param {unknown} work @param {any} data @param {unknown} [givenOptions] @returns {Promise<any>} */
  call(work, data, givenOptions) {
    const site = this.#siteOf(this.call);
    return new Promise((resolve, reject) => {
      try {
        this.#pool.check();
        const named = this.#stages.singleOf("call", work);
        const options =
          givenOptions === undefined
            ? this.#plainOptionsOf(named)
            : this.#optionsOf(named, givenOptions, CALL_CHECKS);
        this.#calls.add(named, options, this.#argsOf(options), { data, site, resolve, reject });
      } catch (error) {
        reject(pointAt(error, site || siteOf(this.call)));
      }
    });
  }

  /** @param {unknown} work @param {any} iterable @param {unknown} [givenOptions] @returns {Promise<any[]>} */
  async map(work, iterable, givenOptions) {
    const site = siteOf(this.map);
    try {
      this.#pool.check();
      const named = this.#stages.singleOf("map", work);
      const options = this.#seen(this.#optionsOf(named, givenOptions, OWN_MAP_CHECKS));
      const args = this.#argsOf(options);
      throwIfAborted(options.signal);
      const batch = this.#newBatch(named, options, args);
      return await inOrder(batch, iterable, options, site);
    } catch (error) {
      throw pointAt(error, site);
    }
  }

  /**
   * @param {unknown} work
   * @param {any} source
   * @param {unknown} [givenOptions]
   * @returns {AsyncGenerator<any, void, undefined>}
   */
  stream(work, source, givenOptions) {
    const site = siteOf(this.stream);
    try {
      this.#pool.check();
      const named = this.#stages.workOf(work);
      const options = this.#seen(this.#optionsOf(named, givenOptions, OWN_STREAM_CHECKS));
      return entriesInPool(this.#pool, named, source, {
        options,
        args: this.#argsOf(options),
        site,
        begin: this.#how.begin,
      });
    } catch (error) {
      throw pointAt(error, site);
    }
  }

  /**
   * @param {any} masterFn
   * @param {unknown} work
   * @param {any} reduceFn
   * @param {any} [args]
   * @param {unknown} [givenOptions]
   */
  async run(masterFn, work, reduceFn, args, givenOptions) {
    const site = siteOf(this.run);
    try {
      this.#pool.check();
      checkFunction("masterFn", masterFn);
      checkFunction("reduceFn", reduceFn);
      const named = this.#stages.workOf(work);
      const options = this.#seen(this.#optionsOf(named, givenOptions, OWN_RUN_CHECKS, args));
      const given = { options, args: this.#argsOf(options), site, begin: this.#how.begin };
      return await runInPool(this.#pool, named, masterFn, reduceFn, given);
    } catch (error) {
      throw pointAt(error, site);
    }
  }

  /** @param {unknown} work @param {any} [data] @param {unknown} [givenOptions] @returns {Promise<any>} */
  async each(work, data, givenOptions) {
    const site = siteOf(this.each);
    try {
      this.#pool.check();
      const named = this.#stages.singleOf("each", work);
      const options = this.#optionsOf(named, givenOptions, EACH_CHECKS);
      const given = { options, args: this.#argsOf(options), site };
      return await this.#how.each(this.#pool, named, data, given);
    } catch (error) {
      throw pointAt(error, site);
    }
  }

  get workers() {
    const { native, handle } = this.#pool;
    const ready = native.poolWorkers(handle);
    return ready.map((/** @type {any} */ worker) => ({
      ...worker,
      tags: this.#pool.tagsOf(worker.id),
    }));
  }

  get locks() {
    return this.#shared.locks;
  }

  get sync() {
    return this.#shared.sync;
  }

  get #shared() {
    const { shared } = this.#how;
    return shared === undefined ? own : shared();
  }

  /** @param {number} numWorkers */
  async resize(numWorkers) {
    const site = siteOf(this.resize);
    try {
      this.#pool.check();
      await this.#pool.resize(checkCount("numWorkers", numWorkers, MAX_WORKERS));
    } catch (error) {
      throw pointAt(error, site);
    }
  }

  statistics() {
    return this.#pool.statistics();
  }

  /** @param {{ signal?: AbortSignal }} [options] */
  async close(options) {
    const pool = this.#pool;
    const { listener } = this.#how;
    const { signal } = checkOptions(options, { signal: CALL_CHECKS.signal });
    const ignore = stopBy(signal, (error) => this.#abort(error));
    if (listener !== undefined) listener.tellOfClosing();
    await pool.drain();
    ignore();
    if (listener !== undefined) await listener.close();
    pool.end();
    await pool.closed;
  }

  /** Everything that it has to do rejects. @param {unknown} error */
  #abort(error) {
    const { listener } = this.#how;
    this.#calls.stopWaiting(error);
    if (listener !== undefined) listener.stopWaiting(error);
    for (const run of [...this.#pool.runs]) {
      run.stop(error);
      if (run.leave !== undefined) run.leave();
    }
  }

  /** What the program asks to see of a run. @param {Options} options */
  #seen(options) {
    if (this.#how.isSeen) return options;
    const name = SEEN.find((name) => options[name] !== undefined);
    if (name === undefined) return options;
    throw invalidType(
      `options.${name} needs workers of this process: a pool with inProcess has none, and those of connectPool are another program's`,
    );
  }

  /** The options of a call without any of its own: made once for each work. @param {Work} work @returns {Options} */
  #plainOptionsOf(work) {
    const known = this.#plainOptions.get(work);
    if (known !== undefined) return known;
    const made = this.#optionsOf(work, undefined, CALL_CHECKS);
    this.#plainOptions.set(work, made);
    return made;
  }

  /**
   * The options of a call: its own come before those of its stages, and these before the pool's.
   * @param {Work} work
   * @param {unknown} given
   * @param {Parameters<typeof checkOptions>[1]} checks
   * @param {any} [args] in the place of the option
   * @returns {Options}
   */
  #optionsOf(work, given, checks, args) {
    const options = ownOf(this.#defaults, work.options, checkOptions(given, checks));
    if (args !== undefined) {
      checkArgs("args", args);
      options.args = args;
    }
    if (options.checkpoint !== undefined) {
      options.program = programOfWork(this.#pool, this.#stages, work, options.args);
    }
    return options;
  }

  /** @param {Options} options @returns {string | undefined} */
  #argsOf({ args }) {
    if (args === undefined) return undefined;
    checkSendable(args, "args");
    return textOfArgs(this.#pool.codec, args);
  }

  /** @param {Work} work @param {Options} options @param {string | undefined} args */
  #newBatch(work, options, args) {
    // A call that is aborted has had its time.
    return new this.#how.Batch(this.#pool, work, ownOf(options, { abortGrace: 0 }), args);
  }

  /** Where a call is made, if that was not noted a moment ago. @param {Function} called */
  #siteOf(called) {
    const at = now();
    if (at - this.#noted < BETWEEN_SITES) return undefined;
    this.#noted = at;
    return siteOf(called);
  }
}

if (ASYNC_DISPOSE !== undefined) {
  Object.defineProperty(PublicPool.prototype, ASYNC_DISPOSE, {
    value() {
      return this.close();
    },
    configurable: true,
    writable: true,
  });
}

module.exports = { PublicPool };
