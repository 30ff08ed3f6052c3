"use strict";
// Takes the outputs of a flatMap one after the other, each through the steps that follow in the same event: synchronously as long as
// all is, and awaiting what is a promise. An exception of the iterator fails the item: nothing of it counts then.

const { invalidType, shown } = require("../errors");

/** What runs in the same event. @typedef {any} Next */
/** A node, with the port of its outputs. @typedef {{ name: string, out: { next: Next } }} Step */
/** Takes an output through the steps that follow. @typedef {{ walk(next: Next, item: any, attempt: any): Wait }} Work */
/** Gets the outputs; see lib/worker/flow/attempt.js.
 * @typedef {{ entry: any, mark(): any, keep(mark: any): void, rollBack(mark: any): void, emit(port: any, item: any): void,
 *   fail(step: any, data: any, thrown: unknown): void }} AttemptOf */
/** @typedef {Promise<void> | undefined} Wait undefined if nothing is to be waited for */
/** @typedef {{ work: Work, step: Step, attempt: AttemptOf }} Way where the outputs go */
/** @typedef {{ next: () => any, return?: () => any }} Outputs */

const { values } = Array.prototype;

/**
 * @param {Work} work
 * @param {Step} step
 * @param {any} data what it got
 * @param {any} outputs what its function has returned
 * @param {AttemptOf} attempt
 * @returns {Wait}
 */
function drain(work, step, data, outputs, attempt) {
  // At the entry the whole event fails.
  const mark = step === attempt.entry ? undefined : attempt.mark();
  let wait;
  try {
    wait = drainAll(work, step, outputs, attempt);
  } catch (thrown) {
    return failed(thrown);
  }
  if (wait === undefined) return kept();
  return wait.then(kept, failed);

  function kept() {
    if (mark !== undefined) attempt.keep(mark);
    return undefined;
  }

  /** @param {unknown} thrown */
  function failed(thrown) {
    if (mark !== undefined) attempt.rollBack(mark);
    if (Array.isArray(outputs)) hearAll(outputs, 0);
    attempt.fail(step, data, thrown);
    return undefined;
  }
}

/**
 * The same where the caller sees to what fails.
 * @param {Work} work
 * @param {Step} step
 * @param {any} outputs
 * @param {AttemptOf} attempt
 * @returns {Wait}
 */
function drainAll(work, step, outputs, attempt) {
  const way = { work, step, attempt };
  if (isPlainArray(outputs)) return drainArray(outputs, way);
  return drainIterator(iteratorOf(outputs, step), way);
}

/** @param {any[]} items @param {Way} way @returns {Wait} */
function drainArray(items, way) {
  const { step, attempt, work } = way;
  const { out } = step;
  const { next } = out;
  for (let at = 0; at < items.length; at++) {
    const item = items[at];
    let wait;
    if (isPromise(item)) {
      hearAll(items, at + 1);
      wait = takeLater(item, way);
    } else {
      attempt.emit(out, item);
      if (next !== undefined) wait = work.walk(next, item, attempt);
    }
    if (wait !== undefined) return drainLater(itemsFrom(items, at + 1), wait, way);
  }
  return undefined;
}

/** @param {Outputs} iterator @param {Way} way @returns {Wait} */
function drainIterator(iterator, way) {
  for (;;) {
    const result = iterator.next();
    // An async iterator's.
    if (isPromise(result)) return drainLater(iterator, undefined, way, result);
    if (result.done) return undefined;
    let wait;
    try {
      wait = take(result.value, way);
    } catch (thrown) {
      close(iterator);
      throw thrown;
    }
    if (wait !== undefined) return drainLater(iterator, wait, way);
  }
}

/**
 * @param {Outputs} iterator
 * @param {Wait} first what is to be waited for before more is taken
 * @param {Way} way
 * @param {any} [asked] what the iterator has returned already
 */
async function drainLater(iterator, first, way, asked) {
  let wait = first;
  let ready = asked;
  // An iterator that throws is over.
  let isOpen = ready === undefined;
  try {
    for (;;) {
      if (wait !== undefined) await wait;
      isOpen = false;
      let result = ready === undefined ? iterator.next() : ready;
      ready = undefined;
      if (isPromise(result)) result = await result;
      if (result.done) return;
      isOpen = true;
      wait = take(result.value, way);
    }
  } catch (thrown) {
    if (isOpen) await closeLater(iterator);
    throw thrown;
  }
}

/** One output. @param {any} item @param {Way} way @returns {Wait} */
function take(item, way) {
  if (isPromise(item)) return takeLater(item, way);
  const { step, attempt, work } = way;
  attempt.emit(step.out, item);
  return step.out.next === undefined ? undefined : work.walk(step.out.next, item, attempt);
}

/** @param {PromiseLike<any>} promise @param {Way} way */
async function takeLater(promise, way) {
  await take(await promise, way);
}

/** The rest of an array. @param {any[]} items @param {number} from */
function* itemsFrom(items, from) {
  for (let at = from; at < items.length; at++) yield items[at];
}

/** Promises that reject before their turn are no unhandled rejections. @param {any[]} items @param {number} from */
function hearAll(items, from) {
  for (let at = from; at < items.length; at++) {
    if (isPromise(items[at])) items[at].then(undefined, ignore);
  }
}

/** @param {any} outputs @param {Step} step @returns {Outputs} */
function iteratorOf(outputs, { name }) {
  if (outputs !== null && (typeof outputs === "object" || typeof outputs === "function")) {
    const start = outputs[Symbol.asyncIterator] || outputs[Symbol.iterator];
    if (typeof start === "function") return start.call(outputs);
  }
  throw invalidType(
    `${name}: the function of a flatMap must return an iterable or an async iterable, got ${shown(outputs)}`,
  );
}

/** What stopped the loop is told of, and nothing of this. @param {Outputs} iterator */
function close(iterator) {
  try {
    iterator.return?.();
  } catch (_) {
    // As in a loop over it.
  }
}

/** @param {Outputs} iterator */
async function closeLater(iterator) {
  try {
    await iterator.return?.();
  } catch (_) {
    // As in a loop over it.
  }
}

/** @param {any} outputs */
const isPlainArray = (outputs) => Array.isArray(outputs) && outputs[Symbol.iterator] === values;

/** @param {any} value @returns {value is PromiseLike<any>} */
const isPromise = (value) =>
  value !== null && typeof value === "object" && typeof value.then === "function";

const ignore = () => undefined;

module.exports = { drain, drainAll };
