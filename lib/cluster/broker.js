"use strict";
// This process's connection to the broker, and the names of all keys there. Waits while the broker is away, says so once, and gives up
// after a time. Knows nothing of events.

const { packages } = require("./load");
const { elapsed } = require("./clock");
const { watch } = require("./watch");
const { coded } = require("../shared/errors");
const { Promise, Set, clearTimeout, now, setTimeout } = require("../shared/primordials");

/** @typedef {import("../shared/broker-options").BrokerOptions} BrokerOptions */

/** The longest pause (ms) before the next attempt to connect, and the first. */
const LONGEST_PAUSE = 2000;
const FIRST_PAUSE = 50;

/** Milliseconds that the end of a connection may take. */
const LONGEST_CLOSE = 3000;

/** The oldest version of Redis. */
const OLDEST = [6, 2];

/** What the broker answers to the wrong user. */
const REFUSED = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)/;

/** Leases in which a job's lock ends, after which it can be fetched again: the host knows its own chunks. */
const LOCKS = 3;

/** Jobs are removed when they are done. */
const REMOVED = { removeOnComplete: true, removeOnFail: true };

class Broker {
  /** @param {BrokerOptions} options @param {(text: string) => void} say */
  constructor(options, say) {
    const { bullmq, Redis } = packages();
    this.options = options;
    this.say = say;
    this.bullmq = bullmq;
    this.client = new Redis(options.url, {
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      lazyConnect: true,
      maxRetriesPerRequest: null,
      retryStrategy: (/** @type {number} */ times) =>
        Math.min(FIRST_PAUSE * 2 ** Math.min(times, 10), LONGEST_PAUSE),
    });
    /** When it became available last. It may have lost its memory then. */
    this.since = elapsed();
    this.isReady = false;
    this.isClosed = false;
    /** Called when it is there again. @type {globalThis.Set<() => void>} */
    this.onBack = new Set();
    /** Rejects when it is given up. @type {Promise<never>} */
    this.failed = new Promise((_, reject) => {
      this.reject = reject;
    });
    this.failed.catch(() => {});
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    /** What was last wrong. */
    this.lastError = "";
    /** Queues and workers of BullMQ, to be closed with this. @type {globalThis.Set<any>} */
    this.opened = new Set();
    this.client.on("ready", () => this.hasCome());
    this.client.on("close", () => this.hasGone());
    this.client.on("error", (/** @type {any} */ error) => this.hear(error));
    this.unwatch = watch(this.client, options, (silence) => {
      this.lastError = `it has said nothing for ${Math.round(silence)} ms`;
    });
  }

  /** Connects, and checks that the broker keeps what it is given. */
  async open() {
    this.hasGone();
    this.client.connect().catch(() => {});
    // Those that are made after this one: where the first attempt of a lazy one fails, BullMQ gives it up.
    this.client.options.lazyConnect = false;
    const ready = new Promise((resolve) => this.onBack.add(() => resolve(undefined)));
    try {
      await Promise.race([ready, this.failed]);
      checkInfo(await Promise.race([this.client.info(), this.failed]), this.name);
    } catch (error) {
      const refusal = this.hear(error);
      await this.close();
      throw refusal || error;
    }
    this.onBack.clear();
    return this;
  }

  /** The broker as messages name it: without the password. */
  get name() {
    const { hostname, port } = new URL(this.options.url);
    return `the broker at ${hostname}:${port || 6379}`;
  }

  /** What the client or a command says. @param {any} error @returns {Error | undefined} that this process is refused */
  hear(error) {
    this.lastError = String(Object(error).message || error);
    if (!REFUSED.test(this.lastError)) return undefined;
    return this.fail(
      `${this.name} refuses this process: ${this.lastError}. Check the user and the password in the URL, and that the user may use ` +
        `the keys ${this.options.prefix}:* and the channels ${this.options.prefix}:*`,
    );
  }

