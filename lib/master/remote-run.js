"use strict";
// Calls, maps and runs of a pool that is another process's: they stand in for those of this process's workers. Their events are sent no
// faster than that pool takes them.

const { checkData } = require("./batch");
const { packed } = require("./connection");
const dataless = require("./dataless");
const { DetachedRun } = require("./detached-run");
const { hasMoreThanData, over } = require("./input");
const { HAS_DATA, HAS_FAILED, HAS_PLACE, HAS_RESPONSE, INFINITY, TO_POOL } = require("./protocol");
const { stopBy, throwIfAborted } = require("../shared/signals");
const { ownOf } = require("../shared/own");
const { HANDED_OVER } = require("../shared/handed-over");
const { Map, Promise, Set } = require("../shared/primordials");
const { routingOf } = require("../shared/routing");

/** @typedef {InstanceType<typeof import("./remote").RemotePool>} RemotePool */
/** @typedef {import("./batch").Awaited} Awaited */
/** @typedef {import("./connection").Packed} Packed */
/** @typedef {import("./work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/routing").Routing} Routing */

/** The most events, and bytes of them, that are sent before the pool has taken them: enough that none waits for the way there. */
const MOST_AHEAD = 64;
const MOST_BYTES_AHEAD = 1 << 20;

/** The most entries that were read and are not told of. */
const MOST_READ = 32;

/** What of the options the pool's process needs (it draws nothing): 0 if it is nothing. @param {Options} options */
function sendable({ args, signal, settled, classes, flow, total, ...options }) {
  const own = ownOf(options);
  for (const name of Object.keys(own)) if (own[name] === undefined) delete own[name];
  if (own.taskTimeout === Infinity) own.taskTimeout = INFINITY;
  return Object.keys(own).length === 0 ? 0 : own;
}

/** The kind of a request, with what all of them have. @param {number} kind @param {number} id @param {Work} work @param {Options} options @param {string | undefined} args */
const request = (kind, id, work, options, args) => [
  kind,
  id,
  work.name,
  sendable(options),
  args === undefined ? 0 : args,
];

/** Single calls: each is a message, and the pool's process decides which of them go together. */
class RemoteCalls {
  /** @param {RemotePool} pool */
  constructor(pool) {
    this.pool = pool;
  }

  /** Throws if it cannot be made. @param {Work} work @param {Options} options @param {string | undefined} args @param {Awaited} awaited */
  add(work, options, args, awaited) {
    const { pool } = this;
    const { signal } = options;
    const { data, site } = awaited;
    throwIfAborted(signal);
    checkData(data);
    const value = packed(pool.codec, data, "data", "the data");
    let ignore = () => {};
    const end = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ result) => {
      ignore();
      settle(result);
    };
    const own = { data, site, resolve: end(awaited.resolve), reject: end(awaited.reject) };
    const id = pool.expect(work, own);
    const mayStop = signal === undefined ? 0 : 1;
    pool.connection.send([...request(TO_POOL.CALL, id, work, options, args), mayStop], value);
    if (signal !== undefined) ignore = stopBy(signal, (error) => this.stop(id, error));
  }

  /** @param {number} id @param {unknown} error */
  stop(id, error) {
    this.pool.connection.send([TO_POOL.STOP, id]);
    this.pool.settle(id, ({ reject }) => reject(error));
  }

  /** All that is to be answered: what was asked for by `each` too. @param {unknown} error */
  stopWaiting(error) {
    for (const id of [...this.pool.awaited.keys()]) this.stop(id, error);
  }
}

/** Sends the events of one map or run. */
class Sending {
  /** @param {RemotePool} pool @param {number} id of the map or run */
  constructor(pool, id) {
    this.pool = pool;
    this.id = id;
    /** How many events were sent, and taken by the pool, of those that it counts. */
    this.sent = 0;
    this.taken = 0;
    /** The bytes of those between. @type {number[]} */
    this.sizes = [];
    this.bytes = 0;
    /** Those that wait until others are taken, in their order. @type {{ number: number, resolve: () => void, reject: (error: unknown) => void }[]} */
    this.waiting = [];
    /** Those that wait for workers of their own. @type {globalThis.Map<number, { resolve: () => void, reject: (error: unknown) => void }>} */
    this.own = new Map();
  }

