"use strict";
// What people see of a run over several machines, or of a whole pool: a record that the core keeps, shows and writes as that of a run in this
// process. There is none where nobody asks, and hosts tell no more of their events then than how they ended.

const { native } = require("../shared/native");
const { Buffer, JSON, Set } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./coordinator").Coordinator>} Coordinator */
/** @typedef {import("./coordinator").Member} Member */
/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("../shared/carried").Carried} Carried */

/** The order in which the core has them. */
const OUTCOMES = ["answered", "nothing", "error", "crash", "timeout", "aborted"];

/** What errors that are not the program's say of how their event ended. @type {Record<string, "crash" | "timeout">} */
const CAUSES = {
  ERR_SONIC_WORKER_EXIT: "crash",
  ERR_SONIC_HOST_LOST: "crash",
  ERR_SONIC_TASK_TIMEOUT: "timeout",
};

/** What a worker runs: the number of an event, and for how many milliseconds. @typedef {[worker: number, event: number, time: number]} Doing */

/** How an event has ended that has failed. @param {Outcome} outcome @returns {"error" | "crash" | "timeout"} */
const causeOf = ({ seen, told: { code } }) =>
  /** @type {any} */ (
    seen !== undefined && OUTCOMES.indexOf(seen[4]) > 1 ? seen[4] : CAUSES[code] || "error"
  );

/** So many characters of an event's data are shown at most. */
const MOST_SHOWN = 256;

class Seen {
  /**
   * @param {Coordinator} coordinator
   * @param {{ level?: "trace" | "events" | "times", epoch: number, isWatched?: boolean, hasLabels?: boolean,
   *   drawsWorkers?: boolean }} how as `Recording` has it, and whether it shows what the program calls events, and what workers do
   */
  constructor(
    coordinator,
    { level, epoch, isWatched = false, hasLabels = false, drawsWorkers = false },
  ) {
    this.native = native();
    this.coordinator = coordinator;
    this.hasLabels = hasLabels;
    this.drawsWorkers = drawsWorkers;
    /** Processes that have ended: what they did may be told later. @type {globalThis.Set<string>} */
    this.ends = new Set();
    this.handle = this.native.recordOpen(level, epoch, isWatched);
    for (const member of coordinator.members.values()) this.joined(member);
    coordinator.watching.add(this);
  }

  /** An event is handed over. @param {string} [label] what the program calls it @returns {number} */
  handOver(label) {
    return this.native.recordHandOver(this.handle, this.hasLabels ? label : undefined);
  }

  /** @param {number} event as `handOver` counts it @param {Carried} value its data @param {Outcome} outcome @param {boolean} isNothing */
  ended(event, { text, format }, outcome, isNothing) {
    const { seen, told, counts } = outcome;
    const [worker, process, finished, duration] = seen || [0, 0, this.native.clock(), 0];
    // The core has the last process of a worker then.
    const pid = this.ends.size > 0 && this.ends.has(`${worker} ${process}`) ? 0 : process;
    const error = told === undefined ? undefined : JSON.stringify(told);
    const name = told === undefined ? (isNothing ? "nothing" : "answered") : causeOf(outcome);
    this.native.recordEnded(this.handle, {
      event,
      worker,
      pid,
      finished,
      duration,
      outcome: OUTCOMES.indexOf(name),
      data: text,
      isText: format === 0,
      bytesOut: bytesOf(error || outcome.text),
      error,
      counts: counts === undefined ? undefined : JSON.stringify(counts),
      attempts: Math.max(1, outcome.attempts),
    });
  }

  /** An event was aborted with its run. @param {number} event @param {Carried} value its data */
  aborted(event, { text, format }) {
    this.native.recordEnded(this.handle, {
      ...{ event, worker: 0, pid: 0, finished: this.native.clock(), duration: 0 },
      ...{ outcome: OUTCOMES.indexOf("aborted"), data: text, isText: format === 0 },
      ...{ bytesOut: 0, attempts: 1 },
    });
  }

  /** @param {Member} member */
  joined({ host, workers }) {
    for (const [id, pid] of workers) this.native.recordWorker(this.handle, id, pid, host);
  }

  /** @param {Member} member @param {boolean} isLost */
  left({ host, workers }, isLost) {
    const how = isLost ? `was lost with the host ${host}` : undefined;
    for (const [id] of workers) this.native.recordExited(this.handle, id, null, null, how);
  }

  /** @param {import("./station").Exit} exit */
  exited([id, code, signal, pid]) {
    this.ends.add(`${id} ${pid}`);
    const how = code === 0 ? undefined : `died ${signal ? `by ${signal}` : `with code ${code}`}`;
    this.native.recordExited(this.handle, id, code, signal, how);
  }

  /** What workers run: of events of this record it shows which. @param {Doing[]} all */
  doing(all) {
    const { events } = this.coordinator;
    const shown = all.map(([worker, number, time]) => {
      const counted = events.get(number)?.counted;
      const at = counted === undefined ? -1 : counted.records.indexOf(this);
      if (counted === undefined || at < 0)
        return { worker, milliseconds: 0, data: "", isText: false };
      const { text, format } = counted.value;
      const data = text.slice(0, MOST_SHOWN);
      return { worker, event: counted.numbers[at], milliseconds: time, data, isText: format === 0 };
    });
    this.native.recordDoing(this.handle, shown);
  }

  /** The statistics end. */
  over() {
    this.native.recordOver(this.handle);
  }

  /** Hears of nothing more. */
  close() {
    this.coordinator.watching.delete(this);
  }

  /** @returns {import("../../index").RunStatistics} */
  statistics() {
    return JSON.parse(this.native.recordStatistics(this.handle));
  }

  /** How long events of the last minute waited and ran, as JSON, if a dashboard shows it. */
  recent() {
    return this.native.recordRecent(this.handle);
  }

  /** What shows and writes the record, in the place of the core's functions for runs here. @param {() => any[]} workers */
  functions(workers) {
    const { native } = this;
    return {
      traceAppend: native.recordTrace,
      runReport: native.recordReport,
      runEnded: native.recordEndedSince,
      runStatistics: native.recordStatistics,
      runRecent: native.recordRecent,
      progressBegin: native.recordProgress,
      poolWorkers: workers,
    };
  }
}

/** Shows on a dashboard which workers have died. */
class Marks {
  /** @param {{ observer: import("../master/dashboard").Observer | null }} pool */
  constructor(pool) {
    this.pool = pool;
  }

  /** @param {Member} _member */
  joined(_member) {}

  /** @param {Member} _member */
  left(_member) {}

  /** @param {import("./station").Exit} exit */
  exited([worker, code, signal, pid]) {
    if (code !== 0) this.pool.observer?.exited({ worker, pid, code, signal });
  }
}

/** Tells those records that draw workers what these run. @param {Coordinator} coordinator */
function showDoing({ members, watching }) {
  const drawing = [...watching].filter((one) => one instanceof Seen && one.drawsWorkers);
  if (drawing.length === 0) return;
  const all = [...members.values()].flatMap((member) => member.doing());
  for (const seen of drawing) /** @type {Seen} */ (seen).doing(all);
}

/** @param {string | undefined} text */
const bytesOf = (text) => (text === undefined ? 0 : Buffer.byteLength(text));

module.exports = { Marks, Seen, bytesOf, causeOf, showDoing };
