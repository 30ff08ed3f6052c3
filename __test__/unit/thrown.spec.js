"use strict";
/**
 * Promise: Any graph of errors and other objects, with any references between them, is encoded within bounds, unchanged
 * and without throwing. A small tree arrives complete.
 */
const assert = require("node:assert/strict");
const { it } = require("node:test");
const fc = require("fast-check");
const { describe: shown } = require("../../lib/shared/describe");
const { errorToJson } = require("../../lib/shared/thrown");
const kinds = require("../fixtures/errors/kinds");

const MOST_BYTES = 256 * 1024;
/**
 * Of processor time. The promise is 50 ms; a busy machine takes many times that, and must make no test fail. What takes
 * long by size takes minutes.
 */
const MOST_MS = 10_000;
const RUNS = Number(process.env.SONIC_PROPERTY_RUNS || 100);

/** A graph: what each node is, and its properties, which are nodes or values. */
const nodes = fc.array(
  fc.record({
    kind: fc.constantFrom(
      "error",
      "error",
      "object",
      "array",
      "aggregate",
      "toJSON",
      "proxy",
      "revoked",
      "getter",
      "map",
    ),
    text: fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc
        .integer({ min: 1, max: 300_000 })
        .map((length) => "\u0007é日\ud800"[length % 4].repeat(length)),
    ),
    edges: fc.array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom(
            "cause",
            "errors",
            "error",
            "code",
            "name",
            "stack",
            "message",
            "toJSON",
            "__proto__",
          ),
          fc.string(),
        ),
        fc.nat(),
      ),
      { maxLength: 6 },
    ),
    values: fc.dictionary(
      fc.string(),
      fc.oneof(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withTypedArray: true,
          withSparseArray: true,
          withNullPrototype: true,
        }),
        fc.constant(new Array(1e6)),
      ),
    ),
  }),
  { minLength: 1, maxLength: 20 },
);

const make = {
  error: ({ text }) => new TypeError(text),
  object: () => ({}),
  array: () => [],
  aggregate: ({ text }) => new AggregateError([], text),
  toJSON: ({ text }) => ({ toJSON: (name) => ({ name, text, error: new Error(text) }) }),
  proxy: () => new Proxy(new Error("behind a proxy"), {}),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  getter: ({ text }) => {
    const error = new Error(text);
    return Object.defineProperty(error, "made", {
      enumerable: true,
      get: () => make.getter({ text }),
    });
  },
  map: () => new Map(),
};

/** @returns the first of the graph's nodes, with all that hangs on it */
function built(graph) {
  const made = graph.map((node) => make[node.kind](node));
  graph.forEach(({ edges, values }, at) => {
    const set = (key, value) => {
      try {
        Object.defineProperty(made[at], key, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      } catch {} // revoked, or not to be changed
    };
    for (const [key, to] of edges) set(key, made[to % made.length]);
    for (const [key, value] of Object.entries(values)) set(key, value);
  });
  return made[0];
}

function check(thrown) {
  const started = process.cpuUsage();
  const text = errorToJson(thrown);
  const described = shown(thrown);
  const { user, system } = process.cpuUsage(started);
  const took = (user + system) / 1000;
  assert.ok(Buffer.byteLength(text) <= MOST_BYTES, `${Buffer.byteLength(text)} bytes`);
  assert.ok(took < MOST_MS, `${took} ms`);
  const { name, message, stack } = JSON.parse(text);
  assert.equal(typeof message, "string");
  assert.equal(typeof stack, "string");
  assert.notEqual(name, undefined);
  assert.ok(typeof described === "string" && Buffer.byteLength(described) <= MOST_BYTES);
}

it("any graph of errors is encoded within bounds", () => {
  fc.assert(
    fc.property(nodes, (graph) => check(built(graph))),
    { numRuns: RUNS },
  );
});

it("anything is", () => {
  fc.assert(fc.property(fc.anything(), check), { numRuns: RUNS });
});

for (const [kind, thrown] of Object.entries(kinds)) {
  it(`is: ${kind}`, () => check(thrown()));
}

it("a small tree of errors arrives whole", () => {
  const leaf = fc.record({
    message: fc.string(),
    code: fc.option(fc.string(), { nil: undefined }),
    n: fc.double({ noNaN: true, noDefaultInfinity: true }),
  });
  const { tree } = fc.letrec((tie) => ({
    tree: fc.record({
      own: leaf,
      inner: fc.oneof({ maxDepth: 3 }, fc.constant(undefined), tie("tree")),
      errors: fc.array(
        fc.oneof(
          { maxDepth: 2 },
          leaf.map((own) => ({ own, errors: [] })),
          tie("tree"),
        ),
        { maxLength: 3 },
      ),
    }),
  }));
  const error = ({ own, inner, errors }) => {
    /** @type {any} */
    const made = new RangeError(own.message);
    made.n = own.n;
    if (own.code !== undefined) made.code = own.code;
    if (inner) Object.defineProperty(made, "cause", { value: error(inner) });
    if (errors.length > 0) Object.defineProperty(made, "errors", { value: errors.map(error) });
    return made;
  };
  const same = (plain, { own, inner, errors }) => {
    assert.deepEqual(
      [plain.name, plain.message, plain.code, plain.n],
      ["RangeError", own.message, own.code, own.n === 0 ? 0 : own.n],
    );
    assert.ok(
      plain.stack.startsWith(`RangeError${own.message && `: ${own.message}`}`),
      plain.stack,
    );
    if (inner) same(plain.cause, inner);
    else assert.equal("cause" in plain, false);
    for (const [at, one] of errors.entries()) same(plain.errors[at], one);
  };
  const size = ({ inner, errors }) =>
    1 + (inner ? size(inner) : 0) + errors.reduce((sum, one) => sum + size(one), 0);
  // A few hundred properties.
  const small = tree.filter((one) => size(one) <= 30);
  fc.assert(
    fc.property(small, (one) => same(JSON.parse(errorToJson(error(one))), one)),
    { numRuns: RUNS },
  );
});
