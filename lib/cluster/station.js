"use strict";
// Events of a cluster that run in this machine's workers: in the master's own, or in those of a host. Measures what they take. Knows
// nothing of the broker.

const { elapsed } = require("./clock");
const { Ended } = require("./ended");
const { Batch } = require("../master/batch");
const { channelOf } = require("../master/diagnostics");
const { LastingPool } = require("../master/lasting");
const { NOTHING, valueOf } = require("../shared/carried");
const { ANSWER } = require("../shared/clustered");
const { ownOf } = require("../shared/own");
const { JSON, Map, Promise } = require("../shared/primordials");

/**
 * What the events of one run go through, as it travels.
 * @typedef {object} Run
 * @property {number} number
 * @property {string[]} work the names of its stages
 * @property {string | null} args as text
 * @property {number | null} taskTimeout
 * @property {import("../shared/options").Options["retries"] | null} retries
 * @property {string[]} classes the names of the program's classes of errors
 * @property {{ title: string | null }} [each] its events are for every worker, where they have a title for those that come later too
 * @property {string | null} refusal why its events cannot emit others, if so
 * @property {boolean} isSeen somebody wants to know who ran its events, and when
 * @property {boolean} [isLive] somebody wants to know what workers do now
 * @property {[exit: number, run: number, tags: string[]][]} [hops] what leaves its events by these exits a host may keep for another run
 */

/** An event on its way: its number, its data, the format of that, and its key. @typedef {[number, string, number, string?]} Sent */

/**
 * How an event has ended: `told` is the error as it travels, with the attempts that it took, the worker and its process. One that has
 * ended well has a response, may have data that it has changed, further events of its run, and what it has counted. `rows` are of each
 * of `each`.
 * @typedef {{ event: number, text?: string, format?: number, data?: [string, number], emitted?: [string, number][],
 *   counts?: Record<string, number>, each?: [string, number][], told?: any, attempts?: number, worker?: number, pid?: number,
 *   seen?: Row, rows?: (Row | undefined)[], keep?: Keep[] }} Answer
 */

/**
 * What a host keeps of an event's outputs, as it has numbered that: its chunk, and the first of its events, each of which is one less than
 * the one before; the first output, and how many.
 * @typedef {[chunk: number, event: number, at: number, count: number]} Keep
 */

/**
 * A run that goes on here: its batches, by how many hosts were lost with their events; how many events have not ended; and what was
 * measured since that was last asked for.
 * @typedef {{ batches: Map<number, Kept>, open: number, busy: number, ended: number, countedAt: number, isForEach: boolean,
 *   isOver: boolean, isLive: boolean }} Going
 */

/**
 * A batch, with what is known of its events that have ended; `open` are those that have not, by their numbers in it.
 * @typedef {InstanceType<typeof Batch> & { ended?: InstanceType<typeof Ended>, open?: globalThis.Map<number, number> }} Kept
 */

/** @typedef {import("./ended").Row} Row */

/** How a worker's process has ended. @typedef {[worker: number, code: number | null, signal: string | null, pid: number]} Exit */

/** The number of an event of which nothing is known. */
const NOT_KNOWN = -1;

/** So many events of a batch are recorded: the core keeps of each what it has noted. */
const MOST_RECORDED = 1 << 16;

class Station {
  /**
   * Starts the workers.
   * @param {number} numWorkers
   * @param {any} call which call of the program they serve
   * @param {import("../shared/options").Options} options
   */
  constructor(numWorkers, call, options) {
    this.pool = new LastingPool(numWorkers, call, options);
    /** Those that are not over, by their numbers. @type {Map<number, Going>} */
    this.runs = new Map();
    try {
      this.pool.start();
    } catch (error) {
      this.pool.end();
      throw error;
    }
  }

  /** How many events run at once. */
  get places() {
    return this.pool.places;
  }

  /** How many of them a group of workers does. @param {number} at its number */
  placesOf(at) {
    const { groups, groupOf, concurrency } = this.pool.launch;
    if (groups.length === 1) return this.places;
    return groupOf.filter((group) => group === at).length * (groups[at].concurrency || concurrency);
  }

  /** How many events were given and have not ended. */
  get open() {
    let all = 0;
    for (const { open } of this.runs.values()) all += open;
    return all;
  }

  /** Resolves when the workers have reached their call. */
  async ready() {
    this.pool.hold();
    try {
      await Promise.race([this.pool.ready, this.pool.failed]);
    } finally {
      this.pool.letGo();
    }
  }

