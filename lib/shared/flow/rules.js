"use strict";
// What keys, pairs, branches and outputs a flow's functions may give, and the errors if they give something else: the same wherever a
// node runs.

const { invalidType, shown } = require("../errors");

/** @typedef {{ name: string }} Named a node */

/** @param {unknown} key */
const isKey = (key) =>
  typeof key === "string" ||
  (typeof key === "number" && key - key === 0) ||
  typeof key === "boolean" ||
  key === null;

/** @param {Named} node @param {unknown} key */
const noKey = ({ name }, key) =>
  invalidType(
    `${name}: a key must be a string, a finite number, a boolean or null, got ${shown(key)}`,
  );

/** @param {Named} node @param {unknown} item */
const noPair = ({ name }, item) =>
  invalidType(`${name}: each item must be a pair [key, value], got ${shown(item)}`);

/** @param {string} name of the node @param {Iterable<string>} branches @param {unknown} branch */
const noBranch = (name, branches, branch) =>
  invalidType(
    `${name}: the function must return the name of a branch (${[...branches].map(shown).join(", ")}), got ${shown(branch)}`,
  );

/** @param {unknown} value */
const noItem = (value) =>
  invalidType(`the output must be a value that can be sent, got ${shown(value)}`);

/**
 * Two values of a key as one.
 * @param {{ name: string, fn: any }} node
 * @param {any} left
 * @param {any} right
 */
function combined({ name, fn }, left, right) {
  const value = fn(left, right);
  if (value !== null && typeof value === "object" && typeof value.then === "function") {
    // Nobody hears it.
    value.then(undefined, () => undefined);
    throw invalidType(`${name}: the function must return the value itself, got a promise`);
  }
  return value;
}

module.exports = { combined, isKey, noBranch, noItem, noKey, noPair };
