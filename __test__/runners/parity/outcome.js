"use strict";
// What a run came to, in a form two runs can be compared in: how it ended, the RESULT lines, the log, stderr. Reads text
// only; times, pids and where things are is all that it takes out.

const LOG_LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z: (MASTER|WORKER-\d+): (.*)$/;
/** `NOTE <who> <text>`: a line of a program that says which process wrote it. */
const NOTE_LINE = /^NOTE (\S+) (.*)$/;

const lines = (text) => text.split("\n").filter((line) => line !== "");

function ending(seen) {
  if (seen.hung) return "hang";
  return seen.signal === null ? `exit ${seen.code}` : seen.signal;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return `not JSON: ${text}`;
  }
}

/** Lines by the process that wrote them: the order within one process is defined, the order between two is not. */
function bySource(entries) {
  const sources = {};
  for (const [source, text] of entries) {
    sources[source] = sources[source] || [];
    sources[source].push(text);
  }
  return sources;
}

function read(seen) {
  const neutral = (text) =>
    text.split(seen.project).join("<project>").split(process.execPath).join("<node>");
  const results = [];
  const log = [];
  for (const line of lines(seen.stdout)) {
    const logged = LOG_LINE.exec(line);
    const noted = NOTE_LINE.exec(line);
    if (line.startsWith("RESULT ")) results.push(parsed(neutral(line.slice("RESULT ".length))));
    else if (logged)
      log.push([
        logged[1],
        logged[2].replace(`running on pid ${seen.pid}`, "running on pid <master>"),
      ]);
    else if (noted) log.push([noted[1], neutral(noted[2])]);
    else log.push(["stdout", neutral(line)]);
  }
  const stderr = lines(seen.stderr).map((line) =>
    neutral(line).replace(/\(node:\d+\)/, "(node:<pid>)"),
  );
  return { end: ending(seen), results, log: bySource(log), stderr, survivors: seen.survivors };
}

const listed = (log) =>
  Object.entries(log).flatMap(([source, texts]) => texts.map((text) => `${source}: ${text}`));

/** With several workers, whose answer comes first, and who gets which event, is chance: what is said stays, not by whom. */
const unordered = (log) =>
  listed(log)
    .map((line) => line.replace(/^WORKER-\d+|\bWorker \d+(?= now available)/, "<a worker>"))
    .sort();

const isOurs = (error) =>
  error !== null && typeof error === "object" && typeof error.stack === "string";

/** A failed entry of ours says why it failed, in a field that 1.0.3 does not have. */
function withoutErrors(value) {
  if (Array.isArray(value)) return value.map(withoutErrors);
  if (value === null || typeof value !== "object") return value;
  const out = {};
  for (const key of Object.keys(value)) {
    if (key === "error" && value.failed === true && isOurs(value.error)) continue;
    Object.defineProperty(out, key, { value: withoutErrors(value[key]), enumerable: true });
  }
  return out;
}

module.exports = { read, listed, unordered, withoutErrors };
