"use strict";
// `locks` and `sync` as programs have them: the same objects from the start, behind which everything is loaded at the first call.

const { later } = require("../later");
const { Promise } = require("../primordials");

const own = () => require("./own").own();

/** Calls a function of the locks. @param {(locks: any) => Promise<any>} call @returns {Promise<any>} */
function withLocks(call) {
  let all;
  try {
    all = own().locks;
  } catch (error) {
    return Promise.reject(error);
  }
  return call(all);
}

const locks = {
  /** @param {any} name @param {any} options @param {any} [callback] */
  request: (name, options, callback) => withLocks((all) => all.request(name, options, callback)),
  query: () => withLocks((all) => all.query()),
};

const sync = later(() => own().sync, ["counter", "barrier", "latch", "once", "limiter", "store"]);

module.exports = { locks, sync };
