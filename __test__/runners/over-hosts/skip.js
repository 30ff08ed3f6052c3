"use strict";
// Loaded into the process of a spec: leaves those tests out that `left-out.js` names, with the reason. Fails if there is no such test.

const path = require("node:path");
const test = /** @type {any} */ (require("node:test"));
const { SPECS } = require("./left-out");

const { without = {} } = SPECS[path.basename(process.argv[1] || "")] || {};
const met = new Set();

const { it } = test;
test.it = (name, ...rest) => {
  const found = Object.keys(without).find((part) => name.includes(part));
  if (found === undefined) return it(name, ...rest);
  met.add(found);
  return it(name, { skip: without[found] }, () => {});
};

process.on("exit", () => {
  // The process that starts the specs' own.
  if (process.env.NODE_TEST_CONTEXT === undefined) return;
  const vain = Object.keys(without).filter((part) => !met.has(part));
  if (vain.length === 0) return;
  console.error(`left-out.js names tests that are not there: ${vain.join("; ")}`);
  process.exitCode = 1;
});
