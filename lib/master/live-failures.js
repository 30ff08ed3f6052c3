"use strict";
// The failures that a dashboard shows: all of them counted by their error, and the last ones with everything that is known of each, cut.
// Its memory is bounded, whatever fails and how often.

const { inspect } = require("util");
const { describe } = require("../shared/describe");
const { JSON, Map, now } = require("../shared/primordials");

/** How many failures are kept with their details, and how many characters of them. */
const MOST_KEPT = 1000;
const MOST_TEXT = 1 << 20;

/** How many different errors are counted apart. */
const MOST_GROUPS = 200;

/** How many failures have details in one interval: nobody reads more, and to describe one takes its time. */
const MOST_DESCRIBED = 20;

/** The most characters of a text: of a name or a heading, of a message or an event's data, of a stack or an output. */
const SHORT = 200;
const MEDIUM = 1000;
const LONG = 2000;

/** The most attempts that are listed. */
const MOST_ATTEMPTS = 10;

/** Bounds for the text of data of any size. */
const BOUNDS = {
  depth: 4,
  maxArrayLength: 50,
  maxStringLength: MEDIUM,
  breakLength: 80,
  // None of the program's own code runs.
  customInspect: false,
  getters: false,
};

/**
 * @typedef {object} Failed
 * @property {number} pool
 * @property {string} [work] the name of the stage
 * @property {unknown} data of the event
 * @property {any} error as the worker told it
 * @property {number} [worker]
 * @property {(data: any) => string} [label] what the program calls the event
 */

/** @typedef {{ key: string, name: string, message: string, count: number, first: number, last: number, seq: number }} Group */

class LiveFailures {
  constructor() {
    /** The number of the last change. */
    this.seq = 0;
    /** @type {globalThis.Map<string, Group>} */
    this.groups = new Map();
    /** JSON of each, oldest first. @type {{ seq: number, text: string }[]} */
    this.kept = [];
    this.size = 0;
    this.described = 0;
  }

  /** A further interval begins. */
  turn() {
    this.described = 0;
  }

  /** @param {Failed} failed */
  add(failed) {
    const at = now();
    this.seq++;
    const error = Object(failed.error);
    const name = short(error.name, "Error");
    const message = cut(textOf(error.message, failed.error), MEDIUM);
    const group = this.groupOf(name, message, at);
    group.count++;
    group.last = at;
    group.seq = this.seq;
    if (this.described++ >= MOST_DESCRIBED) return;
    const { pool, work, data, worker = error.worker, label } = failed;
    const text = JSON.stringify({
      seq: this.seq,
      key: group.key,
      at,
      pool,
      work: work && short(work, ""),
      worker: plain(worker),
      name,
      message,
      code: plain(error.code),
      pid: plain(error.pid),
      exitCode: plain(error.exitCode),
      signal: plain(error.signal),
      stack: typeof error.stack === "string" ? cut(error.stack, LONG) : undefined,
      stderr: typeof error.stderr === "string" ? end(error.stderr, LONG) : undefined,
      attempts: attemptsOf(error.attempts),
      data: shownData(data),
      label: labelOf(label, data),
    });
    this.keep({ seq: this.seq, text });
  }

  /** @param {{ seq: number, text: string }} one */
  keep(one) {
    this.kept.push(one);
    this.size += one.text.length;
    while (this.kept.length > MOST_KEPT || this.size > MOST_TEXT) {
      const gone = this.kept.shift();
      if (gone !== undefined) this.size -= gone.text.length;
    }
  }

  /** @param {string} name @param {string} message @param {number} at @returns {Group} */
  groupOf(name, message, at) {
    // Errors that differ in a number or in a quoted name are of one kind.
    const heading = cut(message, SHORT)
      .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '"…"')
      .replace(/\d+/g, "#");
    const key = `${name}: ${heading}`;
    const found = this.groups.get(key);
    if (found !== undefined) return found;
    if (this.groups.size >= MOST_GROUPS) {
      const rest = this.groups.get("");
      if (rest !== undefined) return rest;
      return this.newGroup("", "Others", "errors of further kinds", at);
    }
    return this.newGroup(key, name, heading, at);
  }

  /** @param {string} key @param {string} name @param {string} message @param {number} at */
  newGroup(key, name, message, at) {
    const group = { key, name, message, count: 0, first: at, last: at, seq: this.seq };
    this.groups.set(key, group);
    return group;
  }

  /** JSON of what is new since a change. @param {number} seq */
  since(seq) {
    const groups = [...this.groups.values()].filter((group) => group.seq > seq);
    const kept = [];
    for (let at = this.kept.length - 1; at >= 0 && this.kept[at].seq > seq; at--)
      kept.push(this.kept[at].text);
    return `{"groups":${JSON.stringify(groups)},"list":[${kept.reverse().join(",")}]}`;
  }
}

/** @param {string} text @param {number} most */
const cut = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** @param {string} text @param {number} most */
const end = (text, most) => (text.length > most ? `…${text.slice(-most)}` : text);

/** @param {unknown} text @param {string} otherwise */
const short = (text, otherwise) =>
  text === undefined || text === null ? otherwise : cut(plainText(text), SHORT);

/** @param {unknown} message @param {unknown} thrown */
const textOf = (message, thrown) => plainText(message === undefined ? thrown : message);

/** @param {unknown} value */
const plainText = (value) => (Object(value) === value ? String(shownData(value)) : describe(value));

/** A number or a short text; undefined if it is anything else. @param {unknown} value */
const plain = (value) =>
  typeof value === "number" ? value : typeof value === "string" ? cut(value, SHORT) : undefined;

/** @param {unknown} data */
function shownData(data) {
  try {
    return data === undefined ? undefined : cut(inspect(data, BOUNDS), MEDIUM);
  } catch (_) {
    return "(what cannot be shown)";
  }
}

/** What the program calls an event; undefined if that is no text. @param {Failed["label"]} label @param {unknown} data */
function labelOf(label, data) {
  if (label === undefined) return undefined;
  try {
    return plain(label(data));
  } catch (_) {
    // What a run does with it is the run's: here it only has no name.
    return undefined;
  }
}

/** @param {unknown} attempts */
function attemptsOf(attempts) {
  if (!Array.isArray(attempts)) return undefined;
  return attempts.slice(-MOST_ATTEMPTS).map((attempt) => {
    const { worker, pid, duration, name, message, exitCode, signal } = Object(attempt);
    const ended = { exitCode: plain(exitCode), signal: plain(signal) };
    const what = { name: plain(name), message: plain(message), ...ended };
    return { worker: plain(worker), pid: plain(pid), duration: plain(duration), ...what };
  });
}

module.exports = { LiveFailures };