  /**
   * @param {number} event its number
   * @param {{ isOwn: boolean, routing: Routing | undefined, isWhole: boolean }} how
   * @param {Packed} value
   * @returns {Promise<void>}
   */
  send(event, { isOwn, routing, isWhole }, value) {
    const about = [isOwn ? 1 : 0, routing || 0, isWhole ? 1 : 0];
    this.pool.connection.send([TO_POOL.EVENT, this.id, event, ...about], value);
    if (isOwn) return this.pending((one) => this.own.set(event, one));
    const number = this.sent++;
    this.sizes.push(value.size);
    this.bytes += value.size;
    if (this.hasRoomFor(number)) return HANDED_OVER;
    return this.pending((one) => this.waiting.push({ number, ...one }));
  }

  /** @param {(one: { resolve: () => void, reject: (error: unknown) => void }) => void} keep @returns {Promise<void>} */
  pending(keep) {
    /** @type {Promise<void>} */
    const promise = new Promise((resolve, reject) => keep({ resolve, reject }));
    // If the program does not await it, a failure must not end the program.
    promise.catch(() => {});
    return promise;
  }

  /** @param {number} number */
  hasRoomFor(number) {
    if (number < this.taken) return true;
    return number < this.taken + MOST_AHEAD && this.bytes < MOST_BYTES_AHEAD;
  }

  /** @param {number} count of events that the pool has taken */
  onTaken(count) {
    this.taken += count;
    for (const size of this.sizes.splice(0, count)) this.bytes -= size;
    let at = 0;
    while (at < this.waiting.length && this.hasRoomFor(this.waiting[at].number))
      this.waiting[at++].resolve();
    if (at > 0) this.waiting.splice(0, at);
  }

  /** @param {number} event @param {{ error: unknown } | undefined} failure */
  onTakenOne(event, failure) {
    const one = this.own.get(event);
    this.own.delete(event);
    if (one === undefined) return;
    if (failure === undefined) one.resolve();
    else one.reject(failure.error);
  }

  /** Nothing is sent any more. @param {unknown} error */
  end(error) {
    const all = [...this.waiting.splice(0), ...this.own.values()];
    this.own.clear();
    for (const { reject } of all) reject(error);
  }
}

/** Events of which each has a promise of its own. */
class RemoteBatch {
  /** @param {RemotePool} pool @param {Work} work @param {Options} options @param {string | undefined} args as text */
  constructor(pool, work, options, args) {
    this.pool = pool;
    this.work = work;
    this.isRunning = true;
    /** Why it is not. @type {unknown} */
    this.failure = undefined;
    this.isKept = false;
    this.isOwn = routingOf(options) !== undefined;
    this.id = pool.nextId();
    this.sending = new Sending(pool, this.id);
    /** Those that have not ended. @type {globalThis.Set<number>} */
    this.ids = new Set();
    /** The pool's process has something of it. */
    this.isOpen = true;
    const { abortGrace, ...own } = options;
    pool.opened.set(this.id, this);
    pool.runs.push(this);
    pool.connection.send(request(TO_POOL.OPEN_MAP, this.id, work, own, args));
  }

  /** Resolves when the pool has taken it, or few others. @param {Awaited} awaited @returns {Promise<void>} */
  async addWhenReady(awaited) {
    const { data, site } = awaited;
    const { pool } = this;
    if (!this.isRunning) throw this.failure;
    checkData(data);
    const value = packed(pool.codec, data, "data", "the data");
    const resolve = (/** @type {any} */ result) => {
      this.ids.delete(id);
      awaited.resolve(result);
    };
    const reject = (/** @type {any} */ error) => {
      this.ids.delete(id);
      awaited.reject(error);
    };
    const id = pool.expect(this.work, { data, site, resolve, reject });
    this.ids.add(id);
    await this.sending.send(id, { isOwn: this.isOwn, routing: undefined, isWhole: false }, value);
  }

  /** The pool's process tells that it cannot go on. @param {unknown} error */
  break(error) {
    this.isOpen = false;
    this.end(error);
  }

