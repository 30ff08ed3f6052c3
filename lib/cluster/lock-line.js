"use strict";
// The two ends of what workers of hosts ask of the program's locks. The master decides, as for its own workers: for each process of a host
// it has a client of its locks. A host takes questions there and answers back, and tells of each process that is dead.

const { Line } = require("./line");
const { Listener } = require("./listener");
const { invalidType } = require("../shared/errors");
const { native } = require("../shared/native");
const { Buffer, JSON, Map, setImmediate } = require("../shared/primordials");
const { MOST_BYTES, tooLarge } = require("../shared/sync/clustered");
const { hub } = require("../shared/sync/own");

/** @typedef {InstanceType<typeof import("./broker").Broker>} Broker */

/** What a host says of one of its processes; without a text it is dead. @typedef {[owner: number, text: string | null, value: string | null, worker: number, pid: number]} Asked */
/** What the master tells one. @typedef {[owner: number, text: string, value: string | null]} Told */

/** @param {Broker} broker @param {string} id of a master, or of a host's part */
const channelOf = (broker, id) => broker.key("locks", id);

/** @param {Broker} broker @param {string} to @param {string} from */
function lineOf(broker, to, from) {
  const send = (/** @type {any} */ packet) => {
    if (!broker.isReady) return;
    const text = JSON.stringify({ h: from, ...packet });
    broker.client.publish(channelOf(broker, to), text).catch(() => {});
  };
  return new Line(send, (work) => setImmediate(work));
}

/** @param {Uint8Array | null | undefined} value */
const packed = (value) => (value ? Buffer.from(value).toString("base64") : null);

/** @param {any} text */
const unpacked = (text) => (typeof text === "string" ? Buffer.from(text, "base64") : null);

/** The master's end of one host. */
class LocksOfHost {
  /** @param {Broker} broker @param {string} master @param {string} host */
  constructor(broker, master, host) {
    this.line = lineOf(broker, host, master);
    /** The host's processes as clients, by their numbers there. @type {Map<number, ReturnType<ReturnType<typeof hub>["enter"]>>} */
    this.clients = new Map();
  }

  /** Throws if it is nothing that a host says. @param {any} packet */
  hear(packet) {
    for (const message of this.line.hear(packet)) this.take(message);
  }

  /** @param {Asked} asked */
  take([owner, text, value, worker, pid]) {
    if (text === null) {
      this.clients.get(owner)?.leave();
      this.clients.delete(owner);
    } else this.clientOf(owner, worker, pid).ask(text, unpacked(value));
  }

  /** @param {number} owner @param {number} worker @param {number} pid */
  clientOf(owner, worker, pid) {
    const known = this.clients.get(owner);
    if (known !== undefined) return known;
    const tell = (/** @type {import("../shared/sync/port").Arrived} */ arrived) =>
      this.line.say(toldOf(owner, arrived));
    const client = hub().enter(tell, { worker, pid });
    this.clients.set(owner, client);
    return client;
  }

  look() {
    this.line.look();
  }

  /** What its processes hold is free. */
  end() {
    this.line.end();
    for (const { leave } of this.clients.values()) leave();
    this.clients.clear();
  }
}

/** @param {number} owner @param {import("../shared/sync/port").Arrived} arrived @returns {Told} */
function toldOf(owner, { text, value }) {
  if (!value || value.byteLength <= MOST_BYTES) return [owner, text, packed(value)];
  const { name, code, message } = tooLarge("a value of sync.store or sync.once", value);
  const reply = { is: "failed", name, code, message };
  return [owner, JSON.stringify({ id: JSON.parse(text).id, reply }), null];
}

/** The master's ends of all hosts. */
class LocksOfHosts {
  /** @param {InstanceType<typeof import("./master").Master>} master */
  constructor(master) {
    this.master = master;
    this.listener = new Listener(master.broker);
  }

  async open() {
    const { broker, id } = this.master;
    if (!broker.carriesLocks) return;
    await this.listener.listen(channelOf(broker, id), (text) => this.hear(text));
  }

  /** @param {string} text */
  hear(text) {
    const { master } = this;
    /** @type {InstanceType<typeof import("./members").HostMember> | undefined} */
    let host;
    try {
      const packet = packetOf(text);
      host = master.hosts().find(({ id }) => id === packet.h);
      if (!master.isEnding) host?.locks.hear(packet);
    } catch (error) {
      master.sayOnce(`a host asks for locks what makes no sense: ${Object(error).message}`);
      if (host !== undefined) master.giveUp(host);
    }
  }

  end() {
    for (const { locks } of this.master.hosts()) locks.end();
    this.listener.close();
  }
}

/** A host's end for one master. */
class LocksOfMaster {
  /** @param {Broker} broker @param {string} master @param {string} host */
  constructor(broker, master, host) {
    this.line = lineOf(broker, master, host);
  }

  /** @param {any} packet */
  hear(packet) {
    for (const [owner, text, value] of this.line.hear(packet))
      native().syncTell(owner, text, unpacked(value));
  }

  look() {
    this.line.look();
  }

  end() {
    this.line.end();
  }
}

/** What the workers of this process ask, which are a host's: each question goes to the master that they serve. */
class Relay {
  constructor() {
    /** By the numbers of the workers. @type {Map<number, LocksOfMaster>} */
    this.lines = new Map();
    /** Those that have asked. @type {Map<number, LocksOfMaster>} */
    this.asked = new Map();
    const core = native();
    core.syncOpen(() => this.take());
    core.syncRelay();
  }

  /** @param {LocksOfMaster} line @param {number} base the number before that of its first worker @param {number} count */
  add(line, base, count) {
    for (let worker = base + 1; worker <= base + count; worker++) this.lines.set(worker, line);
  }

  /** @param {LocksOfMaster} line */
  remove(line) {
    line.end();
    for (const [worker, its] of this.lines) if (its === line) this.lines.delete(worker);
  }

  take() {
    for (const { owner, worker, pid, text, value } of native().syncRelayed()) {
      const line = this.asked.get(owner) || this.lines.get(Number(worker));
      if (text === undefined || text === null) this.asked.delete(owner);
      else if (line !== undefined) this.asked.set(owner, line);
      line?.line.say([owner, text === undefined ? null : text, packed(value), worker, pid]);
    }
  }
}

/** @param {string} text @returns {{ h: string, a: number, f: number, m: any[] }} */
function packetOf(text) {
  const packet = Object(JSON.parse(text));
  const isSound =
    typeof packet.h === "string" &&
    Number.isSafeInteger(packet.a) &&
    Number.isSafeInteger(packet.f) &&
    Array.isArray(packet.m) &&
    packet.m.every(isSoundMessage);
  if (!isSound) throw invalidType("a message about locks makes no sense");
  return packet;
}

/** @param {any} message */
const isSoundMessage = (message) =>
  Array.isArray(message) &&
  Number.isSafeInteger(message[0]) &&
  (message[1] === null || typeof message[1] === "string");

module.exports = { LocksOfHost, LocksOfHosts, LocksOfMaster, Relay, channelOf, packetOf };
