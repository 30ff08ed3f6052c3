"use strict";
/**
 * Promise: the interpreter that runs of flows are compared with does what the documentation says of each node. Random flows are the
 * same for the same seed, and their results do not depend on any order.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { flow } = require("../../lib/shared/flow/flow");
const { graphOf, planOfFlow } = require("../../lib/shared/flow/made");
const { comparable, compareKeys, interpret, multiset } = require("../support/flow-interpreter");
const { checkPlan } = require("../support/flow-plan");
const { randomFlow } = require("../support/random-flow");

const RANDOM_FLOWS = 300;

const run = (build, items, args) => interpret(flow(build), items, args);

/** The items of the only sink, of a flow that does not fail. */
async function outputs(build, items, args) {
  const { sinks, failed } = await run(build, items, args);
  assert.deepEqual(failed, []);
  assert.deepEqual(Object.keys(sinks), [""]);
  return sinks[""];
}

const double = ({ data }) => data * 2;
const pair = ({ data }) => [data[0], data.length];
const isOdd = ({ data }) => data % 2 === 1;

describe("the interpreter", () => {
  it("maps, with args and a task", async () => {
    const add = async ({ data }, { term, workerID }, { attempt }) =>
      data + term + workerID + attempt;
    assert.deepEqual(await outputs((source) => source.map(add), [1, 2], { term: 10 }), [13, 14]);
  });

  it("passes values as JSON, and undefined as it is", async () => {
    const of = ({ data }) => (data === 0 ? undefined : { data, at: new Date(0), no: undefined });
    const build = (source) => source.map(of).map(({ data }) => data);
    assert.deepEqual(await outputs(build, [0, 1]), [
      undefined,
      { data: 1, at: "1970-01-01T00:00:00.000Z" },
    ]);
  });

  it("takes all kinds of iterables from a flatMap, but no strings", async () => {
    const shapes = [
      ({ data }) => [data, data],
      ({ data }) => new Set([data]),
      async ({ data }) => [data],
      function* ({ data }) {
        yield data;
      },
      async function* ({ data }) {
        yield data;
      },
      () => [],
    ];
    for (const [at, length] of [2, 1, 1, 1, 1, 0].entries()) {
      const items = await outputs((source) => source.flatMap(shapes[at]), [7]);
      assert.deepEqual(
        items,
        Array.from({ length }, () => 7),
      );
    }
    for (const wrong of ["text", 5, null, undefined]) {
      const { failed } = await run((source) => source.flatMap(() => wrong), [7]);
      assert.deepEqual(
        failed.map(({ data }) => data),
        [7],
      );
    }
  });

  it("takes all of a flatMap's items or none", async () => {
    const { sinks, failed } = await run(
      (source) =>
        source.flatMap(function* several({ data }) {
          yield data;
          if (data === 2) throw new Error("in the middle");
          yield -data;
        }),
      [1, 2],
    );
    assert.deepEqual(sinks[""], [1, -1]);
    assert.deepEqual(failed, [
      { node: "several", data: 2, error: { name: "Error", message: "in the middle" } },
    ]);
  });

  it("filters, splits and merges, the same twice if asked to", async () => {
    const build = (source) => {
      const { small, large } = source.split(
        ({ data }) => (data < 3 ? "small" : "large"),
        ["small", "large"],
      );
      return { odd: large.filter(isOdd), both: small.merge(large, large) };
    };
    const { sinks, failed } = await run(build, [1, 2, 3, 4, 5]);
    assert.deepEqual(sinks, { odd: [3, 5], both: [1, 2, 3, 4, 5, 3, 4, 5] });
    assert.deepEqual(failed, []);
  });

  it("fails an item with an unknown branch", async () => {
    const build = (source) => source.split(() => "c", ["a", "b"]).a;
    const { sinks, failed } = await run(build, [1]);
    assert.deepEqual(sinks, { "": [] });
    assert.deepEqual([failed[0].node, failed[0].data], ["split", 1]);
  });

  it("gives failures to whoever reads them, and to the list otherwise", async () => {
    const fail = ({ data }) => {
      if (data > 1) throw new RangeError(`no ${data}`);
      return data;
    };
    const error = { name: "RangeError", message: "no 2" };
    const read = await run(
      (source) => {
        const node = source.map(fail);
        return { node, errors: node.errors, twice: node.errors.merge(node.errors) };
      },
      [1, 2],
    );
    const entry = { failed: true, node: "fail", data: 2, error };
    assert.deepEqual(read, {
      sinks: { node: [1], errors: [entry], twice: [entry, entry] },
      failed: [],
    });
    const unread = await run(
      (source) => {
        const node = source.map(fail);
        // Nobody reads what it gives.
        node.errors.merge(node);
        return node;
      },
      [1, 2],
    );
    assert.deepEqual(unread, { sinks: { "": [1] }, failed: [{ node: "fail", data: 2, error }] });
  });

  it("batches by count", async () => {
    const build = (source) => source.batch({ count: 2 });
    assert.deepEqual(await outputs(build, [1, 2, 3]), [[1, 2], [3]]);
    assert.deepEqual(await outputs((source) => source.batch({ ms: 1 }), [1, 2]), [[1, 2]]);
    assert.deepEqual(await outputs(build, []), []);
  });

  it("reduces all items to one, also none", async () => {
    const sum = (items, { start }) => items.reduce((one, other) => one + other, start);
    const build = (source) => ({
      worker: source.reduce(sum),
      master: source.reduce(sum, { in: "master" }),
    });
    assert.deepEqual((await run(build, [1, 2], { start: 10 })).sinks, {
      worker: [13],
      master: [13],
    });
    assert.deepEqual((await run(build, [], { start: 10 })).sinks, { worker: [10], master: [10] });
    const { failed } = await run(
      (source) =>
        source.reduce(() => {
          throw new Error("all");
        }),
      [1, 2],
    );
    assert.deepEqual(failed[0].data, [1, 2]);
  });

  it("combines and groups the values of each key, in the order of keys", async () => {
    const words = ["bb", "a", "b", "ccc"];
    const add = (one, other) => one + other;
    const group = ({ key, values }) => ({ key, values: [...values].sort() });
    const build = (source) => {
      const pairs = source.map(pair);
      return { sums: pairs.reduceByKey(add), groups: pairs.groupByKey(group) };
    };
    const { sinks, failed } = await run(build, words);
    assert.deepEqual(failed, []);
    assert.deepEqual(sinks.sums, [
      ["a", 1],
      ["b", 3],
      ["c", 3],
    ]);
    assert.deepEqual(sinks.groups, [
      { key: "a", values: [1] },
      { key: "b", values: [1, 2] },
      { key: "c", values: [3] },
    ]);
  });

  it("tells keys of different kinds apart, and fails those that JSON has not", async () => {
    const keys = ["1", 1, true, null, "null", -0, 0];
    const build = (source) =>
      source.map(({ data }) => [keys[data], 1]).reduceByKey((a, b) => a + b);
    assert.deepEqual(await outputs(build, keys.keys()), [
      [null, 1],
      [true, 1],
      [0, 2],
      [1, 1],
      ["1", 1],
      ["null", 1],
    ]);
    const wrong = [[{}, 1], [[], 1], [1], [1, 2, 3], "ab", { 0: 1, length: 2 }, null];
    const { sinks, failed } = await run((source) => source.reduceByKey((a) => a), wrong);
    assert.deepEqual(sinks[""], []);
    assert.deepEqual(
      failed.map(({ data }) => data),
      wrong,
    );
  });

  it("joins what has equal keys, and what has none if asked to", async () => {
    const build = (kind) => (source) => {
      const { left, right } = source.split(({ data }) => data.side, ["left", "right"]);
      const id = ({ id }) => id;
      return left
        .join(right, { on: [id, id], kind })
        .map(({ data: { key, left, right } }) => [key, left?.v, right?.v]);
    };
    const left = (id, v) => ({ side: "left", id, v });
    const right = (id, v) => ({ side: "right", id, v });
    const items = [
      left(1, "a"),
      left(1, "b"),
      left(2, "c"),
      right(1, "d"),
      right(1, "e"),
      right(3, "f"),
    ];
    const inner = [
      [1, "a", "d"],
      [1, "a", "e"],
      [1, "b", "d"],
      [1, "b", "e"],
    ];
    assert.deepEqual(await outputs(build(undefined), items), inner);
    assert.deepEqual(await outputs(build("left"), items), [...inner, [2, "c", null]]);
    assert.deepEqual(await outputs(build("outer"), items), [
      ...inner,
      [2, "c", null],
      [3, null, "f"],
    ]);
  });

  it("sorts: null, false, true, numbers, strings by code point", async () => {
    const sorted = [
      null,
      false,
      true,
      -5,
      0.5,
      2,
      10,
      "",
      "10",
      "Z",
      "a",
      "é",
      "\uffee",
      "\u{1f600}",
    ];
    const items = [...sorted].reverse();
    assert.deepEqual(await outputs((source) => source.sortBy((data) => data), items), sorted);
    const { failed } = await run((source) => source.sortBy(({ at }) => at), [{ at: 1 }, {}]);
    assert.deepEqual(
      failed.map(({ node, data }) => [node, data]),
      [["sortBy", {}]],
    );
  });

  it("gives one node's items to all that read them", async () => {
    const build = (source) => {
      const doubled = source.map(double);
      return doubled.map(double).merge(doubled, source);
    };
    assert.deepEqual(
      (await outputs(build, [1, 2])).sort((a, b) => a - b),
      [1, 2, 2, 4, 4, 8],
    );
  });
});

