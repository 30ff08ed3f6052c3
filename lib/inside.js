"use strict";
// Whether code runs on behalf of an event, also when it has been waiting for something. Events that are answered at once
// cost nothing: only where a stage has returned a promise does Node follow what it leads to, for the first events.

const { AsyncLocalStorage } = require("async_hooks");

/** @type {AsyncLocalStorage<boolean>} */
const storage = new AsyncLocalStorage();

/** Whether the code that asks was started by an event. */
const isInside = () => storage.getStore() === true;

/**
 * Runs an event.
 * @template Result
 * @param {() => Result} run
 * @returns {Result}
 */
const inside = (run) => storage.run(true, run);

/** Follows no event any more. */
const stopFollowing = () => storage.disable();

module.exports = { inside, isInside, stopFollowing };
