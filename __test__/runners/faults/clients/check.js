"use strict";
/**
 * Proves, from what the processes of a cell with clients have written down, that the fault cost nobody but the client that it
 * struck: all others were served, what that client had waiting did not start, what it had running came to its end, and the pool was
 * whole afterwards. It runs nothing.
 */
const { isAnswer } = require("../pools/check-end");
const { checkEnds, checkKeys, eventsOf, jobOf, readLog } = require("../pools/check");

const GONE = "ERR_SONIC_POOL_GONE";
const CLOSED = "ERR_SONIC_POOL_CLOSED";
const CONNECT = "ERR_SONIC_CONNECT";

/** The events of the client that the fault strikes: those of its job, and what it runs in every worker. */
const OWN = ["victim", "kept", "each"];
const isOwn = ({ name }) => OWN.includes(jobOf(name));

/**
 * @param {any} cell see `cells.js`
 * @param {string[]} lines what the workers wrote, with `G` where the pool has heard of the fault
 * @param {{ own?: any, other: any, victim?: any }} reports of the pool's program and of its clients
 * @returns {string[]} what is wrong
 */
function problemsOfClients(cell, lines, { own, other, victim }) {
  if (cell.ofPool)
    return [...checkTold(cell, "other", other), ...checkTold(cell, "victim", victim)];
  const { accepted, ends } = other;
  const log = readLog(lines);
  const report = { ...own, accepted: [...own.accepted, ...accepted], ends: [...own.ends, ...ends] };
  const events = eventsOf(report);
  return [
    ...checkEnds(events, report),
    ...events.flatMap((event) => checkServed(report, log, event)),
    ...checkStruck(cell, log, lines.indexOf("G")),
    ...checkKeys({ cell, log }, [...events, ...(victim?.accepted ?? [])]),
    ...(cell.survives ? checkTold(cell, "victim", victim) : []),
    ...checkWhole(cell, report, { other, log }),
  ];
}

/** Each event of the others has its answer, and has run once, where it may. */
function checkServed({ ends, tagsOf }, { starts }, { name, role, tags }) {
  const wrong = ends
    .filter(
      (end) =>
        end.name === name && !(end.error === undefined && isAnswer(end.response, name, role)),
    )
    .map(({ error, response }) => `${name} came to ${JSON.stringify(error ?? response)}`);
  const own = starts.filter((start) => start.name === name);
  if (own.length !== 1) wrong.push(`${name} ran ${own.length} times`);
  for (const { worker } of own) {
    const has = tagsOf[worker] ?? [];
    if (tags.length > 0 ? !tags.every((tag) => has.includes(tag)) : has.includes("b"))
      wrong.push(`${name} with the tags [${tags}] ran in worker ${worker} with [${has}]`);
  }
  return wrong;
}

/**
 * What had not started does not, and what had comes to its end. An event of `each` was given to its worker, and waits there: the
 * word that it is over may come when it has begun.
 */
function checkStruck({ running, events }, { starts }, gone) {
  const own = starts.filter(isOwn);
  const late = own.filter(({ name, at }) => at > gone && jobOf(name) !== "each");
  const open = own.filter(({ end }) => end === undefined);
  const busy = own.filter(({ at, end }) => at < gone && end > gone);
  const places = own.map(({ name, pid }) => `${name} in ${pid}`);
  const twice = places.filter((place, at) => places.indexOf(place) !== at);
  const wrong = [
    ...late.map(({ name }) => `${name} began after its client was gone`),
    ...open.map(({ name }) => `${name} did not end`),
    ...twice.map((place) => `${place} ran twice`),
  ];
  if (events === "begun" && busy.length !== running)
    wrong.push(`${busy.length} events of the client ran, and ${running} were to`);
  return wrong;
}

/** A process whose pool is gone: each of its events has ended once, by its answer or by that error, and so do later calls. */
function checkTold(cell, who, report) {
  if (report === undefined) return [`the ${who} has not exited by itself`];
  const { accepted, ends, code, later, each, rejected } = report;
  const isOutside = who === "victim" && cell.isOutside;
  const wrong = ends
    .filter(({ error }) => error !== undefined && error.code !== GONE)
    .map(({ name, error }) => `${who}: ${name} failed: ${error.code} ${error.message}`);
  const roleOf = (name) => accepted.find((event) => event.name === name)?.role;
  const odd = ends.filter(
    ({ name, error, response }) => error === undefined && !isAnswer(response, name, roleOf(name)),
  );
  wrong.push(...odd.map(({ name }) => `${who}: ${name} has a wrong answer`));
  const isClosing = who === "victim" && cell.moment === "closing";
  const facts = {
    "its code": [code, [0]],
    "connecting came to": [rejected, isOutside ? [CONNECT, undefined] : [undefined]],
    "a later call": [later, isOutside ? [undefined] : isClosing ? [GONE, CLOSED] : [GONE]],
    "each came to": [each, who === "victim" && cell.moment === "each" ? [GONE] : [undefined]],
  };
  for (const [what, [is, due]] of Object.entries(facts))
    if (!due.includes(is)) wrong.push(`${who}: ${what} ${is}, and was to be ${due.join(" or ")}`);
  // What an answered event has emitted may have ended by then, or not.
  const times = (name) => ends.filter((end) => end.name === name).length;
  const lost = accepted.filter(({ name }) => times(name) !== 1);
  wrong.push(...lost.map(({ name }) => `${who}: ${name} ended ${times(name)} times`));
  return wrong;
}

/** What the pool is like in the end, and how the others have ended. */
function checkWhole(cell, report, { other, log }) {
  const { exit, exitOfOther, first, pids, looks, warnings, files, descriptors, statistics } =
    report;
  const { code = null, signal } = cell.expected;
  const counts = {};
  for (const { name } of report.ends) counts[jobOf(name)] = (counts[jobOf(name)] ?? 0) + 1;
  const counted = Object.keys(counts).map((job) => [job, statistics.counts[job]]);
  const meetings = report.accepted.filter(({ role }) => role === "meeting").length;
  const grows = cell.moment === "idle" && cell.tag === "none";
  const facts = {
    "the exit code": [exit.code, code],
    "the exit signal": [new RegExp(signal ?? "^null$").test(`${exit.signal}`), true],
    "the other client's exit": [
      [exitOfOther.code, other.code, other.isClosed, other.later],
      [0, 0, true, undefined],
    ],
    "the workers": [pids, first],
    "what ran in every worker": [looks, cell.workers + (grows ? 1 : 0)],
    "the workers that came": [new Set(log.came.map(({ pid }) => pid)).size, looks],
    "the workers that died": [statistics.crashes, 0],
    "unfinished events": [statistics.unfinished, 0],
    counts: [counted.sort(), Object.entries(counts).sort()],
    "events at once": [meetings, cell.workers * cell.concurrency],
    warnings: [warnings, []],
    "files of the socket": [files, []],
    descriptors: [descriptors.after, descriptors.before],
  };
  return Object.entries(facts)
    .map(([what, pair]) => [what, ...pair.map((value) => JSON.stringify(value))])
    .filter(([, is, due]) => is !== due)
    .map(([what, is, due]) => `${what}: ${is}, and were to be ${due}`);
}

module.exports = { problemsOfClients };
