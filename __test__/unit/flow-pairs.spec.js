"use strict";
/**
 * Promise: An event writes exactly what belongs to its complete items, or nothing; merging what was written changes nothing of what comes out.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const fc = require("fast-check");

const { compared } = require("../support/fake-spill");
const { node, outcomeOf, pass } = require("../support/flows");
const {
  add,
  extentsOf,
  flowOf,
  listed,
  recordsIn,
  reduced,
  spilling,
  written,
} = require("../support/spills");

const RUNS = Number(process.env.SONIC_PROPERTY_RUNS || 100);

describe("what an event writes", () => {
  it("is nothing of an item that fails behind the entry", async () => {
    const spills = [
      { node: 3, side: 0 },
      { node: 4, side: 0 },
    ];
    const nodes = [
      node("flatMap", [[-1, 2]]),
      node("flatMap", [[1, 0, spills]]),
      node("reduceByKey", [[0]], { hold: "spill" }),
      node("groupByKey", [[0]], { hold: "spill" }),
    ];
    const inner = function* ({ data }) {
      yield ["a", data];
      if (data === 2) throw new Error("no 2");
      yield ["b", data];
    };
    const { work } = spilling(nodes, [pass, inner, add, listed], { partitions: 1 });
    const { records } = await outcomeOf(work, 1, [1, 2, 4]);
    assert.deepEqual(
      records.filter(([mark]) => mark === "!"),
      [["!", 2, "no 2", 2, undefined]],
    );
    assert.equal(records.filter(([mark]) => mark === 1).length, 4);
    assert.deepEqual((await reduced(work, records, 3)).values, [
      ["a", 5],
      ["b", 5],
    ]);
    assert.deepEqual((await reduced(work, records, 4)).values, [
      ["a", [1, 4]],
      ["b", [1, 4]],
    ]);
  });

  it("is one item for each edge, or none", async () => {
    const spills = [
      { node: 2, side: 0 },
      { node: 3, side: 0 },
    ];
    const nodes = [
      node("map", [[1, 0, spills]]),
      node("reduceByKey", [[0]], { hold: "spill" }),
      node("sortBy", [[0]], { hold: "spill" }),
    ];
    const { work, fake } = spilling(nodes, [pass, add, ([key]) => key]);
    const { thrown } = await outcomeOf(work, 1, ["a", { n: 1n }]);
    assert.match(thrown.message, /BigInt/);
    assert.equal(fake.files.size, 0);
    const { records } = await outcomeOf(work, 1, ["a", { n: 1 }]);
    assert.deepEqual(
      records.map(([mark]) => mark),
      [1, "$", "$"],
    );
  });

  it("is nothing of an item that cannot be encoded, which fails where it was made", async () => {
    const to = [{ node: 3, side: 0 }];
    for (const kind of ["reduceByKey", "groupByKey"]) {
      const nodes = [
        node("flatMap", [[-1, 2]]),
        node("map", [[-1, 0, to]]),
        node(kind, [[0]], { hold: "spill" }),
      ];
      const map = ({ data }) => ["a", data === 2 ? 2n : data];
      const { work } = spilling(nodes, [pass, map, add]);
      const { records } = await outcomeOf(work, 1, [1, 2, 3]);
      assert.deepEqual(
        records.map(([mark, number, , data]) => (mark === "!" ? [number, data] : mark)),
        [[2, 2], "$"],
      );
    }
  });

  it("has Buffers as they were when they were put out", async () => {
    const reuse = function* () {
      const buffer = Buffer.alloc(1);
      for (let n = 1; n < 4; n++) {
        buffer[0] = n;
        yield ["k", buffer];
      }
    };
    const seen = [];
    const fn = ({ values }) => {
      seen.push(...values);
    };
    const nodes = [
      node("flatMap", [[-1, 0, [{ node: 2, side: 0 }]]]),
      node("groupByKey", [[0]], { hold: "spill" }),
    ];
    const { work } = spilling(nodes, [reuse, fn], { codec: "bytes" });
    await reduced(work, await written(work, [0]));
    assert.deepEqual(
      seen,
      [1, 2, 3].map((n) => Buffer.from([n])),
    );
  });

  it("fails the event if it cannot be written", async () => {
    /** @type {[string, any, string][]} */
    const kinds = [
      ["reduceByKey", add, "spillWriteNumbered"],
      ["sortBy", ([key]) => key, "spillWrite"],
    ];
    for (const [kind, fn, write] of kinds) {
      const { work, fake } = flowOf(kind, fn);
      fake.fail[write] = Object.assign(new Error("disk full"), { code: "ERR_SONIC_SPILL" });
      assert.equal((await outcomeOf(work, 1, [["a", 1]])).thrown.code, "ERR_SONIC_SPILL");
      assert.equal((await outcomeOf(work, 1, [["a", 1]])).records[0][0], "$");
    }
  });

  it("is written bit by bit where a node's memory is small, but not what fails", async () => {
    const to = [{ node: 3, side: 0 }];
    for (const [kind, fn, memory] of /** @type {[string, any, number][]} */ ([
      ["reduceByKey", add, 130],
      ["sortBy", ([key]) => key, 20],
    ])) {
      const nodes = [
        node("flatMap", [[-1, 2]]),
        node("flatMap", [[-1, 0, to]]),
        node(kind, [[0]], { hold: "spill", memory }),
      ];
      const inner = function* ({ data }) {
        for (let at = 0; at < 5; at++) yield [data * 10 + at, 1];
        if (data === 2) throw new Error("no 2");
      };
      const { work } = spilling(nodes, [pass, inner, fn], { partitions: 1 });
      const { records } = await outcomeOf(work, 1, [1, 2, 3]);
      assert.ok(records.length > 3);
      const { values } = await reduced(work, records, 3);
      assert.deepEqual(
        values,
        [10, 11, 12, 13, 14, 30, 31, 32, 33, 34].map((key) => [key, 1]),
      );
    }
  });

  it("makes no file for an event without pairs", async () => {
    const { work, fake } = flowOf("reduceByKey", add);
    assert.deepEqual((await outcomeOf(work, 1, [])).records, []);
    assert.deepEqual(fake.calls, {});
  });
});

