"use strict";
/**
 * Promise: every mistake in a flow throws where it is made, with a TypeError or RangeError that names the method, the argument and
 * what to do.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { flow } = require("../../lib/shared/flow/flow");
const { stage } = require("../../lib/shared/stage");

const same = ({ data }) => data;
const on = [same, same];

/** @param {any} build @param {string} name @param {string} message a part of it */
function refuses(build, name, message) {
  assert.throws(
    () => flow(build),
    (/** @type {any} */ error) => {
      assert.equal(error.name, name);
      assert.equal(error.code, "ERR_SONIC_INVALID_ARGUMENT");
      assert.ok(error.message.includes(message), error.message);
      return true;
    },
  );
}

/** @param {string} title @param {[(source: any) => unknown, string, string?][]} wrong */
function table(title, wrong) {
  describe(title, () => {
    for (const [build, message, name = "TypeError"] of wrong) {
      it(`${build.toString().replace(/\s+/g, " ")}: ${message}`, () =>
        refuses(build, name, message));
    }
  });
}

describe("flow", () => {
  for (const build of [undefined, null, {}, "build"]) {
    it(`does not take ${JSON.stringify(build)}`, () =>
      refuses(build, "TypeError", "flow: the first parameter must be a function, got "));
  }
});

table("flow refuses what its function returns:", [
  [
    () => undefined,
    "must be a node, or an object of nodes by the names of their sinks, got undefined",
  ],
  [() => null, "got null"],
  [() => 5, "got 5"],
  [(source) => [source], "got an array of 1"],
  [() => ({}), "got an object without any"],
  [async (source) => source, "got a promise: the function must not be async"],
  [(source) => ({ a: source, b: 1 }), 'the sink "b" must be a node of this flow, got 1'],
  [
    (source) => ({ a: undefined, b: source }),
    'the sink "a" must be a node of this flow, got undefined',
  ],
  [(source) => ({ "": source }), "the name of a sink must not be empty"],
  [() => flow((source) => source), "got an object without any"],
]);

const ONE_FUNCTION = [
  "map",
  "flatMap",
  "filter",
  "split",
  "reduce",
  "reduceByKey",
  "groupByKey",
  "sortBy",
];

describe("each method refuses", () => {
  for (const method of ONE_FUNCTION) {
    it(`what is no function: ${method}`, () => {
      for (const fn of [undefined, null, "fn", [same], {}])
        refuses(
          (source) => source[method](fn, ["a"]),
          "TypeError",
          `${method}: the first parameter must be a function, got `,
        );
    });
  }

  /** Each method with options. */
  const WITH = {
    map: (source, options) => source.map(same, options),
    flatMap: (source, options) => source.flatMap(same, options),
    filter: (source, options) => source.filter(same, options),
    split: (source, options) => source.split(same, ["a"], options),
    batch: (source, options) => source.batch({ count: 1, ...options }),
    reduce: (source, options) => source.reduce(same, options),
    reduceByKey: (source, options) => source.reduceByKey(same, options),
    groupByKey: (source, options) => source.groupByKey(same, options),
    join: (source, options) => source.join(source, { on, ...options }),
    sortBy: (source, options) => source.sortBy(same, options),
  };
  for (const [method, call] of Object.entries(WITH)) {
    it(`unknown and meaningless options, and wrong values: ${method}`, () => {
      refuses(
        (source) => call(source, { nam: "a" }),
        "TypeError",
        `${method}: options.nam is not an option: did you mean name?`,
      );
      refuses(
        (source) => call(source, { name: "" }),
        "RangeError",
        `${method}: options.name must be a string of 1 to 200`,
      );
      for (const option of ["key", "priority", "weight", "spread"]) {
        refuses(
          (source) => call(source, { [option]: 1 }),
          "TypeError",
          `${method}: options.${option} has no meaning in a flow: `,
        );
      }
      if (method === "batch") return;
      refuses(
        (source) => call(source, { tags: "gpu" }),
        "TypeError",
        `${method}: options.tags must be an array of strings`,
      );
      refuses(
        (source) => call(source, { concurrency: 0 }),
        "RangeError",
        `${method}: options.concurrency must be`,
      );
      refuses(
        (source) => call(source, { retries: -1 }),
        "RangeError",
        `${method}: options.retries must be`,
      );
      refuses(
        (source) => call(source, { taskTimeout: 0 }),
        "RangeError",
        `${method}: options.taskTimeout must be`,
      );
    });
  }

  it("options that are no object", () => {
    for (const options of [5, "a", same, []])
      refuses(
        (source) => source.map(same, options),
        "TypeError",
        "map: options must be an object, got ",
      );
  });

  it("a stage with a key", () => {
    const keyed = stage(same, { key: same });
    const message = "map: the stage's option key has no meaning in a flow";
    refuses((source) => source.map(keyed), "TypeError", message);
  });

  it("options of other kinds of nodes", () => {
    const not = (call, option) => refuses(call, "TypeError", `options.${option} is not an option`);
    not((source) => source.map(same, { memory: 1 }), "memory");
    not((source) => source.map(same, { count: 1 }), "count");
    not((source) => source.reduce(same, { maxWaiting: 1 }), "maxWaiting");
    not((source) => source.reduce(same, { memory: 1 }), "memory");
    not((source) => source.groupByKey(same, { maxWaiting: 1 }), "maxWaiting");
    not((source) => source.batch({ count: 1, tags: [] }), "tags");
    not((source) => source.sortBy(same, { on }), "on");
  });
});

