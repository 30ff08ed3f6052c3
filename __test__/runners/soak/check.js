"use strict";
/**
 * Proves, from what workers and master have written down of a run, that nothing was lost, answered twice, run after it was
 * answered, or failed by a crash that was not its own. It reads and judges; it runs nothing.
 *
 * A worker's log has a line `S <event> <time>` when an event starts and `F <event> <time>` when it is about to end. An event
 * has been claimed before it starts: one whose worker was killed in between has no line there, and was the only one.
 */

/**
 * @typedef {object} Line
 * @property {number} n
 * @property {number} pid
 * @property {number} started
 * @property {number | undefined} finished
 */

/** The starts in the logs: by worker, in order. @param {Record<string, string>} logs text by pid */
function startsOf(logs) {
  const byPid = new Map();
  for (const [pid, text] of Object.entries(logs)) {
    const starts = [];
    for (const line of text.split("\n").filter(Boolean)) {
      const [kind, n, time] = line.split(" ");
      if (kind === "S")
        starts.push({ n: Number(n), pid: Number(pid), started: Number(time), finished: undefined });
      else starts.filter((start) => start.n === Number(n)).pop().finished = Number(time);
    }
    byPid.set(Number(pid), starts);
  }
  return byPid;
}

/**
 * @param {{ count: number, retries: number }} run
 * @param {(n: number) => string} doesOf what an event does: `answer`, `throw`, `exit`, `kill` or `hang`
 * @param {Record<string, string>} logs
 * @param {any} outcome
 * @returns {string[]} what is wrong
 */
function check(run, doesOf, logs, outcome) {
  if (outcome.rejected) return [`the call rejected: ${outcome.rejected}`];
  const byPid = startsOf(logs);
  const starts = [...byPid.values()].flat();
  const byEvent = new Map();
  for (const start of starts) byEvent.set(start.n, [...(byEvent.get(start.n) || []), start]);
  const startsOfEvent = (n) => byEvent.get(n) || [];
  return [
    ...checkEnds(run, outcome),
    ...checkTries(run, byEvent),
    ...outcome.answered.flatMap((entry) =>
      checkAnswer(entry, doesOf(entry.n), startsOfEvent(entry.n)),
    ),
    ...outcome.failed.flatMap((entry) =>
      checkFailure(entry, doesOf(entry.n), startsOfEvent(entry.n)),
    ),
    ...checkAttempts(run, outcome.failed),
    ...checkCrashes(outcome.failed, byPid),
  ];
}

/** Every event has ended, once. */
function checkEnds({ count }, { answered, failed }) {
  const ends = new Array(count).fill(0);
  for (const { n } of [...answered, ...failed]) ends[n]++;
  return ends.flatMap((times, n) => {
    if (times === 1) return [];
    return [times === 0 ? `event ${n} is lost` : `event ${n} has ended ${times} times`];
  });
}

/** No event ran more often than it may. */
function checkTries({ retries }, byEvent) {
  const tooOften = [...byEvent].filter(([, starts]) => starts.length > 1 + retries);
  return tooOften.map(([n, starts]) => `event ${n} ran ${starts.length} times`);
}

/** The answer is that of a try which came to its end, and of none before the last. */
function checkAnswer({ n, pid, started, isWhole }, does, starts) {
  const own = starts.find((start) => start.pid === pid && start.started === started);
  if (own?.finished === undefined)
    return [`event ${n} was answered by ${pid}, which has not run it`];
  const wrong = [];
  if (!isWhole) wrong.push(`the data of event ${n} has changed on its way`);
  if (does !== "answer") wrong.push(`event ${n} was answered, and was to ${does}`);
  const later = starts.find((start) => start.started > own.finished);
  if (later) wrong.push(`event ${n} ran in ${later.pid} after it was answered in ${pid}`);
  return wrong;
}

const CRASH = "ERR_SONIC_WORKER_EXIT";
const TIMEOUT = "ERR_SONIC_TASK_TIMEOUT";
const LOST = "ERR_SONIC_HOST_LOST";

/** An event fails by what it throws itself, by the end of its worker, with its host, or because it hangs. */
function checkFailure({ n, error }, does, starts) {
  if (error.code === CRASH || error.code === LOST || (error.code === TIMEOUT && does === "hang"))
    return [];
  if (does !== "throw" || error.message !== `event ${n} throws`) {
    return [`event ${n}, which was to ${does}, failed: ${JSON.stringify(error)}`];
  }
  return starts.some(({ finished }) => finished !== undefined)
    ? []
    : [`event ${n} failed without having run`];
}

/** What an event failed by, each time. */
const attemptsOf = (error) => error.attempts ?? [error];

/** An event is given up only when it has been tried as often as it may be. */
function checkAttempts({ retries }, failed) {
  const tooFew = failed.filter(({ error }) => attemptsOf(error).length !== 1 + retries);
  return tooFew.map(
    ({ n, error }) => `event ${n} failed after ${attemptsOf(error).length} attempts`,
  );
}

/** Each worker that ended took one event with it at most: the one that it ran last. */
function checkCrashes(failed, byPid) {
  const crashes = failed.flatMap(({ n, error }) =>
    attemptsOf(error).map(({ code, pid }) => ({ n, code, pid })),
  );
  const victims = new Set();
  return crashes
    .filter(({ code }) => code === CRASH)
    .flatMap(({ n, pid }) => {
      if (victims.has(pid)) return [`the end of worker process ${pid} failed event ${n} too`];
      victims.add(pid);
      const starts = byPid.get(pid) || [];
      const last = starts[starts.length - 1];
      if (last === undefined || last.n === n) return [];
      if (starts.some((start) => start.n === n))
        return [`event ${n} failed by the end of ${pid}, which ran ${last.n} by then`];
      return last.finished === undefined
        ? [`event ${n} failed by the end of ${pid}, which ran ${last.n}`]
        : [];
    });
}

/** The beginning and the end of a soak that are compared: a minute each, or half of a shorter one. */
const WINDOW = 60_000;

/** What may be more at the end: memory that the allocator and V8 keep of what they once needed. */
const MORE_MEMORY = { times: 1.25, bytes: 24 << 20 };

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/**
 * Whether the master holds as much at the end as at the beginning, by what it held between rounds.
 * @param {{ at: number, rss: number, fds: number, threads: number, processes: number }[]} samples
 */
function checkFlatness(samples) {
  const windows = {};
  if (samples.length === 0) return { wrong: [], windows };
  const [first, last] = [samples[0].at, samples[samples.length - 1].at];
  const length = Math.min(WINDOW, (last - first) / 2);
  const begin = samples.filter(({ at }) => at <= first + length);
  const end = samples.filter(({ at }) => at >= last - length);
  for (const name of ["rss", "fds", "threads", "processes"]) {
    windows[name] = [begin, end].map((window) => median(window.map((sample) => sample[name])));
  }
  const isMore = (name, [before, after]) =>
    after > (name === "rss" ? before * MORE_MEMORY.times + MORE_MEMORY.bytes : before);
  const grown = Object.entries(windows).filter(([name, window]) => isMore(name, window));
  return {
    wrong: grown.map(([name, [before, after]]) => `${name} grew from ${before} to ${after}`),
    windows,
  };
}

module.exports = { check, checkFlatness };
