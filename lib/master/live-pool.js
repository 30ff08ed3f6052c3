"use strict";
// One pool as a dashboard shows it: reads its counts, its runs and its workers, and says what has changed since the last time. Decides
// nothing, and changes nothing of the pool.

const { readFileSync } = require("fs");
const { statisticsOf } = require("./nodes");
const { JSON, Map, Set, now } = require("../shared/primordials");

/** How many runs of one pool are shown at once, and how many of those that are over. */
const MOST_RUNS = 20;
const MOST_OVER = 5;

/** How many workers' processor time is read at once: a file each. */
const MOST_READ = 64;

/** Milliseconds that processor time is measured over. */
const MEASURED = 1000;

/** Milliseconds of one tick in which Linux counts processor time. */
const TICK = 10;

/** The counts of `RunStatistics` that are shown. */
const COUNTS = /** @type {const} */ ([
  "elapsed",
  "handedOver",
  "answered",
  "nothing",
  "failed",
  "failures",
  "unfinished",
  "retried",
  "crashes",
  "restarts",
  "bytesIn",
  "bytesOut",
]);

/** @typedef {import("./dashboard").About} About */
/** @typedef {Record<string, any>} State */

class LivePool {
  /**
   * @param {any} pool
   * @param {number} id
   * @param {About} about
   * @param {InstanceType<typeof import("./live").Live>} live
   */
  constructor(pool, id, { kind, title }, live) {
    this.pool = pool;
    this.id = id;
    this.live = live;
    /** @type {State} */
    this.state = { id, kind, title, startedAt: now(), workers: [], runs: [] };
    /** What was told last of each part, as JSON. @type {globalThis.Map<string, string>} */
    this.told = new Map();
    /** Runs of a pool that stays, by their numbers. @type {globalThis.Map<number, State>} */
    this.runs = new Map();
    this.processors = new Processors();
    this.count = 0;
  }

  /** An event failed for good. @param {Omit<import("./live-failures").Failed, "pool">} failed */
  failed(failed) {
    this.live.failures.add({ ...failed, pool: this.id });
  }

  /** A worker's process has died. @param {{ worker: number, pid?: number, code: number | null, signal: string | null }} mark */
  exited(mark) {
    this.live.mark({ ...mark, pool: this.id });
  }

  /** Entries of a run were taken out of the core. @param {any[]} entries @param {boolean} areFailures all @param {any} run */
  heard(entries, areFailures, { work, flow, recording }) {
    // In a flow the data may be another node's.
    const label = flow === undefined ? recording?.label : undefined;
    for (const entry of entries) {
      const { failed, id, data, error } = Object(entry);
      if (areFailures || failed) this.failed({ work, data, error, worker: id, label });
    }
  }

  /** The pool is about to be closed. */
  close() {
    this.read();
    this.state.endedAt = now();
    this.state.workers = [];
    this.live.closed(this);
  }

  /** The number of a further run in this process. */
  nextRun() {
    return ++this.count;
  }

  /** Reads how the pool is. */
  read() {
    const { pool, state } = this;
    const runs = pool.runs.filter(isRun);
    for (const run of runs) {
      // The program gets these; they are only decoded earlier.
      if (run.reader === null && run.output.failures !== undefined) run.output.failures.absorb();
    }
    const seen = runs.slice(-MOST_RUNS).map(readRun);
    const isSingle = state.kind !== "createPool";
    const whole = isSingle ? seen[0] : { statistics: pool.statistics(), ...recentOfAll(pool) };
    if (whole !== undefined) {
      state.recent = whole.recent;
      state.counts = countsOf(whole.statistics);
      state.workers = this.workers(whole.statistics.workers);
    }
    if (isSingle) Object.assign(state, seen.length > 0 ? timesOf(seen[0]) : {});
    else state.runs = this.listed(seen);
    // Over a cluster.
    if (pool.hosts !== undefined) state.hosts = pool.hosts();
    state.size = pool.size === undefined ? pool.ids.length : pool.size;
  }

  /** @param {ReturnType<typeof readRun>[]} seen */
  listed(seen) {
    const open = new Set(seen.map(({ number }) => number));
    for (const one of seen) {
      this.runs.set(one.number, {
        number: one.number,
        work: one.work,
        counts: countsOf(one.statistics),
        recent: one.recent,
        ...timesOf(one),
      });
    }
    const over = [...this.runs.keys()].filter((number) => !open.has(number));
    for (const number of over.slice(0, -MOST_OVER)) this.runs.delete(number);
    return [...this.runs.values()].map((run) => ({ ...run, isOver: !open.has(run.number) }));
  }

