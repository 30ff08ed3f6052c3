"use strict";
// What this process writes to a terminal while its master draws progress there. The cursor rests where the
// drawing begins, so whatever is written takes the drawing's place; here it is seen to that nothing of the drawing is
// left beside it. See src/screen.rs.

const { isatty } = require("tty");

/** Clears the terminal from the cursor on. */
const ERASE = "\x1b[J";

const NEWLINE = 10;

/** @typedef {NodeJS.WriteStream} Stream */

/**
 * Has what the program writes to its output streams stand beside what is drawn, where they are terminals.
 * @param {(isOpen: boolean) => void} tell called before a write that ends within a line, or ends such a line
 * @returns {() => void} makes an end of it
 */
function standBeside(tell = () => {}) {
  // A stream is made when it is first looked at: those that are no terminals stay unmade.
  const streams = [];
  if (isatty(1)) streams.push(process.stdout);
  if (isatty(2)) streams.push(process.stderr);
  let isOpen = false;
  const undone = streams.map((stream) =>
    eraseBefore(stream, (endsLine) => {
      if (isOpen !== endsLine) return;
      isOpen = !endsLine;
      tell(isOpen);
    }),
  );
  return () => {
    for (const undo of undone) undo();
  };
}

/**
 * @param {Stream} stream
 * @param {(endsLine: boolean) => void} writes
 * @returns {() => void}
 */
function eraseBefore(stream, writes) {
  const { write } = stream;
  const isOwn = Object.hasOwnProperty.call(stream, "write");
  let isOn = true;
  /** @type {any} */
  const erasing = (/** @type {any} */ chunk, /** @type {any[]} */ ...rest) => {
    const [encoding] = rest;
    const isEncoded = typeof chunk === "string" && typeof encoding === "string";
    const written = isEncoded
      ? Buffer.from(chunk, /** @type {BufferEncoding} */ (encoding))
      : chunk;
    // What is no chunk is the stream's to refuse.
    if (isOn && (typeof written === "string" || ArrayBuffer.isView(written))) {
      const { length } = /** @type {string | Uint8Array} */ (written);
      if (length > 0) {
        const isText = typeof written === "string";
        const bytes = /** @type {Uint8Array} */ (written);
        writes((isText ? written.charCodeAt(length - 1) : bytes[length - 1]) === NEWLINE);
        // In one piece, or the drawing might come between.
        const erased = isText ? ERASE + written : Buffer.concat([Buffer.from(ERASE), bytes]);
        return Reflect.apply(write, stream, [erased, ...rest]);
      }
    }
    return Reflect.apply(write, stream, [chunk, ...rest]);
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

module.exports = { ERASE, standBeside };
