"use strict";
// The events of a master over all machines: which wait, who gets the next ones, and how each ends. Sends nothing itself: the members do,
// which are the master's own workers and the hosts.

const { Account } = require("./account");
const { MOST_BYTES, Sizer } = require("./chunks");
const { serves } = require("./routing");
const { Share } = require("./share");
const { Unserved } = require("./unserved");
const { Waiting, isBefore, kindOf } = require("./waiting");
const { lostWith } = require("./told");
const { Map, Promise, Set } = require("../shared/primordials");

/** @typedef {import("./station").Run} Run */
/** @typedef {import("./station").Answer} Answer */
/** @typedef {import("./waiting").Line} Line */
/** @typedef {import("../shared/routing").Address} Address */
/**
 * What runs events: `places` is how many at once, `base` the number before the id of its first worker.
 * @typedef {object} Member
 * @property {string} id
 * @property {string} name as messages have it
 * @property {number} places
 * @property {number} base
 * @property {string[]} tags
 * @property {boolean} isExclusive it takes no events without tags
 * @property {boolean} isOpen it takes further events
 * @property {boolean} [isClosed] it takes none any more
 * @property {string | undefined} host the name of its machine, if that is another
 * @property {[id: number, pid: number][]} workers
 * @property {(chunk: number, run: Run, lost: number, events: Event[]) => void} send
 * @property {(run: Run) => void} begin a run
 * @property {(run: Run) => void} stop
 * @property {(tags: string[]) => boolean} runsEach whether it runs the work of every worker that has these
 * @property {() => import("./seen").Doing[]} doing what its workers run
 */
/** How an event has ended for the one who asked; `by`: the member. @typedef {Omit<Answer, "event"> & { attempts: number, worker: number, by?: string }} Outcome */
/** Who has an event that is handed over, because it has kept it, and as what. @typedef {{ by: string, chunk: number, at: number }} Kept */

/**
 * @typedef {object} Event
 * @property {number} number
 * @property {Going} going
 * @property {string} text
 * @property {number} format
 * @property {string[]} tags
 * @property {string | undefined} key
 * @property {number} priority
 * @property {string} kind of which others `Map` waits
 * @property {number} lost how many hosts were lost with it
 * @property {boolean} [isTied] its member alone may run it
 * @property {import("./outcome").Counted} [counted] as those have it who count
 * @property {(outcome: Outcome) => void} settle
 */

/**
 * A run that goes on, or a part of one: `plain` are those of its events that wait and that any member will do for.
 * @typedef {{ run: Run, sizer: InstanceType<typeof Sizer>, share: InstanceType<typeof Share>, events: Map<number, Event>,
 *   limits: Limits, plain: Line | undefined }} Going
 */

/** How far a run's `Map`s run ahead. @typedef {{ weight?: number, maxEventsPerWorker?: number, maxBytesWaiting?: number }} Limits */

/** Events that may wait beyond those that all hosts would take at once, and their characters. */
const MOST_WAITING = 256;
const MOST_SIZE = 16 << 20;

/** The load of one that has no room. */
const FULL = Infinity;

/** @type {Address} */
const ANYWHERE = { tags: [], key: undefined, priority: 0 };

class Coordinator {
  constructor() {
    this.account = new Account();
    /** @type {Map<string, Member>} */
    this.members = new Map();
    /** @type {Map<number, Going>} */
    this.runs = new Map();
    /** @type {Map<number, Event>} */
    this.events = new Map();
    this.waiting = new Waiting(this.members);
    /** Where the runs are: see `Share`. */
    this.served = { at: 0 };
    /** Those that hand events over and wait, by runs and kinds. @type {Map<string, { event: Event, all: (() => void)[] }>} */
    this.wanting = new Map();
    this.unserved = new Unserved(this);
    this.lastEvent = 0;
    this.lastRun = 0;
    this.isScheduled = false;
    /** The records that hear of workers. @type {globalThis.Set<InstanceType<typeof import("./seen").Seen | typeof import("./seen").Marks>>} */
    this.watching = new Set();
    /** What waits cannot be sent: nobody would wait for it any more. @type {(error: unknown) => void} */
    this.onBroken = () => {};
    /** A member has come, and takes nothing yet. @type {(member: Member) => void} */
    this.onJoin = () => {};
  }

  /** How many events run at once. */
  get places() {
    let places = 0;
    for (const member of this.members.values()) if (member.isOpen) places += member.places;
    return places;
  }

  /** @param {Omit<Run, "number">} about @param {Limits} [limits] @returns {Run} */
  begin(about, limits = {}) {
    const run = { ...about, number: ++this.lastRun };
    const share = new Share(limits.weight);
    const events = new Map();
    const sizer = new Sizer();
    this.runs.set(run.number, { run, sizer, share, events, limits, plain: undefined });
    for (const member of this.members.values()) member.begin(run);
    return run;
  }

  /** Runs are parts of one: they have one share of the members, and their limits count all of them. @param {Run[]} parts */
  unite(parts) {
    const all = parts.map(({ number }) => /** @type {Going} */ (this.runs.get(number)));
    for (const going of all) going.share = all[0].share;
  }

