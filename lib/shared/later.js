"use strict";
// Functions of what a process hardly needs.

/**
 * The functions of these names, for which the rest is loaded when one of them is called.
 * @template {object} Module
 * @param {() => Module} load
 * @param {(keyof Module & string)[]} names
 * @returns {Module}
 */
const later = (load, names) => {
  /** @type {any} */
  const functions = {};
  for (const name of names) {
    functions[name] = (/** @type {any[]} */ ...args) =>
      Reflect.apply(/** @type {any} */ (load()[name]), undefined, args);
  }
  return functions;
};

module.exports = { later };
