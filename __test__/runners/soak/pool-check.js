"use strict";
/**
 * Proves, from what workers, master and clients have written down of a pool, that each event of its jobs ended once, was counted
 * as often as it was answered, kept to its key and its tags, and failed by no crash but one that was to be; and that clients
 * died of nothing else.
 */
const { CHILD, EXIT, LIMIT, eventOf } = require("./pool-loads");

/**
 * @typedef {object} Start
 * @property {string} job
 * @property {number} n
 * @property {number} attempt
 * @property {number} pid
 * @property {number} started
 * @property {number | undefined} finished
 */

/** The starts in the logs, by worker in order, and when each worker last wrote. @param {Record<string, string>} logs */
function readLogs(logs) {
  const byPid = new Map();
  const lastAt = new Map();
  for (const [pid, text] of Object.entries(logs)) {
    /** @type {Start[]} */
    const starts = [];
    for (const line of text.split("\n").filter(Boolean)) {
      const [kind, job, n, attempt, time] = line.split(" ");
      const event = { job, n: Number(n), attempt: Number(attempt) };
      if (kind === "S")
        starts.push({ ...event, pid: Number(pid), started: Number(time), finished: undefined });
      else starts.filter((start) => isSame(start, event)).pop().finished = Number(time);
      lastAt.set(Number(pid), Number(time));
    }
    byPid.set(Number(pid), starts);
  }
  return { byPid, lastAt };
}

const isSame = (a, b) => a.job === b.job && a.n === b.n && a.attempt === b.attempt;

/**
 * @param {string} seed
 * @param {any} pool see `poolOf`
 * @param {Record<string, string>} logs text by pid
 * @param {any} outcome
 * @param {ReadonlySet<number>} killed the workers that were killed from outside
 * @returns {string[]} what is wrong
 */
function checkPool(seed, pool, logs, outcome, killed) {
  if (outcome.rejected) return [`the pool failed: ${outcome.rejected}`];
  const { byPid, lastAt } = readLogs(logs);
  const jobs = jobsOf(pool, outcome);
  const starts = [...byPid.values()].flat().sort((a, b) => a.started - b.started);
  const doesOf = (job, n) => eventOf(seed, pool, job, n);
  const ends = (pid) => {
    const fatal = ["exit", "kill", "loop"];
    return (byPid.get(pid) || []).some(({ job: name, n, finished }) => {
      const { job } = jobs.find((other) => other.job.name === name);
      return finished === undefined && fatal.includes(doesOf(job, n).does);
    });
  };
  const mayCrash = (pid) => killed.has(pid) || ends(pid);
  return [
    ...checkWhole(pool, outcome),
    ...checkLimit(jobs, byPid),
    ...pool.clients.flat().flatMap((life) => checkLife(life, outcome, killed)),
    ...jobs.flatMap(({ job, seen }) => {
      const own = starts.filter((start) => start.job === job.name);
      const what = (n) => doesOf(job, n);
      const wrong = [
        ...checkTries(job, own),
        ...checkKeys(job, own, what, lastAt),
        // Nobody knows what the events of a client came to that died meanwhile.
        ...(seen ? checkEnds(job, seen, what, outcome.statistics.counts[job.name] ?? 0) : []),
        ...(seen?.ends ?? []).flatMap((end) =>
          checkEnd({ pool, job, outcome }, end, what(end.n), own, mayCrash),
        ),
      ];
      return wrong.map((words) => `${job.kind} ${job.name}: ${words}`);
    }),
  ];
}

/** The jobs of the program and of its clients, and what is known of them. @returns {{ job: any, seen: any }[]} */
function jobsOf({ jobs, clients }, outcome) {
  const endOf = (life) => outcome.lives.find(({ name }) => name === life.name);
  return [
    ...jobs.map((job, at) => ({ job, seen: outcome.jobs[at] })),
    ...clients
      .flat()
      .flatMap((life) => life.jobs.map((job, at) => ({ job, seen: endOf(life)?.jobs?.[at] }))),
  ];
}

/** A client leaves when all its jobs are done, unless it dies before. */
function checkLife({ name, dies }, { lives }, killed) {
  const own = lives.filter((life) => life.name === name);
  if (own.length !== 1) return [`client ${name} came ${own.length} times`];
  const [{ pid, code, signal, jobs }] = own;
  const how = signal ?? code;
  const isKilled = killed.has(pid) && signal !== null;
  const isDead = dies !== undefined && how === (dies.how === "exit" ? EXIT : dies.how);
  if (jobs !== undefined && how === 0) return [];
  if (isKilled || (isDead && jobs === undefined)) return [];
  return [`client ${name} ended with ${how} ${jobs ? "after" : "before"} its jobs were done`];
}

function checkWhole({ sizes }, { size, statistics }) {
  const wrong = [];
  if (statistics.unfinished !== 0)
    wrong.push(`events are unfinished: ${JSON.stringify(statistics)}`);
  const last = sizes[sizes.length - 1];
  if (last !== undefined && size !== last.size)
    wrong.push(`there are ${size} workers, and were to be ${last.size}`);
  return wrong;
}

