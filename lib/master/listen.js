"use strict";
// Opens a pool that stays to other processes of the same user: takes their connections in, and refuses those that are no clients. What a
// client asks for is `Served`'s business.

const { createServer } = require("net");
const { Connection } = require("./connection");
const { clear, doorAt, isToken, open, removeDoor } = require("./door");
const { PACKAGE, PROTOCOL, TO_CLIENT, TO_POOL } = require("./protocol");
const { Served } = require("./served");
const { Promise, Set, clearTimeout, setTimeout } = require("../shared/primordials");

/** @typedef {import("./served").Parts} Parts */

/** Milliseconds in which a client says who it is: it has only to read a file. */
const LONGEST_HELLO = 5000;

/** Milliseconds in which a client reads the last answers when the pool closes. */
const LONGEST_GOODBYE = 5000;

class Listener {
  /** @param {import("net").Server} server @param {import("./door").Door} door @param {string} token @param {Parts} parts */
  constructor(server, door, token, parts) {
    this.server = server;
    this.door = door;
    this.token = token;
    this.parts = parts;
    /** @type {globalThis.Set<Guest>} */
    this.guests = new Set();
    this.isClosing = false;
    /** @type {Promise<void> | undefined} */
    this.closed = undefined;
    this.remove = () => removeDoor(door);
    process.on("exit", this.remove);
    server.on("connection", (socket) => this.guests.add(new Guest(socket, this)));
    // Nothing that a client does may end this process.
    server.on("error", () => {});
    parts.pool.onFailure((/** @type {unknown} */ error) => {
      this.tellOfClosing(error);
      parts.pool.closed.then(() => this.close());
    });
  }

  /** Nothing new is taken in. @param {unknown} [error] why, if not because it is closed */
  tellOfClosing(error) {
    if (this.isClosing) return;
    this.isClosing = true;
    this.server.close();
    this.remove();
    process.removeListener("exit", this.remove);
    for (const guest of this.guests) guest.tellOfClosing(error);
  }

  /** What clients asked for is not done. @param {unknown} error */
  stopWaiting(error) {
    for (const { served } of this.guests) if (served !== undefined) served.stopWaiting(error);
  }

  /** Resolves when each client has what was still to be sent. @returns {Promise<void>} */
  close() {
    this.tellOfClosing();
    if (this.closed === undefined) {
      const all = [...this.guests].map((guest) => guest.close());
      this.closed = Promise.all(all).then(() => {});
    }
    return this.closed;
  }
}

/** One connection, whose other end may be anything. */
class Guest {
  /** @param {import("net").Socket} socket @param {Listener} listener */
  constructor(socket, listener) {
    this.listener = listener;
    this.connection = new Connection(socket, this);
    /** @type {InstanceType<typeof Served> | undefined} */
    this.served = undefined;
    this.late = setTimeout(() => this.refuse("it has not said who it is"), LONGEST_HELLO);
    /** @type {Promise<void>} */
    this.gone = new Promise((resolve) => {
      this.isGone = resolve;
    });
    this.connection.send([TO_CLIENT.GREETING, PROTOCOL, PACKAGE]);
  }

  /** @param {any[]} message @param {InstanceType<typeof import("./connection").Values>} values */
  hear(message, values) {
    if (this.served !== undefined) this.served.hear(message, values);
    else this.hello(message);
  }

  /** @param {any[]} message */
  hello([kind, protocol, version, token, classes]) {
    clearTimeout(this.late);
    if (kind !== TO_POOL.HELLO) return this.refuse("it has not said who it is");
    if (protocol !== PROTOCOL || version !== PACKAGE) {
      const other = `its package has the version ${version} (protocol ${protocol})`;
      return this.refuse(`${other}, and the pool's has ${PACKAGE} (protocol ${PROTOCOL})`);
    }
    if (!isToken(token, this.listener.token)) return this.refuse("its token is another");
    this.connection.trust();
    const names = Array.isArray(classes) ? classes.map(String) : [];
    this.served = new Served(this.connection, this.listener.parts, names);
    if (this.listener.isClosing) this.served.tellOfClosing(undefined);
  }

  /** @param {string} why */
  refuse(why) {
    this.connection.send([TO_CLIENT.REFUSED, "ERR_SONIC_CONNECT", `the pool refuses it: ${why}`]);
    this.connection.close();
    this.connection.end(undefined);
  }

  /** @param {unknown} error */
  tellOfClosing(error) {
    if (this.served !== undefined) this.served.tellOfClosing(error);
  }

  /** It has read something. */
  drained() {
    if (this.served !== undefined) this.served.drained();
  }

  /** Sends what is left. */
  async close() {
    if (this.served !== undefined) await this.served.finish();
    this.connection.close();
    const late = setTimeout(() => this.connection.break(undefined), LONGEST_GOODBYE);
    await this.gone;
    clearTimeout(late);
  }

  /** The connection is over. */
  over() {
    clearTimeout(this.late);
    this.listener.guests.delete(this);
    this.isGone();
    if (this.served !== undefined) this.served.over();
  }
}

/** Throws if no socket can have this path. @param {string} path @returns {import("./door").Door} */
const checkPath = (path) => doorAt(path, "options.listen");

/** @param {string} path @param {Parts} parts @returns {Promise<Listener>} */
async function listen(path, parts) {
  const door = checkPath(path);
  await clear(door);
  const server = createServer();
  const token = await open(server, door);
  return new Listener(server, door, token, parts);
}

module.exports = { Listener, checkPath, listen };
