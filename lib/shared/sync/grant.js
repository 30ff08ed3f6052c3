"use strict";
// A lock that this process holds, and the object that stands for it in the program's callback.

const { aborted } = require("./faults");
const { aborter } = require("../abort");

/** A lock's place in the shared memory. @typedef {{ place: number, generation: number }} Place */
/** @typedef {"exclusive" | "shared"} Mode */

/** What the program's callback gets. */
class Lock {
  /** @type {Grant} */
  #grant;

  /** @param {Grant} grant */
  constructor(grant) {
    this.#grant = grant;
  }

  get name() {
    return this.#grant.name;
  }

  get mode() {
    return this.#grant.mode;
  }

  get token() {
    return this.#grant.token;
  }

  get signal() {
    return this.#grant.signal;
  }
}

class Grant {
  /** @type {import("../abort").Aborter | undefined} */
  #aborter;
  /** Why the holder is to stop, if so. @type {Error | undefined} */
  #error;

  /**
   * @param {{ name: string, text: string, mode: Mode }} request its name as the program has it, and as it travels
   * @param {number} token
   * @param {Place | undefined} place
   * @param {unknown} port
   */
  constructor({ name, text, mode }, token, place, port) {
    this.name = name;
    this.text = text;
    this.mode = mode;
    this.token = token;
    this.place = place;
    this.port = port;
    /** It is held no longer. */
    this.isOver = false;
    /** Settles the program's request when the lock is taken away. @type {(error: Error) => void} */
    this.onLost = () => {};
    this.lock = new Lock(this);
  }

  /** Made when it is first asked for. */
  get signal() {
    if (this.#aborter === undefined) {
      this.#aborter = aborter();
      if (this.#error !== undefined) this.#aborter.abort(this.#error);
    }
    return this.#aborter.signal;
  }

  get error() {
    return this.#error;
  }

  /** The holder is to stop: it still has the lock. @param {Error} error */
  abort(error) {
    if (this.#error !== undefined) return;
    this.#error = error;
    if (this.#aborter !== undefined) this.#aborter.abort(error);
  }

  /** The lock is another's now. @param {string} why */
  lose(why) {
    this.loseBy(aborted(why));
  }

  /** @param {Error} error */
  loseBy(error) {
    if (this.isOver) return;
    this.isOver = true;
    this.onLost(error);
    if (this.#error === undefined) this.abort(error);
  }
}

module.exports = { Grant };
