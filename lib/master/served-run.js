"use strict";
// A map, run or stream of a client of a listening pool, as the pool's process serves it: the client is told when the pool has taken its
// events, and gets no more entries than it reads.

const { packedJson } = require("./connection");
const { mapAndDrain } = require("./pool-run");
const { HAS_DATA, HAS_FAILED, HAS_PLACE, HAS_RESPONSE, TO_CLIENT } = require("./protocol");
const { Reader } = require("./stream");
const { aborter } = require("../shared/abort");
const { argsOfText } = require("../shared/codec");
const { coded } = require("../shared/errors");
const { MAP_CHECKS, POOL_STREAM_CHECKS, checkOptions } = require("../shared/options");
const { hasOwn, ownOf } = require("../shared/own");
const { Promise, nextTick } = require("../shared/primordials");
const { WorkerQueue } = require("../shared/queue");
const { ROUTE_CHECKS, routingOf } = require("../shared/routing");

/** @typedef {InstanceType<typeof import("./served").Served>} Served */
/** @typedef {{ event: number, isOwn: any, routing: any, isWhole: any, value: any }} Event */

/** Tells the client which of its events the pool has taken. */
class Taking {
  /** @param {Served} served @param {number} id of the map or run */
  constructor(served, id) {
    this.served = served;
    this.id = id;
    this.count = 0;
  }

  /** @param {Event} event @param {Promise<void>} handedOver */
  async follow({ event, isOwn }, handedOver) {
    const told = [TO_CLIENT.TAKEN_ONE, this.id, event];
    try {
      await handedOver;
      if (isOwn) this.served.connection.send(told);
      else this.taken();
    } catch (error) {
      // For the others it is told once.
      if (isOwn) this.served.connection.send(told, this.served.plain(error));
    }
  }

  /** Those of one turn are told at once. */
  taken() {
    if (this.count++ > 0) return;
    nextTick(() => {
      this.served.connection.send([TO_CLIENT.TAKEN, this.id, this.count]);
      this.count = 0;
    });
  }
}

class ServedMap {
  /** @param {Served} served @param {any[]} message */
  constructor(served, message) {
    this.served = served;
    this.id = message[1];
    this.taking = new Taking(served, this.id);
    const { pool, classes } = served;
    const { work, options, args } = served.asked(message, MAP_CHECKS, "map");
    this.routing = routingOf(options);
    this.batch = new served.Batch(pool, work, ownOf(options, { abortGrace: 0, classes }), args);
    this.batch.isKept = true;
    this.isOver = false;
    // It goes on for as long as the client's iterable does.
    pool.hold();
  }

  /** @param {Event} event */
  add(event) {
    if (this.isOver) return;
    const { served } = this;
    const awaited = {
      data: event.value,
      site: undefined,
      resolve: (/** @type {any} */ value) => {
        if (!this.isOver) served.answer(event.event, value);
      },
      reject: (/** @type {unknown} */ error) => {
        if (!this.isOver) served.fail(event.event, error);
      },
    };
    this.taking.follow(event, this.handOver(awaited));
  }

  /** @param {import("./batch").Awaited} awaited */
  async handOver(awaited) {
    try {
      await this.batch.addWhenReady(awaited, this.routing);
    } catch (error) {
      this.break(error);
      throw error;
    }
  }

  endInput() {}
  hasRead() {}
  goOn() {}

  /** The client has all that it wants of it. */
  leave() {
    if (!this.end()) return;
    this.batch.isKept = false;
    this.batch.leave();
  }

  /** @param {unknown} error */
  stop(error) {
    if (this.end()) this.batch.stop(error);
  }

  /** It cannot go on. @param {unknown} error */
  break(error) {
    if (!this.end()) return;
    this.served.tellOfBreak(this.id, error);
    this.batch.stop(error);
  }

  /** The client is gone, and its batch abandoned. */
  over() {
    this.end();
  }

  async finish() {}

  /** Nobody is told of it any more. False if that is so already. */
  end() {
    if (this.isOver) return false;
    this.isOver = true;
    this.served.runs.delete(this.id);
    this.served.pool.letGo();
    return true;
  }
}

