"use strict";
// This process's connection to the broker, and the names of all keys there. Waits while the broker is away, says so once, and gives up
// after a time. Knows nothing of events.

const { elapsed } = require("./clock");
const { OnPostgres, OnRedis } = require("./engines");
const { watch } = require("./watch");
const { isPostgres } = require("../shared/broker-options");
const { coded } = require("../shared/errors");
const { Promise, Set, clearTimeout, now, setTimeout } = require("../shared/primordials");

/** @typedef {import("../shared/broker-options").BrokerOptions} BrokerOptions */

/** Milliseconds that the end of a connection may take. */
const LONGEST_CLOSE = 3000;

/** Milliseconds after which a worker looks for jobs again, if that has failed. */
const RETRY = 50;

/** Leases in which a job's lock ends, after which it can be fetched again: the host knows its own chunks. */
const LOCKS = 3;

/** Milliseconds until a job is offered again that the broker has not taken. */
const PAUSE = 1000;

/** Jobs are removed when they are done. */
const REMOVED = { removeOnComplete: true, removeOnFail: true };

class Broker {
  /** @param {BrokerOptions} options @param {(text: string) => void} say */
  constructor(options, say) {
    this.options = options;
    this.say = say;
    this.engine = isPostgres(options.url) ? new OnPostgres(options) : new OnRedis(options);
    this.client = this.engine.client;
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
    /** It was told of that there is no memory for jobs. */
    this.hasSaidFull = false;
    /** Queues and workers of BullMQ, to be closed with this. @type {globalThis.Set<any>} */
    this.opened = new Set();
    this.client.on("ready", () => this.hasCome());
    this.client.on("close", () => this.hasGone());
    this.client.on("error", (/** @type {any} */ error) => this.hear(error));
    // PostgreSQL has limits of connections, and some are more than this process can have.
    this.client.once("held", (/** @type {any} */ { message }) =>
      say(`${this.name} is there, and gives no further connection: ${message}. Waits for one`),
    );
    this.unwatch = watch(this.client, options, (silence) => {
      this.lastError = `it has said nothing for ${Math.round(silence)} ms`;
    });
  }

  /** Connects, and checks that the broker keeps what it is given. */
  async open() {
    this.hasGone();
    this.engine.connect();
    const ready = new Promise((resolve) => this.onBack.add(() => resolve(undefined)));
    try {
      await Promise.race([ready, this.failed]);
      await Promise.race([this.engine.check(this.name), this.failed]);
    } catch (error) {
      const refusal = this.hear(error);
      await this.close();
      throw refusal || error;
    }
    this.onBack.clear();
    return this;
  }

  /** Whether it carries what is asked about locks: PostgreSQL's notices are too short. */
  get carriesLocks() {
    return !isPostgres(this.options.url);
  }

  /** The broker as messages name it: without the password. */
  get name() {
    const { hostname, port } = new URL(this.options.url);
    return `the broker at ${hostname}:${port || this.engine.port}`;
  }

  /** What the client or a command says. @param {any} error @returns {Error | undefined} that this process is refused */
  hear(error) {
    this.lastError = String(Object(error).message || error);
    if (!this.engine.isRefusal(error)) return undefined;
    return this.fail(
      `${this.name} refuses this process: ${this.lastError}. Check the user and the password in the URL, and that the user may use ` +
        this.engine.needs(this.options),
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

  /** @param {string} name */
  queue(name) {
    const queue = this.engine.queue(name, {
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
   * @param {(what: string, data: any) => Promise<void>} take
   */
  worker(name, concurrency, take) {
    const { lease } = this.options;
    const heard = (/** @type {any} */ job) => take(job.name, this.engine.read(job.data));
    const worker = this.engine.worker(name, heard, {
      concurrency,
      autorun: false,
      // What a connection has lost on its way comes again: those who take it know what they have.
      maxStalledCount: 2 ** 31 - 1,
      lockDuration: LOCKS * lease,
      stalledInterval: lease,
      runRetryDelay: RETRY,
      drainDelay: 2,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on("error", (/** @type {any} */ error) => this.hear(error));
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

  /**
   * Puts a job into a queue: again and again, where the broker has no memory for it. Resolves without that where the queue is released.
   * Rejects where the broker is given up.
   * @param {any} queue
   * @param {string} what
   * @param {any} data
   * @param {object} [options]
   */
  async add(queue, what, data, options) {
    const from = elapsed();
    while (this.opened.has(queue)) {
      try {
        await this.engine.add(queue, what, data, options);
        return;
      } catch (error) {
        if (!this.opened.has(queue)) return;
        this.refused(error, elapsed() - from);
      }
      await pause(PAUSE);
    }
  }

  /** A job was not taken. Throws if it never will be. @param {any} error @param {number} time for which it was offered */
  refused(error, time) {
    const refusal = this.hear(error);
    if (refusal !== undefined) throw refusal;
    const { timeout } = this.options;
    if (this.engine.isPermanent(error))
      throw this.fail(`${this.name} takes no jobs: ${this.lastError}`);
    if (time >= timeout)
      throw this.fail(
        `${this.name} has taken no jobs for ${timeout} ms, which is cluster.timeout: ${this.lastError}`,
      );
    if (!this.hasSaidFull)
      this.say(
        `${this.name} takes no jobs: ${this.lastError}. Waits for it, for at most ${timeout} ms`,
      );
    this.hasSaidFull = true;
  }

  /** Notes queues, for whoever cleans up after their master. @param {string[]} names */
  async note(names) {
    await this.client.zadd(this.key("queues"), ...names.flatMap((name) => [now(), name]));
  }

  /** @param {any} opened a queue or a worker */
  async release(opened) {
    this.opened.delete(opened);
    await Promise.race([this.engine.close(opened), limit(LONGEST_CLOSE)]).catch(ignore);
  }

  /** Removes a queue and all that is in it. @param {any} queue */
  async remove(queue) {
    const removed = async () => {
      // One that was made just now writes down what it is, which must not come after its removal.
      await queue.getVersion();
      await queue.obliterate({ force: true });
      await this.client.zrem(this.key("queues"), this.engine.nameOf(queue));
    };
    this.opened.delete(queue);
    // Otherwise whoever cleans up next finds it.
    if (this.isReady)
      await Promise.race([removed(), this.failed, limit(LONGEST_CLOSE)]).catch(ignore);
    await this.release(queue);
  }

  /** Resolves with what is asked of the broker, at the latest after a lease: it may go away meanwhile. @param {Promise<any>} asked */
  within(asked) {
    return Promise.race([asked, this.failed, limit(this.options.lease)]);
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

module.exports = { Broker, limit, pause };
