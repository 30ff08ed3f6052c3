"use strict";
// The events of a master that wait, sorted by what may go together: the same run, priority, tags and, where they have keys, the same
// member. Of the events of one key those beyond the first wait for its end, whatever run they are of.

const { bestFor } = require("./routing");
const { JSON, Map } = require("../shared/primordials");

/** @typedef {import("./coordinator").Event} Event */
/** @typedef {import("./coordinator").Going} Going */
/** @typedef {import("./coordinator").Member} Member */

/**
 * Events that may go in one chunk, from `head` on, oldest first. Those with keys have a member, none of which an undefined id stands for.
 * @typedef {object} Line
 * @property {string} id
 * @property {Going} going
 * @property {number} priority
 * @property {number} lost
 * @property {string[]} tags
 * @property {boolean} isKeyed
 * @property {string | undefined} member
 * @property {Event[]} events
 * @property {number} head
 */

/** The kind of events that any member will do for. */
const PLAIN = "";

/** A key that events have: how many of them may be sent or were, and those that wait for these. @typedef {{ open: number, blocked: Event[] }} Keyed */

class Waiting {
  /** @param {globalThis.Map<string, Member>} members */
  constructor(members) {
    this.members = members;
    /** Those that are not empty. @type {globalThis.Map<string, Line>} */
    this.lines = new Map();
    /** @type {globalThis.Map<string, Keyed>} */
    this.keys = new Map();
    /** How many wait of each kind, for which `Map` waits by itself, and their characters. @type {globalThis.Map<string, { count: number, size: number }>} */
    this.kinds = new Map();
    /** How many there are. */
    this.count = 0;
  }

  /** @param {Event} event that has come */
  add(event) {
    this.counted(event, 1);
    const { key } = event;
    if (key === undefined) return this.enter(event);
    const known = this.keys.get(key);
    if (known !== undefined) known.blocked.push(event);
    else {
      this.keys.set(key, { open: 1, blocked: [] });
      this.enter(event);
    }
  }

  /** Events were sent, and wait again, before those that have come later. @param {Event[]} events */
  addAgain(events) {
    /** @type {globalThis.Map<string, Event[]>} */
    const plain = new Map();
    for (const event of events) {
      this.counted(event, 1);
      const { key } = event;
      if (key === undefined) {
        const id = idOf(event, undefined);
        const others = plain.get(id);
        if (others === undefined) plain.set(id, [event]);
        else others.push(event);
      } else {
        const known = /** @type {Keyed} */ (this.keys.get(key));
        known.blocked = inOrder([...known.blocked, event]);
        this.free(key, known);
      }
    }
    for (const others of plain.values()) {
      const line = this.lineOf(others[0], undefined);
      line.events = inOrder([...others, ...line.events.slice(line.head)]);
      line.head = 0;
    }
  }

  /** An event that was sent has ended, or is asked for no more. @param {Event} event */
  ended({ key }) {
    if (key !== undefined) this.free(key, /** @type {Keyed} */ (this.keys.get(key)));
  }

  /** One of the key's events is not under way any more. @param {string} key @param {Keyed} known */
  free(key, known) {
    known.open--;
    if (known.open > 0) return;
    const next = known.blocked.shift();
    if (next === undefined) this.keys.delete(key);
    else {
      known.open = 1;
      this.enter(next);
    }
  }

  /** @param {Event} event that may be sent */
  enter(event) {
    const { plain } = event.going;
    if (
      event.kind === PLAIN &&
      event.lost === 0 &&
      plain !== undefined &&
      this.lines.get(plain.id) === plain
    ) {
      plain.events.push(event);
      return;
    }
    const member = event.key === undefined ? undefined : this.memberFor(event);
    const line = this.lineOf(event, member);
    line.events.push(event);
    if (event.kind === PLAIN && event.lost === 0) event.going.plain = line;
  }

  /** @param {Event} event with a key */
  memberFor({ key, tags }) {
    return bestFor(/** @type {string} */ (key), tags, this.members.values());
  }

  /** @param {Event} event @param {string | undefined} member */
  lineOf(event, member) {
    const id = idOf(event, member);
    const known = this.lines.get(id);
    if (known !== undefined) return known;
    const { going, priority, lost, tags, key } = event;
    const isKeyed = key !== undefined;
    /** @type {Line} */
    const line = { id, going, priority, lost, tags, isKeyed, member, events: [], head: 0 };
    this.lines.set(id, line);
    return line;
  }

  /** Those who may take events are others now: keys may have other members. */
  sortAgain() {
    const keyed = [...this.lines.values()].filter(({ isKeyed }) => isKeyed);
    for (const line of keyed) this.lines.delete(line.id);
    const events = keyed.flatMap(({ events, head }) => events.slice(head));
    for (const event of inOrder(events)) this.enter(event);
  }

