"use strict";
// A wire of locks without processes: notes what a namespace sends, and answers as a spec says.

const { Namespace } = require("../../lib/shared/sync/namespace");

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** @param {any} [core] */
function wired(core) {
  /** @type {any[]} */
  const sent = [];
  /** @type {boolean[]} */
  const holds = [];
  const wire = {
    isOwn: true,
    send: (text, value) => sent.push({ ...JSON.parse(text), value }),
    hold: (isHeld) => holds.push(isHeld),
  };
  const namespace = new Namespace(wire, core);
  const reply = (id, told, value) =>
    namespace.hear({ text: JSON.stringify({ id, reply: told }), value });
  /** Answers the question that was asked last. */
  const answer = (told, value) => reply(sent[sent.length - 1].id, told, value);
  return { ...namespace, namespace, sent, holds, reply, answer };
}

/** Places of locks and counters as the core has them, for one process. */
function fakeCore() {
  const held = new Map();
  const values = [];
  const names = [];
  let token = 0;
  return {
    held,
    /** Locks whose end has to be told. */
    managed: new Set(),
    tries: 0,
    lockTry(place, generation, event) {
      this.tries++;
      this.events.push(event);
      if (held.has(place) || generation !== 1) return 0;
      held.set(place, ++token);
      return token;
    },
    events: [],
    syncEvent: (index, flags) => index * 1000 + flags,
    lockEnd(place, _generation, token) {
      if (this.managed.has(place) || held.get(place) !== token) return false;
      return held.delete(place);
    },
    counterIndex(name) {
      if (!names.includes(name)) names.push(name);
      return names.indexOf(name);
    },
    counterLoad: (at) => values[at] || 0,
    counterStore: (at, value) => {
      values[at] = value;
    },
    counterAdd: (at, n) => {
      const before = values[at] || 0;
      values[at] = before + n;
      return before;
    },
    counterExchange: (at, value) => {
      const before = values[at] || 0;
      values[at] = value;
      return before;
    },
    counterCompareExchange: (at, expected, value) => {
      const before = values[at] || 0;
      if (before === expected) values[at] = value;
      return before;
    },
  };
}

module.exports = { fakeCore, turn, wired };
