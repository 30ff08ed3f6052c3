"use strict";
/**
 * Promise: A join pairs exactly what is left and right of each key, and what is sorted comes out in order, the same in parts of any size.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { later, node, outcomeOf, pass } = require("../support/flows");
const { flowOf, reduced, spilling, written } = require("../support/spills");

describe("join", () => {
  /** @returns {[number, number, any]} */
  const to = (side) => [-1, 0, [{ node: 3, side }]];
  /** split into left and right, both into the join. */
  function joining(join, on, { memory, ...options } = /** @type {any} */ ({})) {
    const nodes = [
      node("flatMap", [[-1, 2]]),
      node("split", [to(0), to(1)], { branches: ["l", "r"] }),
      node("join", [[0]], { hold: "spill", join, memory }),
    ];
    return spilling(nodes, [pass, ({ data }) => data[0], on], options);
  }
  const on = [(l) => l[1], (r) => r[1]];
  const items = [
    ["l", 1, "a"],
    ["r", 1, "x"],
    ["l", 1, "b"],
    ["l", 2, "c"],
    ["r", 3, "y"],
    ["r", 1, "z"],
  ];
  const pair = (key, left, right) => ({
    key,
    ...(left && { left: ["l", key, left] }),
    ...(right && { right: ["r", key, right] }),
  });
  const both = [pair(1, "a", "x"), pair(1, "b", "x"), pair(1, "a", "z"), pair(1, "b", "z")];
  const expected = {
    inner: both,
    left: [...both, pair(2, "c")],
    outer: [...both, pair(2, "c"), pair(3, undefined, "y")],
  };

  for (const [kind, values] of Object.entries(expected)) {
    it(`pairs what is left and right of a key: ${kind}`, async () => {
      for (const chunk of [2 ** 20, 10]) {
        const { work } = joining(kind, on, { partitions: 1, chunk });
        const out = await reduced(work, await written(work, [items]), 3);
        assert.deepEqual(out.values, values);
      }
    });
  }

  it("keeps few left items, and puts out few pairs in an event, whatever a key has", async () => {
    const side = (name, key, count) =>
      Array.from({ length: count }, (_, at) => [name, key, `${name}${at}`]);
    const sizes = [
      [40, 30],
      [90, 1],
      [1, 90],
      [60, 0],
      [0, 60],
      [2, 2],
    ];
    const all = sizes.flatMap(([left, right], key) => [
      ...side("l", key, left),
      ...side("r", key, right),
    ]);
    /** @returns {any[]} */
    const pairs = (kind) =>
      sizes.flatMap(
        /** @returns {any[]} */ ([left, right], key) => {
          const lefts = side("l", key, left);
          const rights = side("r", key, right);
          if (left === 0) return kind === "outer" ? rights.map((one) => ({ key, right: one })) : [];
          if (right === 0) return kind === "inner" ? [] : lefts.map((one) => ({ key, left: one }));
          return lefts.flatMap((one) => rights.map((other) => ({ key, left: one, right: other })));
        },
      );
    const texts = (list) => list.map((one) => JSON.stringify(one)).sort();
    for (const kind of ["inner", "left", "outer"]) {
      for (const [memory, chunk] of [
        [undefined, 20],
        [500, 2 ** 20],
        [500, 20],
        [1, 7],
      ]) {
        const { work, fake } = joining(kind, on, { partitions: 1, chunk, memory });
        const out = await reduced(work, await written(work, [all]), 3);
        assert.deepEqual(texts(out.values), texts(pairs(kind)), `${kind} ${memory} ${chunk}`);
        assert.equal(out.events > 10, chunk < 100);
        assert.equal(fake.calls.spillClose, fake.calls.spillRead);
        assert.equal(fake.calls.spillRead > out.events, memory !== undefined);
      }
    }
  });

  it("has no property for the side without a partner, also for a node in the same event", async () => {
    const nodes = [
      node("flatMap", [[-1, 2]]),
      node("split", [to(0), to(1)], { branches: ["l", "r"] }),
      node("join", [[-1, 4]], { hold: "spill", join: "outer" }),
      node("map", [[0]]),
    ];
    const namesOf = ({ data }) => Object.keys(data).join(" ");
    const functions = [pass, ({ data }) => data[0], on, namesOf];
    const { work } = spilling(nodes, functions, { partitions: 1 });
    const { values } = await reduced(work, await written(work, [items]), 3);
    const pairs = Array(4).fill("key left right");
    assert.deepEqual(values, [...pairs, "key left", "key right"]);
  });

  it("pairs what many events have put", async () => {
    const { work } = joining("inner", on);
    const records = await written(
      work,
      items.map((item) => [item]),
    );
    const { values } = await reduced(work, records, 3);
    const sorted = (list) => list.map((value) => JSON.stringify(value)).sort();
    assert.deepEqual(sorted(values), sorted(both));
  });

  it("puts out all of a key or nothing", async () => {
    const { work } = joining("outer", on, { partitions: 1 });
    const records = await written(work, [items]);
    const encode = (value, key) => {
      if (value?.right?.[2] === "z") throw new Error("no z");
      return codec.encode(value, key);
    };
    const { codec } = work;
    work.codec = { ...codec, encode };
    const { values, failed } = await reduced(work, records, 3);
    assert.deepEqual(values, [pair(2, "c"), pair(3, undefined, "y")]);
    assert.deepEqual(
      failed.map(([, number, , data]) => [number, data]),
      [[3, { key: 1 }]],
    );
  });

  it("fails an item whose key throws or is none, which can be put again", async () => {
    let isBroken = true;
    const right = (r) => {
      if (isBroken && r[2] === "x") throw new Error("no x");
      return isBroken && r[2] === "z" ? Promise.resolve(1) : r[1];
    };
    const { work } = joining("inner", [on[0], right]);
    const { records } = await outcomeOf(work, 1, items);
    const failed = records.filter(([mark]) => mark === "!");
    assert.deepEqual(
      failed.map(([, number, , data]) => [number, data[2]]),
      [
        [3, "x"],
        [3, "z"],
      ],
    );
    assert.match(failed[1][2], /join: a key must be .*, got an object/);
    isBroken = false;
    const again = [...records];
    for (const [, , , , redo] of failed) {
      assert.equal(redo.side, 1);
      again.push(...(await outcomeOf(work, 3, redo)).records);
    }
    assert.equal((await reduced(work, again, 3)).values.length, 4);
  });
});

