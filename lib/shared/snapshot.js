"use strict";
// Whether a worker function has changed its event's data, for data that was JSON. To look is several
// times cheaper than to write the data down once more.

const { getPrototypeOf, keys } = Object;

/** A copy of what `JSON.parse` has made. @param {any} value @returns {any} */
function snapshotOf(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const copy = value.slice();
    for (let at = 0; at < copy.length; at++) {
      const item = copy[at];
      if (item !== null && typeof item === "object") copy[at] = snapshotOf(item);
    }
    return copy;
  }
  const copy = { ...value };
  for (const key of keys(copy)) {
    const item = copy[key];
    // An own property of that name would become the copy's prototype.
    if (item !== null && typeof item === "object" && key !== "__proto__") {
      copy[key] = snapshotOf(item);
    }
  }
  return copy;
}

/**
 * Whether `value` surely has the JSON that it had when the snapshot was made of it. False if it would have
 * to be written down to know: it holds something that JSON.parse does not make.
 * @param {any} value
 * @param {any} snapshot
 * @returns {boolean}
 */
function isAsBefore(value, snapshot) {
  if (snapshot === null || typeof snapshot !== "object") return value === snapshot;
  if (value === null || typeof value !== "object" || typeof value.toJSON === "function") {
    return false;
  }
  const isArray = Array.isArray(snapshot);
  const plain = isArray ? Array.prototype : Object.prototype;
  if (Array.isArray(value) !== isArray || getPrototypeOf(value) !== plain) return false;
  if (isArray) {
    if (value.length !== snapshot.length) return false;
    for (let at = 0; at < snapshot.length; at++) {
      const item = value[at];
      if (item !== snapshot[at] && !isAsBefore(item, snapshot[at])) return false;
    }
    return true;
  }
  const names = keys(value);
  const before = keys(snapshot);
  if (names.length !== before.length) return false;
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    // In another order it is another text.
    if (name !== before[at] || name === "__proto__") return false;
    const item = value[name];
    if (item !== snapshot[name] && !isAsBefore(item, snapshot[name])) return false;
  }
  return true;
}

module.exports = { isAsBefore, snapshotOf };
