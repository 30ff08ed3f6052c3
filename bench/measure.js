"use strict";
// Measures one case. The contestants take turns, so that other load on the machine affects all alike.

const os = require("node:os");
const { CONTESTANTS, baseOf, takesPart } = require("./contestants");
const { runTrial } = require("./process");
const { WORKLOADS, totalCost } = require("./workloads");

/** The longest time of one run. */
const DEADLINE_MS = 120_000;
const QUICK_DEADLINE_MS = 20_000;

/** A run is skipped if, judging by a smaller run, it would take longer than this. */
const TOO_LONG_MS = 40_000;
const QUICK_TOO_LONG_MS = 4_000;

class Measurement {
  /** @param {{ contestants: string[], runs: number, quick: boolean }} options */
  constructor({ contestants, runs, quick }, spinsPerMs) {
    this.contestants = contestants;
    this.runs = runs;
    this.deadline = quick ? QUICK_DEADLINE_MS : DEADLINE_MS;
    this.tooLong = quick ? QUICK_TOO_LONG_MS : TOO_LONG_MS;
    this.spinsPerMs = spinsPerMs;
    /** Milliseconds per event, by contestant, workload and workers. */
    this.pace = new Map();
  }

  /** @param {import("./cases").Case} one */
  async measure(one) {
    const workload = WORKLOADS[one.workload];
    const job = { ...one, cold: workload.cold ?? false, spinsPerMs: this.spinsPerMs };
    const names = this.contestants.filter((name) => takesPart(name, one.workload));
    const entries = names.map((name) => this.begin(name, job));
    for (let run = 0; run < this.runs; run++) {
      for (const entry of entries) await this.run(entry, job);
    }
    const base = entries.find(({ contestant }) => contestant === baseOf(workload));
    const { does, unit = "ms" } = workload;
    const results = entries.map((entry) => this.sumUp(entry, job, median(base?.values ?? [])));
    return { ...one, does, unit, base: baseOf(workload), results };
  }

  begin(contestant, job) {
    const pace = this.pace.get(paceKey(contestant, job)) ?? 0;
    const expected = pace * job.events;
    const tooLong =
      expected > this.tooLong ? `would take about ${Math.round(expected / 1000)} s` : undefined;
    const skipped = CONTESTANTS[contestant].refuses?.(job) ?? tooLong;
    return { contestant, skipped, failed: undefined, values: [] };
  }

  async run(entry, job) {
    if (entry.skipped !== undefined || entry.failed !== undefined) return;
    const { value, failed } = await runTrial(entry.contestant, job, this.deadline);
    if (failed !== undefined) entry.failed = failed;
    else entry.values.push(value);
  }

  sumUp({ contestant, skipped, failed, values }, job, base) {
    const { title } = CONTESTANTS[contestant];
    if (skipped !== undefined) return { contestant, title, skipped };
    if (failed !== undefined) return { contestant, title, failed };
    const middle = median(values);
    this.pace.set(paceKey(contestant, job), middle / job.events);
    const spread = (Math.max(...values) - Math.min(...values)) / middle;
    const result = { contestant, title, values, median: middle, spread, ratio: base / middle };
    const ideal = idealMs(job);
    return ideal === 0 ? result : { ...result, efficiency: ideal / middle };
  }
}

const paceKey = (contestant, { workload, workers }) => [contestant, workload, workers].join();

/** The time of the work itself, if no worker ever waits. */
function idealMs({ workload, workers, events }) {
  return totalCost(WORKLOADS[workload], events) / Math.min(workers, os.cpus().length);
}

/** NaN if there are no values. */
function median(values) {
  const sorted = values.slice().sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)] + sorted[Math.ceil(middle - 0.5)]) / 2;
}

module.exports = { Measurement };
