"use strict";
/**
 * Promise: Among the calls that a worker reaches, the search picks the wanted one as soon as no other is possible. When
 * the program has nothing left to do, it picks one that differs only as the two roles may. It never picks one that may
 * be another call.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { Search } = require("../../lib/worker/search");

/** Tokens of two values. */
const [ONE, TWO] = ["1", "2"].map((digit) => digit.repeat(40));

/** @returns {any} */
const identity = (changes = {}) => ({
  kind: "call",
  functions: "f",
  site: { at: "job.js:1:1", callers: [] },
  args: { n: ONE },
  ...changes,
});
const called = (...callers) => ({ site: { at: "job.js:1:1", callers } });
const reached = (changes, isSound = true) => ({ identity: identity(changes), isSound });
const wanted = (changes = {}, facts = {}) => ({
  identity: identity(changes),
  title: "the call",
  isCounted: false,
  before: 0,
  isAlone: true,
  isChanged: false,
  ...facts,
});

/** Which of the calls is found at once, by its index; else which is served at the program's end, as "end 0". */
function found(want, calls) {
  const search = new Search(want);
  const at = calls.findIndex((call) => search.isFound(call));
  if (at >= 0) return at;
  const last = search.atEnd();
  return last === undefined ? "none" : `end ${calls.indexOf(last)}`;
}

const EQUAL = reached();
const OTHER_FUNCTIONS = reached({ functions: "g" });
const OTHER_PLACE = reached({ site: { at: "job.js:2:1", callers: [] } });

describe("the search", () => {
  const cases = [
    ["an equal call", wanted(), [OTHER_FUNCTIONS, EQUAL], 1],
    ["the second of two equal calls", wanted({}, { before: 1 }), [EQUAL, OTHER_PLACE, EQUAL], 2],
    ["no second one where there is one", wanted({}, { before: 1 }), [EQUAL], "none"],
    [
      "the only one, where the environment picks it",
      wanted({}, { before: 1, isChanged: true }),
      [EQUAL],
      "end 0",
    ],
    ["no other functions", wanted(), [OTHER_FUNCTIONS], "none"],
    ["no other place", wanted(), [OTHER_PLACE], "none"],
    [
      "another place that is the workers' own",
      wanted(),
      [reached({ site: { at: "job.js:2:1", callers: [] }, isForWorkers: true })],
      "end 0",
    ],
    ["no place that cannot be read", wanted(), [reached({ site: undefined })], "none"],
    [
      "what is equal where no place can be read",
      wanted({ site: undefined }),
      [reached({ site: undefined })],
      0,
    ],
    ["no other arguments", wanted(), [reached({ args: { n: TWO } })], "none"],
    ["arguments that a worker has not", wanted(), [reached({ args: {} })], "end 0"],
    [
      "arguments with a time and an object",
      wanted({ args: { n: "~now", m: "~Pool" } }),
      [reached({ args: { n: "~now", m: "~Pool" } })],
      0,
    ],
    [
      "arguments with a random name",
      wanted({ args: { id: "A".repeat(20) + "C".repeat(20) } }),
      [reached({ args: { id: "B".repeat(20) + "C".repeat(20) } })],
      "end 0",
    ],
    [
      "no such arguments if another call has the same functions",
      wanted({}, { isAlone: false }),
      [reached({ args: {} })],
      "none",
    ],
    [
      "no such arguments if there are two",
      wanted(),
      [reached({ args: {} }), reached({ args: {} })],
      "none",
    ],
    [
      "the call whose caller is the same",
      wanted(called("a:1")),
      [reached(called("a:2")), reached(called("a:1", "b:1"))],
      1,
    ],
    ["none from another caller", wanted(called("a:1")), [reached(called("a:2"))], "none"],
    ["one whose caller has returned", wanted(called("a:1", "b:1")), [reached(called("a:1"))], 0],
    [
      "by name, whatever else differs",
      wanted({ name: "x" }),
      [reached({}), reached({ name: "x", functions: "g", args: {}, site: undefined })],
      1,
    ],
    [
      "the second of a name",
      wanted({ name: "x" }, { before: 1 }),
      [reached({ name: "x" }), reached({ name: "x" })],
      1,
    ],
    ["no call with another name", wanted({ name: "x" }), [reached({ name: "y" }), EQUAL], "none"],
    ["no call with a name, if it has none", wanted(), [reached({ name: "y" })], "none"],
    [
      "by number, if it has no functions",
      wanted({ functions: undefined }, { isCounted: true, before: 1 }),
      [OTHER_FUNCTIONS, OTHER_PLACE],
      1,
    ],
    [
      "the only call, whatever its number",
      wanted({ functions: undefined }, { isCounted: true, before: 5 }),
      [OTHER_FUNCTIONS],
      "end 0",
    ],
    [
      "none of several, without its number",
      wanted({ functions: undefined }, { isCounted: true, before: 5 }),
      [EQUAL, EQUAL],
      "none",
    ],
    [
      "the workers' part of a call by hand",
      wanted({ kind: "byHand" }, { isCounted: true }),
      [EQUAL, reached({ kind: "byHand" })],
      1,
    ],
    [
      "a call whose functions are wrong, to turn it down",
      wanted(),
      [reached({ functions: undefined }, false)],
      0,
    ],
    ["nothing where nothing is reached", wanted(), [], "none"],
  ];
  for (const [name, want, calls, expected] of cases) {
    it(`finds ${name}`, () => assert.equal(found(want, calls), expected));
  }

  it("knows a call before the end if its arguments alone differ, as the roles' may", () => {
    const likely = (want, call) => {
      const search = new Search(want);
      assert.equal(search.isFound(call), false);
      return search.likely() === call;
    };
    assert.equal(likely(wanted(), reached({ args: {} })), true);
    assert.equal(likely(wanted(), reached({ args: { n: TWO } })), false);
    assert.equal(likely(wanted(called("a:1")), reached({ ...called("a:2"), args: {} })), false);
    assert.equal(likely(wanted({}, { before: 1 }), reached({ args: {} })), false);
  });

  it("says of each call that it has passed by what tells it from the wanted one", () => {
    const search = new Search(wanted());
    for (const call of [
      OTHER_FUNCTIONS,
      OTHER_PLACE,
      reached({ args: { n: TWO } }),
      reached({ name: "x" }),
    ])
      search.isFound(call);
    assert.match(
      search.failure(),
      /job\.js:1:1 \(its functions are others\).*job\.js:2:1 \(another place in the program\).*\(its args differ in n\).*"x" at job\.js:1:1 \(has another name\)/,
    );
  });

  it("says that a name has another number, wherever the calls stand", () => {
    const search = new Search(wanted({ name: "x" }, { before: 1 }));
    search.isFound(reached({ name: "x", site: { at: "job.js:2:1", callers: [] } }));
    assert.match(
      search.failure(),
      /"x" at job\.js:2:1 \(has another number among the calls of that name\).*each needs a name of its own$/,
    );
  });
});
