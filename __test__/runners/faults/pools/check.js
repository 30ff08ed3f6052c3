"use strict";
/**
 * Proves, from what the processes of a pool's cell have written down and from what its master reports, that each event ended
 * once, that the fault cost exactly what ran in its worker, and that the pool was whole afterwards. It runs nothing.
 */
const { checkCut } = require("./check-cut");
const { NO_WORKER, VICTIM, checkEnd } = require("./check-end");

/**
 * What the workers did, in order of time.
 * @typedef {object} Start an event that began in a worker
 * @property {string} name
 * @property {number} pid
 * @property {number} worker
 * @property {number} attempt
 * @property {number} at where in the log
 * @property {number | undefined} end where its end is
 * @property {boolean} isKept what is kept ran in the process before
 */

/** @param {string[]} lines see `stages.js` */
function readLog(lines) {
  /** @type {Start[]} */
  const starts = [];
  /** @type {{ pid: number, worker: number, at: number }[]} */
  const strikes = [];
  const came = [];
  const kept = new Set();
  lines.forEach((line, at) => {
    const [kind, pid, worker, name, attempt] = line.split(" ");
    const where = { pid: Number(pid), worker: Number(worker) };
    if (kind === "P") came.push({ ...where, at });
    if (kind === "K") kept.add(pid);
    if (kind === "S") strikes.push({ ...where, at });
    if (kind === "B") {
      const isKept = kept.has(pid);
      starts.push({ ...where, name, attempt: Number(attempt), at, end: undefined, isKept });
    }
    if (kind === "E") {
      const isIt = (start) => start.name === name && start.pid === where.pid && !start.end;
      starts.filter(isIt).pop().end = at;
    }
  });
  return { starts, strikes, came, kept: kept.size };
}

/** The events that the fault costs their attempt: all that ran in its worker, or only its own. */
function costOf({ expected, falls, holds }, { starts, strikes }) {
  const [{ pid: struck }] = strikes;
  const isOpen = ({ pid, end }) => pid === struck && end === undefined;
  const ends = falls || (expected.ends && holds);
  const cost = new Set(
    (ends ? starts.filter(isOpen) : []).map(({ name }) => name).filter((name) => name !== VICTIM),
  );
  if (expected.struck) cost.add(VICTIM);
  return cost;
}

/**
 * @param {any} cell see `cells.js`
 * @param {string[]} lines what the workers wrote
 * @param {any} report what the master reports
 * @returns {string[]} what is wrong
 */
function problemsOf(cell, lines, report) {
  const { expected } = cell;
  if (expected.rejects || report.rejected) return checkRejection(expected, report);
  const log = readLog(lines);
  const due = cell.falls ? 2 : 1;
  if (log.strikes.length !== due) return [`the fault struck ${log.strikes.length} times of ${due}`];
  const cost = costOf(cell, log);
  const events = eventsOf(report);
  const context = { cell, log, cost, report };
  if (cell.moment === "close by signal")
    return [...checkCost(cell, cost), ...checkKeys(context, events), ...checkCut(context)];
  return [
    ...checkEnds(events, report),
    ...checkCost(cell, cost),
    ...events.flatMap((event) => [...checkEnd(context, event), ...checkStarts(context, event)]),
    ...checkKeys(context, events),
    ...checkAlone(context),
    ...checkPool(context, events),
  ];
}

function checkRejection({ rejects }, { rejected }) {
  if (rejected?.code === rejects) return [];
  return [`createPool was to reject with ${rejects}, and came to ${JSON.stringify(rejected)}`];
}

/** All that was handed over, and what answered events added. */
function eventsOf({ accepted, ends }) {
  const isAnswered = (name) => ends.some((end) => end.name === name && !end.error);
  const children = accepted
    .filter(({ name, emits }) => emits && isAnswered(name))
    .map(({ name, tags }) => ({ name: `${name}-child`, role: "child", tags, key: undefined }));
  return [...accepted, ...children];
}

