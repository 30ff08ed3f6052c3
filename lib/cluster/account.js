"use strict";
// The account of a master's events: which host has which, and whether it may have begun it. Each event ends once. Pure: it sends
// nothing, and has no clock.

const { Map, Set } = require("../shared/primordials");

/** `kept`: a host has made it of what it kept. @typedef {{ member: string, events: Set<number>, priority: number, mayHaveBegun: boolean, kept?: OfHost }} Chunk */
/** The numbers of chunks and of events that a host has kept, by its own numbers. @typedef {{ chunks: Map<number, number>, events: Map<number, number> }} Kept */
/** A host's own number of a chunk, and those of its events. @typedef {{ chunk: number, events: number[] }} OfHost */

/** No chunk and no event. @type {[number, number]} */
const NONE = [0, 0];

class Account {
  constructor() {
    /** The chunk of each event that has not ended; undefined if it waits. @type {Map<number, number | undefined>} */
    this.events = new Map();
    /** Those with events that have not ended, by their numbers. @type {Map<number, Chunk>} */
    this.chunks = new Map();
    /** The chunks of each host. @type {Map<string, Set<number>>} */
    this.members = new Map();
    /** By hosts. @type {Map<string, Kept>} */
    this.kept = new Map();
    this.lastChunk = 0;
    /** Events have had different priorities. */
    this.hasBands = false;
  }

  /** An event is handed over. @param {number} event its number */
  add(event) {
    if (this.events.has(event)) throw new Error(`event ${event} is there already`);
    this.events.set(event, undefined);
  }

  /** A host comes. @param {string} member */
  join(member) {
    if (!this.members.has(member)) this.members.set(member, new Set());
  }

  /** Events that wait go to a host. @param {string} member @param {number[]} events @param {number} [priority] @returns {number} the number of the chunk */
  send(member, events, priority = 0) {
    const chunks = this.members.get(member);
    if (chunks === undefined) throw new Error(`there is no host ${member}`);
    const number = ++this.lastChunk;
    for (const event of events) {
      if (!this.waits(event)) throw new Error(`event ${event} does not wait`);
      this.events.set(event, number);
    }
    if (priority !== 0) this.hasBands = true;
    this.chunks.set(number, { member, events: new Set(events), priority, mayHaveBegun: false });
    chunks.add(number);
    return number;
  }

  /**
   * A host has kept an event that waits: it may have begun it. False if the host is not there any more, or has that number for another.
   * @param {string} member
   * @param {{ chunk: number, at: number }} own the host's numbers of the chunk and of the event
   * @param {number} event
   * @param {number} priority
   */
  keep(member, { chunk: own, at }, event, priority) {
    if (!this.members.has(member)) return false;
    const kept = this.keptOf(member);
    if (kept.events.has(at)) return false;
    let number = kept.chunks.get(own);
    if (number === undefined) {
      number = this.send(member, [], priority);
      kept.chunks.set(own, number);
      const chunk = /** @type {Chunk} */ (this.chunks.get(number));
      chunk.mayHaveBegun = true;
      chunk.kept = { chunk: own, events: [] };
    }
    const { events, kept: ofHost } = /** @type {Chunk} */ (this.chunks.get(number));
    events.add(event);
    this.events.set(event, number);
    kept.events.set(at, event);
    /** @type {OfHost} */ (ofHost).events.push(at);
    return true;
  }

  /** @param {string} member @returns {Kept} */
  keptOf(member) {
    const known = this.kept.get(member);
    if (known !== undefined) return known;
    /** @type {Kept} */
    const kept = { chunks: new Map(), events: new Map() };
    this.kept.set(member, kept);
    return kept;
  }

  /** The number of an event, and of its chunk, that a host has kept. @param {string} member @param {number} at the host's number of it @returns {[chunk: number, event: number]} */
  keptAs(member, at) {
    const event = this.kept.get(member)?.events.get(at);
    const chunk = event === undefined ? undefined : this.events.get(event);
    return event === undefined || chunk === undefined ? NONE : [chunk, event];
  }

  /** Whether a host has made a chunk itself. @param {number} chunk */
  isKept(chunk) {
    return this.chunks.get(chunk)?.kept !== undefined;
  }

