"use strict";
/**
 * Promise: Values cross as JSON, exactly as `JSON.stringify` and `JSON.parse` define it, or with `serialization:
 * "advanced"` as V8's structured clone does. A value that is too long is an error that names it, before anything is
 * copied.
 */
const assert = require("node:assert/strict");
const { constants } = require("node:buffer");
const { describe, it } = require("node:test");
const fc = require("fast-check");

const { codecOf, decode, encodedWithin, formatOf, joinWithin } = require("../../lib/shared/codec");

const RUNS = Number(process.env.SONIC_PROPERTY_RUNS || 200);
const MOST_BYTES = 2 ** 30;

const json = codecOf("json");
const advanced = codecOf("advanced");

/** What `JSON.stringify` makes of a value that is a property; `undefined` where it leaves it out. */
function textAsProperty(value, key) {
  const text = JSON.stringify({ [key]: value });
  return text === "{}" ? undefined : text.slice(JSON.stringify(key).length + 2, -1);
}

const told = (key) => ({ toJSON: (name) => `asked for ${name} of ${key}` });

describe("JSON", () => {
  const values = {
    "a number": 5,
    "a fraction": 0.1,
    "a large number": 1e300,
    "minus zero": -0,
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    "a string": 'é\u2028"\\\ud800',
    "no string": "",
    true: true,
    null: null,
    undefined: undefined,
    "a function": () => 1,
    "a symbol": Symbol("s"),
    "a Date": new Date(0),
    "a Buffer": Buffer.from([1, 2]),
    "a view": new Uint16Array([1, 2]),
    "an object": { a: undefined, b: () => 1, c: [undefined, Number.NaN], d: { e: -0 } },
    "a toJSON": told("the value"),
    "a toJSON that returns nothing": { toJSON: () => undefined },
    "a boxed number": new Number(5),
    "an array": [1, , 2],
    "a Map": new Map([[1, 2]]),
    __proto__: JSON.parse('{"__proto__":1}'),
  };
  for (const [name, value] of Object.entries(values)) {
    it(`of ${name} is what JSON.stringify makes of it`, () => {
      for (const key of ["data", "response"]) {
        assert.equal(json.encode(value, key), textAsProperty(value, key));
      }
    });
  }

  it("of any value is what JSON.stringify makes of it, and comes back as it parses", () => {
    const any = fc.anything({
      withDate: true,
      withMap: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
    });
    const same = (value) => {
      const text = json.encode(value, "data");
      assert.equal(text, textAsProperty(value, "data"));
      if (text !== undefined)
        assert.deepEqual(decode(text, formatOf(value, text)), JSON.parse(text));
    };
    fc.assert(fc.property(any, same), { numRuns: RUNS });
  });

  it("of what has none throws what JSON.stringify throws", () => {
    const cycle = {};
    cycle.own = cycle;
    for (const value of [
      cycle,
      1n,
      {
        toJSON() {
          throw new TypeError("mine");
        },
      },
    ]) {
      assert.throws(() => json.encode(value, "data"), TypeError);
    }
  });

  it("of a message is its own, and is the message again", () => {
    for (const message of [1, "a", null, { a: [1] }]) {
      const encoded = json.encode(message, "");
      assert.deepEqual(decode(encoded, formatOf(message, encoded)), message);
    }
    assert.equal(json.encode(undefined, ""), undefined);
  });
});

describe("a snapshot", () => {
  it("of any JSON shows whether the value is what it was", () => {
    for (const value of [null, 5, "text", true, {}, [1], { a: [{ b: null }] }]) {
      const snapshot = json.snapshot(value, JSON.stringify(value));
      assert.equal(json.isAsBefore(value, snapshot), true);
      assert.equal(json.isAsBefore({ other: value }, snapshot), false);
    }
  });

  it("is none of what is deeper than the stack: then nothing is known", () => {
    const deep = JSON.parse("[".repeat(50_000) + "]".repeat(50_000));
    assert.equal(json.isAsBefore(deep, json.snapshot(deep, "")), false);
  });
});

