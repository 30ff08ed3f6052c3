"use strict";
/**
 * Promise: A value that a worker function left unchanged is recognised as such. Any change that gives other JSON, or
 * may, is not. (behaviour/values.spec.js shows that the queues have the changed value.)
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { isAsBefore, snapshotOf } = require("../../lib/shared/snapshot");

const TEXT = '{"2":"k","a":[1,{"x":null}],"o":{"n":1.5,"e":{},"s":"é"},"t":true}';

/** What a worker function might do to it, by what it is called. */
const CHANGES = {
  "an item more": (value) => value.a.push(1),
  "an item less": (value) => value.a.pop(),
  "a shorter array": (value) => (value.a.length = 1),
  "a hole": (value) => delete value.a[0],
  "another item": (value) => (value.a[1].x = 0),
  "another type": (value) => (value.a[0] = "1"),
  "another name": (value) => {
    value.o.f = value.o.e;
    delete value.o.e;
  },
  "a property less": (value) => delete value.o,
  undefined: (value) => (value.t = undefined),
  NaN: (value) => (value.o.n = Number.NaN),
  "another order": (value) => {
    const { a } = value;
    delete value.a;
    value.a = a;
  },
  "an array for an object": (value) => (value.o.e = []),
  "an object for an array": (value) => (value.a = { 0: 1, 1: { x: null }, length: 2 }),
  "a Map": (value) => (value.o.e = new Map([[1, 2]])),
  "a boxed number": (value) => (value.o.e = new Number(5)),
  "a toJSON of its own": (value) => (value.toJSON = () => 1),
  "a hidden toJSON": (value) => Object.defineProperty(value.o, "toJSON", { value: () => 1 }),
  "a class with toJSON": (value) => Object.setPrototypeOf(value.o, { toJSON: () => 1 }),
  "an array with toJSON": (value) => (value.a.toJSON = () => 1),
  "a cycle": (value) => (value.o = value),
};

describe("a snapshot", () => {
  it("shows that nothing has changed", () => {
    const value = JSON.parse(TEXT);
    const snapshot = snapshotOf(value);
    assert.deepEqual(snapshot, value);
    value.a[1].x = 0;
    value.a[1].x = null;
    assert.ok(isAsBefore(value, snapshot));
  });

  for (const [what, change] of Object.entries(CHANGES)) {
    it(`shows ${what}`, () => {
      const value = JSON.parse(TEXT);
      const snapshot = snapshotOf(value);
      change(value);
      assert.equal(isAsBefore(value, snapshot), false);
      assert.equal(JSON.stringify(snapshot), TEXT, "what it was is not touched");
    });
  }

  it("takes a property called __proto__ for what it is, and does not vouch for it", () => {
    const value = JSON.parse('{"__proto__":{"a":1}}');
    const snapshot = snapshotOf(value);
    assert.equal(Object.getPrototypeOf(snapshot), Object.prototype);
    assert.equal(isAsBefore(value, snapshot), false);
  });

  it("is of values that are no objects, too", () => {
    for (const value of [0, "", null, true, "text"])
      assert.ok(isAsBefore(value, snapshotOf(value)));
    assert.equal(isAsBefore(1, snapshotOf(2)), false);
    assert.equal(isAsBefore(null, snapshotOf({})), false);
    assert.equal(isAsBefore({}, snapshotOf(null)), false);
  });
});
