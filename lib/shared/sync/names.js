"use strict";
// Names of locks, and of what else the program's processes share: checked, and as they travel. The core's texts are UTF-8, which has no
// lone surrogates, and two names that differ must stay different.

const { invalidRange, shown } = require("../errors");
const { wrongType } = require("../checks");

/** A name travels with each request, and stays in the master while it is in use. */
const LONGEST_NAME = 1024;

/** Stands before the number of a lone surrogate, and before itself. No text has it by chance: it is no character. */
const ESCAPE = "\ufffe";

const MAY_NEED_ESCAPE = /[\ud800-\udfff\ufffe]/;
const ESCAPED = /\ufffe(\ufffe|[0-9a-f]{4})/g;

/** Surrogates in pairs come first, so that those in the group are alone. */
const NEEDS_ESCAPE = /[\ud800-\udbff][\udc00-\udfff]|([\ud800-\udfff\ufffe])/g;

/**
 * Throws if it is no name.
 * @param {string} what as an error names it
 * @param {unknown} name
 * @returns {string} the same as it travels
 */
function textOf(what, name) {
  if (typeof name !== "string") throw wrongType(what, "a string", name);
  if (name.length > LONGEST_NAME) {
    const must = `${what} must have at most ${LONGEST_NAME} characters`;
    throw invalidRange(`${must}, got ${name.length}: ${shown(name.slice(0, 50))}…`);
  }
  return MAY_NEED_ESCAPE.test(name) ? name.replace(NEEDS_ESCAPE, escaped) : name;
}

/** @param {string} found @param {string | undefined} alone */
function escaped(found, alone) {
  if (alone === undefined) return found;
  return ESCAPE + (alone === ESCAPE ? ESCAPE : alone.charCodeAt(0).toString(16));
}

/** The name that travelled so. @param {string} text @returns {string} */
const nameOf = (text) =>
  text.includes(ESCAPE)
    ? text.replace(ESCAPED, (_, code) =>
        code === ESCAPE ? ESCAPE : String.fromCharCode(Number.parseInt(code, 16)),
      )
    : text;

module.exports = { nameOf, textOf };
