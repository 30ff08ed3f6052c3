"use strict";
// COMPAT, "Log lines". Every other program's lines are compared too; these are about QUIET and console.log.
const assert = require("assert");

const section = "Log lines";

module.exports = [
  {
    program: "quiet-from-the-start.js",
    section,
    env: { QUIET: "1" },
    check: ({ log }) => assert.deepStrictEqual(log, {}),
  },
  { program: "quiet-toggled-while-running.js", section },
  {
    program: "console-log-patched.js",
    section,
    advises: /1 of 2 events failed, and the program has not read them/,
  },
];
