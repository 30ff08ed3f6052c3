"use strict";
// A host's part in one master's run or pool: its workers, the chunks that it takes, and what it has answered until the master has that.
// It is told what it is to run, and never runs a chunk twice.

const { randomBytes } = require("crypto");
const { pause } = require("./broker");
const { elapsed } = require("./clock");
const { Hops } = require("./hops");
const { reserve } = require("./ids");
const { LocksOfMaster, channelOf, packetOf } = require("./lock-line");
const { ALWAYS, LOST, RUN } = require("./master");
const { Station, sizeOf } = require("./station");
const { withFolder } = require("./spill");
const { callOf, optionsOf } = require("./told");
const { shared } = require("../shared/copies");
const { native } = require("../shared/native");
const { JSON, Map, Promise, Set, setTimeout } = require("../shared/primordials");

/** @typedef {import("./station").Run} Run */
/** @typedef {import("./station").Answer} Answer */
/** @typedef {{ chunk: number, lost: number, events: import("./station").Sent[], priority: number }} Chunk */

/** Milliseconds for which answers wait for others: after the last of a chunk, and before that. */
const TOGETHER = 2;
const LONGER = 20;

/** The most characters of answers that go together. */
const MOST_SIZE = 1 << 20;

/** Milliseconds between two looks for a run that the broker does not know. */
const BETWEEN = 50;

/** The most chunks at once for each place: one runs, and others are on their way, two of each priority at most. */
const CHUNKS = 16;

class Session {
  /**
   * @param {InstanceType<typeof import("./host").Host>} host
   * @param {any} about what the master says of itself
   */
  constructor(host, about) {
    this.host = host;
    this.broker = host.broker;
    this.about = about;
    this.master = about.id;
    /** This host for this master: another one after it was given up. */
    this.id = randomBytes(9).toString("hex");
    this.key = this.broker.key("m", this.master);
    this.presence = this.broker.key("hs", this.id);
    this.locks = new LocksOfMaster(this.broker, this.master, this.id);
    this.channel = channelOf(this.broker, this.id);
    /** @type {Map<number, Promise<Run | undefined>>} */
    this.runs = new Map();
    /** The chunks that have come, from the lowest on that may come again. @type {Set<number>} */
    this.seen = new Set();
    this.floor = 0;
    /** Chunks that go on: what ends each at once, and how many of its events have not ended. @type {Map<number, { end: () => void, left: number, all: number }>} */
    this.open = new Map();
    this.hops = new Hops(host, (number) => this.runOf(number));
    /** Answers that were not sent. @type {(Answer & { chunk: number })[]} */
    this.answers = [];
    this.size = 0;
    /** @type {Promise<void> | undefined} */
    this.flushing = undefined;
    /** When the next are sent. */
    this.due = Infinity;
    /** Resolves when what was sent is at the broker. @type {Promise<unknown>} */
    this.sending = Promise.resolve();
    /** What was sent and the master may not have, by number. @type {Map<number, any>} */
    this.unacknowledged = new Map();
    this.lastNumber = 0;
    this.isOver = false;
    this.isLeaving = false;
    this.hasFailed = false;
    /** What was said may be lost. */
    this.mustSayAgain = false;
    /** When answers were last acknowledged, or all said again. */
    this.heardAt = elapsed();
    /** When the master was last known to be there. */
    this.seenAt = elapsed();
  }

  /** What its presence says: of its workers, if the master shows them. */
  get shown() {
    return this.station?.shown(this.about.isLive) || this.master;
  }

  /** How many events its workers run. */
  get running() {
    return this.station === undefined ? 0 : this.station.running;
  }

  /** Starts the workers, and joins. */
  async begin() {
    const { host, about, broker } = this;
    const { numWorkers } = host;
    this.base = await reserve(broker, this.key, numWorkers, () => host.lastId);
    host.lastId = this.base + numWorkers;
    const options = withFolder(host, about, optionsOf(about.options));
    if (host.concurrency !== undefined) options.concurrency = host.concurrency;
    if (broker.carriesLocks)
      await host.listener.listen(this.channel, (text) => this.hearOfLocks(text));
    if (this.isOver) return;
    host.relay.add(this.locks, this.base, numWorkers);
    shared().lastId = this.base;
    const call = callOf(about.call, host.program, broker.carriesLocks);
    this.station = new Station(numWorkers, call, options);
    this.station.pool.failed.catch((error) => this.fail(error));
    await this.station.ready();
    if (this.isOver) return;
    // It may have ended meanwhile.
    if ((await broker.client.exists(this.key)) === 0) return this.end("the master has finished");
    const { places } = this.station;
    await broker.note([`${this.master}.results`, `${this.master}.${this.id}`]);
    this.results = broker.queue(`${this.master}.results`);
    await broker.client.set(this.presence, this.shown, "PX", broker.options.lease);
    // There was nothing to remove when it ended.
    if (this.isOver) return this.clean();
    this.worker = broker.worker(`${this.master}.${this.id}`, CHUNKS * places, (_, chunk) =>
      // What cannot be begun would never be answered.
      this.take(chunk).catch((error) => this.fail(error)),
    );
    await this.join();
  }

