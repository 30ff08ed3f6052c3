"use strict";
// A master at the broker: tells hosts of itself and of its runs, takes in their answers, and notices which of them are gone. What this
// means for events is the coordinator's business. At its end nothing of it stays there.

const { randomBytes } = require("crypto");
const { HostMember } = require("./members");
const { limit, pause } = require("./broker");
const { elapsed } = require("./clock");
const { LocksOfHosts } = require("./lock-line");
const { asError, coded } = require("../shared/errors");
const { JSON, Map, Promise, Set, now } = require("../shared/primordials");

/** @typedef {import("./station").Run} Run */
/** @typedef {InstanceType<typeof import("./broker").Broker>} Broker */
/** @typedef {InstanceType<typeof import("./coordinator").Coordinator>} Coordinator */

/** The version of what goes over the broker. */
const VERSION = 2;

/** Heartbeats in a lease. */
const BEATS = 8;

/** The longest pause (ms) between two. */
const LONGEST_BEAT = 500;

/** Leases after which what nobody renews is gone, other than leases themselves. */
const LONG = 20;

/** How many hosts are shown that are there no longer. */
const MOST_GONE = 20;

/** Milliseconds that hosts have to leave at the end. */
const LEAVING = 3000;

/** The fields of what hosts read of a master's runs: one is always there. */
const ALWAYS = "here";
const RUN = "run:";
const LOST = "lost:";

class Master {
  /**
   * @param {Broker} broker
   * @param {Coordinator} coordinator
   * @param {object} about what hosts are to know: the program, the call and the options of its workers
   * @param {(text: string) => void} say
   */
  constructor(broker, coordinator, about, say) {
    this.broker = broker;
    this.coordinator = coordinator;
    this.id = randomBytes(9).toString("hex");
    this.about = JSON.stringify({ ...about, version: VERSION, id: this.id });
    this.say = say;
    /** What was said. @type {Set<string>} */
    this.said = new Set();
    this.key = broker.key("m", this.id);
    this.locks = new LocksOfHosts(this);
    this.isEnding = false;
    /** The last hosts that were lost or have left, as people see them. @type {ReturnType<InstanceType<typeof HostMember>["shown"]>[]} */
    this.gone = [];
    /** The hosts that were given up. @type {Set<string>} */
    this.lost = new Set();
    /** What awaits that all answers were taken in that are there now. @type {Map<string, () => void>} */
    this.barriers = new Map();
    this.lastBarrier = 0;
    /** The fingerprints of hosts that run another program. @type {Set<string>} */
    this.refused = new Set();
    /** A host could not start its workers. @type {(error: Error) => void} */
    this.onFailure = () => {};
    /** What came cannot be taken in: nobody would wait for it any more. @type {(error: unknown) => void} */
    this.onBroken = () => {};
    /** The broker may have forgotten what it had. */
    this.isInDoubt = false;
    this.onBack = () => {
      this.isInDoubt = true;
    };
  }

  /** @param {string} host */
  queueName(host) {
    return `${this.id}.${host}`;
  }

  get lease() {
    return this.broker.options.lease;
  }

  get beat() {
    return Math.min(this.lease / BEATS, LONGEST_BEAT);
  }

  /** @param {number} ids the last id that a worker of this process has */
  async begin(ids) {
    this.lastId = ids;
    this.results = this.broker.queue(`${this.id}.results`);
    await this.locks.open();
    await this.announce();
    this.worker = this.broker.worker(`${this.id}.results`, 1, (what, told) =>
      this.hear(what, told).catch((error) => {
        if (!this.isEnding) this.onBroken(error);
      }),
    );
    this.broker.onBack.add(this.onBack);
    this.beating = this.live();
  }

  /** Writes all down that hosts read. */
  async announce() {
    const { client } = this.broker;
    const { key } = this;
    const runs = `${key}:runs`;
    const long = LONG * this.lease;
    const fields = [ALWAYS, "1"];
    for (const { run } of this.coordinator.runs.values())
      fields.push(`${RUN}${run.number}`, JSON.stringify(run));
    for (const host of this.lost) fields.push(`${LOST}${host}`, "1");
    const queues = [`${this.id}.results`, ...[...this.hosts()].map(({ id }) => this.queueName(id))];
    const pipeline = client.pipeline();
    pipeline.hset(runs, ...fields).pexpire(runs, long);
    pipeline.set(`${key}:ids`, this.lastId, "PX", long, "NX");
    pipeline.zadd(this.broker.key("queues"), ...queues.flatMap((name) => [now(), name]));
    pipeline.set(key, this.about, "PX", this.lease);
    pipeline.zadd(this.broker.key("masters"), now(), this.id);
    pipeline.pexpire(this.broker.key("masters"), long);
    this.nudge(pipeline);
    await this.broker.exec(pipeline);
  }

  /** Has hosts look at once. @param {any} pipeline */
  nudge(pipeline = this.broker.client) {
    return pipeline.publish(this.broker.key("news"), this.id);
  }

