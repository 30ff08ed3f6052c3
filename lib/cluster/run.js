"use strict";
// Calls, maps and runs of a pool over several machines: they stand in for those of this process's workers.

const { Counters, carriedOf, entryOf, isNothing, readOf } = require("./outcome");
const { beginPipeline } = require("./pipeline");
const { Seen } = require("./seen");
const { checkSupported } = require("./supported");
const { ONE_ANSWER, checkData } = require("../master/batch");
const dataless = require("../master/dataless");
const { CountedRun } = require("../master/counted-run");
const { nextRun } = require("../master/launch");
const { labelled } = require("../master/input");
const { IN_ORDER } = require("../master/pool-run");
const { Progress, isShown } = require("../master/progress");
const { Recording } = require("../master/record");
const { revive } = require("../master/revive");
const { Tally } = require("../master/tally");
const { carried } = require("../shared/carried");
const { KEEP } = require("../shared/clustered");
const { coded, firstFailure } = require("../shared/errors");
const { HANDED_OVER } = require("../shared/handed-over");
const { Promise, Set, WeakMap, now } = require("../shared/primordials");
const { addressOf, routingOf } = require("../shared/routing");
const { pointAt, siteOf } = require("../shared/stack");

/** @typedef {InstanceType<typeof import("./pool").ClusterPool>} ClusterPool */
/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("./station").Run} Run */
/** @typedef {import("../master/batch").Awaited} Awaited */
/** @typedef {import("../master/work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {import("../shared/routing").Address} Address */
/** @typedef {import("../shared/carried").Carried} Carried */

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
    const { showsWorkers: isLive } = new Progress(options);
    const isSeen = pool.seen !== undefined || isLive;
    const how = { classes, refusal: ONE_ANSWER, isSeen, isLive };
    this.pipeline = beginPipeline([pool, stages, options, args, how]);
    const { chains } = /** @type {any} */ (options);
    this.routing = routingOf({ chains });
    this.counters = new Counters(pool);
    this.label = options.label;
    this.isShown = isShown(options);
    this.isLive = isLive;
    /** What is drawn of it. @type {InstanceType<typeof Seen> | undefined} */
    this.own = undefined;
    /** @type {any} */
    this.native = undefined;
    pool.runs.push(this);
  }

  /** What is drawn of it: only a `map` asks, before its first event. */
  get handle() {
    if (!this.isShown) return undefined;
    if (this.own === undefined) {
      const how = { epoch: now(), drawsWorkers: this.isLive };
      this.own = new Seen(this.pool.coordinator, how);
      this.native = this.own.functions(() => []);
      this.counters.records.push(this.own);
    }
    return this.own.handle;
  }

  /** @param {Awaited} awaited @param {Routing} [routing] */
  add(awaited, routing) {
    checkData(awaited.data);
    const { pool } = this;
    const { data } = awaited;
    const address = addressOf(this.routing, routing, data);
    const value = carried(pool.codec, data, "data", "the data");
    const counted = this.counters.begin(value);
    const settle = (/** @type {Outcome} */ outcome) => {
      const { told, value: answer } = readOf(outcome);
      outcome.told = told;
      this.counters.end(counted, outcome, isNothing(answer));
      this.settle(awaited, outcome, told, answer);
    };
    const event = this.pipeline.add(value, settle, address);
    event.counted = counted;
    this.awaited.add(awaited);
    pool.hold();
    return event;
  }

  /** Resolves when there is room for another; undefined if there is. @param {Awaited} awaited @param {Routing} [routing] */
  addWhenReady(awaited, routing) {
    if (!this.isRunning) throw coded(Error, "ERR_SONIC_RUN_OVER", "the map is over");
    return this.pipeline.room(this.add(awaited, routing));
  }

  /** @param {Awaited} awaited @param {Outcome} outcome @param {any} told its error @param {any} answer */
  settle(awaited, outcome, told, answer) {
    this.awaited.delete(awaited);
    const { attempts, worker, pid } = outcome;
    if (told === undefined) awaited.resolve(answer);
    else {
      const { data, site } = awaited;
      const { work, pool } = this;
      const { observer } = pool;
      if (observer !== null)
        observer.failed({ work: String(work.name), data, error: told, worker, label: this.label });
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
    for (const awaited of all) {
      awaited.reject(error);
      this.pool.letGo();
    }
  }

  /** Nobody waits for it any more. @param {unknown} error */
  abandon(error) {
    this.stop(error);
  }

  leave() {
    if (this.isRunning) this.pipeline.end();
    this.isRunning = false;
    this.counters.abort();
    if (this.own !== undefined) this.own.close();
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
   * @param {InstanceType<typeof Recording>} [given] what is left of it for people
   */
  constructor(pool, stages, options, args, given) {
    super(pool, options);
    checkSupported(options, "the option");
    const recording = given || new Recording(options);
    this.recording = recording;
    this.number = nextRun();
    /** What its events go through, by its name, in a pool that stays. @type {string | undefined} */
    this.work = undefined;
    this.tally = new Tally();
    this.counters = new Counters(pool, [this.tally]);
    const { progress, listener, epoch } = recording;
    const level = recording.level || (pool.observer === null ? undefined : "times");
    const { showsWorkers: drawsWorkers } = progress;
    const isSeen = Boolean(level || listener.onProgress || drawsWorkers || pool.seen);
    // A report has the most memory that was seen of each worker.
    const isLive = drawsWorkers || recording.report !== null;
    if (isSeen || progress.style !== null)
      this.see({ level, epoch, isWatched: pool.observer !== null, hasLabels: true, drawsWorkers });
    this.isAborting = options.onError === "abort" && !this.isStream;
    this.onResult = options.onResult;
    /** Calls of it that have not ended. */
    this.showing = 0;
    this.routing = routingOf(options);
    const classes = options.onError === "abort" ? [...pool.errors.keys()] : [];
    const refusal = options.order === "submission" ? IN_ORDER : null;
    /** The characters of entries that nobody has read, where somebody reads them. @type {WeakMap<object, number>} */
    this.sizes = new WeakMap();
    this.unread = 0;
    this.native.runIsFull = (_, most, mostBytes) =>
      this.results.elements.length + this.held >= most || this.unread >= mostBytes;
    /** @type {any} */
    this.about = this.beginEvents(stages, options, args, { classes, refusal, isSeen, isLive });
  }

  /**
   * @param {string[]} stages
   * @param {Options} options
   * @param {string | undefined} args as text
   * @param {{ classes: string[], refusal: string | null, isSeen: boolean, isLive: boolean }} how
   * @returns {any} what they go through
   */
  beginEvents(stages, options, args, how) {
    return beginPipeline([this.pool, stages, options, args, how], [KEEP]);
  }

  get isDrained() {
    return super.isDrained && this.showing === 0;
  }

  /** Has a record of its own. @param {ConstructorParameters<typeof Seen>[1]} how */
  see(how) {
    const { pool } = this;
    this.own = new Seen(pool.coordinator, how);
    this.handle = /** @type {any} */ (this.own.handle);
    Object.assign(
      this.native,
      this.own.functions(() => pool.allWorkers()),
    );
    this.counters.records.push(this.own);
  }

  /** @param {AbortSignal | undefined} signal */
  begin(signal) {
    const { run, end } = super.begin(signal);
    const { recording } = this;
    recording.begin(this);
    const endAll = () => {
      end();
      recording.close(this);
      if (this.own !== undefined) this.own.close();
    };
    this.leave = endAll;
    return { run, end: endAll };
  }

  /** All events were handed over. */
  endInput() {
    this.recording.progress.complete();
  }

  /** @param {{ error: unknown } | null} failure */
  released(failure) {
    if (this.own !== undefined) this.own.over();
    this.recording.end(this, failure);
  }

  /** It has ended well but for what the program's own callback has thrown. @param {unknown} error */
  fail(error) {
    this.failWith(error);
  }

  /** @returns {import("../../index").RunStatistics} */
  statistics() {
    return this.own === undefined
      ? { ...this.tally.statistics(0), workers: [] }
      : this.own.statistics();
  }

  halt() {
    this.about.end();
    this.counters.abort();
  }

  /** @param {any} event @param {Routing} [routing] @returns {Promise<void>} */
  handOver(event, routing) {
    try {
      return this.about.room(this.give(event, routing)) || HANDED_OVER;
    } catch (error) {
      return Promise.reject(pointAt(error, siteOf(this.handOver)));
    }
  }

  /** @param {any} event @param {Routing} [routing] */
  give(event, routing) {
    this.checkRunning();
    const { data } = event;
    if (data === undefined) dataless.warn(event);
    const { pool } = this;
    const { label: named } = this.recording;
    const label = named === undefined ? undefined : labelled(named, data);
    const address = addressOf(this.routing, routing, data);
    const value = carried(pool.codec, data, "data", "Map: the event");
    return this.submit(value, address, label);
  }

  /** @param {Carried} value the data of one more event @param {Address} [address] @param {string} [label] what people call it */
  submit(value, address, label) {
    const counted = this.counters.begin(value, label);
    const number = this.begun();
    const settle = (/** @type {Outcome} */ outcome) => {
      const entry = entryOf(value, outcome);
      outcome.told = entry.error;
      this.counters.end(counted, outcome, !isResult(entry));
      if (entry.failed) this.showFailed(entry);
      this.settle(number, { value, outcome, entry, address });
    };
    const event = this.about.add(value, settle, address);
    event.counted = counted;
    return event;
  }

  /** @param {number} number @param {{ value: Carried, outcome: Outcome, entry: any, address: Address | undefined }} how */
  settle(number, { value, outcome, entry, address }) {
    // What it emits goes to the same workers, and is as urgent, but has no key. Before this one has ended: the run is not over.
    const further = address === undefined ? undefined : { ...address, key: undefined };
    const emitted = (!entry.failed && outcome.emitted) || [];
    for (const one of emitted) this.submit(carriedOf(one), further);
    if (this.isStream && this.isRead(entry))
      this.countUnread(entry, value.text.length + (outcome.text || "").length);
    this.ended(number, entry);
  }

  /** @param {any} entry that somebody is to read @param {number} size its characters */
  countUnread(entry, size) {
    this.sizes.set(entry, size);
    this.unread += size;
  }

  /** The next entry for a stream's reader. */
  take() {
    const entry = super.take();
    this.unread -= this.sizes.get(entry) || 0;
    return entry;
  }

  /** @param {any} entry */
  showFailed({ data, error, id: worker }) {
    const { observer } = this.pool;
    const { label } = this.recording;
    if (observer !== null) observer.failed({ work: this.work, data, error, worker, label });
  }

  /** A program's call has no entry for what was answered with nothing; what comes to a sink of a flow is one. @param {any} entry */
  isEntry(entry) {
    return entry.failed || isResult(entry) || this.hasFlow;
  }

  /** Whether a stream's reader sees it: a map's has one for each event. @param {any} entry */
  isRead(entry) {
    return this.work !== undefined || this.isEntry(entry);
  }

  /** @param {any} entry */
  keep(entry) {
    if (!this.isStream || this.isRead(entry)) super.keep(entry);
    if (this.onResult !== undefined && this.isEntry(entry)) this.tell(entry);
    if (entry.failed && this.isAborting) this.stop(firstFailure(entry, this.pool.errors));
  }

  /** What the callback throws or rejects with stops the run, which waits for its promises. @param {any} entry */
  async tell(entry) {
    this.showing++;
    try {
      await /** @type {Function} */ (this.onResult)(entry);
    } catch (error) {
      this.stop(error);
    }
    this.showing--;
    this.onNews();
  }
}

/** @param {any} entry */
const isResult = ({ response }) => !isNothing(response);

/** @type {(...of: ConstructorParameters<typeof ClusterRun>) => ClusterRun} */
function newRun(pool, stages, options, args, recording) {
  if (options.flow === undefined) return new ClusterRun(pool, stages, options, args, recording);
  // Few programs have flows.
  const { ClusterFlowRun, checkFlow } = require("./flow-run");
  checkFlow(options, pool.spill !== undefined);
  return new ClusterFlowRun(pool, stages, options, args, recording);
}

/** @param {ClusterPool} pool @param {Work} work @param {import("../master/pool-run").Given} given */
function begin(pool, work, { options, args }) {
  const run = newRun(pool, /** @type {string[]} */ (work.stages), options, args);
  run.work = String(work.name);
  return run.begin(options.signal);
}

module.exports = { ClusterBatch, ClusterRun, begin, newRun };
