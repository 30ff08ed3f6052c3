"use strict";
// `locks`: the LockManager of the Web Locks specification, over the processes of a program. A lock is taken in the shared memory if
// nobody else wants it, and asked for otherwise.

const { lockOptions } = require("./checks");
const { current, within } = require("./context");
const { Grant } = require("./grant");
const { nameOf, textOf } = require("./names");
const { reasonOf } = require("../errors");
const { checkFunction } = require("../checks");
const { Promise } = require("../primordials");
const { pointAt, siteOf } = require("../stack");

/** @typedef {import("./context").Frame} Frame */
/** @typedef {InstanceType<typeof Grant>} AGrant */
/** @typedef {ReturnType<typeof lockOptions>} Options */
/** @typedef {{ name: string, text: string, callback: (lock: any) => any, options: Options, mode: Options["mode"], frame: Frame }} Request */
/** @typedef {{ resolve: (value: any) => void, reject: (error: unknown) => void }} Settle */

/** What a request has that gives no options. @type {Options} */
const NO_OPTIONS = { mode: "exclusive", ifAvailable: false, steal: false };

/** What has settled: its reactions run when the code that runs now has had its turn. */
const SETTLED = Promise.resolve();

class LockManager {
  #port;
  #quick;

  /**
   * @param {InstanceType<typeof import("./port").Port>} port
   * @param {InstanceType<typeof import("./quick").Quick> | undefined} quick none without shared memory
   */
  constructor(port, quick) {
    this.#port = port;
    this.#quick = quick;
  }

  /**
   * @param {string} name
   * @param {any} options may be left out
   * @param {any} [callback]
   * @returns {Promise<any>}
   */
  request(name, options, callback) {
    return new Promise((resolve, reject) => {
      this.#start(checked(name, options, callback), { resolve, reject }, this.request);
    });
  }

  /** @returns {Promise<{ held: object[], pending: object[] }>} */
  async query() {
    const site = siteOf(this.query);
    const { reply } = await this.#port.request({ op: "query" }, { site });
    return { held: reply.held.map(asInfo), pending: reply.pending.map(asInfo) };
  }

  /** Runs `work` while this process holds an exclusive lock, whose name may be any. @param {string} text @param {AbortSignal | undefined} signal @param {() => any} work @returns {Promise<any>} */
  hold(text, signal, work) {
    return new Promise((resolve, reject) => {
      const options = { ...NO_OPTIONS, signal };
      const { mode } = options;
      const request = { name: text, text, callback: work, options, mode, frame: current() };
      this.#start(request, { resolve, reject }, this.hold);
    });
  }

  /** @param {Request} request @param {Settle} settle @param {Function} called the function that is running */
  #start(request, settle, called) {
    const grant = this.#take(request);
    if (grant === undefined) this.#ask(request, settle, siteOf(called));
    else SETTLED.then(() => this.#begin(request, grant, settle));
  }

  /** Takes a lock in the shared memory, if it is known where and nobody else wants it. @param {Request} request */
  #take(request) {
    const { text, options, mode, frame } = request;
    if (mode !== "exclusive" || options.steal || options.limit !== undefined) return undefined;
    const place = this.#quick?.placeOf(text);
    if (place === undefined || frame.scope?.error !== undefined) return undefined;
    const token = /** @type {any} */ (this.#quick).take(text, place, frame);
    return token === 0 ? undefined : this.#granted(request, token, place);
  }

  /** @param {Request} request @param {Settle} settle @param {{ stack?: unknown }} site */
  #ask(request, settle, site) {
    const { text, options, frame } = request;
    const { signal, ...how } = options;
    const ask = { op: "lock", name: text, ...how };
    // What the program follows is followed from here into the callback.
    const answered = new Promise((resolve, reject) => {
      /** @param {() => void} then */
      const ended = (then) => {
        this.#quick?.count(text, -1);
        then();
      };
      this.#port.ask(
        ask,
        { frame, signal },
        ({ reply }) => ended(() => resolve(this.#answered(request, reply))),
        (error) => ended(() => reject(pointAt(error, site))),
      );
      this.#quick?.count(text, 1);
    });
    answered.then((grant) => this.#begin(request, grant, settle), settle.reject);
  }

  /** @param {Request} request @param {import("./port").Reply} reply */
  #answered(request, { is, token, place }) {
    if (is !== "granted") return undefined;
    const found = Array.isArray(place) ? { place: place[0], generation: place[1] } : undefined;
    if (found !== undefined) this.#quick?.learn(request.text, found);
    return this.#granted(request, token, found);
  }

  /** @param {Request} request @param {number} token @param {import("./grant").Place | undefined} place */
  #granted(request, token, place) {
    const grant = new Grant(request, token, place, this.#port);
    this.#port.held.set(token, grant);
    request.frame.scope?.live.add(grant);
    return grant;
  }

  /** @param {Request} request @param {AGrant | undefined} grant none: the lock is not available @param {Settle} settle */
  #begin(request, grant, settle) {
    const { callback, options, frame } = request;
    const { signal } = options;
    const end = grant === undefined ? () => {} : () => this.#end(grant, frame);
    /** @type {(error: unknown) => void} */
    const fail = (error) => {
      end();
      settle.reject(error);
    };
    if (grant?.isOver) {
      fail(grant.error);
      return;
    }
    if (signal?.aborted || frame.scope?.error !== undefined) {
      fail(signal?.aborted ? reasonOf(signal) : frame.scope?.error);
      return;
    }
    if (grant !== undefined) grant.onLost = settle.reject;
    let result;
    try {
      result = within(frame, grant, callback, grant === undefined ? null : grant.lock);
    } catch (error) {
      fail(error);
      return;
    }
    /** @param {any} value */
    const succeed = (value) => {
      end();
      settle.resolve(value);
    };
    if (mayBePromise(result)) new Promise((resolve) => resolve(result)).then(succeed, fail);
    else succeed(result);
  }

  /** @param {AGrant} grant @param {Frame} frame */
  #end(grant, { scope }) {
    const { text, token, place, isOver } = grant;
    this.#port.held.delete(token);
    scope?.live.delete(grant);
    if (isOver) return;
    grant.isOver = true;
    if (place !== undefined && this.#quick?.giveBack(place, token)) return;
    this.#port.tell({ op: "unlock", name: text, token });
  }
}

/**
 * @param {unknown} name
 * @param {unknown} options
 * @param {unknown} callback
 * @returns {Request}
 */
function checked(name, options, callback) {
  const isShort = callback === undefined && typeof options === "function";
  const called = isShort ? options : callback;
  const given = isShort ? undefined : options;
  const text = textOf("locks.request: the name", name);
  checkFunction("locks.request: the callback", called);
  const known = /** @type {string} */ (name);
  const isPlain = given === undefined && !known.startsWith("-");
  const all = isPlain ? NO_OPTIONS : lockOptions(known, given);
  const frame = current();
  return {
    name: known,
    text,
    callback: /** @type {any} */ (called),
    options: all,
    mode: all.mode,
    frame,
  };
}

/** @param {any} value */
const mayBePromise = (value) =>
  value !== null && (typeof value === "object" || typeof value === "function");

/** @param {any} told */
function asInfo({ name, mode, clientId, worker, pid, event }) {
  const info = { name: nameOf(name), mode, clientId, pid };
  if (typeof worker === "number") Object.assign(info, { worker });
  if (typeof event === "number") Object.assign(info, { event });
  return info;
}

module.exports = { LockManager };
