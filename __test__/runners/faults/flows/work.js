"use strict";
/** What the flow of a cell has to do, for its program and for whoever judges it. */
const EVENTS = 12;
const PARTS = 3;
const KEYS = 5;

/** What the fault strikes: an event of the source, its item 1, or a group. */
const FATAL = 5;
const FATAL_KEY = 2;

const range = (count) => Array.from({ length: count }, (_, at) => at);

const partsOf = (n) => range(PARTS).map((at) => ({ n, at }));
const keyOf = (n, at) => (n * PARTS + at) % KEYS;

/** All items, but for those that are lost. @param {(part: { n: number, at: number }) => boolean} isLost */
function groupsOf(isLost) {
  const groups = range(KEYS).map((key) => ({ key, count: 0, sum: 0 }));
  for (const { n, at } of range(EVENTS).flatMap(partsOf)) {
    if (isLost({ n, at })) continue;
    const group = groups[keyOf(n, at)];
    group.count++;
    group.sum += n;
  }
  return groups;
}

module.exports = { EVENTS, FATAL, FATAL_KEY, groupsOf, keyOf, partsOf, range };
