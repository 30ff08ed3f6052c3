"use strict";
// A pool over several machines, as this process has it: its own workers, the master at the broker, and the events of both. It stands in
// for a pool of this process's workers alone.

const { Broker } = require("./broker");
const { elapsed } = require("./clock");
const { Coordinator } = require("./coordinator");
const { EachWorker } = require("./each");
const { fingerprintOf } = require("./fingerprint");
const { Master, noHost } = require("./master");
const { OwnMember } = require("./members");
const { Marks, Seen, showDoing } = require("./seen");
const { Station } = require("./station");
const { SharedSpill } = require("./spill");
const { reserve } = require("./ids");
const { toldCall, toldOptions } = require("./told");
const { hostname } = require("os");
const { toldBy } = require("../master/batch");
const { hasDashboard } = require("../master/dashboard");
const { poolIsClosed } = require("../master/lasting");
const { poolEncoding } = require("../master/launch");
const { Tally } = require("../master/tally");
const { codecOf } = require("../shared/codec");
const { shared } = require("../shared/copies");
const { Map, Promise, Set, now, setInterval, clearInterval } = require("../shared/primordials");

/** @typedef {import("../shared/options").Options} Options */

/** Milliseconds between two looks whether there is anybody to run what waits. */
const BETWEEN = 200;

class ClusterPool {
  /**
   * @param {InstanceType<typeof import("../master/calls").Call>} call
   * @param {Options} options
   * @param {{ numWorkers: number, isCall: boolean, say: (text: string) => void }} how `isCall`: of a `MapReduce` or a `stream`, whose
   *   values cross as JSON
   */
  constructor(call, options, { numWorkers, isCall, say }) {
    const { cluster, serialization } = options;
    this.call = call;
    this.options = options;
    this.cluster = /** @type {import("../shared/broker-options").BrokerOptions} */ (cluster);
    this.numWorkers = numWorkers;
    /** Where flows write, if all hosts share that. */
    this.spill = options.sharedSpill ? new SharedSpill(options) : undefined;
    this.encoding = isCall ? serialization || "json" : poolEncoding(options);
    this.codec = codecOf(this.encoding);
    this.errors = new Map((options.errors || []).map((Class) => [Class.name, Class]));
    this.say = say;
    this.warn = warn;
    this.coordinator = new Coordinator();
    this.coordinator.onBroken = (error) => this.fail(error);
    this.tally = new Tally();
    this.eachWorker = new EachWorker(this);
    /** @type {any[]} */
    this.runs = [];
    this.holding = 0;
    /** @type {(() => void)[]} */
    this.waitingForEnd = [];
    this.isClosing = false;
    /** @type {{ error: unknown } | undefined} */
    this.failure = undefined;
    /** @type {Promise<never>} */
    this.failed = new Promise((_, reject) => {
      this.rejectFailed = reject;
    });
    this.failed.catch(() => {});
    /** @type {globalThis.Set<(error: unknown) => void>} */
    this.listeners = new Set();
    /** @type {Promise<void>} */
    this.closed = new Promise((resolve) => {
      this.hasClosed = resolve;
    });
    this.native = { poolWorkers: () => this.workers(), poolRecent: () => this.recent() };
    this.handle = undefined;
    /** Since when there has been nobody to run what waits. @type {number | undefined} */
    this.alone = undefined;
    /** @type {Error | undefined} */
    this.hostFailure = undefined;
    /** What a worker has said of the stages in the worker file, if there is one. */
    this.stages = "";
    /** Who shows it, if somebody does. @type {import("../master/dashboard").Observer | null} */
    this.observer = null;
    /** Whether hosts tell of their workers all the time. */
    this.isLive = hasDashboard(options);
    /** The record of all that it does, if it stays and somebody asks for that. @type {InstanceType<typeof Seen> | undefined} */
    this.seen = undefined;
    const { onStats, onProgress } = options;
    if (this.isLive) this.coordinator.watching.add(new Marks(this));
    const hasTimes = this.isLive || onStats !== undefined;
    if (!isCall && (hasTimes || onProgress !== undefined)) {
      const level = hasTimes ? "times" : undefined;
      this.seen = new Seen(this.coordinator, { level, epoch: now(), isWatched: this.isLive });
    }
  }

