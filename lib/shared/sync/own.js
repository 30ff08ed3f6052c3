"use strict";
// This process's part of its program's namespace: made at the first use. In a worker the master keeps the locks, and otherwise this
// process does.

const { Namespace } = require("./namespace");
const copies = require("../copies");
const { coded } = require("../errors");
const { isThread } = require("../host");
const { native } = require("../native");
const { Map } = require("../primordials");

/** @typedef {import("./port").Arrived} Arrived */
/** @typedef {InstanceType<typeof Namespace>} ANamespace */

/** @type {ANamespace | undefined} */
let known;

/** @returns {ANamespace} */
function own() {
  if (known === undefined) known = found();
  return known;
}

/** @returns {ANamespace} */
function found() {
  const { worker } = copies.shared();
  if (worker === undefined) return hub().namespace;
  if (worker.sync !== undefined) return worker.sync.namespace();
  throw coded(
    Error,
    "ERR_SONIC_COPIES",
    "this worker was started by another version of @tiemma/sonic-distribute, which has no locks: install one version of it " +
      "(npm ls @tiemma/sonic-distribute shows them)",
  );
}

/** What the process has that keeps the locks of a program. */
class Hub {
  /** Its clients, by their numbers. @type {globalThis.Map<number, (arrived: Arrived) => void>} */
  #clients = new Map();

  constructor() {
    if (isThread()) throw ofThread();
    const core = native();
    const wire = { send: core.syncSend, hold: core.syncHold, isOwn: true };
    core.syncOpen(() => this.#take());
    this.namespace = new Namespace(wire, core);
  }

  #take() {
    for (const { owner, ...arrived } of native().syncTake()) {
      if (owner === 0) this.namespace.hear(arrived);
      else this.#clients.get(owner)?.(arrived);
    }
  }

  /**
   * Lets a client in.
   * @param {(arrived: Arrived) => void} hear
   * @param {{ worker?: number, pid?: number }} [who] a worker of another machine
   */
  enter(hear, { worker, pid } = {}) {
    const { syncAskAs, syncOwner, syncOwnerGone } = native();
    const owner = syncOwner(worker, pid);
    this.#clients.set(owner, hear);
    return {
      /** @param {string} text @param {Uint8Array | null} value */
      ask: (text, value) => syncAskAs(owner, text, value),
      leave: () => {
        this.#clients.delete(owner);
        syncOwnerGone(owner);
      },
    };
  }
}

const ofThread = () =>
  coded(
    Error,
    "ERR_SONIC_THREAD",
    "locks and sync are for the main thread of a process, because its locks are freed when that ends: use them there, and send the " +
      "thread a message",
  );

/** This process's hub. @returns {Hub} */
const hub = () => copies.onlyOne("sync", () => new Hub());

module.exports = { hub, own };
