"use strict";
// The page that shows a run: lib/page.js, made of report/, with the run's record in it.

const page = require("./page");
const { JSON, Map } = require("./primordials");

/** Where the record goes. */
const PLACE = "/*DATA*/";

/**
 * What the core has recorded of a run; times are milliseconds since its start.
 * @typedef {object} Recorded
 * @property {{ id: number, pid: number }[]} workers one for each process
 * @property {Record<"id" | "worker" | "pid" | "queued" | "started" | "finished" | "outcome" | "attempts", any[]>} events
 */

/**
 * The record with its events in a third of the space: whole microseconds, each the difference to another,
 * and of what is nearly always the same only what is not.
 * @param {Recorded} recorded
 */
function packed({ events, ...rest }) {
  /** @type {globalThis.Map<string, number>} */
  const processes = new Map();
  rest.workers.forEach(({ id, pid }, at) => {
    processes.set(`${id} ${pid}`, at);
  });
  const count = events.id.length;
  const columns = { id: differences(events.id), process: [], queued: [], wait: [], run: [] };
  /** @type {Record<string, any[]>} */
  const { process, queued, wait, run } = columns;
  let last = 0;
  for (let at = 0; at < count; at++) {
    const place = processes.get(`${events.worker[at]} ${events.pid[at]}`);
    process.push(place === undefined ? -1 : place);
    const handed = micros(events.queued[at]);
    queued.push(handed - last);
    last = handed;
    // No worker had it: it has never started.
    const hasStarted = place !== undefined;
    const started = hasStarted ? micros(events.started[at]) : handed;
    wait.push(hasStarted ? started - handed : null);
    run.push(micros(events.finished[at]) - started);
  }
  const others = unusual(events.outcome, 0);
  const retried = unusual(events.attempts, 1);
  return { ...rest, count, events: { ...columns, others, retried } };
}

/** @param {number} ms */
const micros = (ms) => Math.round(ms * 1000);

/** @param {number[]} column */
const differences = (column) => column.map((value, at) => value - (at > 0 ? column[at - 1] : 0));

/**
 * Where a column has another value, and which.
 * @param {number[]} column
 * @param {number} usual
 */
function unusual(column, usual) {
  const found = [];
  for (let at = 0; at < column.length; at++) {
    if (column[at] !== usual) found.push([at, column[at]]);
  }
  return found;
}

/**
 * JSON that an HTML page can hold: no text in it ends the element that it is in, or begins a comment.
 * @param {unknown} value
 */
const embeddable = (value) =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/**
 * The whole page.
 * @param {Recorded} recorded
 */
function pageOf(recorded) {
  const [before, after] = page.split(PLACE);
  return before + embeddable(packed(recorded)) + after;
}

module.exports = { pageOf };