  /** Starts the workers, and tells hosts. */
  async open() {
    const { cluster, call } = this;
    try {
      this.broker = new Broker(cluster, warn);
      await this.broker.open();
      this.broker.failed.catch((error) => this.fail(error));
      call.isClustered = this.broker.carriesLocks ? true : "no locks";
      this.fingerprint = fingerprintOf(this.program);
      if (this.numWorkers > 0) await this.openOwn();
      if (call.identity.file !== undefined) this.stages = await this.stagesInFile();
      const about = {
        name: `${hostname()} (process ${process.pid})`,
        fingerprint: this.fingerprint,
        call: toldCall(call),
        options: toldOptions(this.options),
        isLive: this.isLive,
        spill: this.spill === undefined ? null : this.spill.name,
      };
      this.master = new Master(this.broker, this.coordinator, about, this.say);
      this.master.onFailure = (error) => {
        this.hostFailure = error;
      };
      this.master.onBroken = (error) => this.fail(error);
      await Promise.race([this.master.begin(shared().lastId), this.broker.failed]);
      this.timer = setInterval(() => this.checkHosts(), BETWEEN);
      return this;
    } catch (error) {
      await this.shut();
      throw error;
    }
  }

  /** What hosts are to run: the program, or the worker file of this pool. */
  get program() {
    return this.call.identity.file || process.argv[1];
  }

  /** What a worker says of the stages in the worker file: one that is only asked, where this process has none. @returns {Promise<string>} */
  async stagesInFile() {
    if (this.station !== undefined) return toldBy(this.station.pool);
    const { identity, title } = this.call;
    const asked = { identity, title, wanted: () => this.call.wanted(false), end() {} };
    const station = new Station(1, asked, withoutCluster(this.options));
    try {
      await station.ready();
      return await toldBy(station.pool);
    } finally {
      await station.end();
    }
  }

  async openOwn() {
    const station = new Station(this.numWorkers, this.call, withoutCluster(this.options));
    this.station = station;
    station.pool.failed.catch((error) => this.fail(error));
    await station.ready();
    for (const at of station.pool.launch.groups.keys())
      this.coordinator.join(new OwnMember(this.coordinator, station, at));
  }

  /** What waits for hosts must not wait forever, and people see what workers run. */
  checkHosts() {
    const { coordinator, cluster } = this;
    showDoing(coordinator);
    if (coordinator.places > 0 || coordinator.events.size === 0) this.alone = undefined;
    else if (this.alone === undefined) this.alone = elapsed();
    else if (this.hostFailure !== undefined && elapsed() - this.alone > cluster.lease)
      this.fail(this.hostFailure);
    else if (elapsed() - this.alone > cluster.timeout) this.fail(this.nobody());
    if (coordinator.places > 0) coordinator.unserved.fail(cluster.timeout);
  }

  nobody() {
    const { refused } = /** @type {InstanceType<typeof Master>} */ (this.master);
    const others = [...refused].join("; ");
    const why =
      others === ""
        ? ""
        : `. Hosts were refused that run another program: ${others}; this one is ${this.fingerprint}`;
    return noHost(
      `no host has been there for ${this.cluster.timeout} ms, which is cluster.timeout, to run ${this.call.title}: start one with ` +
        `npx sonic-distribute host ${this.program}, with the same broker and prefix${why}`,
    );
  }

  /** The ids of the workers of all hosts that are there. */
  get ids() {
    return [...this.coordinator.members.values()].flatMap(({ workers }) =>
      workers.map(([id]) => id),
    );
  }

  /** Those of all hosts: what is not told of one is null. @returns {any[]} */
  allWorkers() {
    const hosts = this.master === undefined ? [] : this.master.hosts();
    return [...this.workers(), ...hosts.flatMap((host) => host.rows())];
  }

