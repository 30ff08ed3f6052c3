"use strict";
/**
 * The cells of the fault matrix with flows: a flow with a hop between workers of different tags and a shuffle, and a fault in one of its
 * workers while it starts, in each of its nodes, while it answers, and while it shuts down; or its master is killed there. What a cell
 * must come to is derived here. It runs nothing.
 */
const { FAULTS, effectOf, errorOf } = require("../cells");

/**
 * @typedef {object} Moment
 * @property {string} strikes when the fault strikes, as `inject.js` calls it
 * @property {string} [node] in whose event
 */

/** @type {Record<string, Moment>} */
const FLOW_MOMENTS = {
  "at start": { strikes: "at start" },
  handshake: { strikes: "handshake" },
  /** In an event of the source, of which nothing counts then. */
  "before the hop": { strikes: "run", node: "parts" },
  "answer half written": { strikes: "answer half written", node: "parts" },
  /** In the event that writes an item down. */
  "before the shuffle": { strikes: "run", node: "paired" },
  /** In the event that reads a part of the keys. */
  "behind the shuffle": { strikes: "run", node: "summed" },
  shutdown: { strikes: "shutdown" },
};

/** What becomes of the other processes when their master is dead. */
const MASTER_FAULTS = ["kills the master", "kills the master and loops"];

/** One of each kind: what raises, what ends the process in two ways, what stops it, what is busy for ever, what breaks the protocol. */
const FLOW_FAULTS = [
  ...["throw", "exit 7", "SIGKILL", "SIGSTOP", "endless loop", "garbage frame"],
  ...MASTER_FAULTS,
];

/** What a released worker does without its master is its own business; one that hangs before its call is found out elsewhere. */
function isCell({ fault, moment }) {
  const isEarly = moment === "at start" || moment === "handshake";
  if (MASTER_FAULTS.includes(fault)) return !isEarly && moment !== "shutdown";
  return !isEarly || FAULTS[fault].kind !== "hangs";
}

/** @param {{ fault: string, moment: string, retries: string }} cell */
function expectedOf({ fault, moment, retries }) {
  if (MASTER_FAULTS.includes(fault)) return { orphans: true };
  const { strikes, node } = FLOW_MOMENTS[moment];
  const effect = effectOf(fault, strikes);
  if (node === undefined || retries === "on") return {};
  // An exception fails one group, and the end of a worker all that its event reads.
  const loses = node === "summed" && effect.kind !== "raises" ? "groups" : node;
  return { fails: errorOf(effect), node, loses };
}

/** The limits without which a worker may hang for as long as it likes. */
function limitsOf({ fault, moment }) {
  if (FAULTS[fault]?.kind !== "hangs") return {};
  return moment === "shutdown" ? { shutdownGrace: 500 } : { taskTimeout: 1000 };
}

const VARIANTS = [
  { serialization: "json", retries: "off" },
  { serialization: "advanced", retries: "on" },
  { serialization: "advanced", retries: "off" },
  { serialization: "json", retries: "on" },
];

/** Every fault at every moment, each with two variants, or with one. */
function flowCells(step = 1) {
  const places = FLOW_FAULTS.flatMap((fault) =>
    Object.keys(FLOW_MOMENTS).map((moment) => ({ fault, moment })),
  ).filter(isCell);
  const all = places.flatMap((place, at) => {
    const first = { ...place, ...VARIANTS[at % 4] };
    // Without a master it is all the same.
    if (step > 1 || MASTER_FAULTS.includes(place.fault)) return [first];
    return [first, { ...place, ...VARIANTS[(at + 1) % 4] }];
  });
  return all.map((cell) => {
    const { strikes, node } = FLOW_MOMENTS[cell.moment];
    return { ...cell, strikes, node, limits: limitsOf(cell), expected: expectedOf(cell) };
  });
}

module.exports = { FLOW_FAULTS, FLOW_MOMENTS, flowCells };