describe("results are compared", () => {
  it("whatever their order and that of their properties", () => {
    assert.deepEqual(multiset([{ a: 1, b: 2 }, 3]), multiset([3, { b: 2, a: 1 }]));
    assert.notDeepEqual(multiset([1]), multiset([1, 1]));
    assert.equal(comparable(undefined), "undefined");
  });

  it("without what only a run knows of failures", () => {
    const error = { name: "Error", message: "fails here", stack: "at once", worker: 1 };
    const real = { id: 5, failed: true, node: "a", data: 1, error };
    const told = {
      failed: true,
      node: "a",
      data: 1,
      error: { name: "Error", message: "fails here" },
    };
    assert.equal(comparable([real]), comparable([told]));
    assert.notEqual(comparable(real), comparable({ ...told, node: "b" }));
    assert.notEqual(comparable(real), comparable({ ...told, error: { message: "fails there" } }));
  });
});

describe("random flows", () => {
  const choices = { slow: false, groupsFail: true, nothing: true };

  it("are the same for the same seed", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const [one, other] = [randomFlow(seed, choices), randomFlow(seed, choices)];
      assert.deepEqual(graphOf(one.flow), graphOf(other.flow));
      assert.deepEqual(one.items, other.items);
      const [first, second] = await Promise.all(
        [one, other].map(({ flow, items }) => interpret(flow, items)),
      );
      assert.deepEqual(first, second);
    }
    const [one, other] = [1, 2].map((seed) => planOfFlow(randomFlow(seed).flow).fingerprint);
    assert.notEqual(one, other);
  });

  it("have all kinds of nodes, plans that hold together, and results that no order changes", async () => {
    const kinds = new Set();
    let [failures, inOrder] = [0, 0];
    for (let seed = 0; seed < RANDOM_FLOWS; seed++) {
      const tags = seed % 3 === 0 ? ["a", "b"] : undefined;
      const { flow, items, sorted, kinds: own } = randomFlow(seed, { ...choices, tags });
      for (const kind of own) kinds.add(kind);
      checkPlan(planOfFlow(flow));
      const result = await interpret(flow, items);
      const reversed = await interpret(flow, [...items].reverse());
      failures += result.failed.length;
      assert.deepEqual(
        multiset(result.failed.map((failure) => ({ failed: true, ...failure }))),
        multiset(reversed.failed.map((failure) => ({ failed: true, ...failure }))),
        `the failures of the flow ${seed}`,
      );
      for (const [name, values] of Object.entries(result.sinks)) {
        const what = `the sink ${name} of the flow ${seed}`;
        assert.deepEqual(multiset(values), multiset(reversed.sinks[name]), what);
        if (!(name in sorted)) continue;
        inOrder++;
        const keys = values.map(sorted[name]);
        for (let at = 1; at < keys.length; at++)
          assert.ok(compareKeys(keys[at - 1], keys[at]) <= 0, what);
      }
    }
    assert.equal(kinds.size, 12, [...kinds].join());
    assert.ok(failures > 100 && inOrder > 10, `${failures} failures, ${inOrder} sinks in order`);
  });

  it("ask for tags only if they are to, and have no limits if they are not to", () => {
    for (let seed = 0; seed < 50; seed++) {
      for (const { options } of graphOf(randomFlow(seed, { limits: false }).flow).nodes)
        assert.deepEqual(Object.keys(options), []);
      for (const { options } of graphOf(randomFlow(seed, { tags: ["a"] }).flow).nodes)
        for (const tag of options.tags || []) assert.equal(tag, "a");
    }
  });
});
