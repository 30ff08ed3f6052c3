"use strict";
/**
 * Promise: the plan of a flow says which nodes run in one event, where items leave it, what is spilled, and where the source's
 * items enter. Each graph here stands beside its whole plan, one line a node.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { flow } = require("../../lib/shared/flow/flow");
const { graphOf, planOfFlow } = require("../../lib/shared/flow/made");
const { planOf } = require("../../lib/shared/flow/plan");
const { checkPlan } = require("../support/flow-plan");

const a = ({ data }) => data;
const b = ({ data }) => data;
const c = ({ data }) => data;
const on = [a, b];

/**
 * A line for each node: `number kind name <inputs`, then for each port ` -`, the fused node (`+2`), spilled holds (`/3.1` is side 1 of
 * node 3) and targets of the exit (`>4`, `>join.1`, `>sink`); `!` and targets of the failures; `=` and the plain exit's first target.
 */
function linesOf(plan) {
  const input = ({ node, side }) => `${node}${side === 0 ? "" : ".1"}`;
  const targets = (exit) => {
    if (exit === -1) return [];
    return plan.exits[exit].to.map((to) => {
      if ("sink" in to) return `>${plan.sinks[to.sink] === null ? "sink" : plan.sinks[to.sink]}`;
      return `>${input(to)}`;
    });
  };
  return plan.nodes.map((node) => {
    const ports = node.ports.map(({ exit, next, spills }) =>
      [
        ...(next ? [`+${next}`] : []),
        ...spills.map((to) => `/${input(to)}`),
        ...targets(exit),
      ].join(" "),
    );
    const failures = node.errors === -1 ? "" : ` !${targets(node.errors).join(" ")}`;
    const plain = node.plain === -1 ? "" : ` =${plan.exits[node.plain].node}`;
    const hold = node.hold === null ? "" : ` (${node.hold})`;
    const tags = node.tags.length === 0 ? "" : ` [${node.tags}]`;
    return `${node.number} ${node.kind} ${node.name}${hold}${tags} <${node.inputs} - ${ports.join(" | ")}${failures}${plain}`;
  });
}

function table(title, rows) {
  describe(title, () => {
    for (const [promise, build, lines, entry = 1] of rows) {
      it(promise, () => {
        const plan = planOfFlow(flow(build));
        checkPlan(plan);
        assert.deepEqual(linesOf(plan), lines);
        assert.equal(plan.entry, entry);
      });
    }
  });
}

table("where the source's items enter:", [
  ["at the only node", (source) => source.map(a), ["1 map a <0 - >sink =1"]],
  ["at a flatMap", (source) => source.flatMap(a), ["1 flatMap a <0 - >sink =1"]],
  ["at a filter", (source) => source.filter(a), ["1 filter a <0 - >sink =1"]],
  ["at a split", (source) => source.split(a, ["x", "y"]), ["1 split a <0 - >x | >y"]],
  [
    "at a node that sends them on, if there is none",
    (source) => source,
    ["1 identity source <0 - >sink =1"],
  ],
  [
    "at one that sends them to several, and runs the first",
    (source) => ({ x: source.map(a), y: source.map(b) }),
    ["1 identity source <0 - +2 >3", "2 map a <1 - >x =2", "3 map b <1 - >y =3"],
  ],
  [
    "at one for a node and a sink",
    (source) => ({ x: source, y: source.map(a) }),
    ["1 identity source <0 - +2 >x", "2 map a <1 - >y =2"],
  ],
  [
    "at one for a batch",
    (source) => source.batch({ count: 2 }),
    ["1 identity source <0 - >2 =1", "2 batch batch (batch) <1 - >sink =2"],
  ],
  [
    "at one that spills",
    (source) => source.groupByKey(a),
    ["1 identity source <0 - /2", "2 groupByKey a (spill) <1 - >sink =2"],
  ],
  [
    "at one for both sides of a join",
    (source) => source.join(source, { on }),
    ["1 identity source <0 - /2 /2.1", "2 join join (spill) <1 - >sink =2"],
  ],
  [
    "at a node that has items from others too",
    (source) => {
      const first = source.map(a, { tags: ["t"] });
      return first.errors.merge(first).map(b);
    },
    ["1 map a [t] <0 - >2 !>2 =1", "2 map b <1 - >sink =2"],
  ],
  [
    "twice, if the source is merged with itself",
    (source) => source.merge(source).map(a),
    ["1 identity source <0 - >2 >2 =1", "2 map a <1 - >sink =2"],
  ],
  ["at a node behind a merge of one", (source) => source.merge().map(a), ["1 map a <0 - >sink =1"]],
]);

