"use strict";
// What a node of a flow in this process holds until it has enough, or all: items, or items by their keys. In memory alone.

const { Gathered, lengthOf } = require("./in-process-values");
const { Map, clearTimeout, setTimeout } = require("../shared/primordials");

/** @typedef {import("./in-process-values").Item} Item */
/** The items of a key; of a join those of its left and its right. @typedef {{ key: any, sides: Item[][] }} Group */
/** @typedef {import("../shared/flow/plan").PlanNode["batch"]} Batch */

/** Kinds of keys in their order. */
const ORDER = ["object", "boolean", "number", "string"];

/** Units of UTF-16 that are half of a character come behind all others, as the characters do. */
const FIRST_HALF = 0xd800;
const LAST_HALF = 0xdfff;
const BEHIND = 0x10000;

class Held {
  constructor() {
    /** @type {Item[]} */
    this.items = [];
    this.bytes = 0;
    /** @type {globalThis.Map<any, Group>} */
    this.byKey = new Map();
    this.priority = 0;
    /** The worker that the last item came from. */
    this.id = 0;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
  }

  /** @param {Item} item */
  gather(item) {
    this.items.push(item);
    this.bytes += lengthOf(item);
  }

  /** @param {number} side @param {{ key: any, item: Item }} keyed */
  add(side, { key, item }) {
    const known = this.byKey.get(key);
    const group = known || { key: key === 0 ? 0 : key, sides: [[], []] };
    if (known === undefined) this.byKey.set(key, group);
    group.sides[side].push(item);
  }

  /** @param {Batch} batch */
  isFull({ count = Infinity, bytes = Infinity } = {}) {
    return this.items.length >= count || this.bytes >= bytes;
  }

  /** The first item of a batch waits for so long at most. @param {Batch} batch @param {() => void} flush */
  flushLater({ ms } = {}, flush) {
    if (ms !== undefined && this.items.length === 1) this.timer = setTimeout(flush, ms);
  }

  /** All items, of which none is left. */
  take() {
    const items = new Gathered(this.items);
    this.forget();
    return items;
  }

  /** The groups, by their keys in order, of which none is left. */
  groups() {
    const groups = [...this.byKey.values()].sort((one, other) => compare(one.key, other.key));
    this.forget();
    return groups;
  }

  /** The items by their keys in order. */
  sorted() {
    return this.groups().flatMap(({ sides: [items] }) => items);
  }

  forget() {
    this.items = [];
    this.bytes = 0;
    this.byKey = new Map();
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
  }
}

/** null < false < true < numbers < strings by code point. @param {any} one @param {any} other */
function compare(one, other) {
  const kinds = ORDER.indexOf(typeof one) - ORDER.indexOf(typeof other);
  if (kinds !== 0) return kinds;
  return typeof one === "string" ? compareText(one, other) : Number(one) - Number(other);
}

/** @param {string} one @param {string} other */
function compareText(one, other) {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const [here, there] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (here !== there) return placeOf(here) - placeOf(there);
  }
  return one.length - other.length;
}

/** @param {number} unit */
const placeOf = (unit) => (unit >= FIRST_HALF && unit <= LAST_HALF ? unit + BEHIND : unit);

module.exports = { Held };
