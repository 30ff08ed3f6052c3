"use strict";
// A pool whose stages run in this process: for debuggers and test runners. It stands in for the workers of a pool that stays, and runs as
// many events at once as there would be workers.

const { pathToFileURL } = require("url");
const { Bands } = require("./bands");
const { newIds } = require("./cluster");
const { poolIsClosed } = require("./lasting");
const { poolEncoding } = require("./launch");
const { Tally } = require("./tally");
const { Stages } = require("./work");
const { codecOf } = require("../shared/codec");
const { coded, invalidType } = require("../shared/errors");
const { load } = require("../shared/home");
const { numWorkersOf } = require("../shared/num-workers");
const { variable } = require("../shared/own");
const {
  JSON,
  Map,
  Promise,
  Set,
  clearInterval,
  setImmediate,
  setInterval,
} = require("../shared/primordials");
const { Places, count, isFull } = require("../shared/places");
const { addressOf } = require("../shared/routing");
const { toldStages } = require("../shared/stage");
const { NO_STAGE, stagesOf, threw, wrongFile } = require("../shared/stages");

/** @typedef {import("../shared/options").Options} Options */
/** @typedef {InstanceType<typeof import("./in-process-job").Job>} Job */
/** @typedef {{ job: Job, key: string | undefined, priority: number, run: () => Promise<void> }} JobEvent */

/** What only a process of its own can have. */
const NEED_WORKERS = ["env", "execArgv", "maxTasksPerWorker", "maxWorkerMemory", "progress"];

/** By these `require` says that a file has to be imported. */
const IS_ES_MODULE = ["ERR_REQUIRE_ESM", "ERR_REQUIRE_ASYNC_MODULE"];

/** Milliseconds between two turns of a timer that only keeps this process alive. */
const LONG = 2 ** 31 - 1;

/** The first such option. @param {any} options @param {string} [where] */
function needsWorkers(options, where = "options") {
  const name = NEED_WORKERS.find((name) => options[name] !== undefined);
  return name && `${where}.${name}`;
}

/** @param {Options} options */
function groupThatNeedsWorkers({ workers = [] }) {
  const found = workers.map((group, at) => needsWorkers(group, `options.workers[${at}]`));
  return found.find((name) => name !== undefined);
}

/** Whether stages are to run in this process. Throws if other options ask for what needs workers. @param {Options} options */
function isInProcess(options) {
  const { inProcess = variable("SONIC_IN_PROCESS") === "1" } = options;
  const wrong = inProcess && (needsWorkers(options) || groupThatNeedsWorkers(options));
  if (!wrong) return inProcess;
  throw invalidType(
    `${wrong} needs workers, and with inProcess (or SONIC_IN_PROCESS=1) there are none: leave one of the two out`,
  );
}

/** The stages that a worker file exports, loaded here. @param {string} file @returns {Promise<Record<string, any>>} */
async function stagesInFile(file) {
  let exported;
  try {
    exported = await exportsOf(file);
  } catch (error) {
    throw Object.assign(wrongFile(file, threw(error, file)), { cause: error });
  }
  const stages = stagesOf(exported);
  if (Object.keys(stages).length === 0) throw wrongFile(file, NO_STAGE);
  return stages;
}

/** @param {string} file */
function exportsOf(file) {
  try {
    return load(file);
  } catch (error) {
    if (!IS_ES_MODULE.includes(Object(error).code)) throw error;
    return import(/* webpackIgnore: true */ pathToFileURL(file).href);
  }
}

class InProcessPool {
  /** @param {Record<string, any>} stages @param {Options} options */
  constructor(stages, options) {
    this.stages = stages;
    /** How values cross. */
    this.encoding = poolEncoding(options);
    this.codec = codecOf(this.encoding);
    const [id] = newIds(1);
    this.id = id;
    /** The tags that workers would have, by groups. @type {string[][]} */
    this.groups = options.workers === undefined ? [[]] : options.workers.map(({ tags }) => tags);
    this.concurrency = options.concurrency || 1;
    /** How many events may run at once. */
    this.size = numWorkersOf({}, options) * this.concurrency;
    /** Events that wait for another of their key, by that. @type {globalThis.Map<string, JobEvent[]>} */
    this.keys = new Map();
    /** Events that run. */
    this.running = 0;
    this.limited = new Places();
    /** Events that wait. @type {InstanceType<typeof Bands<JobEvent>>} */
    this.waiting = new Bands();
    /** Those that hand events over and wait for room. @type {globalThis.Set<{ job: Job, priority: number, resolve: () => void }>} */
    this.wanting = new Set();
    this.isScheduled = false;
    /** Calls and runs that are not over. @type {any[]} */
    this.runs = [];
    /** Work that keeps this process alive, by a timer. */
    this.holding = 0;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    this.isClosing = false;
    /** @type {(() => void)[]} */
    this.waitingForEnd = [];
    /** The program's own classes of errors, by name. */
    this.errors = new Map((options.errors || []).map((Class) => [Class.name, Class]));
    this.tally = new Tally();
    /** Who shows it, if somebody does. @type {import("./dashboard").Observer | null} */
    this.observer = null;
    /** @type {Promise<void>} */
    this.closed = new Promise((resolve) => {
      this.hasClosed = resolve;
    });
    /** In the place of the core. */
    this.native = { poolWorkers: () => this.workers };
    this.handle = undefined;
  }