/** Every event has ended once, and nothing else has. */
function checkEnds(events, { ends }) {
  const times = new Map(events.map(({ name }) => [name, 0]));
  const strangers = ends.filter(({ name }) => !times.has(name));
  for (const { name } of ends) times.set(name, times.get(name) + 1);
  const wrong = [...times].filter(([, count]) => count !== 1);
  return [
    ...strangers.map(({ name }) => `${name} ended, and was not there`),
    ...wrong.map(([name, count]) => `${name} ended ${count} times`),
  ];
}

/** A worker is full when the fault strikes in it: it would cost fewer events otherwise, and prove less. */
function checkCost({ holds, falls, expected, concurrency }, { size }) {
  if (!falls && !(holds && expected.ends)) return [];
  // Where it strikes after its event was answered, another may have begun by then.
  const least = concurrency - (expected.struck ? 0 : 1);
  const isRight = size >= least && size <= concurrency;
  return isRight ? [] : [`the fault cost ${size} events, and ${concurrency} ran there`];
}

/** An event runs once, and once more for what the fault cost it. */
function checkStarts({ cell, log, cost, report }, { name, tags }) {
  const own = log.starts.filter((start) => start.name === name);
  const isCost = cost.has(name);
  const isUnseen =
    name === VICTIM && cell.strikes === "event decode" && !own.some(({ attempt }) => attempt === 1);
  const isRefused = report.ends.some((end) => end.name === name && end.error?.code === NO_WORKER);
  const due = (isRefused && !isCost ? 0 : 1) - (isUnseen ? 1 : 0);
  const more = isCost && cell.retries === "on" && !isRefused ? 1 : 0;
  const wrong = [];
  if (own.length !== due + more)
    wrong.push(`${name} ran ${own.length} times, and was to ${due + more}`);
  const attempts = own.map(({ attempt }) => attempt).join();
  const expected = [1, 2]
    .slice(isUnseen ? 1 : 0)
    .slice(0, due + more)
    .join();
  if (attempts !== expected) wrong.push(`${name} ran as attempts ${attempts}`);
  for (const { worker, pid, isKept } of own) {
    const has = report.tagsOf[worker] || [];
    const isWrong = tags.length > 0 ? !tags.every((tag) => has.includes(tag)) : has.includes("b");
    if (isWrong)
      wrong.push(`${name} with the tags [${tags}] ran in worker ${worker} with [${has}]`);
    if (!isKept && report.kept.value) wrong.push(`${name} ran in ${pid} before what is kept`);
  }
  return wrong;
}

/** Events of a key run in one worker, one at a time, those of a job in the order in which they were handed over. */
function checkKeys({ cell, log }, events) {
  const wrong = [];
  const byKey = new Map();
  for (const { name, key } of events.filter((event) => event.key !== undefined))
    byKey.set(key, [...(byKey.get(key) || []), name]);
  for (const [key, names] of byKey) {
    const starts = log.starts.filter(({ name }) => names.includes(name));
    starts.slice(1).forEach((start, at) => {
      const before = starts[at];
      const isOver = before.end === undefined ? before.pid !== start.pid : before.end < start.at;
      if (!isOver) wrong.push(`${start.name} began while ${before.name} of the key ${key} ran`);
      const isOneJob = jobOf(start.name) === jobOf(before.name);
      if (isOneJob && names.indexOf(start.name) < names.indexOf(before.name))
        wrong.push(`${start.name} began after ${before.name} of the key ${key}`);
      // With other workers a key may have another one.
      if (cell.size === undefined && !cell.givenUp && start.worker !== before.worker)
        wrong.push(`the key ${key} moved from worker ${before.worker} to ${start.worker}`);
    });
  }
  return wrong;
}

