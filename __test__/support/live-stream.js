"use strict";
/** A server that tells a dashboard's page of a program that never was: of any number of workers and frames, as fast as it is asked to. */
const http = require("node:http");

/** As the page is told of a pool. */
const pool = (workers, more = {}) => ({
  id: 1,
  kind: "MapReduce",
  title: "the call at dump.js:1:1",
  startedAt: 1_700_000_000_000,
  size: workers.length,
  workers,
  runs: [],
  ...more,
});

const counts = (answered, failed = 0) => ({
  elapsed: 1,
  handedOver: answered + failed + 10,
  answered,
  nothing: 0,
  failed,
  failures: { error: failed, crash: 0, timeout: 0, aborted: 0 },
  unfinished: 10,
  retried: 0,
  crashes: 0,
  restarts: 0,
  bytesIn: 0,
  bytesOut: 0,
});

const percentiles = (ms) => ({ count: 1, mean: ms, p50: ms, p90: ms, p99: ms * 3, max: ms * 4 });

class LiveStream {
  /** @param {any} [more] of the snapshot */
  static async start(more) {
    const stream = new LiveStream(more);
    await new Promise((resolve) => stream.server.listen(0, "127.0.0.1", () => resolve(undefined)));
    const { port } = /** @type {import("net").AddressInfo} */ (stream.server.address());
    stream.url = `http://127.0.0.1:${port}/`;
    return stream;
  }

  constructor(more = {}) {
    this.more = more;
    this.now = 1_700_000_000_000;
    this.url = "";
    this.clients = new Set();
    this.server = http.createServer((request, response) => {
      if (request.url === "/") {
        response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
        response.end(require("../../lib/master/live-page"));
        return;
      }
      response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
      this.clients.add(response);
      this.send("snapshot", this.snapshot());
    });
  }

  snapshot() {
    return {
      now: this.now,
      startedAt: this.now,
      program: "dump.js",
      pid: 3999,
      node: "20.1.0",
      platform: "linux-x64",
      package: "2.0.0",
      pools: [],
      marks: [],
      failures: { groups: [], list: [] },
      locks: { used: [], held: [], pending: [] },
      ...this.more,
    };
  }

  send(name, data) {
    for (const client of this.clients)
      client.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** A frame, a quarter of a second after the last. @param {any} told */
  frame(told) {
    this.now += 250;
    this.send("frame", { now: this.now, ...told });
  }

  end() {
    this.send("end", {});
  }

  stop() {
    for (const client of this.clients) client.destroy();
    this.server.close();
  }
}

module.exports = { LiveStream, counts, percentiles, pool };
