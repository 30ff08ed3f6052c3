"use strict";
// Node's own channel to the master, in a worker: `process.send` in order with the answers, `listen()`
// in this process alone, and nothing that keeps an otherwise finished program alive.

const cluster = require("./cluster");
const { textWithin } = require("./codec");
const { sendCallback } = require("./handles");
const { variable } = require("./own");
const { Set, nextTick } = require("./primordials");
const { watchStderr } = require("./stderr");
const { describe } = require("./thrown");

/** @typedef {import("./worker").Self} Self */

/** @param {Self} self */
function adapt(self) {
  adaptSend(self);
  adaptListen();
  reportUncaught(self);
  reportDeath(self);
  letEnd();
}

/**
 * The cluster module's two listeners (`disconnect` and `message`) hold the channel, and so the
 * process; a program that ends without reaching its call must end. Listeners of its own still hold it.
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
 * What `process.send` sends is an entry of the result queues if it looks like one: it must not
 * overtake an answer, nor be overtaken.
 * @param {Self} self
 */
function adaptSend(self) {
  const { native, handle, wire, codec } = self;
  const { send } = process;
  if (send === undefined) return;
  /** @type {any} */
  const ordered = (/** @type {any} */ message, /** @type {any[]} */ ...rest) => {
    const isOurs = process.connected && isSendable(message);
    const text = isOurs ? textWithin(codec, message, "process.send: the message") : undefined;
    // Node's own send says what is wrong with the rest, in Node's own words.
    if (text === undefined) return Reflect.apply(send, process, [message, ...rest]);
    const callback = sendCallback(rest);
    native.workerMessage(handle, flagsOf(message, wire), text);
    if (callback) nextTick(callback, null);
    return true;
  };
  process.send = ordered;
}

/**
 * Whether a message is the program's, and something that Node's own channel would send.
 * @param {any} message
 */
function isSendable(message) {
  const type = typeof message;
  if (type === "undefined" || type === "function" || type === "symbol") return false;
  if (message === null || type !== "object") return true;
  return !(typeof message.cmd === "string" && message.cmd.startsWith("NODE_"));
}

/**
 * @param {any} message
 * @param {import("../native").Wire} wire
 */
function flagsOf(message, wire) {
  if (message === null || typeof message !== "object") return 0;
  const { failed, response } = message;
  return (
    (failed ? wire.failed : 0) | (response !== undefined && response !== null ? wire.response : 0)
  );
}

/**
 * The servers and datagram sockets that the cluster module would share: closed when the worker is let
 * go, as it does.
 * @type {Set<any>}
 */
const listening = new Set();

/** What listens in a worker is its own, as with `exclusive: true`: the master shares no handles. */
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
 * Node makes the handles of datagram sockets for nobody but itself: each of these is told to be
 * exclusive, so that it does not ask the cluster module for one.
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
    // One that is exclusive anyway is no business of the cluster module's, nor is a ready handle.
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

/**
 * @param {any} server
 * @param {any} where as the cluster module is told
 */
function opened(server, where) {
  listening.add(server);
  server.once("close", () => listening.delete(server));
  announce(server, where);
}

/** The worker is let go: nothing listens any more, and what is connected may end. */
function stopListening() {
  for (const server of listening) {
    try {
      server.close();
    } catch (_) {
      // A socket that the program has just closed, whose `close` is still to come.
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

/**
 * The master's error for a worker that died says what killed it.
 * @param {Self} self
 */
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

/**
 * So do the last lines that it wrote, and whether its heap was full.
 * @param {Self} self
 */
function reportDeath({ native, handle }) {
  watchStderr((bytes) => native.workerWrote(handle, bytes));
  // V8 asks one only of those who want to know that the heap is full, and that is the last one.
  const options = [...process.execArgv, variable("NODE_OPTIONS") || ""].join(" ");
  if (!/--heapsnapshot[-_]near[-_]heap[-_]limit/.test(options)) native.workerNoteHeapLimit(handle);
}

module.exports = { adapt, stopListening };
