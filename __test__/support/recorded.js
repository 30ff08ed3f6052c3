"use strict";
/**
 * Records of runs that never were, of any size, in the form in which the core gives them: for tests of the page
 * that shows them. The same seed gives the same record.
 */

/** @param {number} seed */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const OUTCOMES = ["answered", "nothing", "error", "crash", "timeout", "aborted"];

/**
 * @returns {any}
 * @param {{ events: number, workers?: number, seed?: number, failing?: number, message?: string, mean?: number }} options
 *   `failing`: the share of events that fail; one in twenty of those ends its worker
 */
function recorded({
  events: count,
  workers: asked = 4,
  seed = 1,
  failing = 0.01,
  message = "no such row",
  mean = 5,
}) {
  const next = random(seed);
  const workers = [];
  const free = [];
  const start = (id, at) => {
    const worker = {
      id,
      pid: 4000 + workers.length,
      started: at,
      ready: at + 40 + 10 * next(),
      ended: null,
      code: null,
      signal: null,
    };
    workers.push(worker);
    free[id - 1] = { worker, at: worker.ready };
  };
  for (let id = 1; id <= asked; id++) start(id, next());
  const events = Object.fromEntries(
    ["id", "worker", "pid", "queued", "started", "finished", "outcome", "attempts"].map((name) => [
      name,
      [],
    ]),
  );
  const failures = [];
  const marks = [];
  for (let id = 1; id <= count; id++) {
    const slot = free.reduce((best, one) => (one.at < best.at ? one : best));
    const { worker } = slot;
    const started = slot.at + 0.02 + next() * 0.05;
    const queued = Math.max(0, started - 0.01 - next() * mean * 2);
    const finished = started - Math.log(1 - next()) * mean * (next() < 0.01 ? 12 : 1);
    const outcome =
      next() >= failing ? (next() < 0.05 ? 1 : 0) : next() < 0.05 ? 3 : next() < 0.2 ? 4 : 2;
    const attempts = next() < 0.02 ? 2 : 1;
    const row = {
      id,
      worker: worker.id,
      pid: worker.pid,
      queued,
      started,
      finished,
      outcome,
      attempts,
    };
    for (const [name, value] of Object.entries(row)) events[name].push(value);
    slot.at = finished;
    if (attempts > 1)
      marks.push({ at: started, kind: "retry", worker: worker.id, text: `event ${id}, attempt 2` });
    if (outcome >= 2 && failures.length < 1000)
      failures.push({
        id,
        worker: worker.id,
        name: "Error",
        message: `${message} (${id})`,
        code: outcome === 3 ? "ERR_SONIC_WORKER_EXIT" : null,
        attempts,
      });
    if (outcome < 3) continue;
    worker.ended = finished;
    worker.signal = "SIGKILL";
    const kind = outcome === 3 ? "crash" : "kill";
    marks.push({
      at: finished,
      kind,
      worker: worker.id,
      text: `worker ${worker.id} (pid ${worker.pid}) was killed`,
    });
    marks.push({
      at: finished + 1,
      kind: "restart",
      worker: worker.id,
      text: `worker ${worker.id} is started again`,
    });
    start(worker.id, finished + 1);
  }
  if (count > 0)
    marks.push({
      at: 50,
      until: 60,
      kind: "backpressure",
      worker: null,
      text: "Map waits for room",
    });
  marks.sort((a, b) => a.at - b.at);
  const elapsed = Math.max(...free.map(({ at }) => at)) + 5;
  for (const worker of workers)
    if (worker.ended === null) Object.assign(worker, { ended: elapsed, code: 0 });
  const run = {
    version: 1,
    package: "2.0.0",
    node: "20.1.0",
    platform: "linux-x64",
    program: "dump.js",
    pid: 3999,
    startedAt: 1_700_000_000_000,
  };
  const statistics = {
    crashes: events.outcome.filter((outcome) => OUTCOMES[outcome] === "crash").length,
  };
  return {
    ...run,
    elapsed,
    workersAsked: asked,
    workers,
    events,
    unlisted: 0,
    outcomes: OUTCOMES,
    failures,
    marks,
    statistics,
  };
}

module.exports = { recorded, OUTCOMES };
