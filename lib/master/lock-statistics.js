"use strict";
// How the locks of a program were used, for its statistics.

const { native } = require("../shared/native");
const { JSON } = require("../shared/primordials");

/**
 * What statistics say of locks; nothing before one was used.
 * @returns {{ locks?: import("../../index").LockStatistics[] }}
 */
function lockStatistics() {
  /** @type {any[]} */
  const all = JSON.parse(native().syncStatistics());
  if (all.length === 0) return {};
  // Loaded with the first lock.
  const { nameOf } = require("../shared/sync/names");
  return { locks: all.map((lock) => ({ ...lock, name: nameOf(lock.name) })) };
}

module.exports = { lockStatistics };