table("limits of nodes:", [
  [
    (source) => source.map(same, { maxWaiting: 0 }),
    "map: options.maxWaiting must be a whole number of at least 1",
    "RangeError",
  ],
  [
    (source) => source.map(same, { maxWaiting: "1" }),
    "map: options.maxWaiting must be a whole number",
  ],
  [
    (source) => source.sortBy(same, { memory: 0.5 }),
    "sortBy: options.memory must be",
    "RangeError",
  ],
]);

table("batch:", [
  [(source) => source.batch(), "batch: options must have count, ms or bytes"],
  [(source) => source.batch({}), "batch: options must have count, ms or bytes"],
  [(source) => source.batch({ count: undefined }), "batch: options must have count, ms or bytes"],
  [(source) => source.batch(100), "batch: options must be an object, got 100"],
  [(source) => source.batch({ count: 0 }), "batch: options.count must be", "RangeError"],
  [
    (source) => source.batch({ ms: 0 }),
    "batch: options.ms must be a number of milliseconds above 0",
    "RangeError",
  ],
  [(source) => source.batch({ ms: Infinity }), "batch: options.ms must be", "RangeError"],
  [(source) => source.batch({ ms: 1, bytes: -1 }), "batch: options.bytes must be", "RangeError"],
]);

table("split:", [
  [(source) => source.split(same), "split: the second parameter must be an array of strings"],
  [(source) => source.split(same, "a"), "split: the second parameter must be an array of strings"],
  [(source) => source.split(same, []), "split: the second parameter must name at least one branch"],
  [(source) => source.split(same, ["a", 1]), "got 1 in it"],
  [(source) => source.split(same, ["a", ""]), 'got "" in it'],
  [(source) => source.split(same, ["a", "b", "a"]), 'names the branch "a" twice'],
  [(source) => source.split(same, ["errors"]), 'must not name a branch "errors"'],
  [(source) => source.split(same, ["out"]), 'must not name a branch "out"'],
]);

table("reduce:", [
  [
    (source) => source.reduce(same, { in: "main" }),
    'reduce: options.in must be "master" or "worker", got "main"',
  ],
  [
    (source) => source.reduce(same, { in: "master", tags: ["a"] }),
    'the option tags is for workers, and in: "master" runs',
  ],
  [
    (source) => source.reduce(stage(same, { retries: 1 }), { in: "master" }),
    "the option retries is for workers",
  ],
]);

table("join:", [
  [
    (source) => source.join(),
    "join: the first parameter must be a node of this flow, got undefined",
  ],
  [
    (source) => source.join({ on }),
    "join: the first parameter must be a node of this flow, got an object",
  ],
  [(source) => source.join(source), "join: options.on must be an array of two functions"],
  [(source) => source.join(source, {}), "join: options.on must be an array of two functions"],
  [
    (source) => source.join(source, { on: same }),
    "join: options.on must be an array of two functions",
  ],
  [
    (source) => source.join(source, { on: [same] }),
    "join: options.on must be an array of two functions",
  ],
  [
    (source) => source.join(source, { on: [same, 1] }),
    "join: options.on[1] must be a function, got 1",
  ],
  [
    (source) => source.join(source, { on: [stage(same), same] }),
    "join: options.on[0] must be a plain function, not a stage",
  ],
  [
    (source) => source.join(source, { on, kind: "right" }),
    'join: options.kind must be "inner", "left" or "outer", got "right"',
  ],
]);