table("nodes that run in one event:", [
  [
    "neighbours",
    (source) => source.map(a).filter(b).flatMap(c),
    ["1 map a <0 - +2 =3", "2 filter b <1 - +3 =3", "3 flatMap c <2 - >sink =3"],
  ],
  [
    "with the same tags and retries",
    (source) =>
      source.map(a, { tags: ["y", "x"], retries: 1 }).map(b, { tags: ["x", "y"], retries: 1 }),
    ["1 map a [x,y] <0 - +2 =2", "2 map b [x,y] <1 - >sink =2"],
  ],
  [
    "not with other tags",
    (source) => source.map(a, { tags: ["x"] }).map(b),
    ["1 map a [x] <0 - >2 =1", "2 map b <1 - >sink =2"],
  ],
  [
    "not with other retries",
    (source) => source.map(a, { retries: 0 }).map(b),
    ["1 map a <0 - >2 =1", "2 map b <1 - >sink =2"],
  ],
  [
    "not with a time or a concurrency of their own",
    (source) =>
      source
        .map(a, { taskTimeout: 5 })
        .map(a, { taskTimeout: 5 })
        .map(b, { concurrency: 2 })
        .map(c),
    ["1 map a <0 - >2 =1", "2 map a 2 <1 - >3 =2", "3 map b <2 - >4 =3", "4 map c <3 - >sink =4"],
  ],
  [
    "not if the second has maxWaiting, though the first may",
    (source) => source.map(a, { maxWaiting: 5 }).map(b).map(c, { maxWaiting: 5 }),
    ["1 map a <0 - +2 =2", "2 map b <1 - >3 =2", "3 map c <2 - >sink =3"],
  ],
  [
    "only the first that may, of several",
    (source) => {
      const from = source.map(a);
      return { w: from, x: from.map(b, { tags: ["t"] }), y: from.map(b), z: from.map(c) };
    },
    [
      "1 map a <0 - +3 >2 >4 >w",
      "2 map b [t] <1 - >x =2",
      "3 map b 2 <1 - >y =3",
      "4 map c <1 - >z =4",
    ],
  ],
  [
    "not one that has items from several",
    (source) => {
      const from = source.map(a);
      return from.map(b).merge(from).map(c);
    },
    ["1 map a <0 - +2 >3", "2 map b <1 - >3 =2", "3 map c <1,2 - >sink =3"],
  ],
  [
    "not what reads failures",
    (source) => {
      const from = source.map(a);
      return { x: from, y: from.errors.map(b) };
    },
    ["1 map a <0 - >x !>2 =1", "2 map b <1 - >y =2"],
  ],
  [
    "one behind each branch",
    (source) => {
      const { x, y, z } = source.split(a, ["x", "y", "z"]);
      return { x: x.map(b), y, all: z.map(c).merge(x) };
    },
    ["1 split a <0 - +2 >all | >y | +3", "2 map b <1 - >x =2", "3 map c <1 - >all =3"],
  ],
  [
    "behind a node that holds items, as behind any other",
    (source) => source.reduce(a).map(b).groupByKey(c).map(a).sortBy(b).filter(c),
    [
      "1 identity source <0 - >2 =1",
      "2 reduce a (all) <1 - +3",
      "3 map b <2 - /4",
      "4 groupByKey c (spill) <3 - +5",
      "5 map a 2 <4 - /6",
      "6 sortBy b 2 (spill) <5 - +7 =7",
      "7 filter c 2 <6 - >sink =7",
    ],
  ],
  [
    "but not behind a reduce in the master",
    (source) => source.reduce(a, { in: "master" }).map(b),
    ["1 identity source <0 - >2 =1", "2 reduce a (master) <1 - >3 =2", "3 map b <2 - >sink =3"],
  ],
  [
    "a batch and what follows, wherever that runs",
    (source) =>
      source
        .map(a)
        .batch({ count: 1 })
        .map(b, { tags: ["t"], retries: 3 })
        .map(c, { tags: ["t"], retries: 3 }),
    [
      "1 map a <0 - >2 =1",
      "2 batch batch (batch) [t] <1 - +3 =4",
      "3 map b [t] <2 - +4 =4",
      "4 map c [t] <3 - >sink =4",
    ],
  ],
  [
    "a batch alone, if what follows has limits of its own",
    (source) => source.batch({ count: 1 }).map(b, { tags: ["t"], taskTimeout: 3 }),
    [
      "1 identity source <0 - >2 =1",
      "2 batch batch (batch) <1 - >3 =2",
      "3 map b [t] <2 - >sink =3",
    ],
  ],
  [
    "the source's own node and what follows",
    (source) => {
      const x = source.map(a, { tags: ["t"], retries: 1 });
      return { x, y: source.map(b) };
    },
    ["1 identity source [t] <0 - +2 >3", "2 map a [t] <1 - >x =2", "3 map b <1 - >y =3"],
  ],
]);

