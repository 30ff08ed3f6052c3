"use strict";
// A pool that is another process's, as this process has it: one connection, over which calls, maps and runs go, and what was last heard
// of its workers. Idle, it does not keep this process alive.

const { packed, packedBytes } = require("./connection");
const { poolIsClosed } = require("./lasting");
const { TO_CLIENT, TO_POOL } = require("./protocol");
const { request } = require("./remote-run");
const { revive, reviveOther } = require("./revive");
const { checkData } = require("./batch");
const { codecOf } = require("../shared/codec");
const { coded } = require("../shared/errors");
const { JSON, Map, Promise, Set } = require("../shared/primordials");
const { pointAt } = require("../shared/stack");

/** @typedef {import("./batch").Awaited} Awaited */
/** @typedef {import("./work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {InstanceType<typeof import("./connection").Connection>} Connection */
/** @typedef {InstanceType<typeof import("./connection").Values>} Values */
/** @typedef {InstanceType<typeof import("./remote-run").RemoteBatch>} RemoteBatch */
/** @typedef {InstanceType<typeof import("./remote-run").RemoteRun>} RemoteRun */

/** The connections that are not closed. @type {globalThis.Set<RemotePool>} */
const open = new Set();

/** The program has nothing more to do: what is idle ends. */
function endIdle() {
  for (const pool of open) if (pool.holding === 0) pool.endIdle();
}

/** No work has been done yet. */
const NO_STATISTICS = { workers: [] };

class RemotePool {
  /**
   * @param {Connection} connection
   * @param {{ encoding: string, address: string, errors: Function[] }} about how values cross, where the pool listens, and the
   *   program's own classes of errors
   */
  constructor(connection, { encoding, address, errors }) {
    this.connection = connection;
    this.address = address;
    this.codec = codecOf(encoding);
    this.errors = new Map(errors.map((Class) => [Class.name, Class]));
    /** Maps and runs that are not over, as `close` stops them. @type {any[]} */
    this.runs = [];
    /** Those of which the pool's process has something, by their numbers. @type {globalThis.Map<number, RemoteBatch | RemoteRun>} */
    this.opened = new Map();
    /** What is to be answered, by its number. @type {globalThis.Map<number, Awaited & { work: Work }>} */
    this.awaited = new Map();
    this.lastId = 0;
    /** Work that keeps this process alive. */
    this.holding = 0;
    this.isClosing = false;
    /** The other side has said that all has ended. */
    this.hasEnded = false;
    /** Makes the error for which it cannot go on. @type {(() => unknown) | undefined} */
    this.failure = undefined;
    /** @type {globalThis.Set<(error: unknown) => void>} */
    this.listeners = new Set();
    /** @type {Promise<void>} */
    this.closed = new Promise((resolve) => {
      this.hasClosed = resolve;
    });
    /** @type {(() => void)[]} */
    this.waitingForEnd = [];
    /** @type {any[]} */
    this.workers = [];
    /** @type {any} */
    this.told = NO_STATISTICS;
    this.isLooking = false;
    /** In the place of the core. */
    this.native = { poolWorkers: () => this.look().workers };
    this.handle = undefined;
    /** See `namespace`. @type {InstanceType<typeof import("../shared/sync/namespace").Namespace> | undefined} */
    this.shared = undefined;
    if (open.size === 0) process.on("beforeExit", endIdle);
    open.add(this);
    connection.socket.unref();
  }