describe("structured clone", () => {
  /** Each with its format. @type {Record<string, [any, number]>} */
  const values = {
    "a number": [5, 0],
    "minus zero": [-0, 2],
    NaN: [Number.NaN, 2],
    Infinity: [Number.POSITIVE_INFINITY, 2],
    "a string": ["é\ud800", 0],
    true: [true, 0],
    null: [null, 0],
    "a Date": [new Date(0), 2],
    "a Map": [new Map([[{ a: 1 }, new Set([1])]]), 2],
    "a typed array": [new Float64Array([1.5]), 2],
    "a RegExp": [/a/g, 2],
    "a BigInt": [10n ** 20n, 2],
    "an object with undefined": [{ a: undefined, b: [, 1] }, 2],
    "a Buffer": [Buffer.from([0, 255]), 3],
  };
  for (const [name, [value, format]] of Object.entries(values)) {
    it(`of ${name} is the value again`, () => {
      const encoded = advanced.encode(value, "data");
      assert.equal(formatOf(value, encoded), format);
      assert.deepEqual(decode(encoded, format), value);
    });
  }

  it("keeps a cycle", () => {
    const cycle = { own: undefined };
    cycle.own = cycle;
    const again = decode(advanced.encode(cycle, "data"), 2);
    assert.equal(again.own, again);
  });

  it("of undefined is none, and of a function is an error", () => {
    assert.equal(advanced.encode(undefined, "data"), undefined);
    assert.throws(() => advanced.encode(() => 1, "data"), /could not be cloned/);
  });

  it("of a message is the message again", () => {
    for (const message of [1, null, new Map([[1, 2]]), { a: undefined }]) {
      const encoded = advanced.encode(message, "");
      assert.deepEqual(decode(encoded, formatOf(message, encoded)), message);
    }
  });

  it("shows whether the bytes are what they were", () => {
    const value = new Map([[1, 2]]);
    const snapshot = advanced.snapshot(value, advanced.encode(value, "data"));
    assert.equal(advanced.isAsBefore(value, snapshot), true);
    value.set(1, 3);
    assert.equal(advanced.isAsBefore(value, snapshot), false);
    assert.equal(advanced.isAsBefore("text", advanced.snapshot("text", '"text"')), false);
  });
});

describe("a string itself", () => {
  it("is the value", () => assert.equal(decode("[1]", 1), "[1]"));
});

describe("what is too long", () => {
  /** Memory that is never touched costs nothing. */
  const tooLong = () => new Uint8Array(MOST_BYTES + 1);
  const isTooLarge =
    (...words) =>
    (/** @type {any} */ error) => {
      assert.deepEqual([error.constructor, error.code], [RangeError, "ERR_SONIC_TOO_LARGE"]);
      for (const word of words) assert.ok(error.message.includes(word), error.message);
      return true;
    };

  /** @type {[string, () => unknown, string[]][]} */
  const cases = [
    [
      "a view of more than 1 GiB",
      () => encodedWithin(advanced, tooLong(), "data", "the event's data"),
      ["the event's data", "1 GiB"],
    ],
    ["such a message", () => encodedWithin(json, tooLong(), "", "the message"), ["the message"]],
    [
      "a Buffer whose JSON no string can hold",
      () =>
        encodedWithin(
          json,
          Buffer.from(new ArrayBuffer(Math.ceil((constants.MAX_STRING_LENGTH + 1) / 2))),
          "data",
          "the response",
        ),
      ["the response", "advanced"],
    ],
    [
      "a view whose JSON no string can hold",
      () =>
        encodedWithin(
          json,
          new Uint8Array(Math.ceil((constants.MAX_STRING_LENGTH + 1) / 6)),
          "data",
          "the response",
        ),
      ["the response", "advanced"],
    ],
    [
      "a response and data that are too long together",
      () => joinWithin(new Uint8Array(MOST_BYTES / 2 + 1), new Uint8Array(MOST_BYTES / 2)),
      ["response", "data"],
    ],
  ];
  for (const [what, encode, words] of cases) {
    it(`is an error that names it: ${what}`, () => assert.throws(encode, isTooLarge(...words)));
  }

  it("is told where JSON.stringify finds it", () => {
    const long = {
      toJSON() {
        throw new RangeError("Invalid string length");
      },
    };
    assert.throws(
      () => encodedWithin(json, long, "data", "the response"),
      isTooLarge("the response"),
    );
    const other = {
      toJSON() {
        throw new RangeError("another");
      },
    };
    assert.throws(() => encodedWithin(json, other, "data", "the response"), { message: "another" });
  });

  it("is not what just fits", () => {
    assert.doesNotThrow(() =>
      joinWithin(new Uint8Array(MOST_BYTES / 2), new Uint8Array(MOST_BYTES / 2)),
    );
    assert.equal(encodedWithin(json, [1], "data", "the response"), "[1]");
  });
});
