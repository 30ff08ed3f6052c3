"use strict";
// `sync.barrier`: a point that so many parties reach before any of them goes on.

const { MOST, signalIn } = require("./checks");
const { textOf } = require("./names");
const { numberOf, withEvent } = require("./port");
const { checkCount } = require("../checks");
const { siteOf } = require("../stack");

class Barrier {
  #port;
  #name;
  #parties;

  /** @param {InstanceType<typeof import("./port").Port>} port @param {unknown} name @param {unknown} parties */
  constructor(port, name, parties) {
    this.#port = port;
    this.#name = textOf("sync.barrier: the name", name);
    this.#parties = checkCount("sync.barrier: parties", parties, MOST);
  }

  /** @param {unknown} [options] @returns {Promise<number>} */
  wait(options) {
    const site = siteOf(this.wait);
    return withEvent(async (onLeft) => {
      const signal = signalIn("barrier.wait", options);
      const ask = { op: "barrier", name: this.#name, parties: this.#parties };
      return numberOf(await this.#port.request(ask, { signal, site, onLeft }));
    });
  }
}

module.exports = { Barrier };
