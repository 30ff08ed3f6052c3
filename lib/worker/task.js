"use strict";
// What is known of an event while it runs in a worker.

/** @typedef {InstanceType<typeof import("../shared/task").PublicTask>} PublicTask */

/**
 * An event that runs. `flags` are those of its frame or its place in a lane; `answers` those that its answer has
 * beside its outcome; `data` is what it came with, `before` how that was then, and `text` its JSON, if it had any. So many
 * attempts at it have `failed`; `context` is the third parameter of its functions, if they get one. Whoever makes an event gives it all
 * of these: one that is added later costs it another allocation.
 * @typedef {object} Task
 * @property {number} index
 * @property {number} flags
 * @property {number} answers
 * @property {number} failed
 * @property {number} started
 * @property {any} data
 * @property {any} before
 * @property {string | undefined} text
 * @property {any} job a `Job`, once that is known
 * @property {PublicTask | undefined} context
 */

/** In the place of a time: the event is the one that runs in turn, and the core knows when it started. */
const IN_TURN = -1;

module.exports = { IN_TURN };
