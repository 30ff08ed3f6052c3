"use strict";
// Where this copy of the package is: in its own folder, or inside a bundle. There `require` is the bundler's, and ES modules have
// neither `__filename` nor `__dirname`, so no other file uses these.

const { existsSync, realpathSync } = require("fs");
const { createRequire } = require("module");
const { dirname, join } = require("path");

/** This file, or the bundle that it is in. */
const FILE = typeof __filename === "string" ? __filename : program();

/** This file's place in the package. */
const PLACE = join("lib", "shared", "home.js");

/** Whether this is the package's own index.js, made of lib/ (scripts/bundle.js), and not a bundle of that. */
const isBuilt =
  // biome-ignore lint/correctness/noUndeclaredVariables: esbuild defines it in that file alone
  typeof SONIC_DISTRIBUTE_IS_BUILT !== "undefined" && existsSync(join(dirname(FILE), PLACE));

/** Whether a bundler has put this code into a program. */
const isBundled = !isBuilt && !FILE.endsWith(PLACE);

/** The folder that tells two copies of the package apart: `lib/`, or the bundle's. */
const HOME = isBuilt ? join(dirname(FILE), "lib") : dirname(isBundled ? FILE : dirname(FILE));

/** Node's own `require`, which bundlers leave alone: for names that are only known at run time. */
const load = createRequire(FILE);

/** The program that Node runs, its links resolved: the files of a bundle lie beside it. */
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