class ServedRun {
  /** @param {Served} served @param {any[]} message */
  constructor(served, message) {
    this.served = served;
    this.id = message[1];
    this.taking = new Taking(served, this.id);
    const { pool, parts } = served;
    const { work, options: asked, args } = served.asked(message, POOL_STREAM_CHECKS);
    const { signal, abort } = aborter();
    const { order = "completion" } = asked;
    const options = ownOf(asked, { signal, order, classes: served.classes });
    this.abort = abort;
    const { begin } = parts;
    const { run, end } = begin(pool, work, { options, args, site: {}, begin });
    this.run = run;
    this.run.owner = served;
    this.endRun = end;
    this.reader = new Reader(run, options);
    run.reader = this.reader;
    this.queue = WorkerQueue.ownerOf(run.workerQueue);
    /** The bytes of the entries that were sent and are not read. @type {number[]} */
    this.unread = [];
    this.bytes = 0;
    /** The rest is sent whether it is read or not. */
    this.isFinishing = false;
    /** Called when there may be room for an entry. */
    this.goOn = () => {};
    /** @type {Promise<void>} */
    const ended = new Promise((resolve) => {
      this.endInput = () => resolve();
    });
    // What a flow reduces in the master is reduced here.
    const own = args === undefined ? {} : argsOfText(pool.codec, args);
    const whole = mapAndDrain(pool, run, () => ended, own);
    this.reader.follow(Promise.race([whole, run.failed]));
    whole.catch(() => {});
    this.done = this.forward();
  }

  /** @param {Event} event */
  add(event) {
    this.taking.follow(event, this.handOver(event));
  }

  /** @param {Event} event */
  async handOver({ isWhole, routing, value }) {
    // Of one without data the client's program has been warned.
    const given = isWhole ? { data: undefined, ...Object(value) } : { data: value };
    const checked = routing === 0 ? undefined : checkOptions(routing, ROUTE_CHECKS);
    await this.queue.map(given, checked);
  }

  /** @param {any} count */
  hasRead(count) {
    for (let at = 0; at < count && this.unread.length > 0; at++)
      this.bytes -= this.unread.shift() || 0;
    this.goOn();
  }

  /** Whether the client is to read something first. */
  isFull() {
    const { most, mostBytes } = this.reader;
    if (this.isFinishing || this.served.isOver) return false;
    const isUnread = this.unread.length >= most || this.bytes >= mostBytes;
    return isUnread || this.served.connection.isClogged;
  }

  /** Sends all entries. */
  async forward() {
    const { reader, run, served } = this;
    try {
      for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
        this.sendEntry(entry);
        while (this.isFull()) {
          await new Promise((resolve) => {
            this.goOn = () => resolve(undefined);
          });
        }
      }
      served.connection.send([TO_CLIENT.DRAINED, this.id]);
    } catch (error) {
      served.tellOfBreak(this.id, error);
    } finally {
      if (run.isRunning) run.stop(notRead());
      run.onNews();
      this.endRun();
      served.runs.delete(this.id);
    }
  }

  /** @param {any} entry */
  sendEntry(entry) {
    const values = [];
    let flags = 0;
    if (hasOwn(entry, "data")) {
      flags |= HAS_DATA;
      values.push(this.served.packed(entry.data));
    }
    if (entry.failed) {
      flags |= HAS_FAILED;
      values.push(packedJson(entry.error));
    } else if (hasOwn(entry, "response")) {
      flags |= HAS_RESPONSE;
      values.push(this.served.packed(entry.response));
    }
    const place = entry.failed ? entry.node : entry.sink;
    if (place !== undefined) {
      flags |= HAS_PLACE;
      values.push(packedJson(place));
    }
    this.served.connection.send([TO_CLIENT.ENTRY, this.id, entry.id, flags], ...values);
    const bytes = values.reduce((sum, { size }) => sum + size, 0);
    this.unread.push(bytes);
    this.bytes += bytes;
    this.served.stateSoon();
  }

  /** The client wants nothing more of it. */
  leave() {
    this.run.abandon(notRead());
    this.goOn();
  }

  /** @param {unknown} error */
  stop(error) {
    this.abort(error);
    this.goOn();
  }

  /** @param {unknown} error */
  break(error) {
    this.stop(error);
  }

  /** The client is gone, and its run abandoned. */
  over() {
    this.goOn();
  }

  /** Resolves when all its entries were sent. */
  finish() {
    this.isFinishing = true;
    this.goOn();
    return this.done;
  }
}

const notRead = () => coded(Error, "ERR_SONIC_RUN_OVER", "Map: nobody reads the entries any more");

module.exports = { ServedMap, ServedRun };
