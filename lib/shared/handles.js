"use strict";
// The arguments of `send`, the same in master and worker: no socket or server can be passed.

const { coded } = require("./errors");

/**
 * The callback among what follows a message: (handle?, options?, callback?).
 * @param {any[]} rest
 * @returns {((error: Error | null) => void) | undefined}
 */
function sendCallback([handle, options, callback]) {
  if (typeof handle === "function") return handle;
  if (handle !== undefined && handle !== null) {
    throw coded(
      Error,
      "ERR_SONIC_HANDLE",
      "sockets and servers cannot be passed to or from a MapReduce worker; " +
        "pass an address, and connect or listen there",
    );
  }
  return typeof options === "function" ? options : callback;
}

module.exports = { sendCallback };
