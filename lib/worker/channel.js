"use strict";
// Node's own channel in a worker: `process.send` stays in order with the answers, `listen()` is this process's alone, the master hears
// how the process died, and nothing keeps a finished program alive.

const cluster = require("../shared/cluster");
const { encodedWithin, formatOf } = require("../shared/codec");
const { sendCallback } = require("../shared/handles");
const { variable } = require("../shared/own");
const { Set, nextTick } = require("../shared/primordials");
const { watchStderr } = require("./stderr");
const { describe } = require("../shared/describe");

/** @typedef {import("./runner").Self} Self */

/** @param {Self} self */
function adapt(self) {
  adaptSend(self);
  adaptListen();
  reportUncaught(self);
  reportDeath(self);
  letEnd();
}

/**
 * The cluster module's two listeners (`disconnect` and `message`) hold the channel, and so the process: a program that ends
 * without reaching its call would never exit. Its own listeners still hold the channel.
 */
function letEnd() {
  /** @type {any} */
  const { channel } = process;
  if (!channel) return;
  if (!channel.unrefCounted) {
    channel.unref();
    return;
  }
  channel.unrefCounted();
  channel.unrefCounted();
}

/**
 * What `process.send` sends may become an entry of the result queues: it and the answers must not overtake each other.
 * @param {Self} self
 */
function adaptSend(self) {
  const { native, handle, wire, codec } = self;
  const { send } = process;
  if (send === undefined) return;
  /** @type {any} */
  const ordered = (/** @type {any} */ message, /** @type {any[]} */ ...rest) => {
    const isOurs = process.connected && isSendable(message);
    const encoded = isOurs
      ? encodedWithin(codec, message, "", "process.send: the message")
      : undefined;
    // Node's own send has its own errors for the rest.
    if (encoded === undefined) return Reflect.apply(send, process, [message, ...rest]);
    if (flagsOf(message, wire) !== 0 && self.search.wanted.isClustered)
      require("./clustered").refuseEntries(self);
    const callback = sendCallback(rest);
    const format = formatOf(message, encoded) << wire.formatAt;
    native.workerMessage(handle, flagsOf(message, wire) | format, encoded);
    if (callback) nextTick(callback, null);
    return true;
  };
  process.send = ordered;
}

/** Whether a message is the program's, and Node's own channel would send it. @param {any} message */
function isSendable(message) {
  const type = typeof message;
  if (type === "undefined" || type === "function" || type === "symbol") return false;
  if (message === null || type !== "object") return true;
  return !(typeof message.cmd === "string" && message.cmd.startsWith("NODE_"));
}

/** @param {any} message @param {import("../../native").Wire} wire */
function flagsOf(message, wire) {
  if (message === null || typeof message !== "object") return 0;
  const { failed, response } = message;
  return (
    (failed ? wire.failed : 0) | (response !== undefined && response !== null ? wire.response : 0)
  );
}

/**
 * The servers and datagram sockets that the cluster module would share: closed when the worker is released, as it does.
 * @type {Set<any>}
 */
const listening = new Set();

/** Servers of a worker are its own, as with `exclusive: true`: the master shares no handles. */
function adaptListen() {
  /** @type {any} */
  const net = require("net");
  cluster._getServer = (server, options, callback) => {
    const { address, port, addressType, fd, flags } = options;
    // A handle, or an error number: Node's own code for an exclusive server.
    const handle = net._createServerHandle(address, port, addressType, fd, flags);
    if (typeof handle === "number") {
      callback(handle, null);
      return;
    }
    server.once("listening", () => opened(server, options));
    callback(0, handle);
  };
  adaptBind();
}

/**
 * Only Node itself can make the handle of a datagram socket: each socket becomes exclusive, so that it does not ask the cluster
 * module for one.
 */
function adaptBind() {
  const { prototype } = require("dgram").Socket;
  const { bind } = prototype;
  /**
   * @this {import("dgram").Socket}
   * @param {any[]} args port, address and callback, each optional; or options and a callback
   */
  function bindAlone(...args) {
    const [first, address] = args;
    const isObject = first !== null && typeof first === "object";
    // The cluster module does not care about exclusive ones, nor about a ready handle.
    if (isObject && (first.exclusive || typeof first.recvStart === "function")) {
      return Reflect.apply(bind, this, args);
    }
    const options = isObject
      ? { ...first }
      : { port: first, address: typeof address === "function" ? undefined : address };
    // Only once, though an earlier try may have failed.
    this.removeListener("listening", socketOpened);
    this.once("listening", socketOpened);
    return Reflect.apply(bind, this, [{ ...options, exclusive: true }, args[args.length - 1]]);
  }
  prototype.bind = bindAlone;
}

/** @this {any} */
function socketOpened() {
  const { address, port } = this.address();
  opened(this, { address, port, addressType: this.type, fd: -1 });
}

/** @param {any} server @param {any} where as the cluster module is told */
function opened(server, where) {
  listening.add(server);
  server.once("close", () => listening.delete(server));
  announce(server, where);
}

/** The worker is released: nothing listens any more, and connections may end. */
function stopListening() {
  for (const server of listening) {
    try {
      server.close();
    } catch (_) {
      // The program has just closed it, and `close` is still to come.
    }
  }
  listening.clear();
}

/**
 * Tells the master that a server listens, for cluster's `listening` event.
 * @param {any} server
 * @param {any} options
 */
function announce(server, { address, port, addressType, fd }) {
  /** @type {any} */ (cluster.worker).state = "listening";
  const bound = typeof server.address === "function" ? server.address() : null;
  const message = {
    cmd: "NODE_CLUSTER",
    act: "listening",
    addressType,
    address,
    port: bound?.port || port,
    fd,
  };
  if (process.connected && process.send) process.send(message);
}

/** Tells the master which exception ends this process. @param {Self} self */
function reportUncaught({ native, handle }) {
  process.on("uncaughtExceptionMonitor", (error) => {
    try {
      const { name, message } = Object(error);
      const said = message === undefined ? error : `${describe(name)}: ${describe(message)}`;
      native.workerUncaught(handle, describe(said));
    } catch (_) {
      // The process is ending; its exit code still tells.
    }
  });
}

/** Tells the master the last lines that were written, and whether the heap was full. @param {Self} self */
function reportDeath({ native, handle }) {
  watchStderr((bytes) => native.workerWrote(handle, bytes));
  // V8 asks only the last of those that watch for a full heap.
  const options = [...process.execArgv, variable("NODE_OPTIONS") || ""].join(" ");
  if (!/--heapsnapshot[-_]near[-_]heap[-_]limit/.test(options)) native.workerNoteHeapLimit(handle);
}

/**
 * Whether the program listens for messages. Asked for every event: `listenerCount` would take as long as everything else that an
 * event needs.
 * @param {Self} self
 */
function hasListeners({ worker }) {
  // @ts-expect-error: an emitter's listeners by name, one function or an array of them
  const { message } = process._events;
  // One is Node's own, which tells `cluster.worker`.
  if (typeof message !== "function") return message !== undefined;
  // @ts-expect-error: the same
  return worker._events.message !== undefined;
}

/** The program's own listeners hear of messages, and of events as in 1.0.3. @param {any} message */
function deliver(message) {
  try {
    process.emit(/** @type {any} */ ("message"), message, undefined);
  } catch (error) {
    // Uncaught, as it would be from Node's own channel; the events go on.
    nextTick(() => {
      throw error;
    });
  }
}

module.exports = { adapt, deliver, hasListeners, stopListening };
