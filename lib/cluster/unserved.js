"use strict";
// Events that wait for tags that nobody has: a host that has them may still come, but not forever.

const { noWorker, serves } = require("./routing");
const { failedBy } = require("./told");
const { textOf } = require("./waiting");
const { elapsed } = require("./clock");
const { Map } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./coordinator").Coordinator>} Coordinator */

class Unserved {
  /** @param {Coordinator} coordinator */
  constructor(coordinator) {
    this.coordinator = coordinator;
    /** Since when nobody runs what waits with these tags, by these. @type {Map<string, number>} */
    this.since = new Map();
  }

  /** Fails what waits with tags that nobody has had for so long. @param {number} timeout */
  fail(timeout) {
    const { waiting, members } = this.coordinator;
    /** @type {Map<string, string[]>} */
    const all = new Map();
    for (const { tags } of waiting.lines.values()) all.set(textOf(tags), tags);
    for (const text of this.since.keys()) if (!all.has(text)) this.since.delete(text);
    const there = [...members.values()];
    for (const [text, tags] of all) {
      const isServed = there.some((member) => member.isOpen && serves(member, tags));
      if (isServed) this.since.delete(text);
      else if (!this.since.has(text)) this.since.set(text, elapsed());
      else if (elapsed() - Number(this.since.get(text)) > timeout) {
        this.failWith(text, noWorker(tags, there, timeout));
      }
    }
  }

  /** @param {string} tags as text @param {Error} error */
  failWith(tags, error) {
    for (;;) {
      const events = this.coordinator.waiting.removeWith(tags);
      if (events.length === 0) return;
      // Those that have waited for their keys are next.
      this.coordinator.failAll(events, ({ lost }) => failedBy(error, lost + 1, 0));
    }
  }
}

module.exports = { Unserved };
