"use strict";
// This process's ear at the broker: a connection of its own, which hears what others publish. What is published while it is away is lost.

const { Map } = require("../shared/primordials");

class Listener {
  /** @param {InstanceType<typeof import("./broker").Broker>} broker that is open */
  constructor(broker) {
    this.broker = broker;
    /** @type {any} */
    this.client = undefined;
    /** What has cut off one connection may have cut off the other, which asks nothing and would not notice. */
    this.onBack = () => this.client?.disconnect(true);
    /** Who hears what, by channels. @type {Map<string, (text: string) => void>} */
    this.heard = new Map();
  }

  connect() {
    this.client = this.broker.client.duplicate();
    this.client.on("error", () => {});
    this.client.on("message", (/** @type {string} */ channel, /** @type {string} */ text) =>
      this.heard.get(channel)?.(text),
    );
  }

  /** Resolves when nothing is missed any more. @param {string} channel @param {(text: string) => void} hear */
  async listen(channel, hear) {
    if (this.client === undefined) this.connect();
    this.broker.onBack.add(this.onBack);
    this.heard.set(channel, hear);
    await this.client.subscribe(channel).catch(() => {});
  }

  /** @param {string} channel */
  leave(channel) {
    if (!this.heard.delete(channel)) return;
    this.client.unsubscribe(channel).catch(() => {});
  }

  close() {
    this.broker.onBack.delete(this.onBack);
    this.client?.disconnect();
  }
}

module.exports = { Listener };
