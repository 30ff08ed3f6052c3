// What a live page knows of a program: it takes in the events of the stream, and keeps the last minute of figures. It knows nothing about the
// page. Its memory is bounded by the number of pools and workers, however long the program runs.

/** Milliseconds that the charts show. */
export const WINDOW = 60_000;

/** Milliseconds that they show at least. */
const SHORTEST = 15_000;

/** The most samples of that: four a second. */
const MOST_SAMPLES = 256;

const MOST_FAILURES = 1000;
const MOST_MARKS = 200;

/** Milliseconds over which a rate is measured. */
const RATE = 2000;

/** The columns of a worker's row: lib/master/live-pool.js. */
export const ROW = {
  id: 0,
  pid: 1,
  tasks: 2,
  busy: 3,
  running: 4,
  memory: 5,
  processor: 6,
  host: 7,
};

/** Numbers of the last samples, oldest first: a ring. */
class Ring {
  constructor() {
    this.items = [];
    this.first = 0;
  }

  get length() {
    return this.items.length;
  }

  /** @param {number} at 0 is the oldest */
  at(at) {
    return this.items[(this.first + at) % this.items.length];
  }

  get last() {
    return this.length === 0 ? undefined : this.at(this.length - 1);
  }

  push(item) {
    if (this.items.length < MOST_SAMPLES) this.items.push(item);
    else {
      this.items[this.first] = item;
      this.first = (this.first + 1) % MOST_SAMPLES;
    }
  }

  /** The index of the first sample that is not older. */
  since(time) {
    let at = this.length;
    while (at > 0 && this.at(at - 1).at >= time) at--;
    return at;
  }
}

/** What one worker did: in each sample the share of the time before it in which it was busy. */
class Lane {
  constructor(id) {
    this.id = id;
    this.row = undefined;
    this.samples = new Ring();
  }

  /** @param {number} at @param {any[] | undefined} row undefined: as before */
  add(at, row = this.row) {
    const { last } = this.samples;
    const isSame = this.row !== undefined && this.row[ROW.pid] === row[ROW.pid];
    const before = this.row;
    this.row = row;
    if (last === undefined) {
      this.samples.push({ at, share: 0, running: row[ROW.running], tasks: 0 });
      return;
    }
    const length = Math.max(1, at - last.at);
    // A worker that was replaced goes on counting.
    let busy = before === undefined ? 0 : Math.max(0, row[ROW.busy] - before[ROW.busy]);
    const tasks = before === undefined ? 0 : Math.max(0, row[ROW.tasks] - before[ROW.tasks]);
    const share = Math.min(1, busy / length);
    this.samples.push({ at, share, running: row[ROW.running], tasks, isNew: !isSame });
    // An event counts when it ends: what it took longer than this was before.
    busy -= length;
    for (let back = this.samples.length - 2; back > 0 && busy > 0; back--) {
      const one = this.samples.at(back);
      const own = one.at - this.samples.at(back - 1).at;
      const room = own * (1 - one.share);
      one.share = Math.min(1, one.share + Math.min(room, busy) / Math.max(1, own));
      busy -= room;
    }
  }

  /** The share of the last milliseconds in which it was busy. */
  busy(length) {
    const { samples } = this;
    const first = Math.max(1, samples.since((samples.last?.at ?? 0) - length));
    let busy = 0;
    let all = 0;
    for (let at = first; at < samples.length; at++) {
      const own = samples.at(at).at - samples.at(at - 1).at;
      all += own;
      // What runs now has not counted yet.
      busy +=
        own *
        (samples.at(at).running > 0 ? Math.max(samples.at(at).share, 0) : samples.at(at).share);
    }
    return all > 0 ? busy / all : 0;
  }
}

/** Of a pool or a run. @param {any} info @param {"run" | "wait"} what @param {string} name */
export const recentOf = ({ recent }, what, name) =>
  recent?.[what]?.count > 0 ? recent[what][name] : null;

class Pool {
  constructor(id) {
    this.id = id;
    this.info = {};
    /** @type {Map<number, Lane>} */
    this.lanes = new Map();
    this.samples = new Ring();
  }

  get isOver() {
    return this.info.endedAt !== undefined;
  }

  get name() {
    const { kind, title } = this.info;
    return title ?? kind ?? "";
  }

  /** @param {number} at @param {any} told what has changed, if anything */
  take(at, told = {}) {
    const { workers = [], ids, id: _, ...rest } = told;
    Object.assign(this.info, rest);
    const rows = new Map(workers.map((row) => [row[ROW.id], row]));
    if (ids !== undefined) {
      for (const id of this.lanes.keys()) if (!ids.includes(id)) this.lanes.delete(id);
    }
    if (this.isOver && rows.size === 0) return;
    for (const id of rows.keys()) if (!this.lanes.has(id)) this.lanes.set(id, new Lane(id));
    for (const lane of this.lanes.values()) lane.add(at, rows.get(lane.id));
    this.sample(at);
  }

  sample(at) {
    const { counts } = this.info;
    if (counts === undefined) return;
    const rows = [...this.lanes.values()].map(({ row }) => row);
    const sum = (column) => rows.reduce((all, row) => all + (row[column] ?? 0), 0);
    const { answered, nothing, failed, unfinished } = counts;
    const running = Math.min(unfinished, sum(ROW.running));
    this.samples.push({
      at,
      done: answered + nothing + failed,
      failed,
      running,
      waiting: Math.max(0, unfinished - running),
      tasks: sum(ROW.tasks),
      busy: sum(ROW.busy),
      memory: sum(ROW.memory),
      p50: this.recent("run", "p50"),
      p99: this.recent("run", "p99"),
    });
  }

