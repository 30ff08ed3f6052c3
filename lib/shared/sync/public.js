"use strict";
// `locks` and `sync` as programs have them: the same objects from the start, behind which everything is loaded at the first call.

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

const sync = {
  /** @param {unknown} name */
  counter: (name) => own().sync.counter(name),
  /** @param {unknown} name @param {unknown} parties */
  barrier: (name, parties) => own().sync.barrier(name, parties),
  /** @param {unknown} name @param {unknown} count */
  latch: (name, count) => own().sync.latch(name, count),
  /** @param {unknown} name @param {unknown} fn @param {unknown} [options] */
  once: (name, fn, options) => own().sync.once(name, fn, options),
  /** @param {unknown} name @param {unknown} options */
  limiter: (name, options) => own().sync.limiter(name, options),
  /** @param {unknown} name */
  store: (name) => own().sync.store(name),
};

module.exports = { locks, sync };
