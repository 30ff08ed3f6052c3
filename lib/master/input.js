"use strict";
// What goes into a run: events from `Map`, which wait where workers are behind, and events for one worker. An event costs
// one short native call: add nothing to that path.

const dataless = require("./dataless");
const { Idle } = require("./idle");
const { Routed } = require("./routed");
const { encodedWithin, formatOf } = require("../shared/codec");
const { coded, invalidType, shown } = require("../shared/errors");
const { hasOwn } = require("../shared/own");
const { HANDED_OVER } = require("../shared/handed-over");
const { Promise, setImmediate } = require("../shared/primordials");
const { addressOf, areSame, tagsAlone } = require("../shared/routing");
const { pointAt, siteOf } = require("../shared/stack");

/** @typedef {InstanceType<typeof import("./run").Run>} Run */
/** @typedef {import("../shared/codec").Encoded} Encoded */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {{ resolve: () => void, reject: (error: unknown) => void, number: number }} Waiting */

/** A longer string is worth the try to hand it over as it is. */
const LARGE = 16384;

// How an event was put in, the sum of these; 0 if it was not. See `runPutter`.
const HAS_CREDIT = 2;
const IS_LATE = 4;

/** So much of a label is kept. */
const LONGEST_LABEL = 256;

/** In the place of an event's number: none waits. */
const NOBODY = -1;

/** What `runListen` says: the event loop is to turn first. */
const IS_TO_TURN = 2;

/** So often in a row this thread listens in vain, a millisecond each: what runs now takes longer than what ran before. */
const MOST_IN_VAIN = 10;

/** Any worker that is not exclusive. @type {import("../shared/routing").Address} */
const ANY = { tags: [], key: undefined, priority: 0 };

class Input {
  /** @param {Run} run */
  constructor(run) {
    this.run = run;
    this.wire = run.wire;
    /** The flags of its first chain of functions, if there are several, or of the flow's first node. */
    this.chain = (run.settings.entry || 0) << run.wire.chainAt;
    /** Puts an event in; see `runPutter`. */
    this.put = run.native.runPutter(run.handle);
    /** What all events of the run's lane name. */
    this.tags = run.native.runIsTagged(run.handle) ? tagsAlone(run.routing) : undefined;
    /** How many events `Map` has handed over. */
    this.handedOver = 0;
    /** `Map`s without credit, from `nextWaiting` on. @type {Waiting[]} */
    this.waiting = [];
    this.nextWaiting = 0;
    this.idle = new Idle();
    this.routed = new Routed(this);
    /** What people are to call an event, by its data. @type {((data: any) => string) | undefined} */
    this.label = run.recording?.label;
    /** What is written down of its events, if that is. @type {InstanceType<typeof import("./checkpoint").Checkpoint> | undefined} */
    this.checkpoint = run.checkpoint;
    /** How errors name what is handed over. */
    this.what = "Map: the event";
  }

  /**
   * Hands an event over. Resolves when a worker has it, or will have it next.
   * @param {any} event
   * @param {Routing} [routing]
   * @returns {Promise<void>}
   */
  map(event, routing) {
    const { reader } = this.run;
    const handedOver = this.handOver(event, routing);
    return reader === null ? handedOver : reader.slow(handedOver);
  }

  /** @param {any} event @param {Routing} [routing] @returns {Promise<void>} */
  handOver(event, routing) {
    const { run } = this;
    if (!run.isRunning) return this.refuse();
    if (run.manual.isOn) return run.manual.map(event, routing);
    const number = this.handedOver;
    let how;
    try {
      how = this.checkpoint === undefined ? 0 : this.checkpoint.answer(this, event);
      if (how === 0 && this.label !== undefined) this.nameNext(event, this.label);
      const isRouted =
        routing !== undefined || (run.routing !== undefined && this.tags === undefined);
      if (how === 0 && isRouted) {
        const address = this.addressOf(event, routing);
        if (address !== undefined) return this.routed.handOver(event, address);
      }
      if (how === 0) how = this.hand(event);
    } catch (error) {
      return Promise.reject(pointAt(error, siteOf(this.handOver)));
    }
    this.handedOver = number + 1;
    if (!(how & HAS_CREDIT) && !this.hasCredit(number)) return this.waitForCredit(number);
    return how & IS_LATE ? this.letTurn() : HANDED_OVER;
  }

