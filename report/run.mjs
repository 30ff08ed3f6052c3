// The data of the run: unpacks the columns and computes all figures. It knows nothing about the page.

/** Rows in the table of the slowest events. */
const SLOWEST = 25;

/** Bars of a histogram per factor of ten. */
const PER_DECADE = 8;

/** The most points of a chart over time: about one every few pixels. */
const MOST_POINTS = 240;

/** The fewest points of a chart over time. */
const LEAST_POINTS = 30;

/** Events per point. With fewer, a rate is noise. */
const PER_POINT = 4;

/** Undoes `packed` of lib/report.js: microseconds, each the difference to another, become milliseconds. */
function unpacked({ id, process, queued, wait, run, others, retried }, count) {
  const events = {
    count,
    id: new Float64Array(count),
    process: Int32Array.from(process),
    queued: new Float64Array(count),
    started: new Float64Array(count),
    finished: new Float64Array(count),
    outcome: new Uint8Array(count),
    attempts: new Uint32Array(count).fill(1),
  };
  let lastId = 0;
  let last = 0;
  for (let at = 0; at < count; at++) {
    events.id[at] = lastId += id[at];
    last += queued[at];
    events.queued[at] = last / 1000;
    // null: the event never started.
    const started = wait[at] === null ? Number.NaN : last + wait[at];
    events.started[at] = started / 1000;
    events.finished[at] = (wait[at] === null ? last + run[at] : started + run[at]) / 1000;
  }
  for (const [at, outcome] of others) events.outcome[at] = outcome;
  for (const [at, attempts] of retried) events.attempts[at] = attempts;
  return events;
}

export class Run {
  /** @param {any} data as written by lib/master/report.js */
  constructor(data) {
    this.data = data;
    this.events = unpacked(data.events, data.count);
    const { count, queued, started, finished, outcome } = this.events;
    this.waits = new Float64Array(count);
    this.runs = new Float64Array(count);
    this.counts = data.outcomes.map(() => 0);
    for (let at = 0; at < count; at++) {
      this.waits[at] = Math.max(0, started[at] - queued[at]);
      this.runs[at] = Math.max(0, finished[at] - started[at]);
      this.counts[outcome[at]]++;
    }
    const { statistics } = data;
    /** The number of events that are not listed, because there were too many. The totals include them. */
    this.unlisted = data.unlisted ?? 0;
    this.total = count + this.unlisted;
    if (this.unlisted > 0) {
      this.counts = data.outcomes.map((name) => statistics[name] ?? statistics.failures[name]);
    }
    this.failed = this.counts.slice(2).reduce((sum, some) => sum + some, 0);
    this.end = Math.max(data.elapsed, finished.length > 0 ? max(finished) : 0, 0.001);
    this.sorted = {
      queued: known(queued),
      started: known(started),
      finished: known(finished),
      failed: known(finished.filter((_, at) => outcome[at] >= 2)),
      // An event that never started waited until its end.
      left: known(started.map((ms, at) => (Number.isNaN(ms) ? finished[at] : ms))),
      done: known(finished.filter((_, at) => !Number.isNaN(started[at]))),
    };
    this.run = known(this.runs);
    this.wait = known(this.waits);
    this.lanes = lanesOf(data.workers, this.events);
    this.busy = sum(this.run);
  }

  /** The percentile of all waits or runs. The share must be one of the statistics. */
  within(kind, share) {
    if (this.unlisted > 0) return this.data.statistics[kind][`p${share * 100}`];
    return percentile(this[kind], share);
  }

  /** The share of the time in which processes were ready that they ran events. */
  busyShare(processes, busy) {
    const ready = processes.reduce(
      (ms, one) => ms + Math.max(0, this.endOf(one) - (one.ready ?? this.endOf(one))),
      0,
    );
    return ready > 0 ? Math.min(1, busy / ready) : 0;
  }

  /** What is known of an event: its label, or the beginning of its data. */
  textOf(id) {
    return this.data.texts?.[id] ?? "";
  }

  /** How often `Map` waited for room, and how long in all. */
  get pressure() {
    const waits = this.data.marks.filter(({ kind }) => kind === "backpressure");
    return { count: waits.length, ms: sum(waits.map(({ at, until = at }) => until - at)) };
  }

  /** When a process ended, or the run, whichever came first. */
  endOf(worker) {
    return worker.ended === null ? this.end : Math.min(worker.ended, this.end);
  }

