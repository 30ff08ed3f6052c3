"use strict";
// Which event of the source each event of a flow in this process descends from, for entries that are read in the order in which the
// source's events were handed over: as src/run/flow/lineage.rs has it of workers. Knows nothing of nodes and values.

const { Map } = require("../shared/primordials");

/** @typedef {import("./in-process-node").Doing} Doing */
/** An event of the source, until nothing is left of it; `left`: how many events. @typedef {{ left: number, entries: { path: number[], entry: any }[] }} Root */
/** Where something belongs; `path`: its place among what the root made, and so on. @typedef {{ root: Root, path: number[] }} Place */

class Lineage {
  /** @param {(entry: any) => void} deliver gets the entries in their order */
  constructor(deliver) {
    this.deliver = deliver;
    /** Of the events that have not ended. @type {globalThis.Map<Doing, Place>} */
    this.places = new Map();
    /** In the order in which they were handed over, by their numbers: those that have not been delivered. @type {globalThis.Map<number, Root>} */
    this.roots = new Map();
    this.count = 0;
    this.next = 0;
    /** How many entries wait. */
    this.held = 0;
    /** The event that ended last, how many things it makes, and how many of those have been told. @type {Place | undefined} */
    this.maker = undefined;
    this.makes = 0;
    this.made = 0;
  }

  /** The program has handed an event over. @param {Doing} doing */
  submitted(doing) {
    const root = { left: 1, entries: [] };
    this.roots.set(this.count++, root);
    this.places.set(doing, { root, path: [] });
  }

  /** An event ends, and makes so many things: they are told of next, one after the other. @param {Doing} doing @param {number} count */
  ends(doing, count) {
    this.maker = this.places.get(doing);
    this.places.delete(doing);
    this.makes = count;
    this.made = 0;
  }

  /** @returns {Place} of the next thing that is made */
  nextPlace() {
    const { root, path } = /** @type {Place} */ (this.maker);
    return { root, path: this.makes > 1 ? [...path, this.made++] : path };
  }

  /** The next thing that is made is an event. @param {Doing} doing */
  entered(doing) {
    const place = this.nextPlace();
    place.root.left++;
    this.places.set(doing, place);
  }

  /** The next thing that is made is an entry. @param {any} entry */
  hold(entry) {
    const { root, path } = this.nextPlace();
    root.entries.push({ path, entry });
    this.held++;
  }

  /** All that the event made was told. */
  ended() {
    const { root } = /** @type {Place} */ (this.maker);
    root.left--;
    for (;;) {
      const next = this.roots.get(this.next);
      if (next === undefined || next.left > 0) return;
      this.roots.delete(this.next++);
      next.entries.sort(inOrder);
      this.held -= next.entries.length;
      for (const { entry } of next.entries) this.deliver(entry);
    }
  }
}

/** @param {{ path: number[] }} one @param {{ path: number[] }} other */
function inOrder({ path: one }, { path: other }) {
  const at = one.findIndex((index, depth) => index !== other[depth]);
  return at < 0 ? 0 : one[at] - other[at];
}

module.exports = { Lineage };