  /** A percentile of how long events of the last minute waited or ran; null if there were none. @param {"run" | "wait"} what */
  recent(what, name) {
    return recentOf(this.info, what, name);
  }

  /** What a count has grown by in a second, lately. */
  rate(name) {
    const { samples } = this;
    const { last } = samples;
    if (last === undefined || this.isOver) return 0;
    const first = samples.at(Math.min(samples.length - 1, samples.since(last.at - RATE)));
    return last.at > first.at ? ((last[name] - first[name]) * 1000) / (last.at - first.at) : 0;
  }

  /** How many of its workers are ready. */
  get ready() {
    return [...this.lanes.values()].filter(({ row }) => row[ROW.running] !== null).length;
  }
}

export class LiveState {
  constructor() {
    this.reset();
  }

  reset() {
    this.program = undefined;
    this.now = 0;
    /** @type {Map<number, Pool>} */
    this.pools = new Map();
    this.groups = new Map();
    this.failures = [];
    this.marks = [];
    this.locks = { used: [], held: [], pending: [] };
  }

  /** All that the program knows. Of another program than before: nothing is kept. */
  snapshot(told) {
    const { pools, failures, marks, locks, now, ...program } = told;
    const isSame =
      this.program?.pid === program.pid && this.program?.startedAt === program.startedAt;
    if (!isSame) this.reset();
    this.program = program;
    this.groups = new Map();
    this.failures = [];
    this.marks = [];
    const known = new Set(pools.map(({ id }) => id));
    for (const id of this.pools.keys()) if (!known.has(id)) this.pools.delete(id);
    const whole = pools.map((pool) => ({ ...pool, ids: pool.workers.map(([id]) => id) }));
    this.frame({ pools: whole, failures, marks, locks, now });
  }

  /** What is new. */
  frame({ now, pools = [], failures, marks = [], locks }) {
    this.now = now;
    const told = new Map(pools.map((pool) => [pool.id, pool]));
    for (const id of told.keys()) if (!this.pools.has(id)) this.pools.set(id, new Pool(id));
    for (const pool of this.pools.values()) pool.take(now, told.get(pool.id));
    if (failures !== undefined) {
      for (const group of failures.groups) this.groups.set(group.key, group);
      this.failures.push(...failures.list);
      this.failures.splice(0, this.failures.length - MOST_FAILURES);
    }
    this.marks.push(...marks);
    this.marks.splice(0, this.marks.length - MOST_MARKS);
    if (locks !== undefined) this.locks = locks;
    // The server tells of the last that were closed only.
    const over = [...this.pools.values()].filter(({ isOver }) => isOver);
    for (const { id } of over.slice(0, -20)) this.pools.delete(id);
  }

  /** How much of the last minute there is to show, in milliseconds. */
  get window() {
    const first = [...this.pools.values()].map(({ samples }) =>
      samples.length > 0 ? samples.at(0).at : this.now,
    );
    return Math.min(WINDOW, Math.max(SHORTEST, this.now - Math.min(this.now, ...first)));
  }

  /** One pool, or all of them. @param {number | undefined} id */
  chosen(id) {
    const one = id === undefined ? undefined : this.pools.get(id);
    return one === undefined ? [...this.pools.values()] : [one];
  }
}

/** The sum of a count over pools. */
export const total = (pools, name) =>
  pools.reduce((sum, { info }) => sum + (info.counts?.[name] ?? 0), 0);

/**
 * Columns for the charts, of moments from `-WINDOW` to 0: times, events finished and failed in a second, waiting and running, mean of run times, their p50
 * and p99 over a minute, and memory.
 * @param {Pool[]} pools @param {number} now
 */
export function columns(pools, now) {
  const shown = pools.filter(({ samples }) => samples.length > 1);
  // The samples of all pools are of the same moments, but for those before one began.
  const longest = shown.reduce((most, pool) => Math.max(most, pool.samples.length), 0);
  const times = [];
  const rows = [];
  for (let back = longest - 1; back > 0; back--) {
    const row = { done: 0, failed: 0, waiting: 0, running: 0, tasks: 0, busy: 0, memory: 0 };
    let at = null;
    let p50 = null;
    let p99 = null;
    for (const { samples } of shown) {
      const index = samples.length - back;
      if (index < 1) continue;
      const one = samples.at(index);
      // So that a rate is no noise.
      const before = samples.at(Math.max(0, index - 4));
      const length = Math.max(1, one.at - before.at);
      at = Math.max(at ?? 0, one.at);
      row.done += ((one.done - before.done) * 1000) / length;
      row.failed += ((one.failed - before.failed) * 1000) / length;
      row.tasks += one.tasks - before.tasks;
      row.busy += one.busy - before.busy;
      row.waiting += one.waiting;
      row.running += one.running;
      row.memory += one.memory;
      p50 = shown.length === 1 ? (one.p50 ?? null) : null;
      p99 = shown.length === 1 ? (one.p99 ?? null) : null;
    }
    if (at === null || at < now - WINDOW) continue;
    times.push(at - now);
    const mean = row.tasks > 0 ? row.busy / row.tasks : null;
    rows.push([
      Math.max(0, row.done),
      Math.max(0, row.failed),
      row.waiting,
      row.running,
      mean,
      p50,
      p99,
      row.memory / 2 ** 20,
    ]);
  }
  return [times, ...Array.from({ length: 8 }, (_, column) => rows.map((row) => row[column]))];
}
