"use strict";
// A host: this machine's workers of a program, which serve the masters that run it elsewhere, until it is told to end. Finds masters at
// the broker, and tells that it is there itself.

const { randomBytes } = require("crypto");
const { Broker, limit } = require("./broker");
const { elapsed } = require("./clock");
const { fingerprintOf } = require("./fingerprint");
const { Listener } = require("./listener");
const { Relay } = require("./lock-line");
const { BEATS, LONG, LONGEST_BEAT, VERSION } = require("./master");
const { Session } = require("./session");
const { removeLeft } = require("./spill");
const { plural } = require("../shared/plural");
const { JSON, Map, Promise, Set } = require("../shared/primordials");

/** @typedef {import("../shared/broker-options").BrokerOptions} BrokerOptions */

/**
 * @typedef {object} HostOptions
 * @property {string} program the path of the program, or of a pool's worker file
 * @property {string} name of this host
 * @property {number} numWorkers
 * @property {string[]} tags what events may need that come here
 * @property {boolean} isExclusive no other events come here
 * @property {number} [concurrency]
 * @property {string} [spillDir] where flows write, if all hosts share that
 * @property {BrokerOptions} cluster
 * @property {(text: string) => void} say prints a line
 */

class Host {
  /** @param {HostOptions} options */
  constructor({ cluster, say, ...own }) {
    const { program, name, numWorkers, tags, isExclusive, concurrency, spillDir } = own;
    this.id = randomBytes(9).toString("hex");
    this.name = name;
    this.program = program;
    this.numWorkers = numWorkers;
    this.tags = tags;
    this.isExclusive = isExclusive;
    this.concurrency = concurrency;
    this.spillDir = spillDir;
    this.say = say;
    this.fingerprint = fingerprintOf(program);
    this.broker = new Broker(cluster, say);
    this.listener = new Listener(this.broker);
    this.relay = new Relay();
    /** By the ids of their masters. @type {globalThis.Map<string, InstanceType<typeof Session>>} */
    this.sessions = new Map();
    /** The ends of sessions that clean up still. @type {globalThis.Set<Promise<void>>} */
    this.closing = new Set();
    /** Masters that it does not serve: they run another program, or it could not run theirs. @type {globalThis.Set<string>} */
    this.passed = new Set();
    /** @type {globalThis.Set<string>} */
    this.said = new Set();
    /** The highest id that a worker has had here. */
    this.lastId = 0;
    this.isEnding = false;
    /** When the broker may have lost its memory last. */
    this.doubtedAt = -Infinity;
    /** Queues of masters that were not there, and since when. @type {globalThis.Map<string, number>} */
    this.orphans = new Map();
    /** The masters that it has served and that are gone, by their ids: what they have said, and since when. @type {globalThis.Map<string, { about: any, since: number }>} */
    this.missed = new Map();
    /** When it has cleaned up last. */
    this.cleanedAt = 0;
    /** Ends the pause between two looks. @type {() => void} */
    this.wake = () => {};
  }

  get isInDoubt() {
    return elapsed() - this.doubtedAt < this.broker.options.lease;
  }

  /** Serves until it is told to end. Rejects if the broker is given up. */
  async serve() {
    const { broker } = this;
    await broker.open();
    broker.onBack.add(() => this.doubt());
    this.listener.listen(broker.key("news"), () => this.wake());
    await this.cleanUp();
    this.say(`ready: ${this.fingerprint}, ${plural(this.numWorkers, "worker")}, at ${broker.name}`);
    try {
      while (!this.isEnding) {
        await Promise.race([this.look(), broker.failed]);
        await this.pause();
      }
      await Promise.race([this.leaveAll(), broker.failed]);
    } finally {
      for (const session of this.sessions.values()) session.end(undefined);
      await Promise.all(this.closing);
      if (broker.isReady)
        await broker.within(broker.client.hdel(broker.key("hosts"), this.id)).catch(() => {});
      this.listener.close();
      await broker.close();
    }
  }

  /** What `hosts` lists. @param {number} at the broker's time */
  described(at) {
    const sessions = [...this.sessions.values()];
    return JSON.stringify({
      name: this.name,
      workers: this.numWorkers,
      tags: this.tags,
      running: sessions.reduce((sum, { running }) => sum + running, 0),
      serves: sessions.length,
      fingerprint: this.fingerprint,
      at,
      until: at + 2 * this.broker.options.lease,
    });
  }

  /** The hosts that have been there a moment ago, or those that have not. @param {InstanceType<typeof Broker>} broker */
  static async listed(broker, isThere = true) {
    const all = await broker.client.hgetall(broker.key("hosts"));
    const at = await broker.time();
    return Object.keys(all)
      .map((id) => ({ id, ...JSON.parse(all[id]) }))
      .filter(({ until }) => until > at === isThere);
  }

  /** Ends what it has begun, and takes nothing more. */
  end() {
    if (this.isEnding) return;
    this.isEnding = true;
    this.say("ends what it has begun");
    this.wake();
  }

  async leaveAll() {
    await Promise.all([...this.sessions.values()].map((session) => session.leave()));
  }

  doubt() {
    this.doubtedAt = elapsed();
    this.orphans.clear();
    for (const { about } of this.missed.values()) this.miss(about);
    for (const session of this.sessions.values()) session.mustSayAgain = true;
    this.wake();
  }

  /** @returns {Promise<void>} */
  async pause() {
    const { lease } = this.broker.options;
    const woken = new Promise((resolve) => {
      this.wake = () => resolve(undefined);
    });
    await Promise.race([woken, limit(Math.min(lease / BEATS, LONGEST_BEAT)), this.broker.failed]);
  }

