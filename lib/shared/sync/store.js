"use strict";
// `sync.store`: values by their keys, which the master keeps for all processes of a program. Each change has a version of its own.

const { SET_CHECKS, options, signalIn } = require("./checks");
const { broken } = require("./faults");
const { textOf } = require("./names");
const { numberOf } = require("./port");
const { packed, unpacked } = require("./values");
const { checkFunction } = require("../checks");
const { siteOf } = require("../stack");

/** @typedef {InstanceType<typeof import("./port").Port>} Port */
/** @typedef {{ value: any, version: number }} Entry */

class Store {
  #port;
  #locks;
  #name;

  /** @param {Port} port @param {InstanceType<typeof import("./locks").LockManager>} locks @param {unknown} name */
  constructor(port, locks, name) {
    this.#port = port;
    this.#locks = locks;
    this.#name = textOf("sync.store: the name", name);
  }

  /** @param {unknown} key @param {unknown} [given] @returns {Promise<Entry | undefined>} */
  async get(key, given) {
    const site = siteOf(this.get);
    return this.#get(textOf("store.get: the key", key), signalIn("store.get", given), site);
  }

  /** @param {unknown} key @param {unknown} value @param {unknown} [given] @returns {Promise<number | undefined>} */
  async set(key, value, given) {
    const site = siteOf(this.set);
    const text = textOf("store.set: the key", key);
    const { ifVersion, signal } = options("store.set", given, SET_CHECKS);
    return this.#set(text, packed("store.set: the value", value), { ifVersion, signal, site });
  }

  /** @param {unknown} key @param {any} fn @param {unknown} [given] @returns {Promise<any>} */
  async update(key, fn, given) {
    const site = siteOf(this.update);
    const text = textOf("store.update: the key", key);
    checkFunction("store.update: the second parameter", fn);
    const signal = signalIn("store.update", given);
    // No lock of the program has such a name.
    const lock = `-store:${this.#name.length}:${this.#name}:${text}`;
    return this.#locks.hold(lock, signal, () => this.#update(text, fn, signal, site));
  }

  /** @param {unknown} key @param {unknown} [given] @returns {Promise<boolean>} */
  async delete(key, given) {
    const site = siteOf(this.delete);
    const signal = signalIn("store.delete", given);
    const ask = { op: "delete", name: this.#name, key: textOf("store.delete: the key", key) };
    return numberOf(await this.#port.request(ask, { signal, site })) === 1;
  }

  /** @param {string} key @param {any} fn @param {AbortSignal | undefined} signal @param {{ stack?: unknown }} site */
  async #update(key, fn, signal, site) {
    for (;;) {
      const entry = await this.#get(key, signal, site);
      const value = await fn(entry === undefined ? undefined : entry.value);
      const bytes = packed("store.update: the value", value);
      const ifVersion = entry === undefined ? 0 : entry.version;
      // `set` and `delete` do not wait for an update.
      if ((await this.#set(key, bytes, { ifVersion, signal, site })) !== undefined) return value;
    }
  }

  /** @param {string} key @param {AbortSignal | undefined} signal @param {{ stack?: unknown }} site @returns {Promise<Entry | undefined>} */
  async #get(key, signal, site) {
    const ask = { op: "get", name: this.#name, key };
    const { reply, value } = await this.#port.request(ask, { signal, site });
    if (reply.is === "nothing") return undefined;
    if (reply.is !== "value") throw broken(`"${reply.is}" instead of a value`);
    return { value: unpacked(value), version: reply.version };
  }

  /**
   * @param {string} key
   * @param {Uint8Array} value
   * @param {{ ifVersion?: number, signal?: AbortSignal, site: { stack?: unknown } }} how
   * @returns {Promise<number | undefined>}
   */
  async #set(key, value, { ifVersion, signal, site }) {
    const ask = { op: "set", name: this.#name, key, ifVersion };
    const answer = await this.#port.request(ask, { value, signal, site });
    return answer.reply.is === "nothing" ? undefined : numberOf(answer);
  }
}

module.exports = { Store };