  /** A run is over: nothing of it is answered any more. @param {Run} run */
  end(run) {
    const going = this.runs.get(run.number);
    if (going === undefined) return;
    this.runs.delete(run.number);
    this.waiting.forget(going, ({ number }) => this.account.waits(number));
    for (const [number, { text }] of going.events) {
      this.account.drop(number);
      this.events.delete(number);
      going.share.leaves(text.length);
    }
    for (const member of this.members.values()) member.stop(run);
    this.placeSoon();
  }

  /**
   * @param {Run} run
   * @param {import("../shared/carried").Carried} value
   * @param {Event["settle"]} settle
   * @param {Address & { kept?: Kept }} [address] `kept`: who has it already
   * @param {number} [lost] how many attempts it has had already @returns {Event}
   */
  add(run, { text, format }, settle, address = ANYWHERE, lost = 0) {
    const going = /** @type {Going} */ (this.runs.get(run.number));
    const kind = kindOf(address, this.members);
    const number = ++this.lastEvent;
    const { tags, key, priority, kept } = address; // a spread takes longer than all the rest here
    const counted = undefined; // objects are larger that get a property later
    const event = { number, going, text, format, tags, key, priority, kind, lost, settle, counted };
    this.account.add(number);
    this.events.set(number, event);
    going.events.set(number, event);
    going.share.enters(text.length, this.served);
    if (kept === undefined || !this.account.keep(kept.by, kept, number, priority))
      this.waiting.add(event);
    else going.share.takes(going.sizer.cost, this.served);
    this.placeSoon();
    return event;
  }

  /**
   * Sends an event to a member that alone may run it, at once. It has no outcome if that leaves before it has begun it.
   * @param {Run} run
   * @param {Member} member
   * @param {import("../shared/carried").Carried & { tags: string[] }} given
   * @param {(outcome: Outcome | undefined) => void} settle
   */
  sendTo({ number: of }, member, { text, format, tags }, settle) {
    const going = /** @type {Going} */ (this.runs.get(of));
    const number = ++this.lastEvent;
    const address = { tags, key: undefined, priority: 0, kind: "", lost: 0, isTied: true };
    const tied = { number, going, text, format, ...address, settle };
    this.account.add(number);
    this.events.set(number, tied);
    going.events.set(number, tied);
    going.share.enters(text.length, this.served);
    member.send(this.account.send(member.id, [number]), going.run, 0, [tied]);
  }

  /** Resolves when another event like this one may be handed over. @param {Event} event @returns {Promise<void>} */
  async room(event) {
    if (this.hasRoom(event)) return;
    const id = `${event.going.run.number} ${event.kind}`;
    await new Promise((resolve) => {
      const known = this.wanting.get(id);
      const go = () => resolve(undefined);
      if (known === undefined) this.wanting.set(id, { event, all: [go] });
      else known.all.push(go);
    });
  }

  /** @param {Event} event */
  hasRoom(event) {
    const { going } = event;
    if (!this.runs.has(going.run.number)) return true;
    const { limits, sizer, share } = going;
    const { maxEventsPerWorker = Infinity, maxBytesWaiting = Infinity } = limits;
    const places = Math.max(1, this.places);
    const { count, size } = this.waiting.of(event);
    if (share.events >= maxEventsPerWorker * places) return false;
    if (share.size > maxBytesWaiting) return count < places;
    return count < MOST_WAITING + 4 * sizer.last * places && size < MOST_SIZE;
  }

  /** @param {Member} member */
  join(member) {
    this.members.set(member.id, member);
    this.account.join(member.id);
    for (const { run } of this.runs.values()) member.begin(run);
    for (const seen of this.watching) seen.joined(member);
    this.onJoin(member);
    this.haveChanged();
  }

  /** A member takes nothing more. @param {Member} member */
  close(member) {
    member.isOpen = false;
    member.isClosed = true;
    this.haveChanged();
  }

  /** A member takes events by now. @param {Member} member */
  open(member) {
    member.isOpen = !member.isClosed;
    this.haveChanged();
  }

  /** There are other members than before. */
  haveChanged() {
    this.waiting.sortAgain();
    this.placeSoon();
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
    const { lines } = this.waiting;
    const open = [...lines.values()];
    while (open.length > 0) {
      const line = open.reduce((best, next) => (isBefore(next, best) ? next : best));
      const member = this.nextFor(line);
      if (member !== undefined) this.send(line, member);
      if (member === undefined || lines.get(line.id) !== line) open.splice(open.indexOf(line), 1);
    }
    for (const [id, { event, all }] of this.wanting) {
      if (!this.hasRoom(event)) continue;
      this.wanting.delete(id);
      for (const resolve of all) resolve();
    }
  }

  /** The one with the least to do for its places, if it has room; of those with fewer tags first. @param {Line} line */
  nextFor(line) {
    if (line.isKeyed) return this.ownerOf(line);
    /** @type {Member | undefined} */
    let best;
    let least = Infinity;
    for (const member of this.members.values()) {
      if (!member.isOpen || !serves(member, line.tags)) continue;
      if (best !== undefined && member.tags.length > best.tags.length) continue;
      const load = this.loadOf(member, line);
      const isAsSpecial = best !== undefined && member.tags.length === best.tags.length;
      if (load === FULL || (isAsSpecial && load >= least)) continue;
      least = load;
      best = member;
    }
    return best;
  }

