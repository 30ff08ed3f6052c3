"use strict";
/**
 * Promise: A dashboard's memory is bounded, whatever fails and however often. A browser that reads slowly misses frames and gets the whole
 * state later; one that reads nothing is disconnected; neither fills the program's memory.
 */
const assert = require("node:assert/strict");
const { once } = require("node:events");
const net = require("node:net");
const { describe, it } = require("node:test");

const { LiveFailures } = require("../../lib/master/live-failures");
const { LiveServer } = require("../../lib/master/live-server");

const told = (failures, seq = 0) => JSON.parse(failures.since(seq));

const failed = (message, more = {}) => ({
  pool: 1,
  data: { part: 1 },
  worker: 2,
  error: { name: "Error", message, stack: `Error: ${message}\n    at job.js:1:1`, ...more },
});

describe("the failures of a dashboard", () => {
  it("are of one kind if they differ in numbers and quoted names only", () => {
    const failures = new LiveFailures();
    for (const text of ["no row 1 in 'a'", "no row 22 in 'b'", "no column 1 in 'a'"])
      failures.add(failed(text));
    const { groups, list } = told(failures);
    assert.deepEqual(
      groups.map(({ message, count }) => [message, count]),
      [
        ['no row # in "…"', 2],
        ['no column # in "…"', 1],
      ],
    );
    assert.deepEqual(
      list.map(({ message }) => message),
      ["no row 1 in 'a'", "no row 22 in 'b'", "no column 1 in 'a'"],
    );
  });

  it("are told once, and what has changed since", () => {
    const failures = new LiveFailures();
    failures.add(failed("a"));
    const { seq } = failures;
    assert.deepEqual(told(failures, seq), { groups: [], list: [] });
    failures.add(failed("b"));
    assert.deepEqual(
      told(failures, seq).list.map(({ message }) => message),
      ["b"],
    );
    assert.equal(told(failures, seq).groups.length, 1);
  });

  it("are counted, all of them, and take no more memory with a million of as many kinds", () => {
    const failures = new LiveFailures();
    const letters = (n) => n.toString(36).replace(/\d/g, (digit) => "ghijklmnop"[digit]);
    const count = 200_000;
    for (let n = 0; n < count; n++) {
      if (n % 20 === 0) failures.turn();
      failures.add(failed(`kind ${letters(n)} ${"x".repeat(300)}`));
    }
    const { groups, list } = told(failures);
    assert.equal(
      groups.reduce((sum, group) => sum + group.count, 0),
      count,
    );
    assert.ok(groups.length <= 201);
    assert.ok(list.length <= 1000);
    assert.equal(list[list.length - 1].seq, count);
    assert.ok(failures.since(0).length < 2 << 20);
  });

  it("have details for as many in an interval as somebody reads", () => {
    const failures = new LiveFailures();
    for (let n = 0; n < 100; n++) failures.add(failed(`no ${n}`));
    failures.turn();
    failures.add(failed("no 100"));
    const { groups, list } = told(failures);
    assert.deepEqual([groups[0].count, list.length], [101, 21]);
  });

  it("may be of anything, of any size, and nothing of the program's own runs", () => {
    let ran = 0;
    const run = () => {
      ran++;
      throw new Error("ran");
    };
    const big = "y".repeat(5_000_000);
    const data = {
      big,
      list: new Array(100_000).fill(big),
      get trap() {
        return run();
      },
      [Symbol.for("nodejs.util.inspect.custom")]: run,
      toJSON: run,
    };
    const failures = new LiveFailures();
    const attempts = new Array(1000).fill({ worker: 1, pid: 2, message: big, name: run });
    const errors = [
      { name: big, message: big, stack: big, stderr: big, code: big, attempts, signal: big },
      { name: { toString: run }, message: Symbol("s"), stack: 5, stderr: {}, attempts: "no" },
      undefined,
      null,
      7,
      "text",
    ];
    for (const error of errors) failures.add({ pool: 1, data, error });
    assert.equal(ran, 0);
    const { list } = told(failures);
    assert.equal(list.length, errors.length);
    assert.ok(failures.since(0).length < 60_000);
    assert.deepEqual(
      list.slice(2).map(({ message }) => message),
      ["undefined", "null", "7", "text"],
    );
  });
});

describe("a dashboard's server", () => {
  const place = { host: "127.0.0.1", port: 0 };

  /** A server that sends a frame of so many characters every few milliseconds, and what it sends when a client has missed some. */
  async function serving(length) {
    const server = new LiveServer(place, () => {});
    const { port } = await new Promise((resolve, reject) =>
      server.listen((told) => (told.error ? reject(told.error) : resolve(told))),
    );
    const frame = `event: frame\ndata: "${"f".repeat(length)}"\n\n`;
    const seen = { frames: 0, most: 0 };
    const timer = setInterval(() => {
      seen.frames++;
      for (const client of server.clients) {
        client.send(frame, () => 'event: snapshot\ndata: "all"\n\n');
        seen.most = Math.max(seen.most, client.response.writableLength);
      }
    }, 5);
    const connect = async () => {
      const socket = net.connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
      return socket;
    };
    const stop = () => {
      clearInterval(timer);
      server.close("");
    };
    return { server, seen, connect, stop, length };
  }

  it("leaves frames out for a browser that reads slowly, and tells it all later", async () => {
    const { server, seen, connect, stop } = await serving(300_000);
    try {
      const socket = await connect();
      while (server.clients.size === 0) await once(socket, "readable");
      const [client] = server.clients;
      while (!client.hasMissed || client.since === 0)
        await new Promise((resolve) => setTimeout(resolve, 5));
      // One frame is on its way, and no other.
      assert.ok(seen.most <= 2 * 300_100, `${seen.most} bytes wait`);
      let text = "";
      socket.on("data", (piece) => {
        text += piece;
        if (text.split("event: snapshot").length > 2) socket.destroy();
      });
      await once(socket, "close");
      assert.match(text, /^HTTP\/1\.1 200 OK/);
      assert.match(
        text.slice(text.lastIndexOf("event: snapshot")),
        /^event: snapshot\ndata: "all"/,
      );
    } finally {
      stop();
    }
  });

  it("disconnects a browser that reads nothing, which may come again", async () => {
    const { server, seen, connect, stop } = await serving(300_000);
    try {
      const silent = await connect();
      silent.pause();
      const reading = await connect();
      reading.resume();
      while (server.clients.size < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      const began = Date.now();
      while (server.clients.size > 1) {
        assert.ok(Date.now() - began < 20_000, "it is still connected");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok(seen.most <= 2 * 300_100);
      assert.equal(reading.destroyed, false);
      silent.destroy();
      const again = await connect();
      while (server.clients.size < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      again.destroy();
      reading.destroy();
    } finally {
      stop();
    }
  });

  it("takes so many browsers and no more", async () => {
    const { server, connect, stop } = await serving(10);
    try {
      const all = [];
      for (let n = 0; n < 33; n++) all.push(await connect());
      const [text] = await once(all[32], "data");
      assert.match(String(text), /^HTTP\/1\.1 503 /);
      assert.equal(server.clients.size, 32);
      for (const socket of all) socket.destroy();
    } finally {
      stop();
    }
  });
});
