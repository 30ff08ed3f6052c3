"use strict";
// The counts of a log or of a part of it. They are plain objects that cross between processes as JSON, and
// two of them merge into one. Percentiles are exact: every duration is counted, in whole milliseconds.

const LINE =
  /^\S+ \S+ \S+ \[([^\]:]+:\d\d)[^\]]*\] "[A-Z]+ ([^ "?]+)[^"]*" (\d{3}) (\d+|-) .* (\d+)$/;

/** Counts by name, in objects without a prototype, so that any text can be a name. */
const NAMED = ["statuses", "urls", "hours", "durations"];

function nothing() {
  const total = { lines: 0, malformed: 0, bytes: 0 };
  for (const name of NAMED) total[name] = Object.create(null);
  return total;
}

/** @param {string} text complete lines */
function count(text) {
  const total = nothing();
  for (const line of text.split("\n")) {
    if (line !== "") countLine(total, line);
  }
  return total;
}

function countLine(total, line) {
  total.lines++;
  const found = LINE.exec(line);
  if (found === null) {
    total.malformed++;
    return;
  }
  const [, hour, url, status, size, duration] = found;
  const bytes = size === "-" ? 0 : Number(size);
  total.bytes += bytes;
  add(total.statuses, status, 1);
  add(total.urls, url, 1);
  add(total.hours, hour, bytes);
  add(total.durations, duration, 1);
}

/** Adds the counts of a part to the total. The order of the parts does not matter. */
function merge(total, part) {
  total.lines += part.lines;
  total.malformed += part.malformed;
  total.bytes += part.bytes;
  for (const name of NAMED) {
    for (const [key, value] of Object.entries(part[name])) add(total[name], key, value);
  }
}

function add(counts, key, value) {
  counts[key] = (counts[key] ?? 0) + value;
}

/** The duration that this share of all requests did not exceed (nearest rank). */
function percentile({ durations, lines, malformed }, share) {
  let left = Math.ceil((lines - malformed) * share);
  // Objects list integer keys in ascending order.
  for (const [duration, times] of Object.entries(durations)) {
    left -= times;
    if (left <= 0) return Number(duration);
  }
  return undefined;
}

module.exports = { NAMED, count, merge, nothing, percentile };
