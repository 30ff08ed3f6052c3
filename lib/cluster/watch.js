"use strict";
// Ends a connection that is dead though nobody has closed it: where packets vanish on their way no command would ever fail. The client
// connects again by itself.

const { clearInterval, setInterval } = require("../shared/primordials");

/** Looks in the time that a connection may be silent. */
const LOOKS = 8;

/** The shortest of these times (ms): a busy broker answers late. */
const SHORTEST = 3000;

/** What a client is doing while it has a connection, or is about to. */
const CONNECTED = ["connecting", "connect", "ready"];

/**
 * @param {any} client of ioredis
 * @param {{ lease: number, timeout: number }} limits how long (ms) nothing may come, and how long where what was sent has not left yet
 * @param {(silence: number) => void} onDead is told before the connection is ended
 * @returns {() => void} ends the watch
 */
function watch(client, { lease, timeout }, onDead) {
  const between = Math.max(lease, SHORTEST) / LOOKS;
  let silent = 0;
  let read = 0;
  const timer = setInterval(() => {
    const { status, stream } = client;
    const bytes = Object(stream).bytesRead;
    if (!CONNECTED.includes(status) || bytes !== read) silent = 0;
    read = bytes;
    // Counted and not measured: a process that was stopped finds what has come meanwhile.
    const longest = Object(stream).writableLength > 0 ? Math.max(timeout, lease) : LOOKS * between;
    if (++silent * between > longest) {
      onDead(silent * between);
      silent = 0;
      client.disconnect(true);
    } else if (status === "ready") client.ping().catch(ignore);
  }, between);
  timer.unref();
  return () => clearInterval(timer);
}

const ignore = () => {};

module.exports = { watch };
