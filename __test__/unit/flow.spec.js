"use strict";
/**
 * Promise: `flow` turns what a program writes into a graph: nodes in the order in which they were added, with the options of
 * their stages and their own, and the functions as they were written. The graph is plain data, the same in every process.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { flow } = require("../../lib/shared/flow/flow");
const {
  concurrencyOf,
  functionsOf,
  graphOf,
  isFlow,
  planOfFlow,
} = require("../../lib/shared/flow/made");
const { stage } = require("../../lib/shared/stage");

const same = ({ data }) => data;
const key = (data) => data.key;
const SOURCE = { node: -1, port: "out" };

/** Without what JSON leaves out, and with prototypes. */
const graphOfBuilt = (build) => JSON.parse(JSON.stringify(graphOf(flow(build))));
const nodesOf = (build) => graphOfBuilt(build).nodes;

describe("a flow", () => {
  it("is known as one, and shows nothing of itself", () => {
    const made = flow((source) => source.map(same));
    assert.ok(isFlow(made));
    assert.deepEqual(Reflect.ownKeys(made), []);
    assert.ok(Object.isFrozen(made));
    for (const other of [undefined, null, "flow", same, {}, Object.create(made), [made]]) {
      assert.equal(isFlow(other), false);
      assert.throws(() => graphOf(other), { code: "ERR_SONIC_INVALID_ARGUMENT" });
    }
  });

  it("calls the function once, and none of the nodes' functions", () => {
    let calls = 0;
    const never = () => assert.fail("it was called");
    const built = flow((source, ...rest) => {
      calls++;
      assert.deepEqual(rest, []);
      return source.map(never).filter(never).reduce(never).sortBy(never);
    });
    assert.equal(calls, 1);
    planOfFlow(built);
  });

  it("has one sink without a name, or sinks by name in the order of the object", () => {
    const one = graphOfBuilt((source) => source);
    assert.deepEqual(one, { nodes: [], sinks: [{ name: null, from: SOURCE }] });
    const { sinks } = graphOfBuilt((source) => {
      const node = source.map(same);
      return { failed: node.errors, all: node, again: node };
    });
    assert.deepEqual(sinks, [
      { name: "failed", from: { node: 0, port: "errors" } },
      { name: "all", from: { node: 0, port: "out" } },
      { name: "again", from: { node: 0, port: "out" } },
    ]);
  });

  it("may have the branches of a split as its sinks", () => {
    const { nodes, sinks } = graphOfBuilt((source) => source.split(same, ["a", "__proto__"]));
    assert.deepEqual(nodes[0].branches, ["a", "__proto__"]);
    assert.deepEqual(sinks, [
      { name: "a", from: { node: 0, port: "a" } },
      { name: "__proto__", from: { node: 0, port: "__proto__" } },
    ]);
  });

  it("may be built inside of another", () => {
    const outer = nodesOf((source) => {
      assert.equal(nodesOf((inner) => inner.map(same).map(same)).length, 2);
      return source.map(same);
    });
    assert.equal(outer.length, 1);
  });
});