  get workers() {
    return this.isClosing && this.holding === 0
      ? []
      : [
          {
            id: this.id,
            pid: process.pid,
            running: this.running,
            memory: process.memoryUsage().rss,
          },
        ];
  }

  /** How many events run at once. */
  get places() {
    return this.size;
  }

  /** As if there were one worker with all tags. */
  tagsOf() {
    return [...new Set(this.groups.flat())];
  }

  /** Where an event would run: see there. @type {typeof addressOf} */
  addressOf(all, own, data) {
    const address = addressOf(all, own, data);
    if (address === undefined) return undefined;
    const { tags } = address;
    if (this.groups.some((group) => tags.every((tag) => group.includes(tag)))) return address;
    const listed = tags.map((tag) => JSON.stringify(tag)).join(" and ");
    throw coded(Error, "ERR_SONIC_NO_WORKER", `no worker has the tag ${listed}`);
  }

  /** @param {number} size */
  async resize(size) {
    this.size = size * this.concurrency;
    this.startSoon();
  }

  statistics() {
    return this.tally.statistics(this.id);
  }

  /** Nothing can keep it from going on. */
  onFailure() {
    return () => {};
  }

  check() {
    if (this.isClosing) throw poolIsClosed();
  }

  /** An event was handed over. @param {JobEvent} event */
  begin(event) {
    const { key } = event;
    const others = key === undefined ? undefined : this.keys.get(key);
    if (others !== undefined) others.push(event);
    else {
      if (key !== undefined) this.keys.set(key, []);
      this.submit(event);
    }
  }

  /** An event has ended: the next of its key is due. @param {JobEvent} event */
  hasEnded(event) {
    const { key } = event;
    const others = key === undefined ? undefined : this.keys.get(key);
    if (key === undefined || others === undefined) return;
    const at = others.indexOf(event);
    if (at >= 0) others.splice(at, 1);
    else {
      const next = others.shift();
      if (next === undefined) this.keys.delete(key);
      else this.submit(next);
    }
  }

  /** @param {JobEvent} event */
  submit(event) {
    this.waiting.add(event);
    this.startSoon();
  }

  startSoon() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.start());
  }

  /** Starts what waits, as far as there is room. */
  start() {
    this.isScheduled = false;
    while (this.running < this.size) {
      const event = this.waiting.shift(({ job }) => !isFull(job));
      if (event === undefined) break;
      this.running++;
      count(event.job, 1);
      event.run();
    }
    for (const wanting of this.wanting) {
      if (!this.hasRoom(wanting.priority)) continue;
      this.wanting.delete(wanting);
      wanting.resolve();
    }
  }

  /** An attempt of this job has ended, or nobody waits for it any more: another event may run. @param {Job} job */
  freePlace(job) {
    this.running--;
    count(job, -1);
    this.startSoon();
  }

  /** No more wait with this priority than can run. @param {number} priority */
  hasRoom(priority) {
    return this.waiting.count(priority) <= this.size;
  }

  /**
   * Resolves when there is room for another event, or the job is stopped.
   * @param {Job} job
   * @param {number} priority
   * @returns {Promise<void>}
   */
  whenRoom(job, priority) {
    if (this.hasRoom(priority) || job.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.wanting.add({ job, priority, resolve });
    });
  }

  /** @param {Job} job that is stopped */
  forget(job) {
    for (const event of this.waiting.all()) if (event.job === job) this.waiting.delete(event);
    for (const wanting of this.wanting) {
      if (wanting.job !== job) continue;
      this.wanting.delete(wanting);
      wanting.resolve();
    }
    this.startSoon();
  }

  hold() {
    if (this.holding++ === 0) this.timer = setInterval(() => {}, LONG);
  }

  letGo() {
    if (--this.holding > 0) return;
    if (this.timer !== undefined) clearInterval(this.timer);
    for (const resolve of this.waitingForEnd.splice(0)) resolve();
  }

  /** @param {any} run that is over */
  leave(run) {
    const at = this.runs.indexOf(run);
    if (at >= 0) this.runs.splice(at, 1);
  }

  /** Takes nothing in any more, and resolves when all that it has is done. @returns {Promise<void>} */
  async drain() {
    this.isClosing = true;
    if (this.holding === 0) return;
    await new Promise((resolve) => this.waitingForEnd.push(() => resolve(undefined)));
  }

  end() {
    this.isClosing = true;
    this.hasClosed();
    if (this.observer !== null) this.observer.close();
    this.observer = null;
  }
}

/**
 * @param {any} given functions by their names, or a worker file
 * @param {string | undefined} file its path
 * @param {Options} options
 */
async function openInProcess(given, file, options) {
  const functions = file === undefined ? { ...given } : await stagesInFile(file);
  const pool = new InProcessPool(functions, options);
  return {
    pool,
    stages: file === undefined ? Stages.of(functions) : Stages.inFile(file, toldStages(functions)),
  };
}

module.exports = { InProcessPool, isInProcess, openInProcess };