  /** @param {any[]} message @param {Values} values */
  hear(message, values) {
    const [kind, id] = message;
    const value = (/** @type {number} */ at) => values.value(message, at);
    switch (kind) {
      case TO_CLIENT.DONE: {
        const answer = value(2);
        this.settle(id, ({ resolve }) => resolve(answer));
        break;
      }
      case TO_CLIENT.EACH_DONE: {
        /** @type {any[]} */
        const results = [];
        for (let at = 2; at < message.length; at += 2) results.push(value(at));
        this.settle(id, ({ resolve }) => resolve(results));
        break;
      }
      case TO_CLIENT.FAILED:
        this.failed(message, value(5));
        break;
      case TO_CLIENT.ENTRY: {
        const entryValues = [];
        // Those of an entry that nobody wants are taken out of the frame too.
        for (let at = 4; at < message.length; at += 2) entryValues.push(value(at));
        const run = /** @type {RemoteRun | undefined} */ (this.opened.get(id));
        if (run !== undefined) run.hear(message[2], message[3], entryValues);
        break;
      }
      case TO_CLIENT.TAKEN:
        this.opened.get(id)?.sending.onTaken(message[2]);
        break;
      case TO_CLIENT.TAKEN_ONE: {
        const failure = message.length > 3 ? { error: this.errorOf(value(3)) } : undefined;
        this.opened.get(id)?.sending.onTakenOne(message[2], failure);
        break;
      }
      case TO_CLIENT.DRAINED:
        /** @type {RemoteRun | undefined} */ (this.opened.get(id))?.onDrained();
        break;
      case TO_CLIENT.BROKEN: {
        const error = this.errorOf(value(2));
        this.opened.get(id)?.break(error);
        break;
      }
      case TO_CLIENT.STATE:
        [, this.workers, this.told] = message;
        this.isLooking = false;
        break;
      case TO_CLIENT.CLOSING: {
        const plain = message.length > 1 ? value(1) : undefined;
        this.isClosing = true;
        if (plain !== undefined) this.fail(() => this.errorOf(plain));
        break;
      }
      case TO_CLIENT.CLOSED:
        this.hasEnded = true;
        break;
      case TO_CLIENT.TOLD: {
        const bytes = value(2);
        this.namespace.hear({ text: id, value: bytes });
        break;
      }
    }
  }

  /** The locks of the pool's program, and what else it shares. */
  get namespace() {
    if (this.shared === undefined) {
      const { Namespace } = require("../shared/sync/namespace");
      this.shared = new Namespace({
        isOwn: false,
        check: () => this.check(),
        send: (text, value) => this.connection.send([TO_POOL.ASK, text], packedBytes(value)),
        hold: (isHeld) => (isHeld ? this.hold() : this.letGo()),
      });
    }
    return this.shared;
  }

  /** An error that no event has failed by. @param {any} plain @param {Awaited["site"]} [site] */
  errorOf(plain, site) {
    return reviveOther(plain, site, this.errors);
  }

  /** @param {any[]} message @param {any} plain */
  failed([, id, attempts, worker, pid], plain) {
    this.settle(id, ({ data, site, work, reject }) => {
      if (attempts === 0) reject(this.errorOf(plain, site));
      else {
        const task = {
          work: work.name,
          data,
          attempts,
          worker,
          pid: pid === null ? undefined : pid,
        };
        reject(revive(plain, task, site, this.errors));
      }
    });
  }

  nextId() {
    return ++this.lastId;
  }

  /** Something is to be answered. @param {Work} work @param {Awaited} awaited @returns {number} its number */
  expect(work, { data, site, resolve, reject }) {
    const id = this.nextId();
    this.awaited.set(id, { data, site, resolve, reject, work });
    this.hold();
    return id;
  }

  /** It is answered. @param {number} id @param {(awaited: Awaited & { work: Work }) => void} how */
  settle(id, how) {
    const awaited = this.awaited.get(id);
    if (awaited === undefined) return;
    this.awaited.delete(id);
    how(awaited);
    this.letGo();
  }

  /** Sends a request. @param {Work} work @param {any} data @param {Awaited["site"]} site @param {(id: number) => void} send @returns {Promise<any>} */
  ask(work, data, site, send) {
    return new Promise((resolve, reject) => {
      send(this.expect(work, { data, site, resolve, reject }));
    });
  }

