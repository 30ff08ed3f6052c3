"use strict";
// The events of a master over all machines: which wait, who gets the next ones, and how each ends. Sends nothing itself: the members do,
// which are the master's own workers and the hosts.

const { Account } = require("./account");
const { MOST_BYTES, Sizer } = require("./chunks");
const { coded } = require("../shared/errors");
const { Map, Promise } = require("../shared/primordials");

/** @typedef {import("./station").Run} Run */
/** @typedef {import("./station").Answer} Answer */

/**
 * What runs events: `places` is how many at once, `base` the number before the id of its first worker.
 * @typedef {object} Member
 * @property {string} id
 * @property {string} name as messages have it
 * @property {number} places
 * @property {number} base
 * @property {boolean} isOpen it takes further events
 * @property {(chunk: number, run: Run, lost: number, events: Event[]) => void} send
 * @property {(run: Run) => void} begin a run
 * @property {(run: Run) => void} stop
 */

/** How an event has ended for the one who asked. @typedef {{ text?: string, format?: number, told?: any, attempts: number, worker: number, pid?: number }} Outcome */

/**
 * @typedef {object} Event
 * @property {number} number
 * @property {Going} going
 * @property {string} text
 * @property {number} format
 * @property {number} lost how many hosts were lost with it
 * @property {(outcome: Outcome) => void} settle
 */

/** A run that goes on. @typedef {{ run: Run, sizer: InstanceType<typeof Sizer>, events: Map<number, Event> }} Going */

/** Events that may wait beyond those that all hosts would take at once, and their characters. */
const MOST_WAITING = 256;
const MOST_SIZE = 16 << 20;

class Coordinator {
  constructor() {
    this.account = new Account();
    /** @type {Map<string, Member>} */
    this.members = new Map();
    /** @type {Map<number, Going>} */
    this.runs = new Map();
    /** @type {Map<number, Event>} */
    this.events = new Map();
    /** Those that wait, in their order, and those that wait again, which come first. @type {Event[]} */
    this.waiting = [];
    /** @type {Event[]} */
    this.again = [];
    /** Where the first is: what is before was taken. */
    this.head = 0;
    /** How many characters they have. */
    this.size = 0;
    /** Those that hand events over, and wait. @type {(() => void)[]} */
    this.wanting = [];
    this.lastEvent = 0;
    this.lastRun = 0;
    this.isScheduled = false;
    /** What waits cannot be sent: nobody would wait for it any more. @type {(error: unknown) => void} */
    this.onBroken = () => {};
  }

  /** How many events run at once. */
  get places() {
    let places = 0;
    for (const member of this.members.values()) if (member.isOpen) places += member.places;
    return places;
  }

  /** @param {Omit<Run, "number">} about @returns {Run} */
  begin(about) {
    const run = { ...about, number: ++this.lastRun };
    this.runs.set(run.number, { run, sizer: new Sizer(), events: new Map() });
    for (const member of this.members.values()) member.begin(run);
    return run;
  }

  /** A run is over: nothing of it is answered any more. @param {Run} run */
  end(run) {
    const going = this.runs.get(run.number);
    if (going === undefined) return;
    this.runs.delete(run.number);
    for (const number of going.events.keys()) {
      this.account.drop(number);
      this.events.delete(number);
    }
    for (const member of this.members.values()) member.stop(run);
    this.placeSoon();
  }

  /** @param {Run} run @param {import("./values").Carried} value @param {Event["settle"]} settle */
  add(run, { text, format }, settle) {
    const going = /** @type {Going} */ (this.runs.get(run.number));
    const event = { number: ++this.lastEvent, going, text, format, lost: 0, settle };
    this.account.add(event.number);
    this.events.set(event.number, event);
    going.events.set(event.number, event);
    this.waiting.push(event);
    this.size += text.length;
    this.placeSoon();
  }

  /** Resolves when another event may be handed over. @param {Run} run @returns {Promise<void>} */
  async room(run) {
    while (!this.hasRoom(run))
      await new Promise((resolve) => this.wanting.push(() => resolve(undefined)));
  }

  /** @param {Run} run */
  hasRoom({ number }) {
    const going = this.runs.get(number);
    if (going === undefined) return true;
    const { last } = going.sizer;
    const wanted = MOST_WAITING + 4 * last * this.places;
    return this.waiting.length - this.head < wanted && this.size < MOST_SIZE;
  }

  /** @param {Member} member */
  join(member) {
    this.members.set(member.id, member);
    this.account.join(member.id);
    for (const { run } of this.runs.values()) member.begin(run);
    this.placeSoon();
  }

  /** How many chunks a member has. @param {Member} member */
  loadOf({ id }) {
    return /** @type {Set<number>} */ (this.account.members.get(id)).size;
  }

