"use strict";
// Notes the last of what a worker's program writes to `process.stderr`, for the master to find when the worker has died. Changes nothing
// else of the stream, and does not create it before the program uses it.

const { Buffer } = require("../shared/primordials");

/** One more than the core keeps, `TAIL_SIZE` in src/wire/protocol.rs, so that it sees where something was cut. */
const MOST = 4097;

/** @typedef {(bytes: Uint8Array) => void} Note */

/** @param {Note} note is given the end of whatever is written */
function watchStderr(note) {
  const found = Object.getOwnPropertyDescriptor(process, "stderr");
  if (found === undefined || !found.configurable) return;
  const { get } = found;
  if (get === undefined) {
    watch(found.value, note);
    return;
  }
  Object.defineProperty(process, "stderr", {
    ...found,
    get() {
      // From here on it is Node's own property again.
      Object.defineProperty(process, "stderr", found);
      const stream = Reflect.apply(get, process, []);
      watch(stream, note);
      return stream;
    },
  });
}

/** @param {any} stream @param {Note} note */
function watch(stream, note) {
  const { write } = Object(stream);
  if (typeof write !== "function") return;
  /**
   * @this {any}
   * @param {any[]} args
   */
  function writeAndNote(...args) {
    const bytes = endOf(args[0], args[1]);
    if (bytes !== undefined) note(bytes);
    return Reflect.apply(write, this, args);
  }
  const value = Object.defineProperty(writeAndNote, "name", { value: "write" });
  Object.defineProperty(stream, "write", { value, writable: true, configurable: true });
}

/**
 * The last bytes of what is written; undefined for what the stream refuses.
 * @param {any} chunk
 * @param {any} encoding
 * @returns {Uint8Array | undefined}
 */
function endOf(chunk, encoding) {
  if (chunk instanceof Uint8Array) return chunk.subarray(-MOST);
  if (typeof chunk !== "string") return undefined;
  const isOther =
    typeof encoding === "string" && Buffer.isEncoding(encoding) && !/^utf-?8$/i.test(encoding);
  return isOther
    ? Buffer.from(chunk, /** @type {any} */ (encoding)).subarray(-MOST)
    : Buffer.from(chunk.slice(-MOST));
}

module.exports = { watchStderr };
