"use strict";
// Shows the figures of two reports side by side.

const fs = require("fs");

/** Where a report has its run, as JSON. */
const RUN = /<script type="application\/json" id="run">(.*?)<\/script>/s;

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** @typedef {{ what: string, of: (run: any) => number | undefined, as: (value: number) => string }} Figure */

/** @param {number} value */
const count = (value) => whole.format(value);

/** @param {number} ms */
function time(ms) {
  if (ms >= 999.5) return `${short.format(ms / 1000)} s`;
  return ms >= 1 || ms === 0 ? `${short.format(ms)} ms` : `${short.format(ms * 1000)} µs`;
}

/** @param {number} value */
const rate = (value) => `${short.format(value)}/s`;

/** @param {number} share */
const percent = (share) => `${short.format(share * 100)} %`;

/** @param {number} bytes */
const memory = (bytes) => `${short.format(bytes / 2 ** 20)} MiB`;

/** @type {Figure[]} */
const FIGURES = [
  { what: "workers", of: ({ workersAsked }) => workersAsked, as: count },
  { what: "duration", of: ({ elapsed }) => elapsed, as: time },
  { what: "events", of: ({ statistics }) => endedOf(statistics), as: count },
  { what: "events per second", of: rateOf, as: rate },
  { what: "failed", of: ({ statistics }) => statistics.failed, as: count },
  { what: "retried", of: ({ statistics }) => statistics.retried, as: count },
  { what: "crashes", of: ({ statistics }) => statistics.crashes, as: count },
  { what: "worker utilisation", of: shareOf, as: percent },
  ...["p50", "p90", "p99", "max"].map((name) => ({
    what: `run time, ${name}`,
    of: (/** @type {any} */ { statistics }) => statistics.run[name],
    as: time,
  })),
  ...["p50", "p90", "p99", "max"].map((name) => ({
    what: `wait, ${name}`,
    of: (/** @type {any} */ { statistics }) => statistics.wait[name],
    as: time,
  })),
  { what: "most memory of a worker", of: memoryOf, as: memory },
];

/** @param {any} statistics */
const endedOf = ({ answered, nothing, failed }) => answered + nothing + failed;

/** @param {any} run */
function rateOf({ statistics, elapsed }) {
  return elapsed > 0 ? (endedOf(statistics) / elapsed) * 1000 : undefined;
}

/**
 * The share of the time in which processes were ready that they ran events, as in the report.
 * @param {any} run
 */
function shareOf({ statistics, workers, elapsed }) {
  const until = (/** @type {number | null} */ ms) =>
    ms === null ? elapsed : Math.min(ms, elapsed);
  const sum = (/** @type {number[]} */ all) => all.reduce((one, other) => one + other, 0);
  const ready = sum(
    workers.map((/** @type {any} */ one) => Math.max(0, until(one.ended) - until(one.ready))),
  );
  const busy = sum(statistics.workers.map((/** @type {any} */ one) => one.busy));
  return ready > 0 ? Math.min(1, busy / ready) : undefined;
}

/** @param {any} run */
function memoryOf({ workers }) {
  const known = workers.map((/** @type {any} */ one) => one.memory).filter(Number.isFinite);
  return known.length > 0 ? Math.max(...known) : undefined;
}

/** The run of a report; null, and a line on stderr, if the file is none. @param {string} file */
function read(file) {
  try {
    const [, json] = RUN.exec(fs.readFileSync(file, "utf8")) || [];
    if (json !== undefined) return JSON.parse(json);
    console.error(
      `sonic-distribute: ${file} is no report of this package: the option report makes one`,
    );
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    console.error(`sonic-distribute: ${file} cannot be read: ${message}`);
  }
  return null;
}

/** How much more or less the second is. @param {number | undefined} one @param {number | undefined} other */
function change(one, other) {
  if (one === undefined || other === undefined || one === other) return "";
  if (one === 0) return "";
  const part = other / one - 1;
  if (Math.abs(part) < 0.0005) return "";
  return part >= 1
    ? `${short.format(other / one)} x`
    : `${part > 0 ? "+" : ""}${short.format(part * 100)} %`;
}

/** Prints them. @param {string} first @param {string} second @returns {number} the exit code */
function compare(first, second) {
  const runs = [first, second].map(read);
  const [one, other] = runs;
  if (one === null || other === null) return 2;
  const rows = [["", one.program, other.program, ""]];
  rows.push([
    "",
    ...runs.map(({ startedAt }) => new Date(startedAt).toISOString().slice(0, 19)),
    "change",
  ]);
  for (const { what, of, as } of FIGURES) {
    const values = runs.map(of);
    const shown = values.map((value) => (value === undefined ? "–" : as(value)));
    rows.push([what, ...shown, change(values[0], values[1])]);
  }
  const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map((row) => row[at].length)));
  for (const row of rows) {
    const cells = row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]),
    );
    console.log(cells.join("  ").trimEnd());
  }
  return 0;
}

module.exports = { compare };