  /** @param {number} event */
  waits(event) {
    return this.events.has(event) && this.events.get(event) === undefined;
  }

  /**
   * A host answers. False if nobody asks any more: the event has ended, or the host was given up.
   * @param {string} member
   * @param {number} chunk
   * @param {number} event
   */
  answer(member, chunk, event) {
    const sent = this.chunks.get(chunk);
    if (sent === undefined || sent.member !== member || !sent.events.has(event)) return false;
    this.leave(chunk, sent, event);
    this.events.delete(event);
    return true;
  }

  /** Nobody asks for an event any more. @param {number} event */
  drop(event) {
    const chunk = this.events.get(event);
    if (chunk !== undefined)
      this.leave(chunk, /** @type {Chunk} */ (this.chunks.get(chunk)), event);
    this.events.delete(event);
  }

  /** @param {number} number @param {Chunk} chunk @param {number} event */
  leave(number, chunk, event) {
    chunk.events.delete(event);
    if (chunk.events.size === 0) this.remove(number, chunk);
  }

  /** @param {number} number @param {Chunk} chunk */
  remove(number, { member, kept: ofHost }) {
    this.chunks.delete(number);
    /** @type {Set<number>} */ (this.members.get(member)).delete(number);
    if (ofHost === undefined) return;
    const kept = /** @type {Kept} */ (this.kept.get(member));
    kept.chunks.delete(ofHost.chunk);
    for (const at of ofHost.events) kept.events.delete(at);
  }

  /** What the broker remembers of chunks that were sent until now cannot be trusted: hosts may have begun any of them. */
  doubt() {
    for (const chunk of this.chunks.values()) chunk.mayHaveBegun = true;
  }

  /** The chunks of a host, oldest first. @param {string} member @returns {number[]} */
  chunksOf(member) {
    return [...(this.members.get(member) || [])];
  }

  /** How many chunks a host has that are as urgent. @param {string} member @param {number} priority */
  load(member, priority) {
    const chunks = /** @type {Set<number>} */ (this.members.get(member));
    if (!this.hasBands && priority <= 0) return chunks.size;
    let load = 0;
    for (const number of chunks)
      if (/** @type {Chunk} */ (this.chunks.get(number)).priority >= priority) load++;
    return load;
  }

  /** The events of a chunk that have not ended. @param {number} chunk @returns {number[]} */
  eventsOf(chunk) {
    const sent = this.chunks.get(chunk);
    return sent === undefined ? [] : [...sent.events];
  }

  /** How many events of a chunk have not ended. @param {number} chunk */
  countOf(chunk) {
    return this.chunks.get(chunk)?.events.size || 0;
  }

  /** The oldest chunk of a host that has not ended: it has ended all before. @param {string} member */
  floorOf(member) {
    const [first = this.lastChunk + 1] = this.members.get(member) || [];
    return first;
  }

  /**
   * A chunk was taken back before its host has begun it: its events wait again.
   * @param {number} number
   * @returns {number[]} these
   */
  takeBack(number) {
    const chunk = this.chunks.get(number);
    if (chunk === undefined) return [];
    const events = [...chunk.events];
    for (const event of events) this.events.set(event, undefined);
    this.remove(number, chunk);
    return events;
  }

  /**
   * A host is given up: nothing that it answers from now on counts. The events that it may have begun have not ended yet: whoever
   * asks for them decides whether they are to run again.
   * @param {string} member
   * @param {ReadonlySet<number>} untouched the chunks that it has not begun, as the broker says
   * @returns {{ again: number[], begun: number[] }} events that wait again, and those that it may have begun, which wait too
   */
  giveUp(member, untouched) {
    /** @type {number[]} */
    const again = [];
    /** @type {number[]} */
    const begun = [];
    for (const number of this.chunksOf(member)) {
      const { mayHaveBegun } = /** @type {Chunk} */ (this.chunks.get(number));
      const isUntouched = untouched.has(number) && !mayHaveBegun;
      (isUntouched ? again : begun).push(...this.takeBack(number));
    }
    this.members.delete(member);
    this.kept.delete(member);
    return { again, begun };
  }
}

module.exports = { Account };