  join() {
    const station = /** @type {InstanceType<typeof Station>} */ (this.station);
    const { name, tags, isExclusive } = this.host;
    const told = { places: station.places, base: this.base, workers: station.workers() };
    return this.say("join", { name, tags, isExclusive, ...told, clock: native().clock() });
  }

  /** @param {string} what @param {object} [more] */
  say(what, more) {
    return this.broker.add(this.results, what, { h: this.id, ...more });
  }

  /**
   * Takes a chunk, and resolves when all of it is answered.
   * @param {{ r: number, l: number, n: number, f: number, e: import("./station").Sent[], p: number }} told
   * @returns {Promise<void>}
   */
  async take({ r: number, l: lost, n: chunk, f: floor, e: events, p: priority }) {
    if (this.isLeaving) return this.giveBack(chunk);
    if (this.isOver) return this.never();
    this.raise(floor);
    if (chunk < this.floor || this.seen.has(chunk)) return;
    this.seen.add(chunk);
    const run = await this.runOf(number);
    // It is over.
    if (run === undefined || this.isOver) return;
    const told = { chunk, lost, events, priority };
    await new Promise((resolve) => this.run(run, told, () => resolve(undefined)));
    await this.flushing;
    await this.sending;
  }

  /** Nothing is begun any more: others are to have it. @param {number} chunk */
  async giveBack(chunk) {
    if (!this.seen.has(chunk)) await this.say("back", { c: chunk });
    return this.never();
  }

  /** The job stays as it is, until its queue is removed. @returns {Promise<never>} */
  never = () => new Promise(() => {});

  /** @param {Run} run @param {Chunk} told @param {() => void} end is told when all of it is answered */
  run(run, { chunk, lost, events, priority }, end) {
    const open = { end, left: events.length, all: events.length };
    this.open.set(chunk, open);
    this.hops.learn(run);
    const station = /** @type {InstanceType<typeof Station>} */ (this.station);
    const hear = (/** @type {Answer} */ answer) => {
      open.left--;
      if (answer.text !== undefined || answer.told !== undefined)
        this.answer({ chunk, ...answer }, run, priority);
      if (open.left > 0) return;
      this.open.delete(chunk);
      // Nothing else ends soon that could go with it.
      if (this.open.size === 0) this.flush();
      else if (this.answers.length > 0) this.flushWithin(TOGETHER);
      end();
    };
    station.give(run, lost, events, hear, { priority });
  }

  /** Chunks before this one never come again. @param {number} floor */
  raise(floor) {
    if (floor <= this.floor) return;
    this.floor = floor;
    for (const chunk of this.seen) if (chunk < floor) this.seen.delete(chunk);
  }

  /** @param {number} number @returns {Promise<Run | undefined>} undefined if it is over */
  runOf(number) {
    const known = this.runs.get(number);
    if (known !== undefined) return known;
    const found = this.findRun(number);
    this.runs.set(number, found);
    found.then((run) => run === undefined && this.runs.delete(number)); // it may come yet
    return found;
  }

  /** @param {number} number */
  async findRun(number) {
    while (!this.isOver) {
      try {
        const [always, run] = await this.broker.client.hmget(
          `${this.key}:runs`,
          ALWAYS,
          `${RUN}${number}`,
        );
        if (run !== null) return /** @type {Run} */ (JSON.parse(run));
        if (always !== null) return undefined;
      } catch (_) {
        // The broker is away.
      }
      await pause(BETWEEN);
    }
    return undefined;
  }

  /** @param {Answer & { chunk: number }} answer @param {Run} run @param {number} priority */
  answer(answer, run, priority) {
    this.hops.note(run, priority, answer);
    this.answers.push(answer);
    this.size += sizeOf(answer);
    if (this.size >= MOST_SIZE) this.flush();
    else this.flushWithin(LONGER);
  }

  /** @param {number} time in milliseconds */
  flushWithin(time) {
    const due = elapsed() + time;
    if (this.flushing !== undefined && this.due <= due) return;
    this.due = due;
    this.flushing = new Promise((resolve) => setTimeout(resolve, time)).then(() => this.flush());
  }

  /** Sends the answers that there are. @returns {Promise<void>} */
  async flush() {
    this.flushing = undefined;
    if (this.answers.length === 0) return;
    const station = /** @type {InstanceType<typeof Station>} */ (this.station);
    const measured = station.measured();
    const kept = this.hops.keep(measured, station.places, this.open.values());
    const told = { q: ++this.lastNumber, a: this.answers, t: measured, x: station.exited() };
    [this.answers, this.size] = [[], 0];
    this.unacknowledged.set(told.q, told);
    this.sending = Promise.all([this.sending, this.send(told)]);
    const begun = kept.map(async ({ run, ...chunk }) => this.run(run, chunk, () => {}));
    Promise.all(begun).catch((error) => this.fail(error)); // the master takes them to be begun
    await this.sending;
  }

  /** The host ends where it fails. @param {any} told */
  send(told) {
    return this.say("answers", told).catch(() => {});
  }

