"use strict";
// Warns once of an event that was meant to have data: `Map(queue, "a.txt")` sends `undefined`, as in 1.0.3.

const { shown } = require("../shared/errors");

const CODE = "SONIC_MAP_WITHOUT_DATA";

/** The longest name of a property in the warning. */
const MOST_NAME = 40;

let hasWarned = false;

/** @param {any} event whose data is undefined, or that has more than data */
function warn(event) {
  if (hasWarned) return;
  let meant;
  try {
    meant = meantOf(event);
  } catch (_) {
    // A proxy that throws.
  }
  if (meant === undefined) return;
  hasWarned = true;
  process.emitWarning(
    `Map: an event has no data, so the worker functions get undefined. It was ${meant.given}; ` +
      `use Map(queue, { data: ${meant.data} })`,
    { code: CODE },
  );
}

/**
 * What the event was probably meant to be; undefined if nothing is wrong: `{}` and `{ data: undefined }` have no data on
 * purpose.
 * @param {any} event
 */
function meantOf(event) {
  if (typeof event !== "object") return { given: shown(event), data: simple(event) };
  if ("data" in event) return undefined;
  if (Array.isArray(event)) return { given: shown(event), data: "[…]" };
  const [name] = Object.keys(event);
  if (name !== undefined) {
    const short = /^[\w$]+$/.test(name) && name.length <= MOST_NAME ? name : "…";
    return { given: `an object with ${short} and no data`, data: `{ ${short}: … }` };
  }
  return isPlain(event) ? undefined : { given: "an object without data", data: "…" };
}

/** @param {unknown} value no object */
function simple(value) {
  return typeof value === "function" ? "…" : shown(value);
}

/** @param {object} object */
function isPlain(object) {
  const prototype = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

module.exports = { warn };
