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

module.exports = { LIKE_ONE, unwrapped, wrapped };