  /** @param {string} text */
  hearOfLocks(text) {
    try {
      this.locks.hear(packetOf(text));
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * What the broker knows of the master now.
   * @param {{ isThere: boolean, runs: string[], acknowledged: number }} told
   * @param {ReadonlySet<number>} known the runs that were known before it was asked
   */
  follow({ isThere, runs, acknowledged }, known) {
    if (this.isOver || this.worker === undefined) return;
    this.locks.look();
    this.acknowledge(acknowledged);
    if (runs.includes(`${LOST}${this.id}`)) this.end("the master has given this host up");
    else if (!isThere) this.missed(runs);
    else {
      this.seenAt = elapsed();
      if (runs.includes(ALWAYS)) this.stopRuns(runs, known);
      const isLate = elapsed() - this.heardAt >= this.broker.options.lease;
      if (this.mustSayAgain || isLate) this.sayAgain();
    }
  }

  /** The master has answers up to this number. @param {number} acknowledged */
  acknowledge(acknowledged) {
    for (const number of this.unacknowledged.keys()) {
      if (number > acknowledged) break;
      this.unacknowledged.delete(number);
      this.heardAt = elapsed();
    }
    if (this.unacknowledged.size === 0) this.heardAt = elapsed();
  }

  /** The master is not there. @param {string[]} runs */
  missed(runs) {
    const { lease } = this.broker.options;
    // One that ends removes both, and one that is gone leaves what lasts longer.
    if (runs.length === 0 && !this.host.isInDoubt) this.end("the master has finished");
    else if (elapsed() - Math.max(this.seenAt, this.broker.since) >= lease)
      this.end("the master is gone");
  }

  /** @param {string[]} runs that go on @param {ReadonlySet<number>} known those that may be over */
  stopRuns(runs, known) {
    for (const number of known) {
      if (runs.includes(`${RUN}${number}`)) continue;
      this.runs.delete(number);
      this.hops.forget(number);
      /** @type {InstanceType<typeof Station>} */ (this.station).stop(number);
    }
  }

  /** The broker may have lost what was said: the master knows what it has. */
  sayAgain() {
    this.mustSayAgain = false;
    this.heardAt = elapsed();
    this.join().catch(() => {});
    for (const told of this.unacknowledged.values()) this.send(told);
  }

  /** The workers cannot run the program. @param {any} error */
  async fail(error) {
    if (this.isOver || this.hasFailed) return;
    this.hasFailed = true;
    const { name, message, stack, code } = Object(error);
    this.host.say(`cannot run the program: ${message}`);
    this.host.hasFailed(this);
    try {
      if (this.results === undefined) this.results = this.broker.queue(`${this.master}.results`);
      await this.say("failed", { name: this.host.name, error: { name, message, stack, code } });
    } catch (_) {
      // The master sees that this host is gone.
    }
    await this.end(undefined);
  }

  /** Ends all that it has begun, takes nothing more, and leaves. */
  async leave() {
    if (this.isOver || this.worker === undefined) return this.end(undefined);
    this.isLeaving = true;
    this.hops.close();
    this.worker.pause(true).catch(() => {});
    await this.say("leave");
    while (!this.isOver && (this.open.size > 0 || this.flushing !== undefined))
      await pause(BETWEEN);
    await this.flush();
    const until = elapsed() + this.broker.options.lease;
    while (!this.isOver && this.unacknowledged.size > 0 && elapsed() < until) await pause(BETWEEN);
    // What its workers hold is for others then.
    await /** @type {InstanceType<typeof Station>} */ (this.station).end();
    if (!this.isOver) await this.say("left");
    return this.end(undefined);
  }

  /** Stops what runs, and removes what is its own from the broker. @param {string | undefined} why */
  async end(why) {
    if (this.isOver) return this.ended;
    this.isOver = true;
    this.hops.close();
    if (why !== undefined) this.host.say(this.open.size > 0 ? `${why}: stops its events` : why);
    this.ended = this.close();
    this.host.follow(this.ended);
    return this.ended;
  }

  async close() {
    this.host.leave(this);
    if (this.station !== undefined) await this.station.end();
    this.host.relay.remove(this.locks);
    this.host.listener.leave(this.channel);
    for (const { end } of this.open.values()) end();
    try {
      if (this.worker !== undefined) await this.broker.release(this.worker);
      if (this.broker.isReady) await this.broker.within(this.clean());
    } catch (_) {
      // The broker is away: whoever cleans up next finds it.
    }
  }

  /** Removes what is its own from the broker, and what was said to a master that is gone. */
  async clean() {
    const { client } = this.broker;
    const isGone = (await client.exists(this.key)) === 0;
    if (isGone) {
      this.host.miss(this.about);
      await client.del(...["ids", "runs", "acks"].map((name) => `${this.key}:${name}`));
    }
    if (this.results === undefined) return;
    await this.broker.remove(this.broker.queue(`${this.master}.${this.id}`));
    await client.del(this.presence);
    await (isGone ? this.broker.remove(this.results) : this.broker.release(this.results));
  }
}

module.exports = { Session };
