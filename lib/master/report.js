"use strict";
// Makes the page that shows a run: lib/master/page.js, built from report/, with the run's record in it.

const page = require("./page");
const { JSON, Map } = require("../shared/primordials");

/** What the page has in place of the record. */
const PLACE = "/*DATA*/";

/**
 * The core's record of a run. Times are milliseconds since its start.
 * @typedef {object} Recorded
 * @property {{ id: number, pid: number }[]} workers one per process
 * @property {Record<"id" | "worker" | "pid" | "queued" | "started" | "finished" | "outcome" | "attempts", any[]>} events
 */

/**
 * The record with its events in a third of the space: times as differences in whole microseconds, and of columns that
 * rarely vary only the exceptions.
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
    const index = processes.get(`${events.worker[at]} ${events.pid[at]}`);
    process.push(index === undefined ? -1 : index);
    const handed = micros(events.queued[at]);
    queued.push(handed - last);
    last = handed;
    // An event that no worker had never started.
    const hasStarted = index !== undefined;
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

/** The exceptions in a column, as pairs of index and value. @param {number[]} column @param {number} usual */
function unusual(column, usual) {
  const found = [];
  for (let at = 0; at < column.length; at++) {
    if (column[at] !== usual) found.push([at, column[at]]);
  }
  return found;
}

/**
 * JSON for an HTML page: nothing in it closes its element or opens a comment.
 * @param {unknown} value
 */
const embeddable = (value) =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** The whole page. @param {Recorded} recorded */
function pageOf(recorded) {
  const [before, after] = page.split(PLACE);
  return before + embeddable(packed(recorded)) + after;
}

module.exports = { pageOf };