  /** Tells the core what to call the next event. @param {any} event @param {(data: any) => string} label */
  nameNext(event, label) {
    const { native, handle } = this.run;
    native.runLabel(handle, labelled(label, event.data));
  }

  /**
   * Where an event may run; undefined if it may go into the run's lane.
   * @param {any} event
   * @param {Routing | undefined} routing
   */
  addressOf(event, routing) {
    const address = addressOf(this.run.routing, routing, event.data);
    const { tags } = this;
    if (tags === undefined) return address;
    if (address === undefined) return ANY;
    const isPlain = address.key === undefined && address.priority === 0;
    return isPlain && areSame(address.tags, tags) ? undefined : address;
  }

  /**
   * Puts an event into the run's lane.
   * @param {any} event
   * @returns {number} how that went: see `runPutter`
   */
  hand(event) {
    const { wire, put, chain } = this;
    const isWhole = hasMoreThanData(event);
    // What is written down of an event must not depend on the way that it takes.
    const data = isWhole || this.checkpoint !== undefined ? undefined : event.data;
    if (typeof data === "number") {
      const how = put(data, wire.task | chain);
      if (how !== 0) return how;
    } else if (typeof data === "string") {
      const flags = wire.task | wire.string | chain;
      const how = put(data, flags);
      if (how !== 0) return how;
      // Long ones are worth a try; others have failed because they are not ASCII, as a rule.
      if (data.length > LARGE && this.submit(data, flags)) return 0;
    }
    const { encoded, flags } = this.encoded(event, isWhole);
    const how = put(encoded, flags | chain);
    if (how === 0) this.submit(encoded, flags | chain);
    return how;
  }

  /** @type {(encoded: Encoded, flags: number) => boolean} */
  submit(encoded, flags) {
    this.run.native.runCheck(this.run.handle);
    return this.run.native.runSubmit(this.run.handle, encoded, flags);
  }

  /**
   * Whether there is credit for an event by now. If not, and no other waits, the core calls when there is.
   * @param {number} number
   */
  hasCredit(number) {
    if (this.isAwaited) return false;
    this.run.output.checkLog();
    return this.run.native.runWait(this.run.handle, number);
  }

  /** @returns {Promise<void>} */
  letTurn() {
    const { native, handle } = this.run;
    this.idle.begun++;
    return new Promise((resolve) => {
      setImmediate(() => {
        native.runTurned(handle);
        resolve();
      });
    });
  }

  /** @param {number} number @returns {Promise<void>} */
  waitForCredit(number) {
    /** @type {Promise<void>} */
    const promise = new Promise((resolve, reject) => {
      this.waiting.push({ number, resolve, reject });
    });
    // If the program does not await it, a failure must not end the program.
    promise.catch(() => {});
    this.listenSoon();
    return promise;
  }

  /**
   * Where credit comes soon, this thread listens for it when nothing else is to be done: once all that has been scheduled
   * had its turn, and never for longer than a millisecond at a time. If none comes, it is called as usual.
   * @param {number} inVain how often it has done so for nothing
   */
  listenSoon(inVain = 0) {
    this.idle.whenIdle(() => {
      if (!this.isAwaited) return;
      const listened = this.run.native.runListen(this.run.handle, this.first);
      this.admit();
      const goesOn = listened === IS_TO_TURN && this.isAwaited && inVain + 1 < MOST_IN_VAIN;
      if (goesOn) this.listenSoon(inVain + 1);
    });
  }

  /** The number of the first event that waits. */
  get first() {
    return this.waiting[this.nextWaiting].number;
  }

  /** Whether a `Map` waits. */
  get isAwaited() {
    return this.nextWaiting < this.waiting.length;
  }

