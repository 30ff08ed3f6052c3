"use strict";
// What tells programs apart: a host serves the very program that a master runs, by the same version of this package.

const { createHash } = require("crypto");
const { readFileSync } = require("fs");
const { basename } = require("path");
const { version } = require("../../package.json");
const { coded } = require("../shared/errors");
const { load } = require("../shared/home");

/** The digits of the digest: enough to tell any two files apart. */
const DIGITS = 16;

/** @param {string | undefined} program the path of the main file */
function fingerprintOf(program) {
  if (program === undefined) {
    throw coded(
      Error,
      "ERR_SONIC_NO_SCRIPT",
      "over a cluster hosts run the program's main file, and this program has none (node -e, the REPL or a script on stdin): put it " +
        "into a file",
    );
  }
  const digest = createHash("sha256")
    .update(readFileSync(load.resolve(program)))
    .digest("hex");
  return `${basename(program)} ${digest.slice(0, DIGITS)}, package ${version}`;
}

module.exports = { fingerprintOf };