  /** @returns {InstanceType<typeof HostMember>[]} */
  hosts() {
    const members = [...this.coordinator.members.values()];
    return /** @type {any[]} */ (members.filter((member) => member instanceof HostMember));
  }

  /** @param {Run} run that begins */
  tellOf(run) {
    const { client } = this.broker;
    client.hset(`${this.key}:runs`, `${RUN}${run.number}`, JSON.stringify(run)).catch(ignore);
  }

  /** @param {Run} run that is over */
  tellOfEnd(run) {
    const pipeline = this.broker.client.pipeline();
    pipeline.hdel(`${this.key}:runs`, `${RUN}${run.number}`);
    this.nudge(pipeline);
    pipeline.exec().catch(ignore);
  }

  /** Tells that it is there, and sees who else is, until the end. */
  async live() {
    while (!this.isEnding) {
      try {
        await this.look();
      } catch (error) {
        if (!this.isEnding) this.sayOnce(`${this.broker.name}: ${Object(error).message}`);
      }
      await limit(this.beat);
    }
  }

  async look() {
    const { client } = this.broker;
    if (!this.broker.isReady) return;
    const hosts = this.hosts();
    const long = LONG * this.lease;
    const acks = `${this.key}:acks`;
    const pipeline = client.pipeline();
    pipeline.set(this.key, this.about, "PX", this.lease, "XX");
    pipeline.pexpire(`${this.key}:runs`, long).pexpire(`${this.key}:ids`, long);
    pipeline.zadd(this.broker.key("masters"), now(), this.id);
    if (hosts.length > 0) {
      pipeline.hset(acks, ...hosts.flatMap(({ id, acknowledged }) => [id, acknowledged]));
      pipeline.pexpire(acks, long);
    }
    for (const { id } of hosts) pipeline.get(this.broker.key("hs", id));
    const answers = await this.broker.exec(pipeline);
    if (this.isEnding) return;
    if (answers[0] === null || this.isInDoubt) await this.recover();
    const there = answers.slice(answers.length - hosts.length);
    for (const [at, host] of hosts.entries()) this.follow(host, there[at]);
  }

  /** The broker may have lost its memory: what was not answered is sent again. */
  async recover() {
    this.isInDoubt = false;
    this.coordinator.account.doubt();
    try {
      await this.announce();
    } catch (error) {
      this.isInDoubt = true;
      throw error;
    }
    for (const host of this.hosts()) {
      host.seen = elapsed();
      host.sendAgain();
    }
  }

  /** @param {InstanceType<typeof HostMember>} host @param {string | null} presence what it says; null if it is not there */
  follow(host, presence) {
    host.locks.look();
    host.isSilent = presence === null;
    if (presence !== null) {
      host.seen = elapsed();
      host.hearOf(presence);
    }
    // After the broker was away hosts have a lease's time to come back.
    else if (elapsed() - Math.max(host.seen, this.broker.since) >= this.lease) this.giveUp(host);
  }

  /** A host is gone: what it has not begun goes to others. @param {InstanceType<typeof HostMember>} host */
  async giveUp(host) {
    if (!host.isOpen && this.lost.has(host.id)) return;
    this.coordinator.close(host);
    this.lost.add(host.id);
    this.say(`the host ${host.name} is lost`);
    const { client } = this.broker;
    try {
      await client.hset(`${this.key}:runs`, `${LOST}${host.id}`, "1");
      const untouched = await this.untouched(host);
      // What it has answered until now counts.
      await this.barrier();
      if (!this.coordinator.members.has(host.id)) return;
      this.isGone(host, "lost");
      this.coordinator.giveUp(host.id, untouched, true);
      host.locks.end();
      await this.broker.remove(host.queue);
    } catch (error) {
      if (this.isEnding) return;
      this.sayOnce(`${this.broker.name}: ${Object(error).message}`);
      // It is tried again.
      this.lost.delete(host.id);
    }
  }

  /** The chunks of a host that it has not begun, and cannot begin any more. @param {InstanceType<typeof HostMember>} host @returns {Promise<Set<number>>} */
  async untouched(host) {
    await host.queue.pause();
    const chunks = this.coordinator.account.chunksOf(host.id);
    const jobs = await Promise.all(chunks.map((chunk) => host.queue.getJob(`c${chunk}`)));
    return new Set(chunks.filter((_, at) => jobs[at] && jobs[at].attemptsStarted === 0));
  }

  /** Resolves when all answers are taken in that are at the broker now. @returns {Promise<void>} */
  async barrier() {
    const id = String(++this.lastBarrier);
    const passed = new Promise((resolve) => this.barriers.set(id, () => resolve(undefined)));
    await this.broker.add(this.results, "barrier", { id });
    await Promise.race([passed, limit(this.lease)]);
    this.barriers.delete(id);
  }

