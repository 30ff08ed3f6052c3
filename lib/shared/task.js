"use strict";
// The third parameter of a stage: what it knows of the event that it runs, and what it adds to the run beside its answer.

const { aborter } = require("./abort");
const { encodedWithin, formatOf } = require("./codec");
const { coded, invalidRange, invalidType, reasonOf, shown } = require("./errors");

/** The longest name of a counter. */
const LONGEST_NAME = 200;

/**
 * What an event adds to its run. Data without an encoding is undefined.
 * @typedef {object} Added
 * @property {{ encoded: import("./codec").Encoded | undefined, format: number }[]} emitted
 * @property {Record<string, number> | undefined} counts by name
 */

/** @typedef {{ codec: import("./codec").Codec, refusal?: string }} About `refusal`: why the event cannot emit others, if so */

/**
 * @typedef {object} Used
 * @property {import("./abort").Aborter} [aborter]
 * @property {{ reason: unknown }} [aborted] why it was aborted, if it was
 * @property {Added} added
 * @property {boolean} isOver
 */

/** @type {Added} */
const NOTHING = Object.freeze({ emitted: [], counts: undefined });
/** @type {Used} */
const UNUSED = Object.freeze({
  aborter: undefined,
  aborted: undefined,
  added: NOTHING,
  isOver: false,
});
/** @type {Used} */
const OVER = Object.freeze({ ...UNUSED, isOver: true });

/** Every short event has one: nothing but itself is made for it before it is used. */
class PublicTask {
  /** @type {number} */
  #failed;
  /** @type {About} */
  #about;
  /** What was done with it. @type {Used} */
  #used = UNUSED;

  /** @param {number} failed how many attempts have @param {About} about */
  constructor(failed, about) {
    this.#failed = failed;
    this.#about = about;
  }

  get attempt() {
    return this.#failed + 1;
  }

  /** Made when it is first asked for. */
  get signal() {
    const used = this.#own();
    if (used.aborter === undefined) {
      used.aborter = aborter();
      if (used.aborted !== undefined) used.aborter.abort(used.aborted.reason);
    }
    return used.aborter.signal;
  }

  /** @param {any} data */
  emit(data) {
    this.#check("emit");
    const { codec, refusal } = this.#about;
    if (refusal !== undefined) throw coded(Error, "ERR_SONIC_EMIT", `task.emit: ${refusal}`);
    const encoded = encodedWithin(codec, data, "data", "task.emit: the data");
    if (encoded === undefined && data !== undefined) {
      throw invalidType(`task.emit: the data must be a value that JSON has, got ${shown(data)}`);
    }
    const format = encoded === undefined ? 0 : formatOf(data, encoded);
    this.#added().emitted.push({ encoded, format });
  }

  /** @param {string} name @param {number} n */
  count(name, n = 1) {
    this.#check("count");
    if (typeof name !== "string") {
      throw invalidType(`task.count: the name must be a string, got ${shown(name)}`);
    }
    if (name.length > LONGEST_NAME) {
      const must = `the name must have at most ${LONGEST_NAME} characters`;
      throw invalidRange(`task.count: ${must}, got ${name.length}`);
    }
    if (!Number.isFinite(n)) {
      const must = "the second parameter must be a finite number";
      throw invalidType(`task.count: ${must}, got ${shown(n)}`);
    }
    const added = this.#added();
    const { counts = Object.create(null) } = added;
    counts[name] = (counts[name] || 0) + n;
    added.counts = counts;
  }

  #added() {
    const used = this.#own();
    if (used.added === NOTHING) used.added = { emitted: [], counts: undefined };
    return used.added;
  }

  #own() {
    if (this.#used === UNUSED || this.#used === OVER) this.#used = { ...this.#used };
    return this.#used;
  }

  /** @param {string} what */
  #check(what) {
    if (!this.#used.isOver) return;
    throw coded(Error, "ERR_SONIC_EVENT_OVER", `task.${what}: the event has ended already`);
  }

  /** Nobody waits for the event any more. @param {PublicTask} task @param {boolean} isLate */
  static abort(task, isLate) {
    if (task.#used.aborted !== undefined) return;
    const used = task.#own();
    const reason = isLate ? tooLate() : reasonOf({});
    used.aborted = { reason };
    if (used.aborter !== undefined) used.aborter.abort(reason);
  }

  /** The event ends now: nothing more can be added, and what was is told once. @param {PublicTask} task @returns {Added} */
  static end(task) {
    const { added } = task.#used;
    if (task.#used === UNUSED) task.#used = OVER;
    else if (task.#used !== OVER) task.#used = { ...task.#used, added: NOTHING, isOver: true };
    return added;
  }
}

const tooLate = () =>
  coded(Error, "ERR_SONIC_TASK_TIMEOUT", "this event ran longer than its taskTimeout");

module.exports = { PublicTask };