  /** What has not started does not, and the workers that run something of it are killed. @param {unknown} error */
  stop(error) {
    this.tell(TO_POOL.STOP);
    this.end(error);
  }

  /** @param {unknown} error */
  end(error) {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.failure = error;
    this.sending.end(error);
    for (const id of [...this.ids]) this.pool.settle(id, ({ reject }) => reject(error));
  }

  leave() {
    this.isRunning = false;
    this.tell(TO_POOL.LEAVE);
    this.pool.leave(this);
  }

  /** @param {number} kind */
  tell(kind) {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.pool.connection.send([kind, this.id]);
  }
}

/** A run as `MapReduce` has it, or a stream. */
class RemoteRun extends DetachedRun {
  /** @param {RemotePool} pool @param {Work} work @param {Options} options @param {string | undefined} args as text */
  constructor(pool, work, options, args) {
    super(pool, options);
    /** @type {RemotePool} */
    this.pool = pool;
    this.isOwn = routingOf(options) !== undefined;
    this.id = pool.nextId();
    this.sending = new Sending(pool, this.id);
    this.hasEnded = false;
    this.isOpen = true;
    /** How many entries were read since the pool's process was told. */
    this.read = 0;
    /** The numbers of events that are told of one by one. */
    this.events = 0;
    pool.opened.set(this.id, this);
    pool.connection.send(request(TO_POOL.OPEN_RUN, this.id, work, options, args));
  }

  get isDrained() {
    return this.hasEnded;
  }

  /** @param {any} event @param {Routing} [routing] */
  async handOver(event, routing) {
    this.checkRunning();
    const isWhole = hasMoreThanData(event);
    const given = isWhole ? event : event.data;
    if (event.data === undefined) dataless.warn(event);
    const value = packed(this.pool.codec, given, isWhole ? "" : "data", "Map: the event");
    const isOwn = this.isOwn || routingOf(Object(routing)) !== undefined;
    const how = { isOwn, routing: routing && ownOf(routing), isWhole };
    await this.sending.send(this.events++, how, value);
  }

  endInput() {
    if (this.isOpen) this.pool.connection.send([TO_POOL.INPUT_ENDED, this.id]);
  }

  /** An entry has come. @param {number} id @param {number} flags @param {any[]} values */
  hear(id, flags, values) {
    /** @type {any} */
    const entry = { id };
    if (flags & HAS_DATA) entry.data = values.shift();
    if (flags & HAS_FAILED) Object.assign(entry, { failed: true, error: values.shift() });
    else if (flags & HAS_RESPONSE) entry.response = values.shift();
    if (flags & HAS_PLACE) entry[flags & HAS_FAILED ? "node" : "sink"] = values.shift();
    this.keep(entry);
    // Nobody reads these before the end.
    if (!this.isStream) this.hasRead();
    this.onNews();
  }

  take() {
    const entry = super.take();
    this.hasRead();
    return entry;
  }

  hasRead() {
    this.read++;
    if (this.read < MOST_READ && this.results.elements.length > 0 && this.isStream) return;
    if (this.isOpen) this.pool.connection.send([TO_POOL.READ, this.id, this.read]);
    this.read = 0;
  }

  /** All entries have come. */
  onDrained() {
    this.isOpen = false;
    this.hasEnded = true;
    this.pool.opened.delete(this.id);
    this.onNews();
  }

  /** The pool's process tells that it cannot go on. @param {unknown} error */
  break(error) {
    this.isOpen = false;
    this.stop(error);
  }

  /** @param {unknown} error */
  stop(error) {
    this.tell(TO_POOL.STOP);
    super.stop(error);
  }

  halt() {
    this.tell(TO_POOL.LEAVE);
    this.sending.end(this.failure === null ? over() : this.failure.error);
    this.pool.opened.delete(this.id);
  }

  /** @param {number} kind */
  tell(kind) {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.pool.connection.send([kind, this.id]);
  }
}

/** @param {RemotePool} pool @param {Work} work @param {import("./pool-run").Given} given */
const beginRemote = (pool, work, { options, args }) =>
  new RemoteRun(pool, work, options, args).begin(options.signal);

module.exports = { RemoteBatch, RemoteCalls, RemoteRun, beginRemote, request };
