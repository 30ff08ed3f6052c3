"use strict";
/**
 * What the soak does with flows, from its seed alone: the flow of each round, what each event of its source is divided into, and what
 * the worker does that runs an event or an item.
 */
const { between, oneOf, random } = require("./loads");

/** Few, so that there are large ones. */
const KEYS = 7;

/** The flow of a round. */
function flowOf(seed, round) {
  const next = random(seed, "flow", round);
  return {
    name: `${round}.flow`,
    count: between(next, 1, 150),
    /** How many workers there are for what comes before the hop between tags, and behind it. */
    groups: [
      { tags: ["a"], count: between(next, 1, 2) },
      { tags: ["b"], count: between(next, 1, 2) },
    ],
    serialization: oneOf(next, ["json", "advanced"]),
    retries: oneOf(next, [0, 0, 1, 3]),
    /** How many items may wait for the second node, and how many bytes of pairs an event keeps before it writes them. */
    maxWaiting: oneOf(next, [undefined, 1, 20]),
    memory: oneOf(next, [undefined, 1]),
  };
}

/** What a worker does, so that about `count` of `all` end badly. */
function doesOf(next, count, all) {
  const [own, rate] = [next(), count / (all + 20)];
  if (own < rate) return "exit";
  if (own < 2 * rate) return "kill";
  return own < 4 * rate ? "throw" : "answer";
}

/** An event of the source: what its worker does, and its items. */
function sourceOf(seed, { name, count }, n) {
  const next = random(seed, "source", name, n);
  const does = doesOf(next, 1, count);
  return { does, items: between(next, 0, 12), milliseconds: Math.floor(next() * 4) };
}

/** An item of such an event: what the worker does that moves it on, and its key. */
function itemOf(seed, { name, count }, n, at) {
  const next = random(seed, "item", name, n, at);
  const does = doesOf(next, 1, count * 6);
  return { does, key: between(next, 0, KEYS - 1), milliseconds: Math.floor(next() * 2) };
}

module.exports = { flowOf, itemOf, sourceOf };
