"use strict";
// The arguments of `send` in master and worker alike, of which a socket or server cannot be passed.

const { coded } = require("./errors");

/** @param {unknown} handle */
function refuseHandle(handle) {
  if (handle === undefined || handle === null) return;
  throw coded(
    Error,
    "ERR_SONIC_HANDLE",
    "sockets and servers cannot be passed to or from a MapReduce worker; " +
      "pass an address, and connect or listen there",
  );
}

/**
 * The callback among what follows a message: (handle?, options?, callback?).
 * @param {any[]} rest
 * @returns {((error: Error | null) => void) | undefined}
 */
function sendCallback(rest) {
  const [handle, options, callback] = rest;
  if (typeof handle === "function") return handle;
  refuseHandle(handle);
  return typeof options === "function" ? options : callback;
}

module.exports = { sendCallback };
