"use strict";
// What to do where Node.js does not run a program in TypeScript itself. Reads only what the error says.

const UNKNOWN_FILE = /Unknown file extension "\.[cm]?tsx?"/;

/** With a code it is of a Node that knows TypeScript. */
const SYNTAX = /^SyntaxError: /m;

const FILE = /\.[cm]?tsx?$/;

/** How Node begins what it writes of a syntax error. */
const PLACE = /\.[cm]?tsx?:\d+$/m;

/**
 * Advice for an error of a file that did not load; empty where its TypeScript is not the reason.
 * @param {string} text of the error, as Node writes it
 * @param {string} [file] the program or the worker file, where the text does not name it
 */
function adviceFor(text, file = "") {
  const isSyntax = SYNTAX.test(text) && (FILE.test(file) || PLACE.test(text));
  if (!isSyntax && !UNKNOWN_FILE.test(text)) return "";
  // @ts-expect-error: newer than the types
  const newer = process.features.typescript ? "" : ", or use Node.js 22.18 or newer";
  return (
    `Node.js ${process.versions.node} does not run this TypeScript itself: install tsx (npm install --save-dev tsx) and start the ` +
    `program with npx tsx, a host with NODE_OPTIONS="--import tsx"${newer}`
  );
}

module.exports = { adviceFor };