describe("the nodes of a flow", () => {
  it("have their kind, name, inputs and what is their own", () => {
    const nodes = nodesOf((source) => {
      const left = source.map(same);
      const right = source.flatMap(same).filter(same);
      const { small, large } = right.split(same, ["small", "large"]);
      return left
        .join(small, { on: [key, key], kind: "outer" })
        .merge(large, large)
        .batch({ count: 3, ms: 0.5, bytes: 100 })
        .reduceByKey(same)
        .groupByKey(same)
        .sortBy(key)
        .reduce(same, { in: "master" });
    });
    const from = (node, port = "out") => ({ node, port });
    const named = (kind, name, inputs, own) => ({ kind, name, inputs, options: {}, ...own });
    assert.deepEqual(nodes, [
      named("map", "same", [SOURCE]),
      named("flatMap", "same 2", [SOURCE]),
      named("filter", "same 3", [from(1)]),
      named("split", "same 4", [from(2)], { branches: ["small", "large"] }),
      named("join", "join", [from(0), from(3, "small")], { join: "outer" }),
      named("merge", "merge", [from(4), from(3, "large"), from(3, "large")]),
      named("batch", "batch", [from(5)], { batch: { count: 3, ms: 0.5, bytes: 100 } }),
      named("reduceByKey", "same 5", [from(6)]),
      named("groupByKey", "same 6", [from(7)]),
      named("sortBy", "key", [from(8)]),
      named("reduce", "same 7", [from(9)], { in: "master" }),
    ]);
  });

  it("reduce in workers and join what both sides have, unless told otherwise", () => {
    const [reduce, join] = nodesOf((source) =>
      source.reduce(same).join(source, { on: [key, key] }),
    );
    assert.equal(reduce.in, "worker");
    assert.equal(join.join, "inner");
  });

  it("are named by their option, their function or their kind, each name once", () => {
    const named = (name) => ({ name });
    const names = nodesOf((source) =>
      source
        .map(() => 1)
        .map(() => 2, named("map 2"))
        .map(() => 3)
        .map(same, named("mine"))
        .map(
          stage(() => 4, { name: "staged" }),
          named("over it"),
        )
        .map(stage(() => 5, { name: "staged" }))
        .map(stage(same))
        .batch({ count: 1, name: "dozen" })
        .merge()
        .merge(),
    ).map(({ name }) => name);
    assert.deepEqual(names, [
      ...["map", "map 2", "map 3", "mine", "over it", "staged", "same"],
      ...["dozen", "merge", "merge 2"],
    ]);
  });

  it("have the options of their stage, and over them their own", () => {
    const staged = stage(same, { tags: ["a", "a"], retries: 1, taskTimeout: Infinity });
    const made = flow((source) =>
      source
        .map(staged, { retries: 2, maxWaiting: 7, concurrency: 3 })
        .filter(staged, { tags: [], taskTimeout: undefined })
        .groupByKey(same, { memory: 100, tags: ["b"] }),
    );
    const [map, filter, group] = graphOf(made).nodes.map(({ options }) => ({ ...options }));
    const retries = {
      backoff: 0,
      factor: 2,
      maxDelay: 30e3,
      on: ["crash", "timeout", "error", "host"],
    };
    assert.deepEqual(map, {
      tags: ["a"],
      concurrency: 3,
      retries: { ...retries, limit: 2 },
      taskTimeout: Infinity,
      maxWaiting: 7,
    });
    assert.deepEqual(filter, {
      tags: [],
      retries: { ...retries, limit: 1 },
      taskTimeout: Infinity,
    });
    assert.deepEqual(group, { tags: ["b"], memory: 100 });
  });

  it("keep their functions as they were written", () => {
    const other = () => 1;
    const functions = functionsOf(
      flow((source) =>
        source
          .map(stage(same, { retries: 1 }))
          .merge(source)
          .join(source, { on: [key, other] })
          .batch({ ms: 1 })
          .sortBy(key),
      ),
    );
    assert.deepEqual(functions, [same, undefined, [key, other], undefined, key]);
  });

  it("ignore what is in the prototype of an object", () => {
    const options = Object.create({ tags: ["a"] });
    const [map] = nodesOf((source) => source.map(same, options));
    assert.deepEqual(map.options, {});
  });

  it("tell how many events a worker is to run at once", () => {
    const of = (...counts) =>
      concurrencyOf(
        flow((source) =>
          counts.reduce((node, concurrency) => node.map(same, { concurrency }), source),
        ),
      );
    assert.equal(of(undefined, undefined), undefined);
    assert.equal(of(undefined, 4, 2), 4);
  });
});

describe("the fingerprint of a flow", () => {
  const of = (build) => planOfFlow(flow(build)).fingerprint;

  it("is the same for the same graph, whatever the functions close over", () => {
    const build = (n) => (source) =>
      source.map(({ data }) => data + n, { name: "add", taskTimeout: Infinity });
    assert.equal(of(build(1)), of(build(2)));
    assert.match(of(build(1)), /^[0-9a-f]{20}$/);
  });

  it("differs with kinds, names, options, inputs and sinks", () => {
    const builds = [
      (source) => source,
      (source) => source.map(same),
      (source) => source.filter(same),
      (source) => source.map(same, { name: "other" }),
      (source) => source.map(same, { retries: 1 }),
      (source) => source.map(same, { taskTimeout: 1 }),
      (source) => source.map(same, { taskTimeout: Infinity }),
      (source) => source.map(same).map(same),
      (source) => source.map(same).merge(source.map(same)),
      (source) => source.map(same).errors,
      (source) => ({ out: source.map(same) }),
      (source) => ({ other: source.map(same) }),
      (source) => source.reduce(same),
      (source) => source.reduce(same, { in: "master" }),
      (source) => source.batch({ count: 1 }),
      (source) => source.batch({ count: 2 }),
      (source) => source.join(source, { on: [key, key] }),
      (source) => source.join(source, { on: [key, key], kind: "left" }),
    ];
    assert.equal(new Set(builds.map(of)).size, builds.length);
  });
});