  /** Tells that it is there, and sees what masters there are. */
  async look() {
    const { broker } = this;
    if (!broker.isReady) return;
    try {
      const masters = await this.beat();
      if (elapsed() - this.cleanedAt > broker.options.lease) await this.cleanUp();
      await this.meet(masters.filter((id) => !this.sessions.has(id) && !this.passed.has(id)));
    } catch (error) {
      if (broker.isReady) this.sayOnce(`${broker.name}: ${Object(error).message}`);
    }
  }

  /** @returns {Promise<string[]>} the ids of masters */
  async beat() {
    const { broker } = this;
    const { lease } = broker.options;
    const sessions = [...this.sessions.values()].filter(({ worker }) => worker !== undefined);
    const at = await broker.time();
    const pipeline = broker.client.pipeline();
    const hosts = broker.key("hosts");
    pipeline.hset(hosts, this.id, this.described(at)).pexpire(hosts, LONG * lease);
    pipeline.zrange(broker.key("masters"), 0, -1);
    for (const { key, id, presence, shown } of sessions) {
      pipeline.set(presence, shown, "PX", lease, "XX");
      pipeline.exists(key).hkeys(`${key}:runs`).hget(`${key}:acks`, id);
    }
    const known = sessions.map(({ runs }) => new Set(runs.keys()));
    const answers = await broker.exec(pipeline);
    const masters = answers[2];
    const told = sessions.map((session, at) => ({
      session,
      told: answers.slice(3 + 4 * at, 7 + 4 * at),
    }));
    const vanished = told.filter(({ session, told: [kept] }) => kept === null && !session.isOver);
    if (vanished.length > 0) this.doubt();
    for (const [at, { session, told: one }] of told.entries()) {
      const [, isThere, runs, acknowledged] = one;
      const about = { isThere: isThere === 1, runs, acknowledged: Number(acknowledged) };
      session.follow(about, known[at]);
    }
    for (const { session } of vanished)
      if (!session.isOver) await broker.client.set(session.presence, session.shown, "PX", lease);
    return masters;
  }

  /** Sees whether it can serve masters. @param {string[]} ids */
  async meet(ids) {
    const { client } = this.broker;
    for (const id of ids) {
      const text = await client.get(this.broker.key("m", id));
      // It is gone.
      if (text === null) await client.zrem(this.broker.key("masters"), id);
      else if (!this.isEnding) await this.consider(id, JSON.parse(text));
    }
  }

  /** @param {string} id of a master @param {any} about what it says of itself */
  async consider(id, about) {
    if (about.version === VERSION && about.fingerprint === this.fingerprint) {
      this.say(`serves ${about.call.title} of ${about.name}`);
      const session = new Session(this, about);
      this.sessions.set(id, session);
      session.begin().catch((error) => session.fail(error));
      return;
    }
    this.passed.add(id);
    this.say(
      `refused: ${about.name} runs another program: ${about.fingerprint}; here is ${this.fingerprint}. Start this host with the ` +
        "master's program, and the same version of this package",
    );
    const queue = this.broker.queue(`${id}.results`);
    await this.broker.add(queue, "refused", { name: this.name, fingerprint: this.fingerprint });
    await this.broker.release(queue);
  }

  /** @param {InstanceType<typeof Session>} session that is over */
  leave(session) {
    if (this.sessions.get(session.master) === session) this.sessions.delete(session.master);
  }

  /** @param {Promise<void>} ended that a session has cleaned up: this host does not end before */
  follow(ended) {
    this.closing.add(ended);
    const isOver = () => this.closing.delete(ended);
    ended.then(isOver, isOver);
  }

  /** A master is gone, but may have been silent for too long only. @param {any} about what it has said of itself */
  miss(about) {
    this.missed.set(about.id, { about, since: elapsed() });
  }

  /** @param {InstanceType<typeof Session>} session whose workers could not run the program */
  hasFailed(session) {
    this.passed.add(session.master);
  }

  /** Removes what masters have left that have been gone for so long that all others have seen it. */
  async cleanUp() {
    const { broker, orphans } = this;
    const { lease } = broker.options;
    this.cleanedAt = elapsed();
    if (this.isInDoubt) return;
    await this.cleanLists();
    await this.cleanFolders();
    for (const name of await broker.client.zrange(broker.key("queues"), 0, -1)) {
      const [id] = name.split(".");
      const isThere =
        this.sessions.has(id) || (await broker.client.exists(broker.key("m", id))) === 1;
      if (isThere) orphans.delete(name);
      else if (!orphans.has(name)) orphans.set(name, elapsed());
      else if (elapsed() - Number(orphans.get(name)) > 2 * lease) {
        orphans.delete(name);
        await broker.remove(broker.queue(name));
      }
    }
  }

  /** Strikes off masters and hosts that are gone. */
  async cleanLists() {
    const { client } = this.broker;
    for (const id of await client.zrange(this.broker.key("masters"), 0, -1)) {
      if ((await client.exists(this.broker.key("m", id))) === 1) continue;
      this.passed.delete(id);
      await client.zrem(this.broker.key("masters"), id);
    }
    const gone = await Host.listed(this.broker, false);
    if (gone.length > 0) await client.hdel(this.broker.key("hosts"), ...gone.map(({ id }) => id));
  }

  /** Removes what flows of masters have written, unless these have come back. */
  async cleanFolders() {
    const { client, options } = this.broker;
    for (const [id, { about, since }] of this.missed) {
      const isBack = this.sessions.has(id) || (await client.exists(this.broker.key("m", id))) === 1;
      if (!isBack && elapsed() - since <= 2 * options.lease) continue;
      this.missed.delete(id);
      if (!isBack) removeLeft(this, about);
    }
  }

  /** @param {string} text */
  sayOnce(text) {
    if (this.said.has(text)) return;
    this.said.add(text);
    this.say(text);
  }
}

module.exports = { Host };
