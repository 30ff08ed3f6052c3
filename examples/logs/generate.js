"use strict";
// Generates a large access log, the same one each time: Apache's combined format, with the duration of each
// request in milliseconds at the end of its line.

const fs = require("node:fs");
const { randomFrom } = require("../random");

const START = Date.UTC(2026, 0, 15);
const DAY_MS = 86_400_000;
const LINES_AT_ONCE = 10_000;

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const PAGES = ["/", "/search", "/cart", "/login", "/products/%", "/api/orders/%", "/static/app.js"];
const STATUSES = [200, 200, 200, 200, 200, 200, 200, 301, 304, 404, 500];
const AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "Googlebot/2.1"];

/**
 * Writes the log of one day, unless the file exists. The file gets its name when it is complete.
 * @param {string} file
 * @param {number} lines
 */
function generate(file, lines) {
  if (fs.existsSync(file)) return;
  const aside = `${file}.${process.pid}`;
  const output = fs.openSync(aside, "w");
  const random = randomFrom(lines);
  for (let from = 0; from < lines; from += LINES_AT_ONCE) {
    let text = "";
    for (let at = from; at < Math.min(from + LINES_AT_ONCE, lines); at++) {
      text += line(START + Math.floor((at / lines) * DAY_MS), random);
    }
    fs.writeSync(output, text);
  }
  fs.closeSync(output);
  fs.renameSync(aside, file);
}

/** @param {number} time @param {() => number} random between 0 and 1 */
function line(time, random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const address = `10.0.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`;
  const url = pick(PAGES).replace("%", () => String(Math.floor(random() ** 3 * 1000)));
  const bytes = Math.floor(random() ** 4 * 100_000);
  // Most requests are fast, and a few are slow.
  const duration = Math.floor(5 / (1.001 - random()));
  const request = `"GET ${url} HTTP/1.1" ${pick(STATUSES)} ${bytes}`;
  return `${address} - - [${timestamp(new Date(time))}] ${request} "-" "${pick(AGENTS)}" ${duration}\n`;
}

/** As Apache writes it: 15/Jan/2026:06:30:00 +0000. */
function timestamp(date) {
  const [day, clock] = date.toISOString().split("T");
  const [year, month, dayOfMonth] = day.split("-");
  return `${dayOfMonth}/${MONTHS[Number(month) - 1]}/${year}:${clock.slice(0, 8)} +0000`;
}

module.exports = { generate };
