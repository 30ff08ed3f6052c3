"use strict";
// One end of a connection between a listening pool and a client: frames out, one for all that is sent in a turn, and frames in, within
// a limit. Knows how values cross and nothing of what the messages mean: see `protocol`.

const { codecOf, decode, encodedWithin, formatOf } = require("../shared/codec");
const { coded } = require("../shared/errors");
const { Buffer, JSON, nextTick } = require("../shared/primordials");

/** @typedef {import("../shared/codec").Codec} Codec */
/** A value as it crosses. @typedef {{ format: number, text: string, bytes: Uint8Array | undefined, size: number }} Packed */

/** The formats beside those of the codec, whose 0 is JSON within the text. */
const NOTHING = 1;
const LONG_TEXT = 4;

/** The bytes before a frame's text. */
const HEADER = 8;

/** A longer text is a section of its own. */
const LONG = 64 * 1024;

/** A frame with more is sent at once. */
const FULL = 256 * 1024;

/** The most bytes of a frame: an entry may have data and a response of 1 GiB each, and what is around them. */
const MOST_BYTES = 2 ** 31 + 2 ** 20;

/** The most bytes before the other side has said who it is. */
const MOST_BYTES_BEFORE = 64 * 1024;

/** Bytes that the other side has not read, beyond which nothing more is made for it. */
const CLOGGED = 4 << 20;

/** How bytes cross. */
const BYTES = codecOf("bytes");

/** @type {Packed} */
const NONE = { format: NOTHING, text: "0", bytes: undefined, size: 0 };

/** @param {Codec} codec @param {any} value @param {string} key @param {string} what the value is, for errors @returns {Packed} */
function packed(codec, value, key, what) {
  const encoded = encodedWithin(codec, value, key, what);
  if (encoded === undefined) return NONE;
  if (typeof encoded === "string") return packedText(encoded);
  // The program may change its own bytes at once.
  const bytes = encoded === value ? Buffer.from(encoded) : encoded;
  return section(formatOf(value, encoded), bytes);
}

/** @param {string} text JSON @returns {Packed} */
const packedText = (text) =>
  text.length > LONG
    ? section(LONG_TEXT, Buffer.from(text))
    : { format: 0, text, bytes: undefined, size: text.length };

/** @param {number} format @param {Uint8Array} bytes @returns {Packed} */
const section = (format, bytes) => ({
  format,
  text: String(bytes.length),
  bytes,
  size: bytes.length,
});

/** @param {Uint8Array | null | undefined} bytes @returns {Packed} */
const packedBytes = (bytes) => packed(BYTES, bytes || undefined, "", "the value");

/** @param {any} value that JSON has */
const packedJson = (value) => packedText(JSON.stringify(value));

class Connection {
  /**
   * @param {import("net").Socket} socket
   * @param {{ hear: (message: any[], values: Values) => void, over: (error: unknown) => void, drained?: () => void }} owner
   *   `over`: nothing comes any more, and why if that is known; `drained`: it is not clogged any more
   */
  constructor(socket, owner) {
    this.socket = socket;
    this.owner = owner;
    this.most = MOST_BYTES_BEFORE;
    this.isOver = false;
    this.isClogged = false;
    /** What goes out with the next frame. @type {string[]} */
    this.texts = [];
    /** @type {Uint8Array[]} */
    this.sections = [];
    this.size = 0;
    /** What has come and is no whole frame. @type {globalThis.Buffer[]} */
    this.chunks = [];
    this.received = 0;
    this.flush = () => this.sendFrame();
    socket.on("data", (chunk) => this.take(chunk));
    socket.on("error", (error) => this.end(error));
    // The first of the two that comes. Who has ended waits for nothing: what it has not read must not keep this process alive.
    socket.on("end", () => this.break(undefined));
    socket.on("close", () => this.end(undefined));
    socket.on("drain", () => this.isDrained());
  }

  /** The other side has said who it is. */
  trust() {
    this.most = MOST_BYTES;
  }

  /** @param {any[]} fields JSON @param {Packed[]} values */
  send(fields, ...values) {
    if (this.isOver) return;
    let text = JSON.stringify(fields);
    if (values.length > 0) {
      text = text.slice(0, -1);
      for (const { format, text: own, bytes, size } of values) {
        text += `,${format},${own}`;
        if (bytes === undefined) continue;
        this.sections.push(bytes);
        this.size += size;
      }
      text += "]";
    }
    if (this.texts.length === 0) nextTick(this.flush);
    this.texts.push(text);
    this.size += text.length;
    if (this.size > FULL) this.sendFrame();
  }

