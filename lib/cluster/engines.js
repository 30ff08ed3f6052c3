"use strict";
// What a broker runs on: its client, the queues and workers that BullMQ makes for it, and how jobs are kept there.

const { packages, postgresPackages } = require("./load");
const { PostgresClient } = require("./postgres");
const { coded } = require("../shared/errors");
const { JSON, Promise } = require("../shared/primordials");

/** @typedef {import("../shared/broker-options").BrokerOptions} BrokerOptions */

/** The longest pause (ms) before the next attempt to connect, and the first. */
const LONGEST_PAUSE = 2000;
const FIRST_PAUSE = 50;

/** The oldest version of Redis. */
const OLDEST = [6, 2];

/** What Redis answers to the wrong user. Scripts have it in the middle, or in words of their own. */
const REFUSED =
  /^(WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password)|\bNOPERM\b|user executing the script can't run/;

/** What it answers while it cannot do something that it will do later: it has no memory, starts, or hands over to another one. */
const LATER = /\b(OOM|BUSY|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF)\b/;

/** The classes of PostgreSQL's codes for the same: wrong user or password, no such database, no right. */
const REFUSED_CODES = /^(28...|3D000|42501)$/;

/** The classes of those that stay: a value that cannot be kept, a table that is not there or is another one. */
const PERMANENT_CODES = /^(0A|22|23|3F|42)...$/;

/** @param {number} times @returns {number} milliseconds */
const pauseBefore = (times) => Math.min(FIRST_PAUSE * 2 ** Math.min(times, 10), LONGEST_PAUSE);

/** Redis or Valkey. */
class OnRedis {
  /** @param {BrokerOptions} options */
  constructor(options) {
    const { bullmq, Redis } = packages();
    this.bullmq = bullmq;
    this.port = 6379;
    this.prefix = `${options.prefix}:q`;
    this.client = new Redis(options.url, {
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      lazyConnect: true,
      maxRetriesPerRequest: null,
      retryStrategy: pauseBefore,
    });
  }

  connect() {
    this.client.connect().catch(() => {});
    // Those that are made after this one: where the first attempt of a lazy one fails, BullMQ gives it up.
    this.client.options.lazyConnect = false;
  }

  /** Throws if it is unfit. @param {string} broker its name in messages */
  async check(broker) {
    checkInfo(await this.client.info(), broker);
  }

  /** @param {any} error */
  isRefusal(error) {
    return REFUSED.test(String(Object(error).message || error));
  }

  /** Whether the same would come of it again. @param {any} error */
  isPermanent(error) {
    const { name, message } = Object(error);
    return name === "ReplyError" && !LATER.test(message);
  }

  /** @param {BrokerOptions} options */
  needs({ prefix }) {
    const rights = `~${prefix}:* &${prefix}:* +@all -@dangerous +info`;
    return `the keys ${prefix}:* and the channels ${prefix}:*, and all commands that are needed (${rights})`;
  }

  /** @param {string} name @param {object} options */
  queue(name, options) {
    const { client: connection, prefix } = this;
    return new this.bullmq.Queue(name, { connection, prefix, ...options });
  }

  /** @param {string} name @param {(job: any) => Promise<void>} take @param {object} options */
  worker(name, take, options) {
    const { client: connection, prefix } = this;
    return new this.bullmq.Worker(name, take, { connection, prefix, ...options });
  }

  /** @param {any} opened a queue or a worker */
  close(opened) {
    return opened.close(true);
  }

  /** @param {any} queue */
  nameOf({ name }) {
    return name;
  }

  /** On the connection of the commands, and after them. @param {any} queue @param {string} what @param {any} data @param {object} [options] @returns {Promise<any>} */
  add(queue, what, data, options) {
    return queue.add(what, data, options);
  }

  /** @param {any} data */
  read(data) {
    return data;
  }
}