  /** The one that has the keys of a line, if it has room. @param {Line} line */
  ownerOf(line) {
    const member = line.member === undefined ? undefined : this.members.get(line.member);
    const hasRoom = member?.isOpen && this.loadOf(member, line) !== FULL;
    return hasRoom ? member : undefined;
  }

  /** How many chunks it has for each of its places. @param {Member} member @param {Line} line */
  loadOf({ id, places }, { priority, going }) {
    const load = this.account.load(id, priority);
    return load >= going.sizer.chunks(places) ? FULL : load / places;
  }

  /** Sends what is to go in one chunk: events that go through the same, and have cost as many hosts. @param {Line} line @param {Member} member */
  send(line, member) {
    const { going, priority, lost, isKeyed } = line;
    const { run, sizer, share } = going;
    // Those of one key wait beside it.
    const waiting = isKeyed ? this.waiting.count : line.events.length - line.head;
    const most = sizer.next(waiting, isKeyed ? member.places : this.places);
    const events = this.waiting.take(line, most, MOST_BYTES);
    share.takes(events.length * sizer.cost, this.served);
    const numbers = events.map(({ number }) => number);
    member.send(this.account.send(member.id, numbers, priority), run, lost, events);
  }

  /** @param {string} id of a member @param {number} given a chunk @param {Answer} answer which becomes the outcome */
  answer(id, given, answer) {
    const { event: at, seen } = answer;
    const [chunk, number] = given < 0 ? this.account.keptAs(id, at) : [given, at];
    // Late: nobody asks any more.
    if (!this.members.has(id) || !this.account.answer(id, chunk, number)) return;
    const event = /** @type {Event} */ (this.events.get(number));
    const { attempts = seen === undefined ? 1 : seen[5], worker = 0 } = answer;
    const outcome = /** @type {Outcome} */ (answer);
    outcome.attempts = attempts + event.lost;
    outcome.worker = worker;
    if (answer.keep !== undefined) outcome.by = id;
    this.settle(event, outcome);
    this.placeSoon();
  }

  /** @param {Event} event @param {Outcome} outcome */
  settle(event, outcome) {
    const { going, number, text } = event;
    this.events.delete(number);
    going.events.delete(number);
    going.share.leaves(text.length);
    this.waiting.ended(event);
    event.settle(outcome);
  }

  /** @param {[run: number, count: number, busy: number][]} all what was measured */
  measured(all) {
    for (const [number, count, busy] of all) this.runs.get(number)?.sizer.observe(count, busy);
  }

  /** Workers have died, or were replaced. @param {import("./station").Exit[] | undefined} exits */
  exited(exits) {
    if (exits === undefined) return;
    for (const exit of exits) for (const seen of this.watching) seen.exited(exit);
  }

  /** Chunks come back that a host has not begun. @param {number[]} chunks */
  takeBack(chunks) {
    const events = this.eventsOf(chunks.flatMap((chunk) => this.account.takeBack(chunk)));
    this.waiting.addAgain(events.filter((event) => !isTied(event)));
    this.failAll(events.filter(isTied), () => undefined);
    this.placeSoon();
  }

  /** @param {number[]} numbers @returns {Event[]} */
  eventsOf(numbers) {
    return numbers.map((number) => /** @type {Event} */ (this.events.get(number)));
  }

  /**
   * A host is given up.
   * @param {string} id
   * @param {ReadonlySet<number>} untouched the chunks that it has not begun
   * @param {boolean} isLost it has not left by itself
   */
  giveUp(id, untouched, isLost) {
    const member = /** @type {Member} */ (this.members.get(id));
    this.members.delete(id);
    for (const seen of this.watching) seen.left(member, isLost);
    const { again, begun } = this.account.giveUp(id, untouched);
    const unbegun = this.eventsOf(again);
    this.waiting.addAgain(unbegun.filter((event) => !isTied(event)));
    const failed = unbegun.filter(isTied);
    /** @type {Event[]} */
    const tried = [];
    for (const event of this.eventsOf(begun)) {
      event.lost++;
      const { retries } = event.going.run;
      const isAgain = retries && event.lost <= retries.limit && retries.on.includes("host");
      (isAgain ? tried : failed).push(event);
    }
    // Before those of their keys that have waited for the ones that fail.
    this.waiting.addAgain(tried);
    this.failAll(failed, ({ lost }) => (lost === 0 ? undefined : lostWith(member, lost)));
    this.haveChanged();
  }

  /** @param {Event[]} events that nobody has any more @param {(event: Event) => any} how they end: an Outcome, or undefined */
  failAll(events, how) {
    for (const { number } of events) this.account.drop(number);
    // What is told of one may end the run of others.
    for (const event of events) if (this.events.has(event.number)) this.settle(event, how(event));
  }
}

/** @param {Event} event */
const isTied = (event) => Boolean(event.isTied);

module.exports = { Coordinator };
