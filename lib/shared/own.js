"use strict";
// Reads an object's own properties: options and settings never come from `Object.prototype`.

const { hasOwnProperty } = Object.prototype;
const { getPrototypeOf } = Object;

/** @param {object} object @param {string} name @returns {boolean} */
const hasOwn = (object, name) => hasOwnProperty.call(object, name);

/** A variable of this process's environment. @param {string} name @returns {string | undefined} */
const variable = (name) => (hasOwn(process.env, name) ? process.env[name] : undefined);

/** A property that is the object's own or its class's. @param {any} object @param {string} name */
function property(object, name) {
  if (!(name in Object.prototype)) return object[name];
  for (let at = Object(object); at !== null && at !== Object.prototype; at = getPrototypeOf(at)) {
    if (hasOwn(at, name)) return object[name];
  }
  return undefined;
}

/**
 * The own properties of these in one object without a prototype: nothing comes in through that.
 * @param {(object | undefined)[]} all the last ones win
 * @returns {any}
 */
const ownOf = (...all) => Object.assign(Object.create(null), ...all);

module.exports = { ownOf, hasOwn, property, variable };