  hasCome() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isReady = true;
    this.since = elapsed();
    if (this.hasSaid) this.say(`${this.name} is there again`);
    this.hasSaid = false;
    for (const listener of [...this.onBack]) listener();
  }

  hasGone() {
    this.isReady = false;
    if (this.timer !== undefined || this.isClosed) return;
    const { timeout } = this.options;
    const isFirst = this.client.status === "wait";
    const soon = setTimeout(
      () => {
        this.hasSaid = true;
        this.say(`${this.name} is away: waits for it, for at most ${timeout} ms`);
        this.timer = setTimeout(() => this.giveUp(), Math.max(timeout - SAY_AFTER, 0));
      },
      Math.min(isFirst ? SAY_AFTER : 0, timeout),
    );
    this.timer = soon;
  }

  giveUp() {
    const last = this.lastError === "" ? "" : ` (${this.lastError})`;
    this.fail(
      `${this.name} has been away for ${this.options.timeout} ms, which is cluster.timeout${last}: start it, or correct the URL`,
    );
  }

  /** @param {string} message @returns {Error} */
  fail(message) {
    const error = coded(Error, "ERR_SONIC_BROKER", message);
    if (!this.isClosed) this.reject(error);
    return error;
  }

  /** Sends commands together. Throws if one is refused: a pipeline itself does not. @param {any} pipeline @returns {Promise<any[]>} their answers */
  async exec(pipeline) {
    const answers = /** @type {[unknown, any][]} */ (await pipeline.exec());
    const failed = answers.find(([error]) => error !== null);
    if (failed === undefined) return answers.map(([, value]) => value);
    throw this.hear(failed[0]) || failed[0];
  }

  /** A key of this package. @param {string[]} parts */
  key(...parts) {
    return [this.options.prefix, ...parts].join(":");
  }

  /** What queues begin with. */
  get queuePrefix() {
    return this.key("q");
  }

  /** @param {string} name */
  queue(name) {
    const queue = new this.bullmq.Queue(name, {
      connection: this.client,
      prefix: this.queuePrefix,
      defaultJobOptions: REMOVED,
      streams: { events: { maxLen: 0 } },
    });
    queue.on("error", ignore);
    this.opened.add(queue);
    return queue;
  }

  /**
   * Takes the jobs of a queue.
   * @param {string} name
   * @param {number} concurrency
   * @param {(job: any) => Promise<void>} take
   */
  worker(name, concurrency, take) {
    const { lease } = this.options;
    const worker = new this.bullmq.Worker(name, take, {
      connection: this.client,
      prefix: this.queuePrefix,
      concurrency,
      autorun: false,
      // What a connection has lost on its way comes again: those who take it know what they have.
      maxStalledCount: 2 ** 31 - 1,
      lockDuration: LOCKS * lease,
      stalledInterval: lease,
      runRetryDelay: FIRST_PAUSE,
      drainDelay: 2,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on("error", ignore);
    this.opened.add(worker);
    worker.run().catch((/** @type {any} */ error) => {
      if (this.opened.has(worker))
        this.fail(`${this.name} gives no jobs: ${Object(error).message}`);
    });
    return worker;
  }

  /** The broker's time (ms): the one clock that all machines share. */
  async time() {
    const [seconds, microseconds] = await this.client.time();
    return seconds * 1000 + Math.floor(microseconds / 1000);
  }

  /** Notes queues, for whoever cleans up after their master. @param {string[]} names */
  async note(names) {
    await this.client.zadd(this.key("queues"), ...names.flatMap((name) => [now(), name]));
  }

  /** @param {any} opened a queue or a worker */
  async release(opened) {
    this.opened.delete(opened);
    await Promise.race([opened.close(true), limit(LONGEST_CLOSE)]).catch(ignore);
  }

  /** Removes a queue and all that is in it. @param {any} queue */
  async remove(queue) {
    const removed = async () => {
      await queue.obliterate({ force: true });
      await this.client.zrem(this.key("queues"), queue.name);
    };
    // Otherwise whoever cleans up next finds it.
    if (this.isReady)
      await Promise.race([removed(), this.failed, limit(LONGEST_CLOSE)]).catch(ignore);
    await this.release(queue);
  }

  async close() {
    if (this.isClosed) return;
    this.isClosed = true;
    this.unwatch();
    clearTimeout(this.timer);
    this.onBack.clear();
    await Promise.all([...this.opened].map((opened) => this.release(opened)));
    this.client.disconnect();
  }
}

/** Milliseconds after which the first attempt to connect is told of. */
const SAY_AFTER = 1000;

const ignore = () => {};

/** The same where nothing else is awaited than what this limits. @param {number} time */
const limit = (time) => new Promise((resolve) => setTimeout(resolve, time).unref());

/** @param {number} time */
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

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

module.exports = { Broker, limit, pause };