describe("sortBy", () => {
  const numbers = Array.from({ length: 200 }, (_, at) => (at * 37) % 200);
  const inOrder = [...numbers].sort((a, b) => a - b);
  const events = [numbers.slice(0, 90), numbers.slice(90)];

  it("puts out all in order, without decoding what goes to one exit", async () => {
    for (const chunk of [2 ** 20, 50]) {
      const { work, fake } = flowOf("sortBy", (data) => data, { chunk });
      const { values, extents } = await reduced(work, await written(work, events));
      assert.deepEqual(values, inOrder);
      assert.deepEqual([...extents.keys()], [0]);
      assert.equal(fake.calls.spillNext, undefined);
    }
  });

  it("puts out all in order through what follows", async () => {
    for (const form of [(fn) => fn, later]) {
      const after = [node("map", [[0]])];
      const functions = [form(({ data }) => 0 - data)];
      const { work } = flowOf("sortBy", (data) => data, { after, functions, chunk: 50 });
      const { values, events: count } = await reduced(work, await written(work, events));
      assert.deepEqual(
        values,
        inOrder.map((n) => 0 - n),
      );
      assert.ok(count > 5);
    }
  });

  it("keeps the order of equal keys", async () => {
    const { work } = flowOf("sortBy", ([key]) => key);
    const items = [
      ["b", 1],
      ["a", 2],
      ["b", 3],
      ["a", 4],
    ];
    const { values } = await reduced(work, await written(work, [items]));
    assert.deepEqual(values, [
      ["a", 2],
      ["a", 4],
      ["b", 1],
      ["b", 3],
    ]);
  });

  it("sorts values of any format", async () => {
    const items = ["text", Buffer.from([1]), undefined, { a: 1 }, 7];
    for (const codec of ["bytes", "advanced"]) {
      for (const after of [[], [node("map", [[0]])]]) {
        let at = 0;
        const options = { codec, after, functions: [pass], chunk: 8 };
        const { work } = flowOf("sortBy", () => -at++, options);
        const { values } = await reduced(work, await written(work, [items]));
        assert.deepEqual(values, [...items].reverse());
      }
    }
  });

  it("puts an item of bytes again", async () => {
    let isBroken = true;
    const items = [Buffer.from([2]), undefined, new Map([[1, 2]])];
    const key = (item) => {
      if (isBroken) throw new Error("broken");
      return Buffer.isBuffer(item) ? 1 : typeof item === "object" ? 2 : 3;
    };
    const { work } = flowOf("sortBy", key, { codec: "advanced" });
    const { records } = await outcomeOf(work, 1, items);
    assert.deepEqual(
      records.map(([, , , data]) => data),
      items,
    );
    isBroken = false;
    const again = [];
    for (const [, , , , redo] of records) again.push(...(await outcomeOf(work, 2, redo)).records);
    assert.deepEqual((await reduced(work, again)).values, [items[0], items[2], items[1]]);
  });
});
