"use strict";
// The connections to PostgreSQL that BullMQ's queues and workers share: it uses this as a `pg.Pool`. What they ask while the server is
// away waits until it is back, as with ioredis. BullMQ alone would fail then.

const { Set } = require("../shared/primordials");

/** Connections at once, besides one for each worker of BullMQ. */
const CONNECTIONS = 8;

class SharedPool {
  /**
   * @param {any} pg
   * @param {any} config of `pg.Client`
   * @param {(times: number, error: unknown) => Promise<void>} back resolves when a query that failed so many times may be tried again
   */
  constructor(pg, { connectionTimeoutMillis: time, ...config }, back) {
    this.back = back;
    /** @type {globalThis.Set<any>} */
    const all = new Set();
    this.all = all;
    // A limit of the pool's own would count how long somebody waits for a connection that others use.
    class Client extends pg.Client {
      constructor(/** @type {any} */ given) {
        super({ ...given, connectionTimeoutMillis: time });
        all.add(this);
        // Nobody hears of one that is lost while BullMQ has it.
        this.on("error", ignore);
        this.once("end", () => all.delete(this));
      }
    }
    this.pool = new pg.Pool({ ...config, Client, max: CONNECTIONS });
    this.pool.on("error", ignore);
    /** BullMQ looks for `keepAlive` here. */
    this.options = this.pool.options;
  }

  /** Each queue and worker of BullMQ listens for errors, and never ceases to. The pool mends them. */
  on() {
    return this;
  }

  /** A worker of BullMQ keeps a connection to itself. @param {1 | -1} change */
  reserve(change) {
    this.options.max += change;
  }

  /** @returns {Promise<any>} a connection of the caller's own, until it is released */
  connect() {
    return this.untilDone(() => this.pool.connect());
  }

  /** What was done although its connection was lost is done again, as with ioredis. @param {string} text @param {any[]} [values] @returns {Promise<any>} */
  query(text, values) {
    return this.untilDone(() => this.pool.query(text, values));
  }

  /** @param {() => Promise<any>} ask */
  async untilDone(ask) {
    for (let times = 1; ; times++) {
      try {
        return await ask();
      } catch (error) {
        if (!isOfConnection(error)) throw error;
        await this.back(times, error);
      }
    }
  }

  /** Ends all connections at once: whoever ends them well waits for answers. */
  cut() {
    for (const { connection } of this.all) connection.stream.destroy();
  }

  end() {
    const ended = this.pool.end();
    // One that is not back in the pool would keep the process.
    this.cut();
    return ended;
  }
}

const ignore = () => {};

/** The classes of PostgreSQL's codes that say that the connection is no more: it goes down, starts, or has too many. */
const GONE = /^(08...|57P0[123]|53300)$/;

/** @param {unknown} error */
function isOfConnection(error) {
  const { code, severity, message } = Object(error);
  if (severity !== undefined) return GONE.test(code);
  // What did not come from the server.
  return code !== undefined || /connection|terminated|timeout|closed/i.test(message);
}

module.exports = { SharedPool, isOfConnection };
