"use strict";
// Loads the native core when it is first needed, and the numbers of its wire.

/** @typedef {typeof import("../native")} Native */

/** @type {Native | undefined} */
let loaded;
/** @type {import("../native").Wire | undefined} */
let numbers;

/** The native core's functions. */
function native() {
  if (loaded === undefined) {
    try {
      loaded = require("../native.js");
    } catch (error) {
      throw Object.assign(
        new Error(
          `@tiemma/sonic-distribute has no native binary for ${process.platform}-${process.arch} ` +
            `(Node ${process.version}) here. Reinstall without --no-optional / --omit=optional, on ` +
            "the platform that runs it; if the platform is not supported, build it from source: " +
            "https://github.com/tiemma/sonic-distribute#building. " +
            `The loader said: ${error instanceof Error ? error.message : error}`,
        ),
        { code: "ERR_SONIC_NO_BINARY", cause: error },
      );
    }
  }
  return loaded;
}

/** The wire's numbers. */
function wire() {
  if (numbers === undefined) numbers = native().wire();
  return numbers;
}

module.exports = { native, wire };
