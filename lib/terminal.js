"use strict";
// What this process writes to a terminal while its master draws progress there. The cursor rests where the
// drawing begins, so whatever is written takes the drawing's place; here it is seen to that nothing of the drawing is
// left beside it. See src/screen.rs.

const { isatty } = require("tty");
const { Buffer } = require("./primordials");

/** Clears the terminal from the cursor on. */
const ERASE = "\x1b[J";

/** The end of a line; what is coloured has that ended behind it, as a rule. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const LINE_END = /\n(?:\x1b\[[\d;]*m)*$/;

/** So many bytes at the end of a write are looked at: more than any end of colours has. */
const LOOKED_AT = 64;

/** @typedef {NodeJS.WriteStream} Stream */

/**
 * What hears of writes to the terminal.
 * @typedef {object} Listener
 * @property {() => void} opens called before what does not end its line
 * @property {() => void} ends called after what does
 */

/** How many want it, and what makes an end of it: there is one for the whole process. */
let users = 0;
let undoAll = () => {};

/**
 * Has what the program writes to its output streams stand beside what is drawn, where they are terminals.
 * @param {Listener} [listener] the same for all
 * @returns {() => void} makes an end of it
 */
function standBeside(listener = { opens() {}, ends() {} }) {
  if (users++ === 0) {
    // A stream is made when it is first looked at: those that are no terminals stay unmade.
    const streams = [];
    if (isatty(1)) streams.push(process.stdout);
    if (isatty(2)) streams.push(process.stderr);
    const undone = streams.map((stream) => eraseBefore(stream, listener));
    undoAll = () => {
      for (const undo of undone) undo();
    };
  }
  let isOver = false;
  return () => {
    if (!isOver && --users === 0) undoAll();
    isOver = true;
  };
}

/**
 * @param {Stream} stream
 * @param {Listener} listener
 * @returns {() => void}
 */
function eraseBefore(stream, listener) {
  const { write } = stream;
  const isOwn = Object.hasOwnProperty.call(stream, "write");
  let isOn = true;
  /** @type {any} */
  const erasing = (/** @type {any} */ chunk, /** @type {any[]} */ ...rest) => {
    const written = isOn ? writtenOf(chunk, rest[0]) : undefined;
    if (written === undefined) return Reflect.apply(write, stream, [chunk, ...rest]);
    const isText = typeof written === "string";
    const end = isText
      ? written.slice(-LOOKED_AT)
      : written.toString("latin1", written.length - LOOKED_AT);
    const isEnded = LINE_END.test(end);
    if (!isEnded) listener.opens();
    // In one piece, or the drawing might come between.
    const erased = isText ? ERASE + written : Buffer.concat([Buffer.from(ERASE), written]);
    const result = Reflect.apply(write, stream, [erased, ...rest]);
    if (isEnded) listener.ends();
    return result;
  };
  stream.write = erasing;
  return () => {
    isOn = false;
    // Somebody else may have put theirs before it.
    if (stream.write !== erasing) return;
    if (isOwn) stream.write = write;
    else Reflect.deleteProperty(stream, "write");
  };
}

/**
 * What a stream would write, as text or as bytes; undefined if that is nothing, or for the stream to refuse.
 * @param {unknown} chunk
 * @param {unknown} encoding
 * @returns {string | Buffer | undefined}
 */
function writtenOf(chunk, encoding) {
  if (typeof chunk === "string") {
    if (chunk === "") return undefined;
    return typeof encoding === "string" && Buffer.isEncoding(encoding)
      ? Buffer.from(chunk, encoding)
      : chunk;
  }
  if (!ArrayBuffer.isView(chunk) || chunk.byteLength === 0) return undefined;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

module.exports = { ERASE, standBeside };