  /** @param {string} what @param {any} told */
  async hear(what, told) {
    if (this.isEnding) return;
    const host = /** @type {InstanceType<typeof HostMember> | undefined} */ (
      this.coordinator.members.get(told.h)
    );
    switch (what) {
      case "join":
        if (host === undefined && !this.lost.has(told.h)) this.join(told);
        break;
      case "answers":
        if (host !== undefined) for (const one of host.inOrder(told)) this.take(host, one);
        break;
      case "leave":
        if (host !== undefined) this.leave(host);
        break;
      case "back":
        if (host !== undefined) this.coordinator.takeBack([told.c]);
        break;
      case "left":
        if (host !== undefined) await this.hasLeft(host);
        break;
      case "failed":
        if (host !== undefined) await this.hasLeft(host);
        this.say(`the host ${told.name} cannot run the program: ${told.error.message}`);
        this.onFailure(asError(told.error));
        break;
      case "refused":
        this.refused.add(told.fingerprint);
        this.say(
          `the host ${told.name} runs another program and takes no part: ${told.fingerprint}`,
        );
        break;
      case "barrier":
        this.barriers.get(told.id)?.();
        break;
    }
  }

  /** @param {any} told */
  join({ h: id, name, places, base, tags, isExclusive, workers = [], clock }) {
    const about = { id, name, places, base, tags, isExclusive, workers };
    const host = new HostMember(/** @type {any} */ (this), about);
    host.seen = elapsed();
    host.hear(clock);
    this.lastId = Math.max(/** @type {number} */ (this.lastId), base + places);
    this.coordinator.join(host);
    const has = tags.length === 0 ? "" : ` and the tags ${tags.join(", ")}`;
    this.say(`the host ${name} has joined, with ${places} places${has}`);
  }

  /** @param {InstanceType<typeof HostMember>} host @param {any} told */
  take(host, { a: answers, t: measured, x: exits }) {
    this.coordinator.measured(measured);
    this.coordinator.exited(exits);
    host.answered += answers.length;
    for (const answer of host.read(answers)) this.coordinator.answer(host.id, answer.chunk, answer);
  }

  /** A host takes nothing in any more: what it has not begun goes to others. @param {InstanceType<typeof HostMember>} host */
  async leave(host) {
    this.coordinator.close(host);
    try {
      this.coordinator.takeBack([...(await this.untouched(host))]);
    } catch (error) {
      if (!this.isEnding) this.sayOnce(`${this.broker.name}: ${Object(error).message}`);
    }
  }

  /** A host has answered all that it had begun. @param {InstanceType<typeof HostMember>} host */
  async hasLeft(host) {
    this.say(`the host ${host.name} has left`);
    this.lost.add(host.id);
    const untouched = await this.untouched(host);
    this.isGone(host, "left");
    this.coordinator.giveUp(host.id, untouched, false);
    host.locks.end();
    await this.broker.remove(host.queue);
  }

  /** Hosts as people see them. */
  shown() {
    return [...this.hosts().map((host) => host.shown()), ...this.gone];
  }

  /** @param {InstanceType<typeof HostMember>} host @param {"lost" | "left"} state */
  isGone(host, state) {
    for (const told of host.rest()) this.take(host, told);
    this.gone.unshift({ ...host.shown(), state, running: 0, events: 0 });
    this.gone.splice(MOST_GONE);
  }

  /** @param {string} text */
  sayOnce(text) {
    if (this.said.has(text)) return;
    this.said.add(text);
    this.say(text);
  }

  /** Removes all that is its own from the broker, once the hosts have left. */
  async end() {
    this.isEnding = true;
    this.broker.onBack.delete(this.onBack);
    const hosts = this.hosts();
    try {
      if (this.broker.isReady) await Promise.race([this.remove(hosts), this.broker.failed]);
    } catch (_) {
      // The broker is away: hosts clean up when this master's lease is over.
    }
    this.locks.end();
  }

  /** @param {InstanceType<typeof HostMember>[]} hosts */
  async remove(hosts) {
    await this.leaveAll(hosts);
    await this.broker.release(this.worker);
    for (const { queue } of hosts) await this.broker.remove(queue);
    await this.broker.remove(this.results);
    const names = ["", ":runs", ":acks", ":ids"].map((name) => this.key + name);
    await this.broker.client.del(...names);
  }

  /** @param {InstanceType<typeof HostMember>[]} hosts */
  async leaveAll(hosts) {
    const { client } = this.broker;
    const pipeline = client.pipeline();
    pipeline.del(this.key, `${this.key}:runs`).zrem(this.broker.key("masters"), this.id);
    this.nudge(pipeline);
    await pipeline.exec();
    const names = hosts.map(({ id }) => this.broker.key("hs", id));
    const until = elapsed() + LEAVING;
    while (names.length > 0 && elapsed() < until && (await client.exists(...names)) > 0)
      await pause(20);
  }
}

const ignore = () => {};

/** @param {string} what */
const noHost = (what) => coded(Error, "ERR_SONIC_NO_HOST", what);

module.exports = { ALWAYS, BEATS, LONG, LONGEST_BEAT, LOST, Master, RUN, VERSION, noHost };
