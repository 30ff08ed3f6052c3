"use strict";
// `sync.limiter`: so many tokens in a time, for all processes of a program together. Who takes some waits until they are there.

const { LIMITER_CHECKS, amount, options, signalIn } = require("./checks");
const { textOf } = require("./names");
const { invalidRange, invalidType } = require("../errors");
const { siteOf } = require("../stack");

class Limiter {
  #port;
  #name;
  #rate;

  /** @param {InstanceType<typeof import("./port").Port>} port @param {unknown} name @param {unknown} given */
  constructor(port, name, given) {
    const what = "sync.limiter";
    this.#port = port;
    this.#name = textOf(`${what}: the name`, name);
    const { tokens, per, burst = tokens } = options(what, given, LIMITER_CHECKS);
    for (const [key, value] of Object.entries({ tokens, per })) {
      if (value !== undefined) continue;
      throw invalidType(
        `${what}: options.${key} is missing: { tokens: 100, per: 1000 } for 100 a second`,
      );
    }
    this.#rate = { tokens, per, burst };
  }

  /** @param {unknown} [n] @param {unknown} [given] @returns {Promise<void>} */
  async take(n = 1, given = undefined) {
    const site = siteOf(this.take);
    amount("limiter.take: the number", n);
    const { burst } = this.#rate;
    if (/** @type {number} */ (n) > burst) {
      const most = `limiter.take: the number must be at most the burst of the limiter, ${burst}`;
      throw invalidRange(`${most}, got ${n}`);
    }
    const signal = signalIn("limiter.take", given);
    await this.#port.request({ op: "take", name: this.#name, ...this.#rate, n }, { signal, site });
  }
}

module.exports = { Limiter };
