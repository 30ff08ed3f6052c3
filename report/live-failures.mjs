// The failures of a live page, grouped by their error, with a search. What is open stays open, and the rest is not built.

import { byId, element } from "./dom.mjs";
import { count, many, time } from "./text.mjs";

/** The most failures that are listed in one group, newest first. */
const MOST_LISTED = 25;

/** The most groups that are shown: a search finds the others. */
const MOST_GROUPS = 50;

/** @param {string} name @param {string} text */
const block = (name, text) => [element("h4", name), element("pre", text)];

const clock = (at) => new Date(at).toLocaleTimeString("en-GB");

/** One failure with all that is known of it. */
class Failure {
  constructor(failure) {
    const { at, worker, work, attempts, message, label } = failure;
    const tried = attempts === undefined ? "" : `, ${many(attempts.length, "attempt")}`;
    const where = worker === undefined || worker === 0 ? "no worker" : `worker ${worker}`;
    const of = work === undefined ? "" : `${work}, `;
    const named = label === undefined ? "" : `${label}: `;
    const summary = element(
      "summary",
      `${clock(at)}, ${of}${where}${tried}: ${named}${message.slice(0, 160)}`,
    );
    this.element = element("details.failure", summary);
    this.element.addEventListener("toggle", () => {
      if (this.element.open && this.element.childElementCount === 1)
        this.element.append(...detailsOf(failure));
    });
  }
}

/** @param {any} failure @returns {Node[]} */
function detailsOf({ data, message, stack, stderr, attempts, code, pid, exitCode, signal }) {
  const facts = [
    code === undefined ? "" : `code ${code}`,
    pid === undefined ? "" : `pid ${pid}`,
    exitCode === undefined ? "" : `exit code ${exitCode}`,
    signal === undefined ? "" : `signal ${signal}`,
  ].filter(Boolean);
  const parts = [];
  if (facts.length > 0) parts.push(element("p.hint", facts.join(", ")));
  parts.push(...block("Data of the event", data ?? "undefined"));
  parts.push(...(stack === undefined ? block("Message", message) : block("Stack", stack)));
  if (attempts !== undefined)
    parts.push(...block("Attempts", attempts.map(attemptLine).join("\n")));
  if (stderr !== undefined && stderr !== "")
    parts.push(...block("Error output of the worker", stderr));
  return parts;
}

function attemptLine({ worker, pid, duration, name, message, exitCode, signal }, at) {
  const took = duration === undefined ? "" : ` after ${time(duration)}`;
  const end = signal ?? (exitCode === undefined ? "" : `exit code ${exitCode}`);
  const what = [name, message].filter(Boolean).join(": ") || end;
  return `${at + 1}. worker ${worker}, pid ${pid}${took}: ${what}`;
}

/** All that a search looks at, of one failure. */
const textOf = ({ name, message, data, label, stack, stderr, work, worker, code }) =>
  [
    name,
    message,
    data,
    label,
    stack,
    stderr,
    work,
    code,
    worker === undefined ? "" : `worker ${worker}`,
  ]
    .join("\n")
    .toLowerCase();

class Group {
  constructor(list) {
    this.list = list;
    this.many = element("span.count");
    this.name = element("span.name");
    this.message = element("span");
    this.when = element("span.hint");
    this.box = element("div");
    const summary = element(
      "summary",
      this.many,
      " ",
      this.name,
      " ",
      this.message,
      " ",
      this.when,
    );
    this.element = element("details.group", summary, this.box);
    /** @type {Map<number, Failure>} */
    this.shown = new Map();
    this.element.addEventListener("toggle", () => this.fill());
  }

  /** @param {any} told @param {any[]} failures of it that are found, newest first */
  show({ count: all, name, message, last }, failures) {
    set(this.many, count(all));
    set(this.name, name);
    set(this.message, message);
    set(this.when, `last ${clock(last)}`);
    this.failures = failures.slice(0, MOST_LISTED);
    this.rest = all - this.failures.length;
    this.fill();
  }

  fill() {
    if (!this.element.open) return;
    const wanted = new Set(this.failures.map(({ seq }) => seq));
    for (const [seq, failure] of this.shown) {
      if (wanted.has(seq)) continue;
      failure.element.remove();
      this.shown.delete(seq);
    }
    // Newest first: what is there already is not moved, so that the focus stays.
    let after = null;
    for (const one of [...this.failures].reverse()) {
      const known = this.shown.get(one.seq);
      if (known !== undefined) {
        after = known.element;
        continue;
      }
      const failure = new Failure(one);
      this.shown.set(one.seq, failure);
      if (after === null) this.box.prepend(failure.element);
      else after.before(failure.element);
      after = failure.element;
    }
    this.more ??= element("p.hint");
    set(
      this.more,
      this.rest > 0 ? `and ${count(this.rest)} more, of which the details are not shown` : "",
    );
    this.box.append(this.more);
  }
}

/** Changes a text only if it is another: a selection in it stays. */
function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class Failures {
  /** @param {() => void} onSearch */
  constructor(onSearch) {
    this.box = byId("failures");
    this.search = byId("search");
    this.search.addEventListener("input", onSearch);
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    this.empty = element("p.empty");
  }

  /** @param {import("./live-state.mjs").LiveState} state @param {Set<number>} pools of which the failures are shown */
  show(state, pools) {
    const sought = this.search.value.trim().toLowerCase();
    /** @type {Map<string, any[]>} */
    const found = new Map();
    for (let at = state.failures.length - 1; at >= 0; at--) {
      const failure = state.failures[at];
      if (!pools.has(failure.pool) || (sought !== "" && !textOf(failure).includes(sought)))
        continue;
      if (!found.has(failure.key)) found.set(failure.key, []);
      found.get(failure.key).push(failure);
    }
    const isAll = sought === "";
    const matches = ({ key, name, message }) =>
      found.has(key) || (isAll ? true : `${name}: ${message}`.toLowerCase().includes(sought));
    const all = [...state.groups.values()].filter(matches).sort((a, b) => b.count - a.count);
    const shown = all.slice(0, MOST_GROUPS);
    const keys = new Set(shown.map(({ key }) => key));
    for (const [key, group] of this.groups) {
      if (keys.has(key)) continue;
      group.element.remove();
      this.groups.delete(key);
    }
    let before = null;
    for (const told of shown) {
      if (!this.groups.has(told.key)) this.groups.set(told.key, new Group());
      const group = this.groups.get(told.key);
      group.show(told, found.get(told.key) ?? []);
      const place = before === null ? this.box.firstElementChild : before.nextElementSibling;
      const isOpen = group.element.contains(document.activeElement);
      if (place !== group.element && !isOpen) {
        if (before === null) this.box.prepend(group.element);
        else before.after(group.element);
      } else if (!group.element.isConnected) this.box.append(group.element);
      before = group.element;
    }
    const none = isAll ? "No event failed." : "No failure has this text.";
    set(this.empty, none);
    if (shown.length === 0) this.box.append(this.empty);
    else this.empty.remove();
    const events = all.reduce((sum, group) => sum + group.count, 0);
    const left = all.length > shown.length ? `, of which ${shown.length} are shown` : "";
    set(
      byId("failures-hint"),
      all.length === 0
        ? ""
        : `${many(events, "failure")} of ${many(all.length, "kind")}${left}. Open one to see its events.`,
    );
  }
}
