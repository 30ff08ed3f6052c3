"use strict";
// Where this copy of the package is: in a folder of its own, or inside a program that a bundler has made.
// In a bundle `require` is the bundler's, and ES modules have neither `__filename` nor `__dirname`.

const { realpathSync } = require("fs");
const { createRequire } = require("module");
const { dirname, join } = require("path");

/** This file, or the bundle that it is in. */
const FILE = typeof __filename === "string" ? __filename : program();

/** The folder of that: what tells two copies of the package apart. */
const HOME = dirname(FILE);

/** Whether a bundler has put this code somewhere else. */
const isBundled = !FILE.endsWith(join("lib", "home.js"));

/** Node's own `require`, which bundlers leave alone: for what is only known at run time. */
const load = createRequire(FILE);

/** The program that Node runs, without links: what belongs to a bundle lies beside it. */
function program() {
  const [, script = process.execPath] = process.argv;
  try {
    return realpathSync(script);
  } catch (_) {
    // It was given without its ending, or has been removed.
    return script;
  }
}

module.exports = { HOME, isBundled, load, program };
