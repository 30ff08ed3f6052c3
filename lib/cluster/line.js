"use strict";
// Messages between a host and a master about locks: each arrives once and in order, although what carries them may lose some, as it does
// when the broker is away. Both ends keep what the other may not have, and nothing stays at the broker. Pure: it has no clock.

const { JSON } = require("../shared/primordials");

/** The most characters that are on their way, beyond which there is one message: a broker gives up who is to read too many. */
const MOST_SIZE = 1 << 20;

/** `a`: up to which number all have come. `f`: the number of the first message. @typedef {{ a: number, f: number, m: any[] }} Packet */

class Line {
  /**
   * @param {(packet: Packet) => void} send it may be lost
   * @param {(work: () => void) => void} soon does some work when others may have something to say, too
   */
  constructor(send, soon) {
    this.send = send;
    this.soon = soon;
    /** What was said and the other end may not have. @type {{ message: any, size: number }[]} */
    this.said = [];
    /** The number before that of the first of them. */
    this.acknowledged = 0;
    /** How many of them are on their way, and their characters. */
    this.sent = 0;
    this.size = 0;
    /** Whether something of it was on its way already when this was last looked at, and nothing was acknowledged since. */
    this.isLate = false;
    /** The number of the last message that has come, and whether the other end is to hear of that. */
    this.last = 0;
    this.owes = false;
    this.isScheduled = false;
    this.isOver = false;
  }

  /** @param {any} message */
  say(message) {
    this.said.push({ message, size: JSON.stringify(message).length });
    this.schedule();
  }

  schedule() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.soon(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  flush() {
    if (this.isOver) return;
    const first = this.acknowledged + this.sent + 1;
    const messages = [];
    for (let next = this.said[this.sent]; next !== undefined; next = this.said[this.sent]) {
      if (this.sent > 0 && this.size + next.size > MOST_SIZE) break;
      this.sent++;
      this.size += next.size;
      messages.push(next.message);
    }
    if (messages.length === 0 && !this.owes) return;
    this.owes = false;
    this.send({ a: this.last, f: first, m: messages });
  }

  /** @param {Packet} packet @returns {any[]} the messages that are new */
  hear({ a: acknowledged, f: first, m: messages }) {
    this.acknowledge(acknowledged);
    if (messages.length > 0) {
      this.owes = true;
      this.schedule();
    }
    // One before them was lost: they come again after it.
    if (first > this.last + 1) return [];
    const fresh = messages.slice(this.last + 1 - first);
    this.last += fresh.length;
    return fresh;
  }

  /** @param {number} number */
  acknowledge(number) {
    const count = Math.min(number - this.acknowledged, this.said.length);
    if (!(count > 0)) return;
    const all = this.said.splice(0, count);
    // What is to be sent again may have come all the same.
    for (const { size } of all.slice(0, this.sent)) this.size -= size;
    this.acknowledged += count;
    this.sent = Math.max(0, this.sent - count);
    this.isLate = false;
    if (this.said.length > this.sent) this.schedule();
  }

  /** Now and then: what was on its way for all the time since the last call is sent again. */
  look() {
    if (this.sent > 0 && this.isLate) {
      this.sent = 0;
      this.size = 0;
    }
    this.isLate = this.said.length > 0;
    if (this.said.length > this.sent) this.schedule();
  }

  end() {
    this.isOver = true;
  }
}

module.exports = { Line };