table("what spills:", [
  [
    "the node before writes for all that follow",
    (source) => {
      const from = source.map(a);
      return { x: from.sortBy(b), y: from.groupByKey(c), z: from };
    },
    ["1 map a <0 - /2 /3 >z", "2 sortBy b (spill) <1 - >x =2", "3 groupByKey c (spill) <1 - >y =3"],
  ],
  [
    "sides of a join, merged or not",
    (source) => {
      const left = source.map(a);
      const right = left.filter(b);
      return left.join(right.merge(right, left), { on });
    },
    ["1 map a <0 - +2 /3 /3.1", "2 filter b <1 - /3.1 /3.1", "3 join join (spill) <1,2 - >sink =3"],
  ],
  [
    "failures pass through a node that only sends them on",
    (source) => source.map(a).errors.sortBy(b),
    ["1 map a <0 -  !>2", "2 identity b input <1 - /3", "3 sortBy b (spill) <2 - >sink =3"],
  ],
  [
    "results of the master too, and once for both sides of a join",
    (source) => {
      const all = source.reduce(a, { in: "master" });
      return all.merge(all).join(all, { on });
    },
    [
      "1 identity source <0 - >2 =1",
      "2 reduce a (master) <1 - >3 =2",
      "3 identity join input <2 - /4 /4 /4.1",
      "4 join join (spill) <3 - >sink =4",
    ],
  ],
  [
    "one such node for each port and each that follows",
    (source) => {
      const { x } = source.split(a, ["x"]);
      const { errors } = x;
      const all = x.reduce(c, { in: "master" });
      return { s: errors.merge(all).sortBy(b), g: errors.groupByKey(b), e: errors };
    },
    [
      "1 split a <0 - >2 !>3 >6 >e",
      "2 reduce c (master) <1 - >4 =2",
      "3 identity b input <1 - /5",
      "4 identity b input 2 <2 - /5",
      "5 sortBy b (spill) <3,4 - >s =5",
      "6 identity b 2 input <1 - /7",
      "7 groupByKey b 2 (spill) <6 - >g =7",
    ],
  ],
]);

table("what nobody reads:", [
  [
    "runs all the same, and has no exit",
    (source) => {
      const from = source.map(a);
      from.map(b).sortBy(c);
      from.merge(from);
      return from;
    },
    ["1 map a <0 - +2 >sink", "2 map b <1 - /3", "3 sortBy c (spill) <2 - "],
  ],
  [
    "has no exit among branches",
    (source) => source.split(a, ["x", "y"]).y.map(b),
    ["1 split a <0 -  | +2", "2 map b <1 - >sink =2"],
  ],
]);

describe("a node of a plan", () => {
  it("has all that is of its own in the graph", () => {
    const batch = { count: 1, ms: undefined, bytes: 5 };
    const options = { tags: ["t"], concurrency: 2, retries: 1, taskTimeout: 4 };
    const made = flow((source) =>
      source
        .map(a, { ...options, maxWaiting: 3 })
        .batch(batch)
        .join(source, { ...options, on, kind: "left", memory: 9 })
        .split(a, ["x", "y"]),
    );
    const [, map, held, join, split] = planOfFlow(made).nodes;
    const retries = {
      backoff: 0,
      factor: 2,
      maxDelay: 30e3,
      on: ["crash", "timeout", "error", "host"],
    };
    const { number, name, graph, kind, hold, inputs, ports, errors, plain, ...rest } = map;
    assert.deepEqual([number, name, graph, kind, hold, inputs], [2, "a", 0, "map", null, [1]]);
    assert.deepEqual([ports, errors, plain], [[{ exit: 1, next: 0, spills: [] }], -1, 1]);
    assert.deepEqual(rest, {
      ...{ ...options, retries: { ...retries, limit: 1 }, maxWaiting: 3, memory: undefined },
      ...{ batch: undefined, join: undefined, branches: undefined },
    });
    assert.deepEqual(held.batch, batch);
    assert.deepEqual([join.join, join.memory, join.tags], ["left", 9, ["t"]]);
    assert.deepEqual(split.branches, ["x", "y"]);
  });

  it("is the same each time, and plain data", () => {
    const made = flow((source) => source.map(a).errors.groupByKey(b));
    const plan = planOf(graphOf(made));
    assert.deepEqual(plan, planOfFlow(made));
    assert.equal(planOfFlow(made), planOfFlow(made));
    const told = JSON.stringify(plan);
    assert.deepEqual(
      JSON.parse(told),
      JSON.parse(JSON.stringify(planOf(JSON.parse(JSON.stringify(graphOf(made)))))),
    );
  });
});
