"use strict";
/** Which events are tried: arbitrary values, and what a worker does with each. What 1.0.3 does not survive is left out. */
const fc = require("fast-check");

const kind = (is, of = fc.constant(null)) => fc.record({ is: fc.constant(is), of });

/** Any UTF-16 there is, lone surrogates included; and what JSON and JavaScript treat in ways of their own. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom("", "\ud800", "\udc00\ud800", "\u2028", "\0", '"\\', "__proto__", "null", "é😀"),
);

/** Around the sizes at which texts begin to travel otherwise. */
const long = kind(
  "repeat",
  fc.record({
    text: fc.constantFrom("x", "é", "\u2028", '"', "\ud83d\ude00"),
    times: fc.oneof(
      fc.constantFrom(4095, 16_384, 65_536, 262_143, 262_144, 1_048_577),
      fc.integer({ min: 1, max: 50_000 }),
    ),
  }),
);

const number = fc.oneof(
  fc.integer(),
  kind("number", fc.constantFrom("NaN", "Infinity", "-Infinity", "-0")),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => (Object.is(value, -0) ? 0 : value)),
);

const leaf = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: number },
  { weight: 2, arbitrary: fc.constantFrom(0, "", false, null, true) },
  { weight: 1, arbitrary: long },
  { weight: 1, arbitrary: kind("undefined") },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("function", "symbol", "map", "regexp")
      .map((is) => ({ is, of: null })),
  },
  { weight: 1, arbitrary: kind("date", fc.constantFrom("0", "NaN", "1e12")) },
  { weight: 1, arbitrary: kind("buffer", fc.array(fc.nat(255), { maxLength: 5 })) },
);

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 5, arbitrary: leaf },
    {
      weight: 3,
      arbitrary: kind("object", fc.array(fc.tuple(text, tie("value")), { maxLength: 4 })),
    },
    { weight: 2, arbitrary: kind("array", fc.array(tie("value"), { maxLength: 4 })) },
    { weight: 1, arbitrary: kind("toJSON", tie("value")) },
  ),
}));

const object = (...entries) => ({ is: "object", of: entries });
/** No event at all loses 1.0.3 a worker. */
const event = fc.oneof(
  { weight: 8, arbitrary: value.map((data) => object(["data", data])) },
  {
    weight: 1,
    arbitrary: fc.tuple(value, value).map(([data, more]) => object(["data", data], ["more", more])),
  },
  { weight: 1, arbitrary: fc.constantFrom(5, object()) },
);

/** 1.0.3 prints what is thrown, and ends by what cannot be printed. */
const thrown = fc.oneof(
  kind("error", fc.record({ message: text, code: text })),
  fc.oneof(text, fc.integer(), fc.constantFrom(null, false), kind("undefined")),
);

const change = fc.option(
  fc.record({ how: fc.constantFrom("set", "set", "delete"), key: text, value }),
  { freq: 2 },
);

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      event,
      does: fc.constant("return"),
      value,
      change,
      isAsync: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      event,
      does: fc.constant("echo"),
      value: fc.constant(null),
      change,
      isAsync: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      event,
      does: fc.constant("throw"),
      value: thrown,
      change,
      isAsync: fc.boolean(),
    }),
  },
);

const events = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });

module.exports = { events };