  /**
   * Takes what is to go in one chunk.
   * @param {Line} line
   * @param {number} most events
   * @param {number} size the most characters of several
   */
  take(line, most, size) {
    /** @type {Event[]} */
    const taken = [];
    let all = 0;
    const fits = (/** @type {Event} */ event) => {
      all += event.text.length;
      return taken.length === 0 || all <= size;
    };
    while (taken.length < most && line.head < line.events.length) {
      const event = line.events[line.head];
      if (!fits(event)) break;
      line.head++;
      taken.push(event);
      if (event.key !== undefined) this.takeOfKey(event, taken, { most, fits });
    }
    for (const event of taken) this.counted(event, -1);
    this.tidy(line);
    return taken;
  }

  /**
   * Takes those of the same key that come next: they stay in their order within one chunk.
   * @param {Event} first
   * @param {Event[]} taken
   * @param {{ most: number, fits: (event: Event) => boolean }} how
   */
  takeOfKey(first, taken, { most, fits }) {
    const known = /** @type {Keyed} */ (this.keys.get(/** @type {string} */ (first.key)));
    const { blocked } = known;
    const id = idOf(first, undefined);
    let count = 0;
    while (taken.length < most && count < blocked.length) {
      const next = blocked[count];
      if (idOf(next, undefined) !== id || !fits(next)) break;
      taken.push(next);
      count++;
    }
    blocked.splice(0, count);
    known.open += count;
  }

  /** @param {Line} line of which events were taken */
  tidy(line) {
    if (line.head === line.events.length) this.lines.delete(line.id);
    else if (line.head >= 1024 && line.head * 2 >= line.events.length) {
      line.events.splice(0, line.head);
      line.head = 0;
    }
  }

  /** A run is over. @param {Going} going @param {(event: Event) => boolean} waits whether it was not sent */
  forget(going, waits) {
    for (const line of [...this.lines.values()])
      if (line.going === going) this.lines.delete(line.id);
    /** @type {globalThis.Map<string, number>} */
    const open = new Map();
    for (const event of going.events.values()) {
      const { key } = event;
      if (waits(event)) this.counted(event, -1);
      if (key !== undefined) open.set(key, (open.get(key) || 0) + 1);
    }
    for (const [key, count] of open) {
      const known = /** @type {Keyed} */ (this.keys.get(key));
      const others = known.blocked.filter((event) => event.going !== going);
      const under = count - (known.blocked.length - others.length);
      known.blocked = others;
      for (let at = 0; at < under; at++) this.free(key, known);
    }
  }

  /** All that wait and have these tags, which wait no more. @param {string} tags as text @returns {Event[]} */
  removeWith(tags) {
    const lines = [...this.lines.values()].filter((line) => textOf(line.tags) === tags);
    const events = lines.flatMap(({ events, head }) => events.slice(head));
    for (const line of lines) this.lines.delete(line.id);
    for (const event of events) this.counted(event, -1);
    return events;
  }

  /** @param {Event} event @param {1 | -1} change */
  counted({ text, kind }, change) {
    this.count += change;
    let known = this.kinds.get(kind);
    if (known === undefined) {
      known = { count: 0, size: 0 };
      this.kinds.set(kind, known);
    }
    known.count += change;
    known.size += change * text.length;
    if (known.count === 0) this.kinds.delete(kind);
  }

  /** What waits of the kind of this event. @param {Event} event @returns {{ count: number, size: number }} */
  of({ kind }) {
    return this.kinds.get(kind) || NONE;
  }
}

const NONE = Object.freeze({ count: 0, size: 0 });

/** @param {Event} event @param {string | undefined} member */
const idOf = ({ going, priority, lost, tags, key }, member) =>
  `${going.run.number} ${priority} ${lost} ${key === undefined ? "" : `@${member}`} ${textOf(tags)}`;

/** @param {string[]} tags */
const textOf = (tags) => (tags.length === 0 ? "" : JSON.stringify(tags));

/** @param {Event[]} events */
const inOrder = (events) => events.sort((one, other) => one.number - other.number);

/**
 * For which others `Map` waits that hands such an event over: those that go to the same workers, and are as urgent.
 * @param {{ tags: string[], key: string | undefined, priority: number }} address
 * @param {globalThis.Map<string, Member>} members
 */
function kindOf({ tags, key, priority }, members) {
  if (tags.length === 0 && key === undefined && priority === 0) return PLAIN;
  const owner = key === undefined ? "" : `@${bestFor(key, tags, members.values())}`;
  return `${priority} ${owner} ${textOf(tags)}`;
}

/** Which of two lines is next: the more urgent, then the one whose run has had less, then the older. @param {Line} one @param {Line} other */
function isBefore(one, other) {
  if (one.priority !== other.priority) return one.priority > other.priority;
  const { had } = one.going.share;
  if (had !== other.going.share.had) return had < other.going.share.had;
  return one.events[one.head].number < other.events[other.head].number;
}

module.exports = { Waiting, isBefore, kindOf, textOf };