/** Of the limited stage, a worker runs few events at once: those that ended too late for anybody to wait for them included. */
function checkLimit(jobs, byPid) {
  const limited = new Set(
    jobs.filter(({ job }) => job.work === "limited").map(({ job }) => job.name),
  );
  return [...byPid].flatMap(([pid, starts]) => {
    const own = starts.filter(({ job }) => limited.has(job));
    const beside = ({ started }) =>
      own.filter((other) => other.started <= started && !(other.finished < started)).length;
    const most = Math.max(0, ...own.map(beside));
    return most > LIMIT ? [`${pid} ran ${most} events of the limited stage at once`] : [];
  });
}

/** Each attempt at an event runs once, one after the other, and none too many. */
function checkTries({ retries }, starts) {
  const byEvent = new Map();
  for (const start of starts) byEvent.set(start.n, [...(byEvent.get(start.n) || []), start]);
  return [...byEvent].flatMap(([n, own]) => {
    const attempts = own.map(({ attempt }) => attempt);
    const isRising = attempts.every((attempt, at) => at === 0 || attempt > attempts[at - 1]);
    if (isRising && attempts[attempts.length - 1] <= 1 + retries) return [];
    return [`event ${n} ran as attempts ${attempts}`];
  });
}

/** Events of one key run one at a time, and begin in their order. */
function checkKeys({ abortAfter }, starts, what, lastAt) {
  const wrong = [];
  const byKey = new Map();
  for (const start of starts) {
    const { key } = what(start.n);
    if (key === undefined) continue;
    const before = byKey.get(key);
    byKey.set(key, start);
    if (before === undefined) continue;
    // One that did not come to its end was there as long as its worker, at least until that wrote for the last time.
    const until = before.finished ?? lastAt.get(before.pid);
    const isOver = before.finished !== undefined || before.pid !== start.pid;
    if (start.started < until || !isOver)
      wrong.push(`event ${start.n} began while ${before.n} of the same key ran`);
    if (start.n < before.n && abortAfter === undefined)
      wrong.push(`event ${start.n} began after ${before.n} of the same key`);
  }
  return wrong;
}

const isAborted = ({ error }) => error !== undefined && error.name === undefined;

/** Every event has ended, once; and what it adds to its run is there, once. */
function checkEnds({ count, abortAfter }, { ends, rejected }, what, counted) {
  if (rejected !== undefined)
    return rejected === "enough" && abortAfter !== undefined ? [] : [`it rejected: ${rejected}`];
  const answered = ends.filter(({ error }) => error === undefined);
  const due = new Set(Array.from({ length: count }, (_, n) => n));
  for (const { n } of answered) if (what(n).emits) due.add(n + CHILD);
  const wrong = [];
  for (const { n } of ends) {
    if (!due.delete(n)) wrong.push(`event ${n} has ended, and was not to, or twice`);
  }
  for (const n of due) wrong.push(`event ${n} is lost`);
  const sum = answered.reduce((total, { n }) => total + n + 1, 0);
  if (!ends.some(isAborted) && sum !== counted)
    wrong.push(`its events counted ${counted}, and were to count ${sum}`);
  return wrong;
}

const CRASH = "ERR_SONIC_WORKER_EXIT";
const TIMEOUT = "ERR_SONIC_TASK_TIMEOUT";

function checkEnd({ pool, job, outcome }, end, { does }, starts, mayCrash) {
  const own = starts.filter(({ n }) => n === end.n);
  if (isAborted(end)) return job.abortAfter === undefined ? [`event ${end.n} was aborted`] : [];
  if (end.error !== undefined) return checkFailure(job, end, does, own, mayCrash);
  const { n, pid, workerID, started, isKept } = end.response;
  const wrong = [];
  const start = own.find((other) => other.pid === pid && other.started === started);
  if (n !== end.n || start?.finished === undefined)
    wrong.push(`event ${end.n} was answered by ${pid}, which has not run it`);
  else if (own.some((other) => other.started > start.finished))
    wrong.push(`event ${n} ran again after it was answered`);
  if (does !== "answer") wrong.push(`event ${n} was answered, and was to ${does}`);
  if (isKept !== pool.keeps) wrong.push(`event ${n} ran in ${pid} before what is kept`);
  const tags = outcome.tags[workerID];
  const isExclusive = pool.groups && tags.includes("b") && job.tags.length === 0;
  if (isExclusive || !job.tags.every((tag) => tags.includes(tag)))
    wrong.push(`event ${n} ran in worker ${workerID}, which has the tags ${tags}`);
  return wrong;
}

/** An event fails by what it throws, because it runs too long, or by a worker that was to end; after all its attempts. */
function checkFailure({ retries, taskTimeout }, { n, error }, does, starts, mayCrash) {
  const attempts = error.attempts ?? [error];
  const wrong = [];
  const tries = error.times ?? attempts.length;
  if (tries !== 1 + retries) wrong.push(`event ${n} failed after ${tries} attempts`);
  for (const { code, message, pid } of attempts) {
    const isDue =
      code === CRASH
        ? pid === undefined || mayCrash(pid)
        : code === TIMEOUT
          ? taskTimeout !== undefined
          : does === "throw" && message === `event ${n} throws`;
    if (!isDue) wrong.push(`event ${n}, which was to ${does}, failed: ${code} ${message}`);
  }
  if (does === "throw" && error.code === undefined && starts.length === 0)
    wrong.push(`event ${n} failed without having run`);
  return wrong;
}

module.exports = { checkPool };