  /** The hosts that there are, and those that were lost or have left, as people see them. */
  hosts() {
    return this.master === undefined ? [] : this.master.shown();
  }

  /** The workers of this process. */
  workers() {
    if (this.station === undefined) return [];
    const { native, handle } = this.station.pool;
    return native.poolWorkers(handle);
  }

  /** @param {number} id of one of these workers @returns {string[]} */
  tagsOf(id) {
    return this.station === undefined ? [] : this.station.pool.tagsOf(id);
  }

  /** How many events run at once. */
  get places() {
    return this.coordinator.places;
  }

  hold() {
    this.holding++;
  }

  letGo() {
    if (--this.holding > 0) return;
    for (const resolve of this.waitingForEnd.splice(0)) resolve();
  }

  /** @param {any} run that is over */
  leave(run) {
    const at = this.runs.indexOf(run);
    if (at >= 0) this.runs.splice(at, 1);
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.rejectFailed(error);
    for (const listener of [...this.listeners]) listener(error);
    for (const run of [...this.runs]) run.stop(error);
  }

  /** @param {(error: unknown) => void} listener */
  onFailure(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Throws if it takes nothing in any more. */
  check() {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.isClosing) throw poolIsClosed();
  }

  /** Has so many workers in this process; those of hosts stay. @param {number} numWorkers */
  async resize(numWorkers) {
    const { broker, master, coordinator } = this;
    if (broker === undefined || master === undefined) return;
    const there = () => (this.station === undefined ? 0 : this.station.pool.ids.length);
    while (numWorkers > there()) {
      const more = numWorkers - there();
      const base = await reserve(broker, master.key, more, () => shared().lastId);
      this.check();
      // Others in this process may have had some meanwhile.
      if (base < shared().lastId) continue;
      shared().lastId = base;
      master.lastId = base + more;
      break;
    }
    this.numWorkers = numWorkers;
    await (this.station === undefined ? this.openOwn() : this.station.pool.resize(numWorkers));
    this.showOwn();
    coordinator.haveChanged();
  }

  /** Tells the records of workers that have come to this process; they know the others. */
  showOwn() {
    const { members, watching } = this.coordinator;
    for (const member of members.values())
      if (member instanceof OwnMember) for (const seen of watching) seen.joined(member);
  }

  /** @returns {import("../../index").RunStatistics} */
  statistics() {
    return this.seen === undefined
      ? { ...this.tally.statistics(0), workers: [] }
      : this.seen.statistics();
  }

  /** How long events of the last minute waited and ran, as JSON. */
  recent() {
    return this.seen === undefined ? "null" : this.seen.recent();
  }

  /** Takes nothing in any more, and resolves when all that it has is done. */
  async drain() {
    this.isClosing = true;
    if (this.holding > 0)
      await new Promise((resolve) => this.waitingForEnd.push(() => resolve(undefined)));
  }

  /** Leaves the broker, and releases the workers. */
  end() {
    this.isClosing = true;
    this.shut();
  }

  /** @returns {Promise<void>} */
  shut() {
    if (this.shutting === undefined) this.shutting = this.shutAll();
    return this.shutting;
  }

  async shutAll() {
    clearInterval(this.timer);
    if (this.observer !== null) this.observer.close();
    this.observer = null;
    if (this.seen !== undefined) this.seen.over();
    this.call.end();
    if (this.master !== undefined) await this.master.end();
    if (this.station !== undefined) await this.station.end();
    if (this.broker !== undefined) await this.broker.close();
    if (this.spill !== undefined) this.spill.remove();
    this.hasClosed();
  }
}

/** @param {string} text */
const warn = (text) => process.emitWarning(text, { code: "SONIC_CLUSTER" });

/** @param {Options} options */
function withoutCluster({ cluster, retries, taskTimeout, ...options }) {
  return options;
}

module.exports = { ClusterPool };