/**
 * Seconds for which a worker waits for a notification of PostgreSQL at most, as with Redis. BullMQ's own limit is an hour: so long would
 * it be until a lost one is noticed, and a wait that was not cancelled when its connection was lost would keep the process alive.
 */
const LONGEST_WAIT = 10;

class OnPostgres {
  /** @param {BrokerOptions} options */
  constructor({ url, tls, prefix }) {
    const { bullmq, pg } = postgresPackages();
    this.bullmq = bullmq;
    this.port = 5432;
    this.prefix = prefix;
    const config = { connectionString: url, ...(tls === undefined ? {} : { ssl: tls }) };
    /** @type {any} */
    this.client = new PostgresClient(pg, bullmq, config, pauseBefore);
    this.backend = (/** @type {any[]} */ ...given) => {
      const backend = bullmq.createPostgresBackend(...given);
      // The client has looked at the tables. BullMQ would for each queue, and one where that has failed would fail for ever.
      backend.connection.waitUntilReady = () => Promise.resolve();
      Object.defineProperty(backend, "maximumBlockTimeout", { value: LONGEST_WAIT });
      return backend;
    };
  }

  connect() {
    this.client.connect();
  }

  /** BullMQ has looked at its version. */
  async check() {}

  /** @param {any} error */
  isRefusal(error) {
    const { code, severity } = Object(error);
    return severity !== undefined && REFUSED_CODES.test(code);
  }

  /** @param {any} error */
  isPermanent(error) {
    const { code, severity } = Object(error);
    return severity !== undefined && PERMANENT_CODES.test(code);
  }

  needs() {
    return "the database, and its schemas bullmq and sonic_distribute, or may create them";
  }

  /** @param {string} name @param {object} options */
  queue(name, options) {
    const given = { ...this.client.shared(), ...options };
    return new this.bullmq.Queue(this.named(name), given, this.backend);
  }

  /** @param {string} name @param {(job: any) => Promise<void>} take @param {object} options */
  worker(name, take, options) {
    const given = { ...this.client.shared(), ...options };
    this.client.pool.reserve(1);
    return new this.bullmq.Worker(this.named(name), take, given, this.backend);
  }

  /** @param {any} opened a queue or a worker */
  async close(opened) {
    await opened.close(true);
    if (opened instanceof this.bullmq.Worker) this.client.pool.reserve(-1);
  }

  /** All queues of a database are in one place. @param {string} name */
  named(name) {
    return `${this.prefix}/${name}`;
  }

  /** @param {any} queue */
  nameOf({ name }) {
    return name.slice(this.prefix.length + 1);
  }

  /**
   * After the commands before it, which have a connection of their own: whoever takes the job finds what they wrote. As one text: `jsonb`
   * takes no null character and no half of a pair, which messages of errors may have.
   * @param {any} queue
   * @param {string} what
   * @param {any} data
   * @param {object} [options]
   */
  async add(queue, what, data, options) {
    const text = JSON.stringify(data);
    await this.client.done;
    return queue.add(what, { text }, options);
  }

  /** @param {any} data */
  read({ text }) {
    return JSON.parse(text);
  }
}

/** @param {string} info as the broker gives it @param {string} broker */
function checkInfo(info, broker) {
  const valueOf = (/** @type {string} */ name) =>
    (new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info) || [])[1];
  const version = valueOf("redis_version") || "0";
  const [major, minor = 0] = version.split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw unfit(`${broker} is Redis ${version}, and the oldest that works is ${OLDEST.join(".")}`);
  }
  const policy = valueOf("maxmemory_policy");
  if (policy === undefined || policy === "noeviction") return;
  throw unfit(
    `${broker} has the maxmemory-policy ${policy}, with which it forgets events when its memory is full: set it to noeviction`,
  );
}

/** @param {string} message */
const unfit = (message) => coded(Error, "ERR_SONIC_BROKER", message);

module.exports = { OnPostgres, OnRedis };