  /** @param {Work} work @param {any} data @param {{ options: Options, args: string | undefined, site: { stack?: unknown } }} given */
  async each(work, data, { options, args, site }) {
    checkData(data);
    const value = packed(this.codec, data, "data", "the data");
    let id = 0;
    const results = await this.ask(work, data, site, (number) => {
      id = number;
      this.connection.send(request(TO_POOL.EACH, id, work, options, args), value);
    });
    if (!options.keep) return results;
    return { results, dispose: () => this.connection.send([TO_POOL.DISPOSE, id]) };
  }

  /** @param {number} size */
  resize(size) {
    return this.ask(NO_WORK, undefined, undefined, (id) =>
      this.connection.send([TO_POOL.RESIZE, id, size]),
    );
  }

  /** What was heard last; asks for what there is now. */
  look() {
    if (!this.isLooking) this.connection.send([TO_POOL.LOOK]);
    this.isLooking = true;
    return this;
  }

  /** @param {number} id of a worker @returns {string[]} */
  tagsOf(id) {
    return [...this.workers.find((worker) => worker.id === id).tags];
  }

  /** @returns {import("../../index").RunStatistics} */
  statistics() {
    return copyOf(this.look().told);
  }

  hold() {
    if (this.holding++ === 0) this.connection.socket.ref();
  }

  letGo() {
    if (--this.holding > 0) return;
    this.connection.socket.unref();
    for (const resolve of this.waitingForEnd.splice(0)) resolve();
  }

  /** @param {any} run that is over */
  leave(run) {
    this.opened.delete(run.id);
    const at = this.runs.indexOf(run);
    if (at >= 0) this.runs.splice(at, 1);
  }

  /** Throws if it takes nothing in any more. */
  check() {
    if (this.failure !== undefined) throw this.failure();
    if (this.isClosing) throw poolIsClosed();
  }

  /** @param {(error: unknown) => void} listener */
  onFailure(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param {() => unknown} failure */
  fail(failure) {
    if (this.failure === undefined) this.failure = failure;
  }

  /** Takes nothing in any more, and resolves when all that it has is done. @returns {Promise<void>} */
  async drain() {
    this.isClosing = true;
    if (this.holding > 0)
      await new Promise((resolve) => this.waitingForEnd.push(() => resolve(undefined)));
  }

  /** Ends the connection of a program that has nothing more to do. Locks that it holds go with it, and nobody waits to hear of that. */
  endIdle() {
    this.shared = undefined;
    this.end();
  }

  /** Ends the connection. */
  end() {
    this.isClosing = true;
    this.hasEnded = true;
    this.connection.socket.ref();
    this.connection.close();
  }

  /** The connection is over. */
  over() {
    open.delete(this);
    if (open.size === 0) process.removeListener("beforeExit", endIdle);
    if (!this.hasEnded) this.fail(() => poolIsGone(this.address));
    this.isClosing = true;
    this.workers = [];
    const errorOf = this.failure || poolIsClosed;
    for (const id of [...this.awaited.keys()])
      this.settle(id, ({ site, reject }) => reject(pointAt(errorOf(), site)));
    for (const run of [...this.opened.values()]) run.break(errorOf());
    if (this.shared !== undefined) this.shared.port.break(errorOf);
    for (const listener of [...this.listeners]) listener(errorOf());
    this.hasClosed();
  }
}

/** @param {any} plain */
const copyOf = (plain) => JSON.parse(JSON.stringify(plain));

/** What asks for no stage. @type {Work} */
const NO_WORK = { name: "", stages: undefined, key: "", options: {} };

/** @param {string} address */
const poolIsGone = (address) =>
  coded(
    Error,
    "ERR_SONIC_POOL_GONE",
    `the process of the pool that listened on ${address} is gone: what it had begun may have been done, and nothing is sent ` +
      "again. Connect again with connectPool when it is back",
  );

module.exports = { RemotePool };
