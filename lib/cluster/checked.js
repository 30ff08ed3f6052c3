"use strict";
// What a host has answered of an event, which comes from the network: what is damaged fails its event, and nothing else. Pure. Here it has
// the right form; whether its values can be decoded is for those who read them: see `readOf` of `outcome`.

/** @typedef {import("./station").Answer} Answer */

/** The length of a row, and where the name in it is; see `Row` of `ended`. */
const ROW = 6;
const NAME = 4;

/** The length of what says what was kept; see `Keep` of `station`. */
const KEEP = 4;

/** How a value may be encoded: see `decode` of `codec`. @type {unknown[]} */
const FORMATS = [0, 1, 2, 3];

/** @type {any[]} */
const NONE = [];

/** @template {Answer} T @param {T} answer @returns {T} one that has failed if this is damaged */
function checked(answer) {
  const what = damageOf(answer);
  if (what === undefined) return answer;
  /** @type {any} */
  const { chunk, event, worker: by } = answer;
  const worker = isNumber(by) ? by : 0;
  const message = `an answer of worker ${worker} is damaged: ${what}`;
  const told = { name: "Error", message, stack: `Error: ${message}`, code: "ERR_SONIC_PROTOCOL" };
  return /** @type {any} */ ({ chunk, event, told, attempts: 1, worker });
}

/** @param {any} answer @returns {string | undefined} */
function damageOf(answer) {
  const { told, worker, attempts, text, format, data, counts } = answer;
  if (told !== undefined && !isObject(told)) return "it has a failure without an error";
  if (!isNumberOrNone(worker) || !isNumberOrNone(attempts)) return "it has something for a number";
  if (text !== undefined && typeof text !== "string") return "its response is no text";
  if (format !== undefined && !FORMATS.includes(format)) return "its response has no known format";
  if (data !== undefined && !isListed(data)) return "its data cannot be read";
  if (counts !== undefined && !isObject(counts)) return "it does not say what it counts";
  const { emitted = NONE, each = NONE, seen, rows = NONE, keep = NONE } = answer;
  if (!areAll(keep, isKeep)) return "it does not say what was kept";
  if (!areAll(emitted, isListed)) return "what it has emitted cannot be read";
  if (!areAll(each, isListed)) return "what each worker has answered cannot be read";
  if (!areAll(rows, isRowOrNone) || !isRowOrNone(seen)) return "it does not say who ran it";
  return undefined;
}

/** @param {any} all @param {(one: any) => boolean} isOne */
const areAll = (all, isOne) => Array.isArray(all) && all.every(isOne);

/** @param {any} value */
const isNumber = (value) => Number.isFinite(value);

/** @param {any} value */
const isNumberOrNone = (value) => value === undefined || isNumber(value);

/** @param {any} one */
const isKeep = (one) =>
  Array.isArray(one) && one.length === KEEP && one.every(Number.isSafeInteger) && isNumbered(one);

/** Its numbers are below those of the master. @param {any[]} one */
const isNumbered = ([chunk, event, at, count]) => chunk < 0 && event < -1 && at >= 0 && count > 0;

/** A value with its format. @param {any} one */
const isListed = (one) =>
  Array.isArray(one) && typeof one[0] === "string" && FORMATS.includes(one[1]);

/** @param {any} value */
const isObject = (value) => value !== null && typeof value === "object";

/** What is undefined is null in JSON. @param {any} row */
const isRowOrNone = (row) =>
  row === undefined ||
  row === null ||
  (Array.isArray(row) &&
    row.length === ROW &&
    row.every((one, at) => (at === NAME ? typeof one === "string" : isNumber(one))));

module.exports = { checked };