  /**
   * @param {Run} run
   * @param {number} lost how many hosts were lost with these events: each has cost them an attempt
   * @param {Sent[]} events
   * @param {(answer: Answer) => void} answer is told of each event; of one whose run was stopped its number alone
   * @param {{ tags?: string[], priority?: number }} [routing] of all of them
   */
  give(run, lost, events, answer, { tags = [], priority = 0 } = {}) {
    const going = this.goingOf(run);
    const batch = this.batchOf(going, run, lost);
    const isPlain = tags.length === 0 && priority === 0;
    for (const [event, text, format, key] of events) {
      const routing = isPlain && key === undefined ? undefined : ownOf({ tags, key, priority });
      this.count(going, 1);
      const number = batch.count;
      batch.open?.set(number, event);
      const leave = () => {
        this.count(going, -1);
        batch.open?.delete(number);
        going.ended++;
        if (going.isOver && going.open === 0) this.stopNow(run.number, going);
      };
      const tell = (/** @type {Answer} */ how) => {
        // What a pool that has failed says of its events is not so.
        if (this.pool.failure !== undefined) return;
        if (batch.ended !== undefined) this.note(batch.ended, number, how);
        answer(this.runs.get(run.number) === going ? how : { event });
      };
      const end = (/** @type {Answer} */ how) => {
        leave();
        tell(how);
      };
      const resolve = (/** @type {any} */ value) => end(answerOf(event, value));
      const reject = (/** @type {any} */ failed) => end(failureOf(event, failed));
      try {
        const data = valueOf({ text, format });
        if (run.each === undefined) batch.add({ data, site: undefined, resolve, reject }, routing);
        else {
          const { title } = run.each;
          const all = batch.addToEach(data, tags, title === null ? undefined : title, undefined);
          Promise.all(all).then(
            (values) => tell(answerOfAll(event, values)),
            (failed) => tell(failureOf(event, failed)),
          );
          // Others may still run it when it has failed in one.
          Promise.all(all.map((one) => one.catch(() => {}))).then(leave);
        }
      } catch (error) {
        reject(error);
      }
    }
  }

  /** Says who ran an event, and when. @param {InstanceType<typeof Ended>} ended @param {number} number its own @param {Answer} how */
  note(ended, number, how) {
    if (how.each !== undefined) how.rows = how.each.map((_, at) => ended.take(-1 - number - at));
    else {
      const seen = ended.take(number);
      if (seen !== undefined) how.seen = seen;
    }
  }

  /** @param {Run} run @returns {Going} */
  goingOf({ number, each, isLive = false }) {
    const known = this.runs.get(number);
    if (known !== undefined) return known;
    const how = { isForEach: each !== undefined, isOver: false, isLive };
    const going = { batches: new Map(), open: 0, busy: 0, ended: 0, countedAt: elapsed(), ...how };
    this.runs.set(number, going);
    return going;
  }

  /** @param {Going} going @param {Run} run @param {number} lost */
  batchOf({ batches }, run, lost) {
    const known = batches.get(lost);
    const isFull = known?.ended !== undefined && known.count >= MOST_RECORDED;
    if (known !== undefined && !isFull) return known;
    // It ends with its events.
    if (known !== undefined) this.retire(batches, known);
    const made = this.newBatch(run, lost);
    batches.set(lost, made);
    return made;
  }

  /** @param {Run} run @param {number} lost */
  newBatch({ work, args, taskTimeout, retries, classes, refusal, isSeen, isLive }, lost) {
    const left = retries && ownOf(retries, { limit: Math.max(0, retries.limit - lost) });
    const options = ownOf({
      taskTimeout: taskTimeout === null ? undefined : taskTimeout,
      retries: left === null ? undefined : left,
      classes,
      abortGrace: 0,
      recorded: isSeen ? "events" : undefined,
    });
    /** @type {import("../master/work").Work} */
    const named = { name: work, stages: [...work, ANSWER], key: "", options: ownOf({}) };
    const text = args === null ? undefined : args;
    /** @type {Kept} */
    const batch = new Batch(this.pool, named, options, text, refusal);
    if (isSeen) {
      batch.ended = new Ended(batch);
      if (this.onExit === undefined) this.watch();
    }
    if (isLive) batch.open = new Map();
    batch.isKept = true;
    batch.revive = (told, { attempts, worker, pid }) =>
      /** @type {any} */ ({ told, attempts, worker, pid });
    return batch;
  }

  /** A batch gets no more events. @param {Map<number, Kept>} batches @param {Kept} batch */
  retire(batches, batch) {
    batches.set(-batches.size, batch);
    batch.isKept = false;
    if (batch.awaited.size === 0) batch.leave();
  }

  /** The ids of its workers, with their processes. @returns {[id: number, pid: number][]} */
  workers() {
    return [...this.pool.pids];
  }

  /** How many events its workers run now. */
  get running() {
    const { native, handle } = this.pool;
    return native.poolWorkers(handle).reduce((sum, { running }) => sum + running, 0);
  }

  /** What people see of its workers, as JSON, if a run or `isAsked` wants that; see `Told` of `members`. @param {boolean} isAsked */
  shown(isAsked) {
    const isWanted = isAsked || [...this.runs.values()].some(({ isLive }) => isLive);
    if (!isWanted) return undefined;
    const { native, handle } = this.pool;
    const known = this.known();
    const all = native.poolWorkers(handle).map(({ id, pid, running, memory }) => {
      const [, event, time] = known.get(id) || notKnown(id);
      return [id, pid, running, memory, event, time];
    });
    return JSON.stringify(all);
  }