  /**
   * A row for each worker: id, pid, events it has finished, milliseconds it was busy, events it runs, bytes of memory, and the
   * share of a processor that it has. The last three are null while it starts. A worker of another machine has its name behind them.
   * @param {any[]} told
   */
  workers(told) {
    const { pool } = this;
    /** @type {any[]} */
    const ready =
      pool.allWorkers === undefined ? pool.native.poolWorkers(pool.handle) : pool.allWorkers();
    const byId = new Map(ready.map((worker) => [worker.id, worker]));
    // The system tells of its own processes alone.
    const own = ready.filter(({ host }) => host === undefined);
    this.processors.read(own.map(({ pid }) => pid));
    return told.map(({ id, pids, tasks, busy }) => {
      const worker = byId.get(id);
      const done = [tasks, Math.round(busy * 100) / 100];
      if (worker === undefined) return [id, pids[pids.length - 1] || 0, ...done, null, null, null];
      const { pid, running, memory, host } = worker;
      const share = host === undefined ? this.processors.shareOf(pid) : null;
      const row = [id, pid, ...done, running, memory, share];
      return host === undefined ? row : [...row, host];
    });
  }

  /** What has changed since the last time; undefined if nothing has. @returns {State | undefined} */
  changes() {
    const { workers, runs, ...rest } = this.state;
    /** @type {State} */
    const changed = { id: this.id };
    for (const name of Object.keys(rest)) {
      if (this.hasChanged(name, rest[name])) changed[name] = rest[name];
    }
    const rows = workers.filter((/** @type {any[]} */ row) => this.hasChanged(`w${row[0]}`, row));
    if (rows.length > 0) changed.workers = rows;
    const ids = workers.map((/** @type {any[]} */ [id]) => id);
    if (this.hasChanged("ids", ids)) changed.ids = ids;
    const isNew = this.hasChanged("runs", runs);
    if (isNew) changed.runs = runs;
    return Object.keys(changed).length > 1 ? changed : undefined;
  }

  /** @param {string} part @param {unknown} value */
  hasChanged(part, value) {
    const text = JSON.stringify(value);
    if (this.told.get(part) === text) return false;
    this.told.set(part, text);
    return true;
  }
}

/** Whether it is a run, and no batch of calls: in the core, or in this process. @param {any} run */
const isRun = (run) =>
  run.seen !== undefined || (run.recording !== undefined && run.handle !== undefined);

/** @param {any} run @returns {{ number: number, work: string, statistics: State, graph?: unknown, recent?: unknown }} */
function readRun(run) {
  if (run.seen !== undefined) {
    const { number, work } = run.seen;
    return { number, work, statistics: run.seen.statistics() };
  }
  const told = JSON.parse(run.native.runStatistics(run.handle));
  const recent = JSON.parse(run.native.runRecent(run.handle));
  return { number: run.number, work: run.work, recent, ...statisticsOf(told, run.flow?.plan) };
}

/** How long events of the last minute waited and ran. A pool in this process does not keep that. @param {any} pool */
const recentOfAll = ({ native, handle }) =>
  native.poolRecent === undefined ? {} : { recent: JSON.parse(native.poolRecent(handle)) };

/** @param {State} statistics */
function countsOf(statistics) {
  /** @type {State} */
  const counts = {};
  for (const name of COUNTS) counts[name] = statistics[name];
  return counts;
}

/** @param {{ statistics: State, graph?: unknown }} seen */
const timesOf = ({ statistics: { run, wait, nodes }, graph }) => ({ run, wait, nodes, graph });

/** How much of a processor processes have, where the system says it: on Linux. */
class Processors {
  constructor() {
    /** By pid. @type {globalThis.Map<number, { at: number, used: number, share: number | null }>} */
    this.known = new Map();
  }

  /** @param {number[]} pids that there are */
  read(pids) {
    const there = new Set(pids);
    for (const pid of this.known.keys()) if (!there.has(pid)) this.known.delete(pid);
    const at = now();
    const isDue = (/** @type {number} */ pid) => {
      const before = this.known.get(pid);
      return before === undefined || at - before.at >= MEASURED;
    };
    for (const pid of pids.filter(isDue).slice(0, MOST_READ)) {
      const used = usedBy(pid);
      const before = this.known.get(pid);
      const share =
        used === undefined || before === undefined
          ? null
          : Math.round((100 * (used - before.used)) / (at - before.at)) / 100;
      this.known.set(pid, { at, used: used || 0, share });
    }
  }

  /** @param {number} pid */
  shareOf(pid) {
    const known = this.known.get(pid);
    return known === undefined ? null : known.share;
  }
}

/** Milliseconds of processor time. @param {number} pid */
function usedBy(pid) {
  if (process.platform !== "linux") return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program, in parentheses, may have any character.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  } catch (_) {
    // It is gone, or this process may not read that.
    return undefined;
  }
}

module.exports = { LivePool };
