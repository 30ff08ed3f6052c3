"use strict";
// Those that run a master's events, as its coordinator has them: its own workers, and a host behind the broker.

const { checked } = require("./checked");
const { elapsed } = require("./clock");
const { LocksOfHost } = require("./lock-line");
const { hasAll } = require("./routing");
const { native } = require("../shared/native");
const { JSON, Map } = require("../shared/primordials");

/** @typedef {import("./station").Run} Run */
/** @typedef {import("./coordinator").Event} Event */
/** @typedef {InstanceType<typeof import("./coordinator").Coordinator>} Coordinator */

/**
 * What a host says of a worker: how many events it runs, its bytes of memory, and an event that it runs, if that is known, and for how
 * long. All are numbers.
 * @typedef {[id: number, pid: number, running: number, memory: number, event: number, time: number]} Told
 */
const TOLD = 6;

/** A group of the master's own workers; all of them, where there are no groups. */
class OwnMember {
  /**
   * @param {Coordinator} coordinator
   * @param {InstanceType<typeof import("./station").Station>} station
   * @param {number} at the group's number
   */
  constructor(coordinator, station, at) {
    const { tags, exclusive } = station.pool.launch.groups[at];
    this.id = `own ${at}`;
    this.name = "of this process";
    /** @type {string | undefined} */
    this.host = undefined;
    this.base = 0;
    this.tags = tags;
    this.isExclusive = exclusive;
    this.isOpen = true;
    this.coordinator = coordinator;
    this.station = station;
    this.at = at;
  }

  get places() {
    return this.station.placesOf(this.at);
  }

  /** The first group has those of all. */
  get workers() {
    return this.at === 0 ? this.station.workers() : [];
  }

  /** @param {number} chunk @param {Run} run @param {number} lost @param {Event[]} events */
  send(chunk, run, lost, events) {
    let left = events.length;
    const [{ tags, priority }] = events;
    const answer = (/** @type {import("./station").Answer} */ how) => {
      if (--left === 0) this.coordinator.measured(this.station.measured());
      this.coordinator.exited(this.station.exited());
      this.coordinator.answer(this.id, chunk, how);
    };
    this.station.give(run, lost, events.map(sent), answer, { tags, priority });
  }

  begin() {}

  /** The first group tells of all. */
  doing() {
    return this.at === 0 ? this.station.doing() : [];
  }

  /** The first group runs it in all of them. @param {string[]} tags */
  runsEach(tags) {
    const { groups } = this.station.pool.launch;
    return this.at === 0 && groups.some((group) => hasAll(group, tags));
  }

  /** @param {Run} run */
  stop({ number }) {
    this.station.stop(number);
  }
}

/** A host: its chunks are jobs of a queue that it alone takes from. */
class HostMember {
  /**
   * @param {InstanceType<typeof import("./master").Master>} master
   * @param {{ id: string, name: string, places: number, base: number, tags: string[], isExclusive: boolean,
   *   workers: [number, number][] }} told what the host
   *   says of itself
   */
  constructor(master, { id, name, places, base, tags, isExclusive, workers }) {
    this.master = master;
    this.id = id;
    this.name = name;
    this.places = places;
    this.base = base;
    this.tags = tags;
    this.isExclusive = isExclusive;
    this.workers = workers;
    this.isOpen = true;
    /** From the clock of its answers to that of this process: never less, because an answer takes its time to come. */
    this.offset = Infinity;
    /** Whether its lease is over. */
    this.isSilent = false;
    /** How many events it has answered. */
    this.answered = 0;
    /** What it has said last of its workers, and when. @type {Told[] | undefined} */
    this.told = undefined;
    this.toldAt = 0;
    this.presence = "";
    this.queue = master.broker.queue(master.queueName(id));
    this.locks = new LocksOfHost(master.broker, master.id, id);
    /** When it was last known to be there. */
    this.seen = 0;
    /** The answers that have come, up to which none is missing, and those beyond, which wait. */
    this.acknowledged = 0;
    /** @type {Map<number, any>} */
    this.ahead = new Map();
  }

  /** @param {number} chunk @param {Run} run @param {number} lost @param {Event[]} events */
  send(chunk, run, lost, events) {
    this.add(chunk, run, lost, events);
  }

  /** @param {number} chunk @param {Run} run @param {number} lost @param {Event[]} events */
  async add(chunk, run, lost, events) {
    const { account } = this.master.coordinator;
    const [{ priority }] = events;
    const all = events.map(sent);
    const floor = account.floorOf(this.id);
    const data = { r: run.number, l: lost, n: chunk, f: floor, e: all, p: priority };
    // The pool ends where it fails.
    await this.master.broker.add(this.queue, "chunk", data, { jobId: `c${chunk}` }).catch(ignore);
  }

