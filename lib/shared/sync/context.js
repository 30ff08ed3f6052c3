"use strict";
// Where a request stands: in which event, and inside which lock callbacks. Follows both into what they wait for, so that a wait belongs
// to the callback that it stands in and never to the process. Costs nothing before the first lock is used.

const { AsyncLocalStorage } = require("async_hooks");
const copies = require("../copies");
const { eventInside } = require("../site");
const { scopeOf } = require("./scopes");

/** @typedef {ReturnType<typeof scopeOf>} Scope */
/** A lock that is held, or work of a `once`. @typedef {{ token: number, isOver: boolean, port: unknown }} Held */
/** @typedef {{ held: Held, outer: Inside | undefined }} Inside the innermost first */
/** @typedef {{ scope: Scope | undefined, inside: Inside | undefined }} Frame */

/** @type {Frame} */
const NOWHERE = { scope: undefined, inside: undefined };

/** @type {AsyncLocalStorage<Frame>} */
const storage = new AsyncLocalStorage();

/** Where the code stands that runs now. @returns {Frame} */
function current() {
  const frame = storage.getStore();
  if (frame !== undefined) return withoutEnded(frame);
  const scope = scopeNow();
  return scope === undefined || scope.isOver ? NOWHERE : { scope, inside: undefined };
}

/** A timer that was set in a callback outlives it, and may set another: no frame keeps all those before. @param {Frame} frame */
function withoutEnded(frame) {
  let { inside, scope } = frame;
  while (inside?.held.isOver) inside = inside.outer;
  if (scope?.isOver) scope = undefined;
  return inside === frame.inside && scope === frame.scope ? frame : { scope, inside };
}

/** The event that code without a frame belongs to, if that is known. */
function scopeNow() {
  const { worker } = copies.shared();
  if (worker !== undefined) {
    const task = worker.sync?.eventNow();
    return task === undefined ? undefined : scopeOfTask(task);
  }
  const job = eventInside();
  return job === undefined ? undefined : scopeOf(job.attempt, undefined, job.event);
}

/** An event that a worker runs. @param {{ index: number, answers: number }} task */
const scopeOfTask = (task) => scopeOf(task, [task.index, task.answers]);

/** Runs an event's functions, in a worker that runs several events at once. @type {<T>(task: any, run: () => T) => T} */
const inEvent = (task, run) => storage.run({ scope: scopeOfTask(task), inside: undefined }, run);

/** The rest of the code that runs now, and what it waits for, belongs to an event. @param {{ index: number, answers: number }} task */
const enter = (task) => storage.enterWith({ scope: scopeOfTask(task), inside: undefined });

/** The rest of the code that runs now belongs to nothing. */
const leave = () => storage.enterWith(/** @type {any} */ (undefined));

/**
 * Calls a lock's callback.
 * @template T, Given
 * @param {Frame} frame where the lock was asked for
 * @param {Held | undefined} held none: it is not available
 * @param {(given: Given) => T} callback
 * @param {Given} given
 * @returns {T}
 */
function within({ scope, inside }, held, callback, given) {
  const all = held === undefined ? inside : { held, outer: inside };
  return storage.run({ scope, inside: all }, callback, given);
}

/** The tokens of those that a port has given and that are held, the innermost first. @param {Frame} frame @param {unknown} port */
function tokensOf(frame, port) {
  const tokens = [];
  for (let { inside } = frame; inside !== undefined; inside = inside.outer) {
    const { held } = inside;
    if (held.port === port && !held.isOver) tokens.push(held.token);
  }
  return tokens;
}

module.exports = { current, enter, inEvent, leave, tokensOf, within };
