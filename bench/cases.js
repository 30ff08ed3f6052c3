"use strict";
// A case is what is measured: a workload with a number of workers and a number of events.

const { WORKLOADS } = require("./workloads");

const WORKERS = 2;

/** Sweeps: the tiny workload with different numbers of workers or events. */
const SWEEPS = {
  workers: { counts: [1, 2, 8, 32, 64], quick: [1, 8] },
  events: { counts: [10_000, 100_000, 1_000_000], quick: [10_000, 100_000] },
};

/** The values of `--only`. */
const SELECTIONS = [...Object.keys(WORKLOADS), ...Object.keys(SWEEPS)];

/**
 * @typedef {{ workload: string, workers: number, events: number }} Case
 * @returns {Case[]} Each case once. For the same workload and number of workers, cases with fewer events come
 *   first, except that the case of the workload itself comes before all.
 */
function casesOf({ only, quick, workers, events }) {
  const cases = only.flatMap((name) => {
    const { workload, ...counts } = own(name, quick);
    const one = WORKLOADS[workload];
    const allWorkers = one.workers ? [one.workers] : (workers ?? counts.workers);
    const allEvents = one.fixed ? [one.events] : (events ?? counts.events);
    return allWorkers.flatMap((w) => allEvents.map((e) => ({ workload, workers: w, events: e })));
  });
  const byKey = new Map(cases.map((one) => [Object.values(one).join(), one]));
  return [...byKey.values()];
}

function own(name, quick) {
  const workload = name in WORKLOADS ? name : "tiny";
  const { events, quickEvents = events } = WORKLOADS[workload];
  const counts = { workload, workers: [WORKERS], events: [quick ? quickEvents : events] };
  if (name in SWEEPS) counts[name] = quick ? SWEEPS[name].quick : SWEEPS[name].counts;
  return counts;
}

module.exports = { SELECTIONS, casesOf };