  /** What its workers run. @returns {import("./seen").Doing[]} */
  doing() {
    const { native, handle } = this.pool;
    const known = this.known();
    const busy = native.poolWorkers(handle).filter(({ running }) => running > 0);
    return busy.map(({ id }) => known.get(id) || notKnown(id));
  }

  /** The same of events of runs that want to know it, by worker. @returns {globalThis.Map<number, import("./seen").Doing>} */
  known() {
    const all = new Map();
    for (const { batches, isLive } of this.runs.values()) {
      if (!isLive) continue;
      for (const { native, handle, open } of batches.values())
        for (const [worker, number, time] of native.runDoing(handle)) {
          const event = open?.get(number);
          if (event !== undefined) all.set(worker, [worker, event, time]);
        }
    }
    return all;
  }

  /** Notes how its workers' processes end, from now on. */
  watch() {
    /** @type {Exit[]} */
    this.exits = [];
    this.onExit = (/** @type {any} */ { run, worker, pid, code, signal }) => {
      if (run === this.pool.launch.number) this.exits?.push([worker, code, signal, pid]);
    };
    channelOf("workerExit").subscribe(this.onExit);
  }

  /** How its workers' processes have ended since the last time, if that is noted. @returns {Exit[] | undefined} */
  exited() {
    if (this.exits === undefined || this.exits.length === 0) return undefined;
    return this.exits.splice(0);
  }

  /**
   * A run is over: what of it has not started does not, and what runs is stopped. Work for every worker ends by itself: none of them is to
   * be replaced for it.
   * @param {number} number
   */
  stop(number) {
    const going = this.runs.get(number);
    if (going === undefined) return;
    if (going.isForEach && going.open > 0) going.isOver = true;
    else this.stopNow(number, going);
  }

  /** @param {number} number @param {Going} going */
  stopNow(number, going) {
    this.runs.delete(number);
    for (const batch of going.batches.values()) {
      batch.isKept = false;
      if (batch.awaited.size > 0) batch.stop(new Error("the run is over"));
      else batch.leave();
    }
  }

  /** Counts the time in which events of a run have run until now. @param {Going} going @param {1 | -1} change */
  count(going, change) {
    const at = elapsed();
    going.busy += (at - going.countedAt) * Math.min(going.open, this.places);
    going.countedAt = at;
    going.open += change;
  }

  /** How many events of each run have ended since the last time, and how many milliseconds they took. @returns {[run: number, count: number, busy: number][]} */
  measured() {
    /** @type {[number, number, number][]} */
    const all = [];
    for (const [number, going] of this.runs) {
      if (going.ended > 0) all.push([number, going.ended, going.busy]);
      going.ended = 0;
      going.busy = 0;
    }
    return all;
  }

  /** Ends the workers, at once if they run anything. */
  async end() {
    for (const [number, going] of [...this.runs]) this.stopNow(number, going);
    if (this.onExit !== undefined) channelOf("workerExit").unsubscribe(this.onExit);
    this.pool.end();
    await this.pool.closed;
  }
}

/** @param {number} event @param {any} value what the last stage has answered @returns {Answer} */
function answerOf(event, [worker, text, format, data = null, emitted = [], counts = null]) {
  /** @type {Answer} */
  const answer = { event, worker, text, format };
  if (data !== null) answer.data = data;
  if (emitted.length > 0) answer.emitted = emitted;
  if (counts !== null) answer.counts = counts;
  return answer;
}

/** @param {number} event @param {any[]} values what each worker has answered @returns {Answer} */
function answerOfAll(event, values) {
  /** @type {Record<string, number>} */
  const counts = ownOf();
  for (const [, , , , , counted] of values)
    for (const name of Object.keys(counted || {}))
      counts[name] = (counts[name] || 0) + counted[name];
  const each = values.map(([, text, format]) => /** @type {[string, number]} */ ([text, format]));
  return { event, text: "", format: NOTHING, each, counts };
}

/** @param {number} event @param {any} failed what a batch has rejected with @returns {Answer} */
function failureOf(event, failed) {
  if (!(failed instanceof Error)) return { event, ...failed };
  const { name, message, stack } = failed;
  const told = { name, message, stack, code: Reflect.get(failed, "code") };
  return { event, told, attempts: 0, worker: 0 };
}

/** @param {Answer} answer @returns {number} its characters, of an error a guess */
function sizeOf({ text, data, emitted = [], each = [] }) {
  if (text === undefined) return 1000;
  const changed = data === undefined ? 0 : data[0].length;
  return [...emitted, ...each].reduce((sum, [one]) => sum + one.length, text.length + changed);
}

/** A worker that runs something. @param {number} id @returns {import("./seen").Doing} */
const notKnown = (id) => [id, NOT_KNOWN, 0];

module.exports = { Station, sizeOf };
