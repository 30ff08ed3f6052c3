"use strict";
// Items of a flow as they cross from a master with several machines to a worker, where a codec alone would not have them: bytes among items
// that were gathered, or in the data of a failed result.

const { valueOf } = require("../carried");
const { hasOwn } = require("../own");

/** The only property of such a value. */
const ITEM = "…item";

/** What text begins with that could be taken for one. */
const LIKE_ONE = `{"${ITEM}"`;

/**
 * `parts` were gathered; `failure` is a failed result without its data.
 * @typedef {import("../carried").Carried | { parts: Coded[] } | { failure: any, data: Coded }} Coded
 */

/** @param {Coded} coded @returns {any} */
const wrapped = (coded) => ({ [ITEM]: coded });

/** The item that a value stands for. @param {any} value */
function unwrapped(value) {
  const isWrapped = value !== null && typeof value === "object" && hasOwn(value, ITEM);
  return isWrapped ? opened(value[ITEM]) : value;
}

/** @param {Coded} coded @returns {any} */
function opened(coded) {
  if ("parts" in coded) return coded.parts.map(opened);
  if (!("failure" in coded)) return valueOf(coded);
  const data = opened(coded.data);
  return data === undefined ? coded.failure : { ...coded.failure, data };
}

/** What a master's folder is called where all share it, the number of the run, and how many partitions keys are divided into.
 * @typedef {[name: string, run: number, partitions: number]} Place */

/** Data of an event that writes or reads files. @typedef {{ "…place": Place, item: import("../carried").Carried }} Placed */

/** As the core names folders: nothing else is written to, whatever comes from the network. @param {unknown} name @returns {name is string} */
const isFolder = (name) => typeof name === "string" && /^sonic-spill-[\w.-]+$/.test(name);

/** @param {any} place @returns {place is Place} */
const isPlace = (place) =>
  Array.isArray(place) &&
  isFolder(place[0]) &&
  Number.isSafeInteger(place[1]) &&
  Number.isInteger(place[2]) &&
  place[2] > 0;

/** Whether an event that enters at a node writes or reads files. @param {Pick<import("./plan").Plan, "nodes">} plan @param {number} node @returns {boolean} */
function spillsAt({ nodes }, node) {
  const { hold, ports } = nodes[node - 1];
  if (hold === "spill") return true;
  const spills = (/** @type {import("./plan").Port} */ port) =>
    port.spills.length > 0 || (port.next > 0 && spillsAt({ nodes }, port.next));
  return ports.some(spills);
}

module.exports = { LIKE_ONE, isFolder, isPlace, spillsAt, unwrapped, wrapped };