  placeSoon() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    Promise.resolve().then(() => {
      this.isScheduled = false;
      try {
        this.place();
      } catch (error) {
        this.onBroken(error);
      }
    });
  }

  /** Sends what waits to those that have room. */
  place() {
    for (let first = this.first(); first !== undefined; first = this.first()) {
      const member = this.nextFor(first.going.sizer);
      if (member === undefined) break;
      const events = this.take(first);
      const chunk = this.account.send(
        member.id,
        events.map(({ number }) => number),
      );
      member.send(chunk, first.going.run, first.lost, events);
    }
    if (this.wanting.length > 0) for (const resolve of this.wanting.splice(0)) resolve();
  }

  /** The one with the least to do for its places, if it has room. @param {InstanceType<typeof Sizer>} sizer */
  nextFor(sizer) {
    /** @type {Member | undefined} */
    let best;
    let least = Infinity;
    for (const member of this.members.values()) {
      if (!member.isOpen) continue;
      const load = this.loadOf(member);
      if (load >= sizer.chunks(member.places) || load / member.places >= least) continue;
      least = load / member.places;
      best = member;
    }
    return best;
  }

  /** The next event that waits. @returns {Event | undefined} */
  first() {
    while (this.again.length > 0 && !this.account.waits(this.again[0].number)) this.again.shift();
    if (this.again.length > 0) return this.again[0];
    while (this.head < this.waiting.length) {
      const event = this.waiting[this.head];
      if (this.account.waits(event.number)) return event;
      this.pass(event);
    }
    return undefined;
  }

  /** The first event that waits does not any more. @param {Event} event */
  pass(event) {
    this.size -= event.text.length;
    this.head++;
    if (this.head < 1024 || this.head * 2 < this.waiting.length) return;
    this.waiting.splice(0, this.head);
    this.head = 0;
  }

  /** Takes what is to go in one chunk: events that go through the same, and have cost as many hosts. @param {Event} first */
  take(first) {
    const { sizer } = first.going;
    const waiting = this.waiting.length - this.head + this.again.length;
    const most = sizer.next(waiting, this.places);
    const events = [];
    let size = 0;
    for (let next = this.first(); next !== undefined; next = this.first()) {
      if (next.going !== first.going || next.lost !== first.lost) break;
      size += next.text.length;
      if (events.length > 0 && size > MOST_BYTES) break;
      if (next === this.again[0]) this.again.shift();
      else this.pass(next);
      events.push(next);
      if (events.length >= most) break;
    }
    return events;
  }

  /** @param {string} id of a member @param {number} chunk @param {Answer} answer */
  answer(id, chunk, { event: number, ...how }) {
    const member = this.members.get(id);
    // Late: nobody asks any more.
    if (member === undefined || !this.account.answer(id, chunk, number)) return;
    const event = /** @type {Event} */ (this.events.get(number));
    const { attempts = 1, worker = 0 } = how;
    this.settle(event, { ...how, attempts: attempts + event.lost, worker });
    this.placeSoon();
  }

  /** @param {Event} event @param {Outcome} outcome */
  settle(event, outcome) {
    this.events.delete(event.number);
    event.going.events.delete(event.number);
    event.settle(outcome);
  }

  /** @param {[run: number, count: number, busy: number][]} all what was measured */
  measured(all) {
    for (const [number, count, busy] of all) this.runs.get(number)?.sizer.observe(count, busy);
  }

  /** Chunks come back that a host has not begun. @param {number[]} chunks */
  takeBack(chunks) {
    for (const chunk of chunks) this.waitAgain(this.account.takeBack(chunk));
    this.placeSoon();
  }

  /** @param {number[]} numbers of events */
  waitAgain(numbers) {
    for (const number of numbers) {
      this.again.push(/** @type {Event} */ (this.events.get(number)));
    }
  }

  /**
   * A host is given up.
   * @param {string} id
   * @param {ReadonlySet<number>} untouched the chunks that it has not begun
   */
  giveUp(id, untouched) {
    const member = /** @type {Member} */ (this.members.get(id));
    this.members.delete(id);
    const { again, begun } = this.account.giveUp(id, untouched);
    this.waitAgain(again);
    for (const number of begun) {
      const event = /** @type {Event} */ (this.events.get(number));
      event.lost++;
      const { retries } = event.going.run;
      const isAgain = retries && event.lost <= retries.limit && retries.on.includes("host");
      if (isAgain) this.again.push(event);
      else {
        this.account.drop(number);
        this.settle(event, lostWith(member, event.lost));
      }
    }
    this.placeSoon();
  }
}

/** @param {Member} member @param {number} attempts @returns {Outcome} */
function lostWith({ name, base }, attempts) {
  const { message, stack, code } = hostLost(name);
  return { told: { name: "Error", message, stack, code }, attempts, worker: base + 1 };
}

/** @param {string} host */
const hostLost = (host) =>
  coded(
    Error,
    "ERR_SONIC_HOST_LOST",
    `the host ${host} was lost while it may have run this event: it ended, or has not been heard of for longer than cluster.lease. ` +
      "Where the event may run twice, let it: the option retries, which counts a lost host as an attempt",
  );

module.exports = { Coordinator };