describe("merging extents", () => {
  const events = Array.from({ length: 6 }, (_, n) =>
    ["a", "b", "c", "d"].map((key) => [key, `${key}${n}`]),
  );

  /** Merges all extents of each partition. */
  async function merged(work, records, number = 2) {
    const all = [];
    for (const [p, x] of extentsOf(records, number)) {
      const outcome = await outcomeOf(work, number, { p, x, c: true });
      assert.equal(outcome.records.length, 1);
      const [[mark, of, { parts }]] = outcome.records;
      assert.deepEqual([mark, of, parts.length, parts[0][0]], ["$", number, 1, p]);
      all.push(...outcome.records);
    }
    return all;
  }

  it("changes nothing of what comes out, and combines what can be", async () => {
    /** @type {[string, any, number][]} */
    const kinds = [
      ["reduceByKey", add, 4],
      ["groupByKey", listed, 24],
    ];
    for (const [kind, fn, length] of kinds) {
      const { work } = flowOf(kind, fn, { chunk: 30 });
      const records = await written(work, events);
      const all = await merged(work, records);
      assert.deepEqual([recordsIn(records), recordsIn(all)], [24, length]);
      assert.deepEqual((await reduced(work, all)).values, (await reduced(work, records)).values);
    }
  });

  it("leaves what cannot be combined to the group", async () => {
    let isBroken = true;
    const combine = (a, b) => {
      if (isBroken && b === "b3") throw new Error("no b3");
      return a + b;
    };
    const { work } = flowOf("reduceByKey", combine);
    const records = await written(work, events);
    const all = await merged(work, records);
    isBroken = false;
    assert.deepEqual((await reduced(work, all)).values, (await reduced(work, records)).values);
  });
});

describe("a hold behind a hold", () => {
  it("gets what comes out in bounded parts", async () => {
    const nodes = [
      node("flatMap", [[-1, 0, [{ node: 2, side: 0 }]]]),
      node("groupByKey", [[-1, 0, [{ node: 3, side: 0 }]]], { hold: "spill" }),
      node("sortBy", [[0]], { hold: "spill" }),
    ];
    const sorted = ([key]) => -key;
    const { work } = spilling(nodes, [pass, listed, sorted], { partitions: 1, chunk: 10 });
    const pairs = Array.from({ length: 100 }, (_, at) => [at, at * 2]);
    const first = await written(work, [pairs]);
    const { failed, events } = await reduced(work, first);
    assert.ok(events > 3 && events < 50, `${events} events`);
    const { values } = await reduced(work, failed, 3);
    assert.deepEqual(values, pairs.map(([key, value]) => [key, [value]]).reverse());
  });
});

describe("any items", () => {
  const key = fc.oneof(
    fc.constantFrom("a", "b", null, true, false, 0, 1),
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const pairs = fc.array(fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 30 }), {
    maxLength: 6,
  });

  it("come out by key as they went in, in chunks of any size", async () => {
    const property = fc.asyncProperty(
      pairs,
      fc.integer({ min: 1, max: 200 }),
      async (events, chunk) => {
        const { work } = flowOf("groupByKey", listed, { chunk, partitions: 1 });
        const { values } = await reduced(work, await written(work, events));
        const expected = new Map();
        for (const [of, value] of events.flat()) {
          const same = of === 0 ? 0 : of;
          if (!expected.has(same)) expected.set(same, []);
          expected.get(same).push(JSON.parse(JSON.stringify(value)));
        }
        const inOrder = [...expected].sort(([a], [b]) => compared(a, b));
        assert.deepEqual(values, inOrder);
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });
});
