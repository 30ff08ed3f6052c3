"use strict";
// The third parameter of a stage: what it knows of the event that it runs, and what it adds to the run beside its answer.

const { aborter } = require("./abort");
const { encodedWithin, formatOf } = require("./codec");
const { coded, invalidRange, invalidType, reasonOf, shown } = require("./errors");

/** The longest name of a counter. */
const LONGEST_NAME = 200;

/** `failed`: how many attempts have; `refusal`: why the event cannot emit others, if so. */
/** @typedef {{ failed: number, codec: import("./codec").Codec, refusal: string | undefined }} About */

/**
 * What an event adds to its run. Data without an encoding is undefined.
 * @typedef {object} Added
 * @property {{ encoded: import("./codec").Encoded | undefined, format: number }[]} emitted
 * @property {Record<string, number> | undefined} counts by name
 */

class PublicTask {
  /** @type {About} */
  #about;
  /** @type {import("./abort").Aborter | undefined} */
  #aborter;
  /** Why it was aborted, if it was. @type {{ reason: unknown } | undefined} */
  #aborted;
  /** @type {Added} */
  #added = { emitted: [], counts: undefined };
  #isOver = false;

  /** @param {About} about */
  constructor(about) {
    this.#about = about;
  }

  get attempt() {
    return this.#about.failed + 1;
  }

  /** Made when it is first asked for. */
  get signal() {
    if (this.#aborter === undefined) {
      this.#aborter = aborter();
      if (this.#aborted !== undefined) this.#aborter.abort(this.#aborted.reason);
    }
    return this.#aborter.signal;
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
    this.#added.emitted.push({ encoded, format });
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
    const { counts = Object.create(null) } = this.#added;
    counts[name] = (counts[name] || 0) + n;
    this.#added.counts = counts;
  }

  /** @param {string} what */
  #check(what) {
    if (!this.#isOver) return;
    throw coded(Error, "ERR_SONIC_EVENT_OVER", `task.${what}: the event has ended already`);
  }

  /** Nobody waits for the event any more. @param {PublicTask} task @param {boolean} isLate */
  static abort(task, isLate) {
    if (task.#aborted !== undefined) return;
    const reason = isLate ? tooLate() : reasonOf({});
    task.#aborted = { reason };
    if (task.#aborter !== undefined) task.#aborter.abort(reason);
  }

  /** The event ends now: nothing more can be added, and what was is told once. @param {PublicTask} task @returns {Added} */
  static end(task) {
    task.#isOver = true;
    const added = task.#added;
    const hasNone = added.emitted.length === 0 && added.counts === undefined;
    if (!hasNone) task.#added = { emitted: [], counts: undefined };
    return added;
  }
}

const tooLate = () =>
  coded(Error, "ERR_SONIC_TASK_TIMEOUT", "this event ran longer than its taskTimeout");

module.exports = { PublicTask };