  sendFrame() {
    if (this.texts.length === 0 || this.isOver) return;
    const text = `[${this.texts.join(",")}]`;
    const { sections, socket } = this;
    this.texts = [];
    this.sections = [];
    this.size = 0;
    const length = Buffer.byteLength(text);
    const head = Buffer.allocUnsafe(HEADER + length);
    head.writeUInt32LE(
      sections.reduce((sum, bytes) => sum + bytes.length, 4 + length),
      0,
    );
    head.writeUInt32LE(length, 4);
    head.write(text, HEADER);
    socket.cork();
    socket.write(head);
    for (const bytes of sections) socket.write(bytes);
    socket.uncork();
    this.isClogged = socket.writableLength > CLOGGED;
  }

  isDrained() {
    this.isClogged = false;
    if (this.owner.drained !== undefined) this.owner.drained();
  }

  /** @param {globalThis.Buffer} chunk */
  take(chunk) {
    if (this.isOver) return;
    this.chunks.push(chunk);
    this.received += chunk.length;
    try {
      for (let frame = this.nextFrame(); frame !== undefined; frame = this.nextFrame()) {
        this.read(frame);
        if (this.isOver) return;
      }
    } catch (error) {
      this.break(error);
    }
  }

  /** All of a frame but the first length. Throws if it is longer than it may be. @returns {globalThis.Buffer | undefined} */
  nextFrame() {
    if (this.received < HEADER) return undefined;
    if (this.chunks[0].length < HEADER) this.chunks = [Buffer.concat(this.chunks)];
    const length = this.chunks[0].readUInt32LE(0);
    if (length < 4 || length > this.most) throw broken(`a frame of ${length} bytes`);
    if (this.received < 4 + length) return undefined;
    const all = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    this.received -= 4 + length;
    this.chunks = this.received > 0 ? [all.subarray(4 + length)] : [];
    return all.subarray(4, 4 + length);
  }

  /** @param {globalThis.Buffer} frame */
  read(frame) {
    const end = 4 + frame.readUInt32LE(0);
    if (end > frame.length) throw broken("a text longer than its frame");
    const messages = JSON.parse(frame.toString("utf8", 4, end));
    if (!Array.isArray(messages)) throw broken("a frame without messages");
    const values = new Values(frame, end);
    for (const message of messages) {
      if (!Array.isArray(message)) throw broken("a message that is none");
      this.owner.hear(message, values);
    }
  }

  /** The other side does not keep to the protocol, or has ended. @param {unknown} error */
  break(error) {
    this.socket.destroy();
    this.end(error);
  }

  /** What was sent still goes out, and then nothing. */
  close() {
    this.sendFrame();
    const { socket } = this;
    socket.end(() => socket.destroy());
  }

  /** @param {unknown} error */
  end(error) {
    if (this.isOver) return;
    this.isOver = true;
    this.chunks = [];
    this.owner.over(error);
  }
}

/** The sections of a frame, which its messages take in their order. */
class Values {
  /** @param {globalThis.Buffer} frame @param {number} at */
  constructor(frame, at) {
    this.frame = frame;
    this.at = at;
  }

  /** The value that begins at an item of a message. @param {any[]} message @param {number} index @returns {any} */
  value(message, index) {
    const format = message[index];
    const given = message[index + 1];
    if (format === 0) return given;
    if (format === NOTHING) return undefined;
    if (format === LONG_TEXT) return JSON.parse(this.bytes(given).toString());
    if (format !== 2 && format !== 3) throw broken(`a value of the format ${format}`);
    // A copy: the program may keep one value for long, or transfer its memory.
    return decode(Buffer.from(this.bytes(given)), format);
  }

  /** @param {any} length */
  bytes(length) {
    const { frame, at } = this;
    if (!Number.isInteger(length) || length < 0 || at + length > frame.length)
      throw broken(`a section of ${length} bytes`);
    this.at += length;
    return frame.subarray(at, this.at);
  }
}

/** @param {string} what */
const broken = (what) =>
  coded(Error, "ERR_SONIC_PROTOCOL", `the other side of the socket sent ${what}`);

module.exports = { Connection, Values, broken, packed, packedBytes, packedJson, packedText };