table("sortBy:", [
  [
    (source) => source.sortBy(stage(same)),
    "sortBy: the first parameter must be a plain function, not a stage",
  ],
]);

table("merge:", [
  [
    (source) => source.merge([source]),
    "merge: parameter 1 must be a node of this flow, got an array of 1",
  ],
  [
    (source) => source.merge(source, same),
    "merge: parameter 2 must be a node of this flow, got function same",
  ],
  [
    (source) => source.merge(flow((inner) => inner)),
    "merge: parameter 1 must be a node of this flow, got an object",
  ],
]);

table("errors:", [
  [(source) => source.errors, "errors: the source has none"],
  [(source) => source.merge(source).errors, "errors: merge has none"],
  [(source) => source.map(same).errors.errors, "errors: errors has none"],
]);

describe("a node belongs to one flow, and to the function that builds it", () => {
  it("is refused in another flow", () => {
    const message = "must be a node of this flow, got one of another";
    flow((outer) => {
      refuses(() => outer, "TypeError", message);
      refuses(() => ({ a: outer }), "TypeError", `the sink "a" ${message}`);
      refuses((source) => source.merge(outer), "TypeError", `merge: parameter 1 ${message}`);
      refuses(
        (source) => source.join(outer, { on }),
        "TypeError",
        `join: the first parameter ${message}`,
      );
      return outer;
    });
  });

  it("is refused when the flow is built, well or not", () => {
    const kept = [];
    flow((source) => {
      kept.push(source, source.map(same));
      return source;
    });
    assert.throws(
      () =>
        flow((source) => {
          kept.push(source);
          throw new RangeError("mine");
        }),
      { name: "RangeError", message: "mine" },
    );
    for (const node of kept) {
      const message =
        /: the flow is built already: add nodes inside of the function that flow gets/;
      assert.throws(() => node.map(same), message);
      assert.throws(() => node.merge(), message);
      assert.throws(() => node.batch({ count: 1 }), message);
    }
    assert.throws(() => kept[1].errors, /^TypeError: errors: the flow is built already/);
  });

  it("is needed to call its methods", () => {
    flow((source) => {
      const { map, merge } = source;
      assert.throws(() => map(same), /^TypeError: map: call it as a method of a node/);
      assert.throws(
        () => merge.call({}, source),
        /^TypeError: merge: call it as a method of a node/,
      );
      return source;
    });
  });
});

describe("a flow that is too large is refused:", () => {
  const chain = (source, length) => {
    let node = source;
    for (let n = 0; n < length; n++) node = node.map(same);
    return node;
  };

  it("more than 63 nodes that run", () => {
    flow((source) => chain(source, 63));
    flow((source) => chain(source, 62).merge(source));
    refuses(
      (source) => chain(source, 64),
      "RangeError",
      "flow: a flow may have at most 63 nodes that run, got 64",
    );
    // The source needs a node of its own, if several take its items.
    refuses((source) => chain(source, 63).merge(source), "RangeError", "got 64");
  });

  it("more than 90 ways out of nodes", () => {
    const wide = (nodes) => (source) => {
      const sinks = {};
      for (let n = 0; n < nodes; n++) {
        const node = source.map(same);
        Object.assign(sinks, { [`out ${n}`]: node, [`failed ${n}`]: node.errors });
      }
      return sinks;
    };
    // One of them runs with the source's own node, which has a way to the others.
    flow(wide(44));
    refuses(
      wide(45),
      "RangeError",
      "flow: a flow may have at most 90 ways from one node to others and to sinks, got 91",
    );
  });

  it("more than 127 sinks", () => {
    const wide = (count) => (source) => {
      const node = source.map(same);
      return Object.fromEntries(Array.from({ length: count }, (_, at) => [`sink ${at}`, node]));
    };
    flow(wide(127));
    refuses(wide(128), "RangeError", "flow: a flow may have at most 127 sinks, got 128");
  });

  it("merges that double again and again", () => {
    const doubled = (times) => (source) => {
      let node = source.map(same);
      for (let n = 0; n < times; n++) node = node.merge(node);
      return node;
    };
    flow(doubled(12));
    refuses(
      doubled(50),
      "RangeError",
      "flow: a flow may have at most 4096 edges through its merges, got more",
    );
  });
});
