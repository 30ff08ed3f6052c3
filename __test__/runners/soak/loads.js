"use strict";
/**
 * What the soak does, from its seed alone: the runs of each round, the events of each run, and the kills of each round. The
 * master, its workers and the checker all ask here; nothing of it is sent.
 */
const { randomFrom } = require("../../../examples/random");

/** A generator of numbers from 0 to 1 that depends on the labels and on nothing else. */
function random(...labels) {
  let state = 0x811c9dc5;
  for (const char of labels.join("/")) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193);
  return randomFrom(state);
}

const between = (next, low, high) => low + Math.floor(next() * (high - low + 1));
const oneOf = (next, list) => list[Math.floor(next() * list.length)];

/** Runs that go on at once, one group after the other. */
function groupsOf(seed, round) {
  const next = random(seed, "round", round);
  const groups = [];
  for (let at = between(next, 1, 2); at > 0; at--) {
    groups.push(Array.from({ length: between(next, 1, 3) }, () => runOf(next)));
  }
  let number = 0;
  for (const run of groups.flat()) run.name = `${round}.${number++}`;
  return groups;
}

/** How long an event may run in a run where one hangs: much longer than any other takes. */
const TASK_TIMEOUT = 3000;

function runOf(next) {
  const pace = oneOf(next, ["tiny", "short", "long"]);
  const count = {
    tiny: between(next, 100, 3000),
    short: between(next, 20, 200),
    long: between(next, 1, 20),
  }[pace];
  const hangs = next() < 0.1;
  return {
    /** The event that hangs, if one does. */
    hanging: hangs ? between(next, 0, count - 1) : undefined,
    taskTimeout: hangs ? TASK_TIMEOUT : undefined,
    count,
    numWorkers: between(next, 1, 4),
    serialization: oneOf(next, ["json", "advanced"]),
    pace,
    /** Every Map awaited, or as many as there are at once. */
    awaits: next() < 0.7,
    retries: oneOf(next, [0, 0, 1, 2]),
  };
}

/** What the longest event takes, in milliseconds. */
const LONGEST = { tiny: 0, short: 3, long: 60 };

/** An event: its data, and what its worker does. */
function eventOf(seed, { name, pace, count, hanging }, n) {
  const next = random(seed, "event", name, n);
  const own = next();
  const rate = 2 / (count + 20);
  return {
    data: dataOf(next, pace, n),
    isAsync: next() < 0.5,
    milliseconds: Math.floor(next() * LONGEST[pace]),
    does:
      n === hanging
        ? "hang"
        : own < rate
          ? "exit"
          : own < 2 * rate
            ? "kill"
            : own < 4 * rate
              ? "throw"
              : "answer",
  };
}

function dataOf(next, pace, n) {
  const kind = next();
  if (kind < 0.4) return n;
  if (kind < 0.7) return `${n}:${"é".repeat(between(next, 0, 30))}`;
  if (kind < 0.97 || pace === "tiny")
    return { n, list: Array.from({ length: between(next, 0, 20) }, next) };
  return `${n}:${"x".repeat(between(next, 1, 2_000_000))}`;
}

/** Which event it is, by its data. */
const numberOf = (data) => (typeof data === "object" ? data.n : Number.parseInt(data, 10));

/** A number that other data hardly has. */
function sumOf(data) {
  const text = JSON.stringify(data);
  let sum = text.length;
  // Of long ones a part: they are cut and put together in pieces of some 100 KB.
  const step = Math.ceil(text.length / 5000);
  for (let at = 0; at < text.length; at += step)
    sum = (Math.imul(sum, 31) + text.charCodeAt(at)) | 0;
  return sum;
}

/** What is done to workers in a round: endless; each after a pause, in milliseconds. */
function* killsOf(seed, round) {
  const next = random(seed, "kills", round);
  for (;;) {
    yield {
      pause: between(next, 5, 150),
      signal: oneOf(next, ["SIGKILL", "SIGKILL", "SIGTERM", "SIGSTOP"]),
      /** How long a stopped one stays so. */
      stop: between(next, 1, 200),
      /** Whether a stopped one is killed then. */
      kills: next() < 0.2,
      /** Which worker, of as many as there are. */
      pick: next(),
    };
  }
}

module.exports = { between, eventOf, groupsOf, killsOf, numberOf, oneOf, random, sumOf };