  /** Tells the core which event waits first, if any does. Returns the number of the first without credit. */
  credit() {
    const next = this.isAwaited ? this.first : NOBODY;
    return this.run.native.runCredit(this.run.handle, next);
  }

  /** Resolves the `Map`s whose events have credit. */
  admit() {
    if (!this.isAwaited) return;
    // Once it is told who waits, the core calls for credit that comes later.
    for (
      let credit = this.credit();
      this.isAwaited && this.first < credit;
      credit = this.credit()
    ) {
      while (this.isAwaited && this.first < credit) this.waiting[this.nextWaiting++].resolve();
    }
    // Seldom enough that a long list is not moved again and again.
    if (this.nextWaiting * 2 > this.waiting.length) {
      this.waiting.splice(0, this.nextWaiting);
      this.nextWaiting = 0;
    }
  }

  /** Nothing is handed over any more. */
  end() {
    for (const waiting of this.waiting.splice(this.nextWaiting)) {
      waiting.reject(pointAt(this.ending(), this.run.site));
    }
    this.routed.end(() => pointAt(this.ending(), this.run.site));
    this.credit();
  }

  /** What `Map` returns when the run is over. @returns {Promise<never>} */
  refuse() {
    /** @type {Promise<never>} */
    const promise = Promise.reject(pointAt(this.ending(), siteOf(this.refuse)));
    // The call tells of an abort: a program that sends without waiting must not end by it.
    if (this.run.failure) promise.catch(() => {});
    return promise;
  }

  /** Why nothing can be handed over any more. */
  ending() {
    return this.run.failure ? this.run.failure.error : over();
  }

  /**
   * @param {any} event
   * @param {boolean} isWhole whether all of it is to travel, and not its data alone
   * @returns {{ encoded: Encoded, flags: number }}
   */
  encoded(event, isWhole = hasMoreThanData(event)) {
    const { task, hole, whole, formatAt } = this.wire;
    const value = isWhole ? event : event.data;
    // What has data is no mistake, and nearly everything has.
    if (value === undefined || (isWhole && event.data === undefined)) this.noData(event);
    const { codec } = this.run.pool;
    const encoded = encodedWithin(codec, value, isWhole ? "" : "data", this.what);
    if (encoded !== undefined) {
      const format = formatOf(value, encoded) << formatAt;
      return { encoded, flags: task | format | (isWhole ? whole : 0) };
    }
    if (!isWhole) return { encoded: "", flags: task | hole };
    throw invalidType(`${this.what} must be a value that JSON has, got ${shown(event)}`);
  }

  /** Its data is undefined. @param {any} event */
  noData(event) {
    dataless.warn(event);
  }

  /**
   * Hands an encoded event to one worker, whatever else runs there. False if it is gone.
   * @type {(id: number, encoded: Encoded, flags: number) => boolean}
   */
  sendTo(id, encoded, flags) {
    this.run.output.checkLog();
    return this.run.native.runSubmitTo(this.run.handle, id, encoded, flags);
  }

  /** @type {(id: number, event: any) => boolean} */
  sendDirectly(id, event) {
    const { encoded, flags } = this.encoded(event);
    return this.sendTo(id, encoded, flags);
  }
}

/** @param {any} event */
function hasMoreThanData(event) {
  if (event === null || typeof event !== "object") return false;
  for (const key in event) if (key !== "data" && hasOwn(event, key)) return true;
  return false;
}

const over = () =>
  coded(Error, "ERR_SONIC_RUN_OVER", "Map: the run is over, its workers have been released");

/** What people are to call an event. Throws if that is no text. @param {(data: any) => string} label @param {any} data */
function labelled(label, data) {
  const name = label(data);
  if (typeof name !== "string")
    throw invalidType(`options.label must return a string, got ${shown(name)}`);
  return name.length > LONGEST_LABEL ? `${name.slice(0, LONGEST_LABEL)}…` : name;
}

module.exports = { Input, hasMoreThanData, labelled, over };
