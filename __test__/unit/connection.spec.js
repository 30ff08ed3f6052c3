"use strict";
/**
 * Promise: What one end of a connection sends in a turn is one frame, whose bytes are those written here. The other end hears the same
 * messages and values, wherever the bytes are cut. Frames that are none, or too long, end the connection and nothing else.
 */
const assert = require("node:assert/strict");
const { EventEmitter } = require("node:events");
const { describe, it } = require("node:test");

const { Connection, packed, packedJson } = require("../../lib/master/connection");
const { codecOf } = require("../../lib/shared/codec");

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What a connection needs of a socket. */
class Socket extends EventEmitter {
  written = [];
  isDestroyed = false;
  writableLength = 0;

  cork() {}
  uncork() {}

  write(bytes) {
    this.written.push(Buffer.from(bytes));
  }

  destroy() {
    this.isDestroyed = true;
  }
}

/** @param {(message: any, values: any) => any} [read] */
function opened(read = () => undefined) {
  const socket = new Socket();
  const ends = [];
  const heard = [];
  const owner = {
    hear: (message, values) => heard.push([message, read(message, values)]),
    over: (error) => ends.push(error),
  };
  const connection = new Connection(/** @type {any} */ (socket), owner);
  return { connection, socket, heard, ends };
}

/** What is sent by `send`, as one piece. */
async function sent(send) {
  const { connection, socket } = opened();
  send(connection);
  await turn();
  return Buffer.concat(socket.written);
}

const bytes = codecOf("bytes");
const value = (data, codec = bytes) => packed(codec, data, "data", "the data");

const VALUES = {
  "a number": 5,
  nothing: undefined,
  null: null,
  "a text": 'é "\u2028',
  "a long text": "é".repeat(100_000),
  "an object": { a: [1, { b: null }] },
  "a Buffer": Buffer.from([0, 255, 10]),
  "an empty Buffer": Buffer.alloc(0),
  "another view": new Float64Array([0.5, -0]),
};

describe("a frame", () => {
  it("has all of a turn, as it is written in the protocol", async () => {
    const frame = await sent((connection) => {
      connection.send([5, 1], value(42));
      connection.send([5, 2], value(Buffer.from("ab")), value(undefined));
      connection.send([13]);
    });
    const text = "[[5,1,0,42],[5,2,3,2,1,0],[13]]";
    assert.equal(frame.readUInt32LE(0), 4 + text.length + 2);
    assert.equal(frame.readUInt32LE(4), text.length);
    assert.equal(frame.toString("utf8", 8), `${text}ab`);
  });

  it("is sent at once when it is long", () => {
    const { connection, socket } = opened();
    connection.send([1], value(Buffer.alloc(300_000)));
    assert.equal(Buffer.concat(socket.written).length, 8 + "[[1,3,300000]]".length + 300_000);
  });

  for (const [name, data] of Object.entries(VALUES)) {
    it(`carries ${name}`, async () => {
      const frame = await sent((connection) => connection.send([5, 1], value(data), value(1)));
      const read = (message, values) => [values.value(message, 2), values.value(message, 4)];
      const { connection, socket, heard } = opened(read);
      connection.trust();
      socket.emit("data", frame);
      assert.deepEqual(heard[0][1], [data, 1]);
    });
  }

  it("carries what structured clone can", async () => {
    const data = { when: new Date(5), set: new Set([1n]) };
    const frame = await sent((connection) =>
      connection.send([5, 1], value(data, codecOf("advanced"))),
    );
    const { socket, heard } = opened((message, values) => values.value(message, 2));
    socket.emit("data", frame);
    assert.deepEqual(heard[0][1], data);
  });

  it("is heard as a whole wherever it is cut", async () => {
    const frame = await sent((connection) => {
      connection.send([5, 1], value(Buffer.from("abc")));
      connection.send([7, 2], packedJson({ message: "é" }));
    });
    const two = Buffer.concat([frame, frame]);
    const read = (message, values) => values.value(message, 2);
    const expected = [Buffer.from("abc"), { message: "é" }];
    for (let at = 0; at <= two.length; at++) {
      const { socket, heard, ends } = opened(read);
      for (const piece of [two.subarray(0, at), two.subarray(at)]) socket.emit("data", piece);
      assert.deepEqual(
        heard.map(([, found]) => found),
        [...expected, ...expected],
        `cut at ${at}`,
      );
      assert.deepEqual(ends, []);
    }
    const { socket, heard } = opened(read);
    for (const byte of two) socket.emit("data", Buffer.from([byte]));
    assert.equal(heard.length, 4);
  });
});

describe("a connection", () => {
  const framed = (text, rest = 0, length = text.length) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(4 + text.length + rest, 0);
    head.writeUInt32LE(length, 4);
    return Buffer.concat([head, Buffer.from(text), Buffer.alloc(rest)]);
  };
  const long = (bytes) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(bytes, 0);
    return head;
  };

  const wrong = {
    "no text": framed(""),
    "no JSON": framed("{"),
    "no array": framed("7"),
    "no messages": framed("[7]"),
    "no length": long(3),
    "a text longer than the frame": framed("[]", 0, 3),
    "a section longer than the frame": framed("[[1,1,3,5]]", 4),
    "a section of a negative length": framed("[[1,1,3,-1]]", 4),
    "a section of a broken length": framed("[[1,1,3,1.5]]", 4),
    "a section of a length that is none": framed('[[1,1,3,"1"]]', 4),
    "an unknown format": framed("[[1,1,5,0]]"),
    "a clone that is none": framed("[[1,1,2,4]]", 4),
    "a frame of 4 GiB": long(0xffffffff),
    "a frame that is too long before the hello": long(64 * 1024 + 1),
  };
  for (const [name, frame] of Object.entries(wrong)) {
    it(`ends by ${name}, and says why`, () => {
      const { socket, ends } = opened((message, values) => values.value(message, 2));
      socket.emit("data", frame);
      socket.emit("data", framed("[[1,1,0,1]]"));
      assert.equal(socket.isDestroyed, true);
      assert.equal(ends.length, 1);
      assert.ok(ends[0] instanceof Error);
    });
  }

  it("may have long frames once the other side has said who it is", () => {
    const { connection, socket, ends } = opened();
    connection.trust();
    socket.emit("data", long(2 ** 31));
    assert.deepEqual([ends, socket.isDestroyed], [[], false]);
    assert.equal(connection.received, 8);
  });

  it("sends nothing more when it is over, and tells of that once", async () => {
    const { connection, socket, ends } = opened();
    socket.emit("error", new Error("gone"));
    socket.emit("close");
    connection.send([1]);
    await turn();
    assert.deepEqual(socket.written, []);
    assert.deepEqual(
      ends.map(({ message }) => message),
      ["gone"],
    );
  });

  it("is over when the other side ends its stream, and drops what that has not read", () => {
    const { socket, ends } = opened();
    socket.emit("end");
    socket.emit("close");
    assert.deepEqual([ends, socket.isDestroyed], [[undefined], true]);
  });

  it("is clogged while much of what was sent is unread", async () => {
    const { connection, socket } = opened();
    socket.writableLength = (4 << 20) + 1;
    connection.send([1]);
    await turn();
    assert.equal(connection.isClogged, true);
    socket.emit("drain");
    assert.equal(connection.isClogged, false);
  });
});
