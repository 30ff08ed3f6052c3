"use strict";
// COMPAT, "Where 1.0.3 hangs, crashes or loses data": answers and events it loses, and calls that get into each other's way.

const section = "Where 1.0.3 loses";
const cannot = { isTypeError: true };
const answers = (...all) => ({
  results: all.map((data) => ({ id: 1, data, response: data })),
  failed: [],
});

function severalCalls(way, ours) {
  return {
    program: "several-calls.js",
    section,
    args: [way],
    original: { end: "hang", said: /MASTER: Worker queues initializing/ },
    ours: { end: "exit 0", results: [ours] },
  };
}

module.exports = [
  {
    program: "responses-zero-empty-false.js",
    section,
    original: { end: "exit 0", results: [[[1], []]] },
    ours: { end: "exit 0", results: [[[0, 0, "", false, 1], []]] },
  },
  {
    program: "data-that-cannot-be-serialised.js", // 1.0.3 has lost the worker that it had taken for it
    section,
    args: ["once"],
    original: { end: "hang", results: [cannot] },
    ours: { end: "exit 0", results: [cannot, answers("before", "after")] },
  },
  {
    program: "data-that-cannot-be-serialised.js",
    section,
    args: ["twice"],
    original: { end: "hang", results: [cannot] },
    ours: { end: "exit 0", results: [cannot, cannot, answers("before", "after")] },
  },
  {
    program: "maps-that-are-not-awaited.js",
    section,
    original: { end: "exit 0", results: [[1]] },
    ours: { end: "exit 0", results: [[1, 2, 3, 4, 5]] },
  },
  severalCalls("one after another", [
    ["first 1 by 1", "first 2 by 1"],
    ["second 1 by 2", "second 2 by 2"],
  ]),
  severalCalls(
    "in a loop",
    [0, 1, 2].map((turn) => [1, 2].map((data) => `turn ${turn} ${data} by ${turn + 1}`)),
  ),
  severalCalls(
    "at once",
    ["a", "b", "c"].map((name, at) => [1, 2].map((data) => `${name} ${data} by ${at + 1}`)),
  ),
  { program: "calls-chosen-by-the-environment.js", section },
];
