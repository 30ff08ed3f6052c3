"use strict";
// One browser that follows a dashboard. It never holds the program up: what it does not read in time is left out, and it is
// disconnected if it reads nothing for long.

const { now } = require("../shared/primordials");

/** Milliseconds for which a client may read nothing. It may connect again. */
const LONGEST_SILENCE = 5000;

class LiveClient {
  /** @param {import("http").ServerResponse} response @param {() => void} onClose */
  constructor(response, onClose) {
    this.response = response;
    /** Since when it has something to read; 0: it has read everything. */
    this.since = 0;
    /** It was not told of something. */
    this.hasMissed = true;
    response.on("drain", () => {
      this.since = 0;
    });
    response.on("close", onClose);
    response.on("error", () => {});
  }

  /**
   * Tells what is new, or all if it has missed something.
   * @param {string} frame
   * @param {() => string} snapshot
   */
  send(frame, snapshot) {
    if (this.since !== 0) {
      this.hasMissed = true;
      if (now() - this.since > LONGEST_SILENCE) this.response.destroy();
      return;
    }
    const text = this.hasMissed ? snapshot() : frame;
    this.hasMissed = false;
    if (!this.response.write(text)) this.since = now();
  }

  /** Tells it at once, as the program exits, and no event loop turns any more. @param {string} text */
  sendNow(text) {
    if (this.since !== 0) return;
    this.response.write(text);
    // Node holds a response back until the next turn.
    const { socket } = this.response;
    if (socket) socket.uncork();
  }

  /** @param {string} text the last */
  end(text) {
    if (this.since !== 0) this.response.destroy();
    else this.response.end(text);
  }
}

module.exports = { LiveClient };
