"use strict";
// The locks and what else the processes of one program share, as one process has them: over a port, and with shared memory where there
// is some.

const { Barrier } = require("./barrier");
const { Counters, NO_COUNTERS } = require("./counter");
const { Latch } = require("./latch");
const { Limiter } = require("./limiter");
const { LockManager } = require("./locks");
const { once } = require("./once");
const { Port } = require("./port");
const { Quick } = require("./quick");
const { Store } = require("./store");

/** @typedef {import("./quick").Core & import("./counter").Core} Core */

class Namespace {
  /** @param {import("./port").Wire} wire @param {Core} [core] none: no memory is shared */
  constructor(wire, core) {
    const port = new Port(wire);
    const locks = new LockManager(port, core === undefined ? undefined : new Quick(core));
    const counters = core === undefined ? NO_COUNTERS : new Counters(core);
    this.port = port;
    this.locks = {
      /** @param {any} name @param {any} options @param {any} [callback] */
      request: (name, options, callback) => locks.request(name, options, callback),
      query: () => locks.query(),
    };
    this.sync = {
      /** @param {unknown} name */
      counter: (name) => counters.of(name),
      /** @param {unknown} name @param {unknown} parties */
      barrier: (name, parties) => new Barrier(port, name, parties),
      /** @param {unknown} name @param {unknown} count */
      latch: (name, count) => new Latch(port, name, count),
      /** @param {unknown} name @param {unknown} fn @param {unknown} [options] */
      once: (name, fn, options) => once(port, name, fn, options),
      /** @param {unknown} name @param {unknown} options */
      limiter: (name, options) => new Limiter(port, name, options),
      /** @param {unknown} name */
      store: (name) => new Store(port, locks, name),
    };
  }

  /** @param {import("./port").Arrived} arrived */
  hear(arrived) {
    this.port.hear(arrived);
  }
}

module.exports = { Namespace };