  /** @param {string[]} tags */
  runsEach(tags) {
    return hasAll(this, tags);
  }

  /** Sends all again that it has not answered: what it has is no news to it. */
  sendAgain() {
    const { account, events } = this.master.coordinator;
    for (const chunk of account.chunksOf(this.id)) {
      // What it has kept nobody has sent.
      if (account.isKept(chunk)) continue;
      const left = account
        .eventsOf(chunk)
        .map((number) => /** @type {Event} */ (events.get(number)));
      if (left.length > 0) this.add(chunk, left[0].going.run, left[0].lost, left);
    }
  }

  /** @param {Run} run */
  begin(run) {
    this.master.tellOf(run);
  }

  /** @param {Run} run */
  stop(run) {
    this.master.tellOfEnd(run);
  }

  get host() {
    return this.name;
  }

  /** As people see it. `events` are those that it has and has not answered. */
  shown() {
    const { id, name, isOpen, isSilent, workers, places, answered, told = [] } = this;
    const { account } = this.master.coordinator;
    const running = told.reduce((sum, [, , own]) => sum + own, 0);
    let events = 0;
    for (const chunk of account.chunksOf(id)) events += account.countOf(chunk);
    const state = isSilent ? "silent" : isOpen ? "there" : "leaving";
    return { id, name, state, workers: workers.length, places, running, events, answered };
  }

  /** What it says of its workers, as `poolWorkers` has it. @returns {any[]} */
  rows() {
    const { name: host, told } = this;
    return told === undefined
      ? this.workers.map(([id, pid]) => ({ id, pid, running: null, memory: 0, host }))
      : told.map(([id, pid, running, memory]) => ({ id, pid, running, memory, host }));
  }

  /** What its workers run. @returns {import("./seen").Doing[]} */
  doing() {
    const { told = [], toldAt } = this;
    const busy = told.filter(([, , running]) => running > 0);
    const since = elapsed() - toldAt;
    return busy.map(([id, , , , event, time]) => [id, this.numberOf(event), time + since]);
  }

  /** The number of an event by the one that the host says: it has numbers of its own for what it has kept. @param {number} event */
  numberOf(event) {
    return event < 0 ? this.master.coordinator.account.keptAs(this.id, event)[1] : event;
  }

  /** It is there, and may say something of its workers. @param {string} presence */
  hearOf(presence) {
    if (presence === this.presence) return;
    this.presence = presence;
    this.told = toldIn(presence) || this.told?.map(idle);
    this.toldAt = elapsed();
  }

  /** It was so late there at least a moment ago. @param {number} clock */
  hear(clock) {
    this.offset = Math.min(this.offset, native().clock() - clock);
  }

  /** Its answers, checked, with the times of this process's clock. @param {(import("./station").Answer & { chunk: number })[]} answers */
  read(answers) {
    const whole = answers.map(checked);
    const all = whole.flatMap(({ seen, rows = [] }) => [seen, ...rows]);
    for (const row of all) if (row) this.hear(row[2]);
    for (const row of all) if (row) row[2] += this.offset;
    return whole;
  }

  /**
   * Answers have come. Those of what a host has kept come after the ones that say so: the broker may have lost these, and then has them later.
   * @param {any} told
   * @returns {any[]} all that can be taken in now, in the order in which the host has said them
   */
  inOrder(told) {
    if (told.q > this.acknowledged) this.ahead.set(told.q, told);
    const all = [];
    for (;;) {
      const next = this.ahead.get(this.acknowledged + 1);
      if (next === undefined) return all;
      this.acknowledged++;
      this.ahead.delete(this.acknowledged);
      all.push(next);
    }
  }

  /** What waits for others that do not come any more, in order. @returns {any[]} */
  rest() {
    const all = [...this.ahead.values()].sort((one, other) => one.q - other.q);
    this.ahead.clear();
    return all;
  }
}

const ignore = () => {};

/** What a host says, which comes from the network. @param {string} presence @returns {Told[] | undefined} */
function toldIn(presence) {
  if (!presence.startsWith("[")) return undefined;
  try {
    const all = JSON.parse(presence);
    const isTold = (/** @type {any} */ row) =>
      Array.isArray(row) && row.length === TOLD && row.every(Number.isFinite);
    return all.every(isTold) ? all : undefined;
  } catch (_) {
    return undefined;
  }
}

/** A worker that runs nothing. @param {Told} told @returns {Told} */
const idle = ([id, pid, , memory]) => [id, pid, 0, memory, 0, 0];

/** @param {Event} event @returns {import("./station").Sent} */
const sent = ({ number, text, format, key }) =>
  key === undefined ? [number, text, format] : [number, text, format, key];

module.exports = { HostMember, OwnMember };