  /** The indices of the events that ran longest, longest first. */
  slowest() {
    const { count } = this.events;
    const indices = Array.from({ length: count }, (_, at) => at).filter((at) => this.runs[at] >= 0);
    return indices.sort((a, b) => this.runs[b] - this.runs[a]).slice(0, SLOWEST);
  }

  /** Events finished per second, all and failed, in `bins` equal parts of a time. */
  throughput(from, to, bins = this.points(from, to)) {
    const times = bin(from, to, bins);
    const perSecond = 1000 / ((to - from) / bins);
    const rate = (sorted) =>
      times.map((_, at) => {
        const start = from + ((to - from) * at) / bins;
        const end = at === bins - 1 ? to + 1e-6 : from + ((to - from) * (at + 1)) / bins;
        return (below(sorted, end) - below(sorted, start)) * perSecond;
      });
    return [times, rate(this.sorted.finished), rate(this.sorted.failed)];
  }

  /** How many parts a time can have, with enough events in each for a meaningful rate. */
  points(from, to) {
    const { finished } = this.sorted;
    const events = below(finished, to) - below(finished, from);
    return Math.min(MOST_POINTS, Math.max(LEAST_POINTS, Math.round(events / PER_POINT)));
  }

  /** How many events wait and run, at `bins` moments of a time. */
  load(from, to, bins = MOST_POINTS) {
    const { queued, started, left, done } = this.sorted;
    const times = bin(from, to, bins);
    const waiting = times.map((ms) => below(queued, ms) - below(left, ms));
    const running = times.map((ms) => below(started, ms) - below(done, ms));
    return [times, waiting, running];
  }
}

/** The midpoints of equal parts. */
const bin = (from, to, bins) =>
  Array.from({ length: bins }, (_, at) => from + ((to - from) * (at + 0.5)) / bins);

/** Sorted, without missing values. */
const known = (column) => column.filter((value) => !Number.isNaN(value)).sort();

const sum = (column) => column.reduce((all, one) => all + one, 0);

const max = (column) => column.reduce((most, one) => Math.max(one, most), 0);

/** How many values of a sorted column are smaller. */
export function below(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value that this share of a sorted column does not exceed. */
export function percentile(sorted, share) {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Counts the values of a sorted column in bars whose width grows by a constant factor. */
export function histogram(sorted) {
  const floor = 0.001;
  const place = (ms) => Math.floor(Math.log10(Math.max(ms, floor)) * PER_DECADE + 1e-9);
  if (sorted.length === 0) return { logs: [], counts: [], edges: [] };
  const first = place(sorted[0]) - 1;
  const counts = new Array(place(sorted[sorted.length - 1]) + 2 - first).fill(0);
  for (const ms of sorted) counts[place(ms) - first]++;
  const logs = counts.map((_, at) => (first + at + 0.5) / PER_DECADE);
  const edges = counts.map((_, at) => [
    10 ** ((first + at) / PER_DECADE),
    10 ** ((first + at + 1) / PER_DECADE),
  ]);
  return { logs, counts, edges };
}

/** One lane per worker id: its processes, and its events in the order of their start. */
function lanesOf(workers, { count, process, started, finished, outcome }) {
  const lanes = new Map();
  for (const worker of workers) {
    if (!lanes.has(worker.id))
      lanes.set(worker.id, {
        id: worker.id,
        host: worker.host,
        processes: [],
        indices: [],
        failed: 0,
        busy: 0,
      });
    lanes.get(worker.id).processes.push(worker);
  }
  for (let at = 0; at < count; at++) {
    const worker = workers[process[at]];
    if (worker === undefined || Number.isNaN(started[at])) continue;
    const lane = lanes.get(worker.id);
    lane.indices.push(at);
    lane.busy += finished[at] - started[at];
    if (outcome[at] >= 2) lane.failed++;
  }
  for (const lane of lanes.values()) {
    lane.indices.sort((a, b) => started[a] - started[b]);
    lane.starts = Float64Array.from(lane.indices, (at) => started[at]);
    // For each event, the latest end of it and all before it. A search in it finds the events that still run at a moment.
    let latest = 0;
    lane.ends = Float64Array.from(lane.indices, (at) => {
      latest = Math.max(latest, finished[at]);
      return latest;
    });
  }
  return [...lanes.values()].sort((a, b) => a.id - b.id);
}
