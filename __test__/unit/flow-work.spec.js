"use strict";
/**
 * Promise: An event of a flow goes through its node and all that run with it: failures are where they were, and no promise is made as
 * long as no function returns one.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { both, later, node, outcomeOf, pass, spreadMap, workOf } = require("../support/flows");

const boom = () => {
  throw new Error("boom");
};

/** map, then map, then exit 0. */
const twoMaps = [node("map", [[-1, 2]], { plain: 0 }), node("map", [[0]], { plain: 0 })];

describe("a chain of functions", () => {
  both("answers plain what the last one returns", async (form, isAsync) => {
    const work = workOf(twoMaps, [form(({ data }) => data + 1), form(({ data }) => data * 2)]);
    assert.deepEqual(await outcomeOf(work, 1, 4), { isAsync, value: 10 });
    assert.deepEqual(await outcomeOf(work, 2, 4), { isAsync, value: 8 });
  });

  it("gives each the event, fresh args and the task, and no this", async () => {
    const seen = [];
    function look(...given) {
      seen.push([this, ...given]);
      given[1].own = true;
      return given[0].data;
    }
    const context = { attempt: 1 };
    await outcomeOf(workOf(twoMaps, [look, look]), 1, "d", { args: () => ({ a: 1 }), context });
    const one = [undefined, { data: "d" }, { a: 1, own: true }, context];
    assert.deepEqual(seen, [one, one]);
    assert.notEqual(seen[0][2], seen[1][2]);
  });

  both("answers plain what no value is", async (form, isAsync) => {
    for (const value of [undefined, null, "", false]) {
      const work = workOf(twoMaps, [form(pass), form(() => value)]);
      assert.deepEqual(await outcomeOf(work, 1, 1), { isAsync, value });
    }
  });

  both("puts out an object of a function behind the entry as a record", async (form) => {
    const work = workOf(twoMaps, [form(pass), form(() => ({ a: "\n\t" }))]);
    assert.deepEqual((await outcomeOf(work, 1, 1)).records, [[0, { a: "\n\t" }]]);
  });

  both("ends at a filter that is not passed", async (form, isAsync) => {
    const nodes = [node("filter", [[-1, 2]], { plain: 0 }), node("map", [[0]], { plain: 0 })];
    const work = workOf(nodes, [form(({ data }) => data > 1), form(({ data }) => -data)]);
    assert.deepEqual(await outcomeOf(work, 1, 2), { isAsync, value: -2 });
    assert.deepEqual(await outcomeOf(work, 1, 1), { isAsync, records: [], payload: "" });
  });

  both("fails as a whole if its entry does", async (form, isAsync) => {
    const { thrown, ...rest } = await outcomeOf(workOf(twoMaps, [form(boom), form(pass)]), 1, 1);
    assert.deepEqual([thrown.message, rest], ["boom", { isAsync }]);
  });

  both("puts out the failure of a function behind its entry, with what that got", async (form) => {
    const work = workOf(twoMaps, [form(({ data }) => ({ got: data })), form(boom)]);
    const { records } = await outcomeOf(work, 1, 1);
    assert.deepEqual(records, [["!", 2, "boom", { got: 1 }, undefined]]);
  });

  both("fails where a value is made that cannot be sent", async (form) => {
    const cycle = {};
    cycle.cycle = cycle;
    for (const value of [() => 1, 1n, cycle, Symbol("s")]) {
      const behind = workOf(twoMaps, [form(pass), form(() => value)]);
      const [[mark, number, , data]] = (await outcomeOf(behind, 1, 5)).records;
      assert.deepEqual([mark, number, data], ["!", 2, 5]);
    }
    const entry = workOf([node("map", [[0]], { plain: 0 })], [form(() => () => 1)]);
    assert.match((await outcomeOf(entry, 1, 5)).thrown.message, /can be sent, got function/);
  });

  it("passes batches and identities on", async () => {
    const nodes = [
      node("batch", [[-1, 2]], { hold: "batch", plain: 0 }),
      node("map", [[0]], { plain: 0 }),
      node("identity", [[0]], { plain: 0 }),
    ];
    const work = workOf(nodes, [undefined, ({ data }) => data.length]);
    assert.deepEqual(await outcomeOf(work, 1, [1, 2]), { isAsync: false, value: 2 });
    assert.deepEqual(await outcomeOf(work, 3, "x"), { isAsync: false, value: "x" });
  });

  both("reduces all items, and goes on", async (form, isAsync) => {
    const nodes = [node("reduce", [[-1, 2]], { hold: "all", plain: 0 }), twoMaps[1]];
    const sum = form((items, args) => items.reduce((a, b) => a + b, 0) + args.workerID);
    const work = workOf(nodes, [sum, form(({ data }) => -data)]);
    assert.deepEqual(await outcomeOf(work, 1, [1, 2, 3]), { isAsync, value: -7 });
  });

  it("does not run what is the master's", async () => {
    const work = workOf([node("reduce", [[0]], { hold: "master" })], [pass]);
    assert.match((await outcomeOf(work, 1, [])).thrown.message, /in the master/);
  });

  it("becomes asynchronous in its middle", async () => {
    const nodes = [
      node("map", [[-1, 2]], { plain: 0 }),
      node("identity", [[-1, 3]], { plain: 0 }),
      node("filter", [[-1, 4]], { plain: 0 }),
      node("identity", [[0]], { plain: 0 }),
    ];
    const work = workOf(nodes, [pass, undefined, later(() => 1)]);
    assert.deepEqual(await outcomeOf(work, 1, 3), { isAsync: true, value: 3 });
  });
});

