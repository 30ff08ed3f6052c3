"use strict";
/** A TCP proxy on loopback that a test can have stop passing, or pass late. It knows nothing of what passes. */
const net = require("net");

class TestProxy {
  /** @param {number} port where it passes to */
  static start(port) {
    const proxy = new TestProxy(port);
    return new Promise((resolve, reject) => {
      proxy.server.once("error", reject);
      proxy.server.listen(0, "127.0.0.1", () => {
        proxy.port = /** @type {net.AddressInfo} */ (proxy.server.address()).port;
        resolve(proxy);
      });
    });
  }

  /** @param {number} target where it passes to */
  constructor(target) {
    this.target = target;
    /** Its own. */
    this.port = 0;
    this.server = net.createServer((near) => this.join(near));
    /** @type {Set<net.Socket>} */
    this.sockets = new Set();
    /** What waits to pass while it passes nothing. @type {(() => void)[] | undefined} */
    this.held = undefined;
    /** Milliseconds that each way takes. */
    this.delay = 0;
  }

  join(near) {
    const far = net.connect(this.target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("data", (bytes) => this.pass(() => to.write(bytes)));
      from.on("close", () => {
        this.sockets.delete(from);
        this.pass(() => to.destroy());
      });
    }
  }

  pass(deliver) {
    if (this.held !== undefined) this.held.push(deliver);
    else if (this.delay > 0) setTimeout(deliver, this.delay);
    else deliver();
  }

  /** Passes nothing: connections stay open, and new ones are taken, as if the network had swallowed all. */
  hold() {
    this.held = [];
  }

  /** Passes what was held, and what comes. */
  release() {
    const { held = [] } = this;
    this.held = undefined;
    for (const deliver of held) deliver();
  }

  close() {
    this.held = undefined;
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

module.exports = { TestProxy };
