"use strict";
// What checks of options are made of. Each takes a name, as the error has it, and a value; throws if that is wrong; and returns another
// that is to take its place, if there is one.

const { invalidRange, invalidType, shown } = require("./errors");
const { nearest } = require("./nearest");
const { hasOwn } = require("./own");

/** @typedef {(name: string, value: any) => any} Check */

/** @param {string} name @param {string} must @param {unknown} value */
const wrongType = (name, must, value) =>
  invalidType(`${name} must be ${must}, got ${shown(value)}`);

/** @param {unknown} value */
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** A number with a property. @type {(must: string, is: (value: number) => boolean) => Check} */
const number = (must, is) => (name, value) => {
  if (typeof value !== "number") throw wrongType(name, must, value);
  if (!is(value)) throw invalidRange(`${name} must be ${must}, got ${value}`);
};

/** Something else. @type {(must: string, is: (value: any) => boolean) => Check} */
const being = (must, is) => (name, value) => {
  if (!is(value)) throw wrongType(name, must, value);
};

const flag = being("true or false", (value) => typeof value === "boolean");

/** One of two words. @param {string} one @param {string} other */
const oneOf = (one, other) =>
  being(`"${one}" or "${other}"`, (value) => value === one || value === other);

/** An array of such items; a copy, which has no holes. @type {(must: string, is: (item: any) => boolean) => Check} */
const listOf = (must, is) => (name, value) => {
  if (!Array.isArray(value)) throw wrongType(name, must, value);
  const items = [...value];
  const wrong = items.findIndex((item) => !is(item));
  if (wrong < 0) return items;
  throw invalidType(`${name} must be ${must}, got ${shown(items[wrong])} in it`);
};

/** @type {(most: number) => Check} */
const count = (most) => (name, value) => checkCount(name, value, most);

/**
 * @param {string} name as an error names it
 * @param {unknown} value
 * @param {number} most
 * @returns {number} the value
 */
function checkCount(name, value, most) {
  const must = "a whole number of at least 1";
  if (typeof value !== "number") throw wrongType(name, must, value);
  if (!Number.isInteger(value) || value < 1)
    throw invalidRange(`${name} must be ${must}, got ${value}`);
  if (value > most) throw invalidRange(`${name} must be at most ${most}, got ${value}`);
  return value;
}

/** @param {string} name @param {unknown} value @param {string} where it must be one */
function checkFunction(name, value, where = "") {
  if (typeof value !== "function") throw wrongType(name, `a function${where}`, value);
}

/**
 * What the program gave, checked: own properties only, so that nothing comes in through a prototype.
 * @param {string} where as an error names it
 * @param {unknown} given nothing is an object without properties
 * @param {Record<string, Check>} checks
 * @returns {any} see `checkProperties`
 */
function checkObject(where, given, checks) {
  if (given === undefined || given === null) return Object.create(null);
  if (!isObject(given)) throw wrongType(where, "an object", given);
  return checkProperties(where, given, checks);
}

/**
 * @param {string} where
 * @param {any} given
 * @param {Record<string, Check>} checks
 * @returns {any} its own properties that are not undefined, without a prototype
 */
function checkProperties(where, given, checks) {
  const checked = Object.create(null);
  for (const name of Object.keys(given)) {
    if (!hasOwn(checks, name)) throw unknown(where, name, checks);
    const value = given[name];
    if (value === undefined) continue;
    const other = checks[name](`${where}.${name}`, value);
    checked[name] = other === undefined ? value : other;
  }
  return checked;
}

/** What something else has, and what to do instead. @param {string} advice @returns {Check & { isRefusal: true }} */
const refusal = (advice) => {
  const refuse = (/** @type {string} */ name) => {
    throw invalidType(`${name} is not possible here: ${advice}`);
  };
  return Object.assign(refuse, { isRefusal: /** @type {true} */ (true) });
};

/** @param {string} where @param {string} name @param {Record<string, any>} checks */
function unknown(where, name, checks) {
  const names = Object.keys(checks).filter((one) => !hasOwn(checks[one], "isRefusal"));
  const meant = nearest(name, names);
  const hint = meant ? `: did you mean ${meant}?` : `; there are ${names.join(", ")}`;
  return invalidType(`${where}.${name} is not an option${hint}`);
}

module.exports = {
  being,
  checkCount,
  checkFunction,
  checkObject,
  checkProperties,
  count,
  flag,
  isObject,
  listOf,
  number,
  oneOf,
  refusal,
  wrongType,
};
