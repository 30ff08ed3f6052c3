"use strict";
// `sync.latch`: counts down to 0 once, and whoever waits goes on then. An event counts once however often it is tried.

const { MOST, signalIn } = require("./checks");
const { current } = require("./context");
const { textOf } = require("./names");
const { numberOf, withEvent } = require("./port");
const { invalidRange } = require("../errors");
const { checkCount, wrongType } = require("../checks");
const { siteOf } = require("../stack");

class Latch {
  #port;
  #name;
  #count;

  /** @param {InstanceType<typeof import("./port").Port>} port @param {unknown} name @param {unknown} count */
  constructor(port, name, count) {
    this.#port = port;
    this.#name = textOf("sync.latch: the name", name);
    this.#count = checkStart(count);
  }

  /** @param {unknown} [n] @returns {Promise<number>} */
  async countDown(n = 1) {
    const site = siteOf(this.countDown);
    const by = checkCount("latch.countDown: the number", n, MOST);
    const frame = current();
    const { scope } = frame;
    const ordinal = scope === undefined ? 0 : scope.ordinalOf(this.#name);
    const isAgain = scope?.hasCounted(this.#name, ordinal) === true;
    const about = { name: this.#name, count: this.#count };
    const ask = { op: "countDown", ...about, n: isAgain ? 0 : by, ordinal };
    return numberOf(await this.#port.request(ask, { frame, site }));
  }

  /** @param {unknown} [options] @returns {Promise<void>} */
  wait(options) {
    const site = siteOf(this.wait);
    return withEvent(async (onLeft) => {
      const signal = signalIn("latch.wait", options);
      const ask = { op: "latch", name: this.#name, count: this.#count };
      await this.#port.request(ask, { signal, site, onLeft });
    });
  }
}

/** @param {unknown} count @returns {number} */
function checkStart(count) {
  if (typeof count !== "number") throw wrongType("sync.latch: count", "a whole number", count);
  if (Number.isInteger(count) && count >= 0 && count <= MOST) return count;
  throw invalidRange(`sync.latch: count must be a whole number from 0 to ${MOST}, got ${count}`);
}

module.exports = { Latch };
