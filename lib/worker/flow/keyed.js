"use strict";
// Items on their way to a hold: their keys, and what they fail with there.

const { encodedOf } = require("./records");
const { formatOf } = require("../../shared/codec");
const { isKey, noKey, noPair } = require("../../shared/flow/rules");
const { Buffer, JSON } = require("../../shared/primordials");

/** @typedef {import("./steps").AnyStep} Step */
/** @typedef {import("./attempt").AnyAttempt} Attempt */
/** An item goes to this node, as one of this side. @typedef {{ step: Step, side: number }} Put */

/** What cannot be written fails the event. @param {Step} step @param {() => string} write @param {Attempt} attempt */
function spilled(step, write, attempt) {
  attempt.records.spilled(step.number, attempt.orDie(write));
}

/** @param {Put} put @param {any} item @param {unknown} thrown @param {Attempt} attempt */
function failAt({ step, side }, item, thrown, attempt) {
  attempt.fail(step, item, thrown, () => redoOf(attempt.codec, side, item));
}

/**
 * The data, as JSON, of an event that tries once more to put an item: its side, and the item as `itemOfRedo` reads it.
 * @param {import("../../shared/codec").Codec} codec
 * @param {number} side
 * @param {any} item
 */
function redoOf(codec, side, item) {
  let encoded;
  try {
    encoded = encodedOf(codec, item);
  } catch (_) {
    // It cannot be tried again, which the error says that there is.
  }
  if (encoded === undefined) return `{"side":${side}}`;
  if (typeof encoded === "string") return `{"side":${side},"item":${encoded}}`;
  const base64 = Buffer.from(encoded).toString("base64");
  return JSON.stringify({ side, format: formatOf(item, encoded), base64 });
}

/** @param {Step} step @param {number} side @param {any} item */
function keyOf(step, side, item) {
  // As a member of the array it would have that as `this`.
  const fn = step.planKind === "join" ? step.fn[side] : step.fn;
  const key = fn(item);
  if (!isKey(key)) throw noKey(step, key);
  return key;
}

/**
 * Whether an item is a key with its value. It fails at the hold if not, and does so if it is tried again: as JSON it may be one.
 * @param {Put} put
 * @param {any} item
 * @param {Attempt} attempt
 */
function hasPair({ step, side }, item, attempt) {
  const isPair = Array.isArray(item) && item.length === 2;
  if (isPair && isKey(item[0])) return true;
  const error = isPair ? noKey(step, item[0]) : noPair(step, item);
  attempt.fail(step, item, error, () => JSON.stringify({ side, wrong: error.message }));
  return false;
}

module.exports = { failAt, hasPair, keyOf, spilled };
