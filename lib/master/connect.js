"use strict";
// Connects this process to a pool of another one. What it gets looks as a pool of its own does.

const { connect } = require("net");
const { Connection } = require("./connection");
const { cannotConnect, checkOwner, doorAt, notConnected, tokenOf } = require("./door");
const { PACKAGE, PROTOCOL, TO_CLIENT, TO_POOL } = require("./protocol");
const { PublicPool } = require("./public-pool");
const { RemotePool } = require("./remote");
const { RemoteBatch, RemoteCalls, beginRemote } = require("./remote-run");
const { stopBy, throwIfAborted } = require("../shared/signals");
const { Stages } = require("./work");
const { Promise, clearTimeout, setTimeout } = require("../shared/primordials");
const { pointAt, siteOf } = require("../shared/stack");
const { CONNECT_CHECKS, checkOptions, checkSocket } = require("../shared/options");

/** @typedef {import("./door").Door} Door */
/** @typedef {InstanceType<typeof import("./connection").Values>} Values */

/** Milliseconds in which the pool greets its client and lets it in: its process may be busy. */
const LONGEST_WELCOME = 30_000;

/** @param {unknown} path @param {unknown} givenOptions @returns {Promise<any>} */
async function connectPool(path, givenOptions) {
  const site = siteOf(connectPool);
  try {
    checkSocket("connectPool: the path", path);
    const { signal, errors = [] } = checkOptions(givenOptions, CONNECT_CHECKS);
    throwIfAborted(signal);
    const door = doorAt(/** @type {string} */ (path), "connectPool: the path");
    checkOwner(door);
    return await new Promise((resolve, reject) => {
      const knock = new Knock(door, errors, { resolve, reject });
      knock.ignore = stopBy(signal, (error) => knock.fail(error));
    });
  } catch (error) {
    throw pointAt(error, site);
  }
}

/** @type {import("./public-pool").How["each"]} */
const inEachRemote = (pool, work, data, given) => pool.each(work, data, given);

/** A connection that is to become a pool. */
class Knock {
  /** @param {Door} door @param {Function[]} errors @param {{ resolve: (pool: any) => void, reject: (error: unknown) => void }} waiting */
  constructor(door, errors, { resolve, reject }) {
    this.door = door;
    this.errors = errors;
    this.resolve = resolve;
    this.reject = reject;
    this.isOver = false;
    /** Does not listen for the program's signal any more. */
    this.ignore = () => {};
    /** @type {InstanceType<typeof RemotePool> | undefined} */
    this.pool = undefined;
    this.late = setTimeout(
      () => this.fail(this.refused("what listens there gives no answer")),
      LONGEST_WELCOME,
    );
    this.connection = new Connection(connect(door.address), this);
  }

  /** @param {any[]} message @param {Values} values */
  hear(message, values) {
    if (this.pool !== undefined) {
      this.pool.hear(message, values);
      return;
    }
    try {
      this.greet(message);
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {any[]} message */
  greet([kind, one, two, three]) {
    switch (kind) {
      case TO_CLIENT.GREETING:
        if (one !== PROTOCOL || two !== PACKAGE) {
          const theirs = `the pool's package has the version ${two} (protocol ${one})`;
          const ours = `this program's has ${PACKAGE} (protocol ${PROTOCOL})`;
          throw this.refused(`${theirs}, and ${ours}`, "install the same version in both programs");
        }
        this.sayWho();
        break;
      case TO_CLIENT.WELCOME:
        this.enter(one, two, three);
        break;
      case TO_CLIENT.REFUSED:
        throw this.refused(String(two));
      default:
        throw this.refused("what listens there is no pool");
    }
  }

  sayWho() {
    const names = this.errors.map((Class) => Class.name);
    this.connection.trust();
    this.connection.send([TO_POOL.HELLO, PROTOCOL, PACKAGE, tokenOf(this.door), names]);
  }

  /** @param {string} encoding @param {string[]} names of the stages @param {string[]} flows those of them that are flows */
  enter(encoding, names, flows) {
    this.end();
    const { connection, errors } = this;
    const pool = new RemotePool(connection, { encoding, address: this.door.address, errors });
    this.pool = pool;
    /** @type {any} */
    const how = {
      Batch: RemoteBatch,
      begin: beginRemote,
      each: inEachRemote,
      calls: new RemoteCalls(pool),
      shared: () => pool.namespace,
    };
    this.resolve(new PublicPool(pool, Stages.named(names, flows), {}, how));
  }

  /** @param {string} why @param {string} [advice] */
  refused(why, advice = "is it the socket of a pool?") {
    return cannotConnect(this.door.address, why, advice);
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.isOver) return;
    this.end();
    this.connection.socket.destroy();
    this.reject(error);
  }

  end() {
    this.isOver = true;
    clearTimeout(this.late);
    this.ignore();
  }

  drained() {}

  /** @param {any} error */
  over(error) {
    if (this.pool !== undefined) this.pool.over();
    else if (error?.syscall === "connect") this.fail(notConnected(this.door.address, error));
    else
      this.fail(this.refused(error === undefined ? "it has closed the connection" : error.message));
  }
}

module.exports = { connectPool };