/** What shared a crash is tried again alone in its worker. An event that was late is known to be why. */
function checkAlone({ cell, log, cost }) {
  if (cost.size < 2) return [];
  const isKnown = cell.expected.victim?.code === "ERR_SONIC_TASK_TIMEOUT";
  return log.starts
    .filter(({ name, attempt }) => attempt > 1 && !(isKnown && name === VICTIM))
    .flatMap(({ name, pid, at, end }) => {
      const beside = log.starts.filter(
        (other) =>
          other.pid === pid && other.name !== name && other.at < end && (other.end ?? end) > at,
      );
      return beside.map((other) => `${name} was tried again beside ${other.name}`);
    });
}

/** What the pool is like in the end, and what is left of it. */
function checkPool({ cell, log, report }, events) {
  const { expected, moment, concurrency } = cell;
  const { statistics, descriptors, ends } = report;
  const failed = ends.filter(({ error }) => error).length;
  const counts = {};
  for (const { name, error } of ends) {
    if (!error) counts[jobOf(name)] = (counts[jobOf(name)] ?? 0) + 1;
  }
  const isLeft = moment === "close" || expected.isLeft;
  const meetings = events.filter(({ role }) => role === "meeting").length;
  const [struck] = log.strikes;
  const replaced = log.came.some(
    ({ pid, worker, at }) => worker === struck.worker && pid !== struck.pid && at > struck.at,
  );
  const facts = {
    counts: [ordered(statistics.counts), ordered(counts)],
    "events of the statistics": sumsOf({ cell, log, report }, events.length, failed),
    "workers that died": [statistics.crashes, expected.deaths],
    "each at first": [report.kept.error && picked(report.kept.error, expected.each), expected.each],
    "workers at work": [report.pids.length, moment === "close" ? 0 : cell.workers],
    "events at once": [meetings, isLeft ? 0 : cell.workers * concurrency],
    "a replacement": [expected.replaces ? replaced : true, true],
    "workers with what is kept": [
      report.looks?.map(({ pid, isKept }) => (isKept ? pid : `not ${pid}`)),
      isLeft
        ? undefined
        : report.pids.map((pid, at) => (expected.each && at === 0 ? `not ${pid}` : pid)),
    ],
    "a call of a closed pool": [
      report.refused?.error.code,
      moment === "close" ? "ERR_SONIC_POOL_CLOSED" : undefined,
    ],
    "a call for a tag that is gone": [
      report.gone?.error.code,
      cell.givenUp && cell.tag !== "none" ? NO_WORKER : undefined,
    ],
    warnings: [report.warnings, cell.givenUp ? ["SONIC_WORKER_GIVEN_UP"] : []],
    descriptors: [descriptors.after, descriptors.before],
  };
  return Object.entries(facts)
    .filter(([, pair]) => new Set(pair.map((value) => JSON.stringify(value))).size > 1)
    .map(
      ([what, [is, due]]) =>
        `${what}: ${JSON.stringify(is)}, and were to be ${JSON.stringify(due)}`,
    );
}

/** What the statistics say, and what they have to: `each` and what is kept are events too, and so is the question for a key. */
function sumsOf({ cell, log, report }, count, failed) {
  const { handedOver, answered, failed: lost, unfinished } = report.statistics;
  // A replacement may be released before it has run what is kept.
  if (cell.moment === "close") return [unfinished, 0];
  const inKept = cell.moment === "kept work" ? 1 : 0;
  const inEach = report.kept.error ? 1 : 0;
  const later = inEach ? 0 : log.kept - 2 + inKept;
  const more = 2 + later + (report.looks?.length ?? 0) + (cell.key === "none" ? 0 : 1);
  const all = [count + more, failed + inKept + inEach];
  return [
    [handedOver, answered, lost, unfinished],
    [all[0], all[0] - all[1], all[1], 0],
  ];
}

const jobOf = (name) => name.split(":")[0];

const ordered = (counts) => Object.entries(counts).sort();

const picked = (error, like) =>
  Object.fromEntries(Object.keys(like).map((name) => [name, error[name]]));

module.exports = { checkEnds, checkKeys, eventsOf, jobOf, problemsOf, readLog };