describe("a map with several ways", () => {
  both("puts out its item first, then what follows", async (form) => {
    const nodes = [node("map", [[3, 2]]), node("map", [[0]])];
    const work = workOf(nodes, [form(pass), form(({ data }) => -data)]);
    assert.deepEqual((await outcomeOf(work, 1, 4)).records, [
      [3, 4],
      [0, -4],
    ]);
  });

  both("keeps its output if what follows fails", async (form) => {
    const nodes = [node("map", [[3, 2]]), node("map", [[0]])];
    const { records } = await outcomeOf(workOf(nodes, [form(pass), form(boom)]), 1, 4);
    assert.deepEqual(records, [
      [3, 4],
      ["!", 2, "boom", 4, undefined],
    ]);
  });
});

describe("split", () => {
  const nodes = [
    node("split", [[0], [-1, 2], [89]], { branches: ["a", "b", "c"] }),
    node("map", [[1]]),
  ];

  both("sends an item the way that its function names", async (form) => {
    const work = workOf(nodes, [form(({ data }) => data[0]), form(({ data }) => data.length)]);
    assert.deepEqual((await outcomeOf(work, 1, "a1")).records, [[0, "a1"]]);
    assert.deepEqual((await outcomeOf(work, 1, "b1")).records, [[1, 2]]);
    assert.deepEqual((await outcomeOf(work, 1, "c1")).records, [[89, "c1"]]);
  });

  both("fails for a branch that does not exist", async (form) => {
    const work = workOf(nodes, [form(({ data }) => data)]);
    const { thrown } = await outcomeOf(work, 1, "toString");
    assert.match(thrown.message, /split: .* name of a branch \("a", "b", "c"\), got "toString"/);
    const behind = workOf([node("map", [[-1, 2]]), ...nodes.slice(0, 1)], [pass, form(() => 1)]);
    const [[mark, number, message, data]] = (await outcomeOf(behind, 1, "x")).records;
    assert.deepEqual([mark, number, data], ["!", 2, "x"]);
    assert.match(message, /name of a branch/);
  });
});

describe("events at once", () => {
  it("do not touch each other", async () => {
    const work = workOf(spreadMap, [({ data }) => [data, data], later(({ data }) => data * 2)]);
    const all = await Promise.all([1, 2, 3].map((data) => outcomeOf(work, 1, data)));
    assert.deepEqual(
      all.map(({ records }) => records.map(([, value]) => value)),
      [
        [2, 2],
        [4, 4],
        [6, 6],
      ],
    );
  });
});
