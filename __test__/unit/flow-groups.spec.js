"use strict";
/**
 * Promise: Keys and values go through files without loss: each key's group comes complete and in order, an event puts out a bounded
 * part and another goes on, what fails is one item or one group, and it can be tried again alone.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const fc = require("fast-check");

const { codecOf } = require("../../lib/shared/codec");
const { FlowWork } = require("../../lib/worker/flow");
const { Spill } = require("../../lib/worker/spill");
const { FakeSpill, compared, partitionOf } = require("../support/fake-spill");
const { node, outcomeOf, planOf } = require("../support/flows");

const RUNS = Number(process.env.SONIC_PROPERTY_RUNS || 100);
const PARTITIONS = 4;

const pass = ({ data }) => data;
const later =
  (fn) =>
  async (...given) => {
    await undefined;
    return fn(...given);
  };
const add = (a, b) => a + b;
const listed = ({ key, values }) => [key, [...values]];

/**
 * flatMap into a hold, whose outputs go to exit 0.
 * @param {string} kind of the hold
 * @param {any} fn the hold's
 */
function flowOf(
  kind,
  fn,
  { more = {}, after = [], functions = [], spread = pass, ...options } = {},
) {
  const next = after.length > 0 ? 3 : 0;
  const hold = node(kind, [[next > 0 ? -1 : 0, next]], { hold: "spill", ...more });
  const entry = node("flatMap", [[-1, 0, [{ node: 2, side: 0 }]]]);
  return spilling([entry, hold, ...after], [spread, fn, ...functions], options);
}

/** @param {ReturnType<typeof node>[]} nodes @param {any[]} functions */
function spilling(
  nodes,
  functions,
  { codec = "json", chunk = 2 ** 20, fake = new FakeSpill(), partitions = PARTITIONS } = {},
) {
  const { native } = fake;
  const how = { native, dir: () => "/run", file: "1-2", partitions, codec: codecOf(codec), chunk };
  const spill = new Spill(how);
  const work = new FlowWork({ plan: planOf(nodes), functions, codec: codecOf(codec), spill });
  return { work, fake };
}

/** The extents by partition that the records of an event tell of. */
function extentsOf(records, number = 2) {
  const byPartition = new Map();
  for (const [mark, of, told] of records) {
    if (mark !== "$" || of !== number) continue;
    for (const [partition, offset, length] of told.parts) {
      if (!byPartition.has(partition)) byPartition.set(partition, []);
      byPartition.get(partition).push([told.file, offset, length]);
    }
  }
  return byPartition;
}

/** Runs an event and all that go on behind it. */
async function whole(work, number, data) {
  const records = [];
  let events = 0;
  for (let next = data; next !== undefined; ) {
    const outcome = await outcomeOf(work, number, next);
    if (outcome.thrown !== undefined) throw outcome.thrown;
    events++;
    assert.ok(events < 10_000);
    next = undefined;
    for (const record of outcome.records) {
      if (record[0] === "#") next = record[1];
      else records.push(record);
    }
    assert.ok(next === undefined || outcome.records[outcome.records.length - 1][0] === "#");
  }
  return { records, events };
}

/** The values that exit 0 gets of all partitions, one after the other. */
async function reduced(work, writes, number = 2) {
  const values = [];
  const failed = [];
  let events = 0;
  const extents = extentsOf(writes, number);
  for (const p of [...extents.keys()].sort((a, b) => a - b)) {
    const part = await whole(work, number, { p, x: extents.get(p) });
    events += part.events;
    for (const record of part.records) {
      if (record[0] === 0) values.push(record[1]);
      else failed.push(record);
    }
  }
  return { values, failed, events, extents };
}

/** Writes events, and returns the records of all. */
async function written(work, events) {
  const records = [];
  for (const data of events) records.push(...(await whole(work, 1, data)).records);
  return records;
}

const byKey = (pairs) => [...pairs].sort(([a], [b]) => compared(a, b));

describe("reduceByKey", () => {
  it("combines values of a key in the event, and over all events", async () => {
    const { work, fake } = flowOf("reduceByKey", add);
    const records = await written(work, [
      [
        ["a", 1],
        ["b", 2],
        ["a", 3],
      ],
      [
        ["b", 10],
        [1, 1],
        [null, 5],
      ],
    ]);
    assert.equal(fake.files.get("1-2").length, 5);
    const { values, failed } = await reduced(work, records);
    assert.deepEqual(byKey(values), [
      [null, 5],
      [1, 1],
      ["a", 4],
      ["b", 12],
    ]);
    assert.deepEqual(failed, []);
  });

  it("keeps keys of different types apart, and those of each partition in order", async () => {
    const { work } = flowOf("reduceByKey", add, { partitions: 1 });
    const keys = [
      "1",
      1,
      "true",
      true,
      false,
      null,
      "",
      "é",
      "\ud83d\ude00",
      "\uffff",
      -0,
      -5,
      1e300,
    ];
    const records = await written(work, [keys.map((key, at) => [key, at])]);
    const { values } = await reduced(work, records);
    const order = [
      null,
      false,
      true,
      -5,
      0,
      1,
      1e300,
      "",
      "1",
      "true",
      "é",
      "\uffff",
      "\ud83d\ude00",
    ];
    assert.deepEqual(
      values.map(([key]) => key),
      order,
    );
  });

  it("takes values of any kind", async () => {
    const last = (_, b) => b;
    const values = [1, -0.5, "é\n", true, null, undefined, { a: [1] }, Buffer.from([1])];
    for (const codec of ["json", "bytes", "advanced"]) {
      const { work } = flowOf("reduceByKey", last, { codec });
      const some = codec === "json" ? values.slice(0, 7) : values;
      const records = await written(work, [some.map((value, at) => [at, value])]);
      const out = await reduced(work, records);
      // Only a clone has what is undefined or bytes in an array.
      const sent = (value, at) => [
        at,
        codec === "advanced" ? value : JSON.parse(JSON.stringify([value]))[0],
      ];
      assert.deepEqual(byKey(out.values), some.map(sent), codec);
    }
  });

  it("fails an item that is no pair, or has no key, and takes the others", async () => {
    const bad = [5, "ab", null, [1], [1, 2, 3], [Number.NaN, 1], [{}, 1], [undefined, 1]];
    const { work } = flowOf("reduceByKey", add);
    const { records } = await outcomeOf(work, 1, [["a", 1], ...bad, ["a", 2]]);
    const failed = records.filter(([mark]) => mark === "!");
    assert.equal(failed.length, bad.length);
    for (const [at, [, number, message, data, redo]] of failed.entries()) {
      assert.equal(number, 2);
      assert.match(
        message,
        at < 5 ? /must be a pair \[key, value\], got/ : /a key must be a string, a finite number/,
      );
      assert.deepEqual(data, JSON.parse(JSON.stringify(bad[at])));
      assert.deepEqual(redo, { side: 0, wrong: message });
      const again = await outcomeOf(work, 2, redo);
      assert.equal(again.thrown.message, message);
    }
    assert.deepEqual((await reduced(work, records)).values, [["a", 3]]);
  });

  it("fails the item with which it throws, which can be put again", async () => {
    let isBroken = true;
    const combine = (a, b) => {
      if (b === 2 && isBroken) throw new Error("no 2");
      return a + b;
    };
    const { work } = flowOf("reduceByKey", combine);
    const { records } = await outcomeOf(work, 1, [
      ["a", 1],
      ["a", 2],
      ["a", 3],
    ]);
    assert.deepEqual(records[0], ["!", 2, "no 2", ["a", 2], { side: 0, item: ["a", 2] }]);
    isBroken = false;
    const again = await outcomeOf(work, 2, records[0][4]);
    assert.deepEqual((await reduced(work, [...records, ...again.records])).values, [["a", 6]]);
  });

  it("refuses a promise", async () => {
    const { work } = flowOf("reduceByKey", async () => {
      throw new Error("unheard");
    });
    const { records } = await outcomeOf(work, 1, [
      ["a", 1],
      ["a", 2],
    ]);
    assert.match(records[0][2], /reduceByKey: .* must return the value itself, got a promise/);
  });

  it("fails the event with a value that cannot be written", async () => {
    const { work } = flowOf("reduceByKey", () => 1n);
    const { thrown } = await outcomeOf(work, 1, [
      ["a", 1],
      ["a", 2],
    ]);
    assert.match(thrown.message, /BigInt/);
  });

  it("fails the producer of a value that has no encoding", async () => {
    const { work } = flowOf("reduceByKey", add);
    const { thrown } = await outcomeOf(work, 1, [["a", 1n]]);
    assert.match(thrown.message, /BigInt/);
  });

  it("fails one key whose values do not combine, which can be tried again", async () => {
    let isBroken = true;
    const combine = (a, b) => {
      if (isBroken && b === "b2") throw new Error("broken");
      return `${a}${b}`;
    };
    for (const chunk of [2 ** 20, 16]) {
      isBroken = true;
      const { work } = flowOf("reduceByKey", combine, { chunk, partitions: 1 });
      const events = [1, 2, 3].map((n) => ["a", "b", "c"].map((key) => [key, `${key}${n}`]));
      const { values, failed } = await reduced(work, await written(work, events));
      assert.deepEqual(values, [
        ["a", "a1a2a3"],
        ["c", "c1c2c3"],
      ]);
      const [[mark, number, message, data, redo], ...others] = failed;
      assert.deepEqual([mark, number, message, data, others], ["!", 2, "broken", { key: "b" }, []]);
      assert.equal(redo.only, "b");
      assert.equal((await outcomeOf(work, 2, redo)).thrown.message, "broken");
      isBroken = false;
      const again = await whole(work, 2, redo);
      assert.deepEqual(again, { records: [[0, ["b", "b1b2b3"]]], events: 1 });
    }
  });

  it("goes on in further events after so many bytes, and loses nothing", async () => {
    const { work } = flowOf("reduceByKey", add, { chunk: 100, partitions: 1 });
    const pairs = Array.from({ length: 500 }, (_, at) => [`key ${at}`, 1]);
    const records = await written(work, [pairs, pairs]);
    const { values, events } = await reduced(work, records);
    assert.deepEqual(
      values,
      byKey(pairs).map(([key]) => [key, 2]),
    );
    assert.ok(events > 50 && events < 120, `${events} events`);
  });

  it("sends outputs through what follows", async () => {
    const after = [node("map", [[0]])];
    for (const form of [(fn) => fn, later]) {
      const functions = [
        form(({ data: [key, n] }) => {
          if (key === "b") throw new Error("no b");
          return `${key}${n}`;
        }),
      ];
      const { work } = flowOf("reduceByKey", add, { after, functions, partitions: 1 });
      const records = await written(work, [
        [
          ["a", 1],
          ["b", 2],
          ["c", 3],
        ],
      ]);
      const { values, failed } = await reduced(work, records);
      assert.deepEqual(values, ["a1", "c3"]);
      assert.deepEqual(failed, [["!", 3, "no b", ["b", 2], undefined]]);
    }
  });
});

describe("groupByKey", () => {
  it("gives its function each key with all values", async () => {
    for (const form of [(fn) => fn, later]) {
      const { work } = flowOf("groupByKey", form(listed));
      const records = await written(work, [
        [
          ["a", 1],
          ["b", "x"],
          ["a", { c: 1 }],
        ],
        [["a", null]],
      ]);
      const { values } = await reduced(work, records);
      assert.deepEqual(byKey(values), [
        ["a", [1, { c: 1 }, null]],
        ["b", ["x"]],
      ]);
    }
  });

  it("gives it fresh args", async () => {
    const { work } = flowOf("groupByKey", ({ key }, args) => [key, args]);
    const records = await written(work, [[["a", 1]]]);
    assert.deepEqual((await reduced(work, records)).values, [["a", { workerID: 1 }]]);
  });

  it("reads a group of many parts bit by bit", async () => {
    for (const form of [(fn) => fn, later]) {
      const { work, fake } = flowOf("groupByKey", form(listed), { chunk: 40, partitions: 1 });
      const hot = Array.from({ length: 300 }, (_, at) => ["hot", at]);
      const records = await written(work, [
        [["a", 1], ...hot, ["z", 2]],
        [
          ["a", 3],
          ["z", 4],
        ],
      ]);
      const { values } = await reduced(work, records);
      assert.deepEqual(values, [
        ["a", [1, 3]],
        ["hot", hot.map(([, at]) => at)],
        ["z", [2, 4]],
      ]);
      assert.ok(fake.calls.spillNext > 20, `${fake.calls.spillNext} chunks`);
    }
  });

  it("skips what its function does not read", async () => {
    const take =
      (count) =>
      ({ key, values }) => {
        const some = [];
        for (const value of values) {
          if (some.length === count) break;
          some.push(value);
        }
        return [key, some];
      };
    for (const count of [0, 1, 100]) {
      const { work } = flowOf("groupByKey", take(count), { chunk: 40, partitions: 1 });
      const hot = Array.from({ length: 300 }, (_, at) => ["hot", at]);
      const records = await written(work, [[["a", 1], ["a", 2], ...hot, ["z", 1]]]);
      const { values } = await reduced(work, records);
      const few = (list) => list.slice(0, count);
      const numbers = hot.map(([, at]) => at);
      assert.deepEqual(values, [
        ["a", few([1, 2])],
        ["hot", few(numbers)],
        ["z", few([1])],
      ]);
    }
  });

  it("lets its values be read once, and while it runs", async () => {
    let kept;
    const { work } = flowOf("groupByKey", ({ values }) => {
      kept = values[Symbol.iterator]();
      assert.throws(() => [...values], /groupByKey: the values of a group can be read once/);
      return kept.next().value;
    });
    const records = await written(work, [
      [
        ["a", 1],
        ["a", 2],
      ],
    ]);
    assert.deepEqual((await reduced(work, records)).values, [1]);
    assert.throws(() => kept.next(), /while its function runs/);
  });

  it("fails one group, which can be tried again alone, wherever it lies", async () => {
    for (const form of [(fn) => fn, later]) {
      let isBroken = true;
      const fn = ({ key, values }) => {
        const all = [...values];
        if (isBroken && key === "hot") throw new Error("too hot");
        return [key, all.length];
      };
      const { work } = flowOf("groupByKey", form(fn), { chunk: 60, partitions: 1 });
      const cold = (name) => Array.from({ length: 20 }, (_, at) => [`${name}${at + 10}`, 1]);
      const hot = Array.from({ length: 200 }, (_, at) => ["hot", at]);
      const records = await written(work, [[...cold("a"), ...hot, ...cold("z")]]);
      const { values, failed } = await reduced(work, records);
      assert.deepEqual(values, [...cold("a"), ...cold("z")]);
      const [[mark, number, message, data, redo], ...others] = failed;
      assert.deepEqual(
        [mark, number, message, data, others],
        ["!", 2, "too hot", { key: "hot" }, []],
      );
      assert.notEqual(redo.from, undefined);
      assert.equal((await outcomeOf(work, 2, redo)).thrown.message, "too hot");
      isBroken = false;
      assert.deepEqual((await whole(work, 2, redo)).records, [[0, ["hot", 200]]]);
    }
  });

  it("fails a group whose output cannot be sent", async () => {
    const { work } = flowOf("groupByKey", ({ key }) => (key === "a" ? 1n : key), { partitions: 1 });
    const { values, failed } = await reduced(
      work,
      await written(work, [
        [
          ["a", 1],
          ["b", 1],
        ],
      ]),
    );
    assert.deepEqual(
      [values, failed[0].slice(0, 2), failed[0][3]],
      [["b"], ["!", 2], { key: "a" }],
    );
  });

  it("fails the event if its values cannot be read, whatever its function does then", async () => {
    for (const form of [(fn) => fn, later]) {
      const fn = ({ values }) => {
        try {
          return [...values];
        } catch (_) {
          return "caught";
        }
      };
      const { work, fake } = flowOf("groupByKey", form(fn), { chunk: 40, partitions: 1 });
      const hot = Array.from({ length: 300 }, (_, at) => ["hot", at]);
      const records = await written(work, [hot]);
      const x = extentsOf(records).get(0);
      const { spillNext } = fake.native;
      let reads = 0;
      fake.native.spillNext = (...given) => {
        reads++;
        if (reads === 3)
          fake.fail.spillNext = Object.assign(new Error("damaged"), { code: "ERR_SONIC_SPILL" });
        return spillNext(...given);
      };
      const { thrown } = await outcomeOf(work, 2, { p: 0, x });
      assert.equal(thrown.message, "damaged");
    }
  });

  it("has bytes and clones as they were", async () => {
    const values = [Buffer.from([1, 2]), "text", undefined, Buffer.alloc(0), 5];
    for (const codec of ["bytes", "advanced"]) {
      const seen = [];
      const fn = ({ key, values: all }) => {
        seen.push([...all]);
        return key;
      };
      const more = codec === "advanced" ? [new Map([[1, 2]]), -0] : [{ a: 1 }];
      const { work } = flowOf("groupByKey", fn, { codec, chunk: 10 });
      const records = await written(work, [[...values, ...more].map((value) => ["k", value])]);
      assert.deepEqual((await reduced(work, records)).values, ["k"]);
      assert.deepEqual(seen, [[...values, ...more]]);
    }
  });
});

describe("join", () => {
  /** split into left and right, both into the join. */
  function joining(join, on, options = {}) {
    const to = (side) => [-1, 0, [{ node: 3, side }]];
    const nodes = [
      node("flatMap", [[-1, 2]]),
      node("split", [to(0), to(1)], { branches: ["l", "r"] }),
      node("join", [[0]], { hold: "spill", join }),
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

  it("fails the event if it cannot be written", async () => {
    for (const [kind, fn] of [
      ["reduceByKey", add],
      ["sortBy", ([key]) => key],
    ]) {
      const { work, fake } = flowOf(kind, fn);
      fake.fail.spillWrite = Object.assign(new Error("disk full"), { code: "ERR_SONIC_SPILL" });
      assert.equal((await outcomeOf(work, 1, [["a", 1]])).thrown.code, "ERR_SONIC_SPILL");
      assert.equal((await outcomeOf(work, 1, [["a", 1]])).records[0][0], "$");
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
    for (const [kind, fn, length] of [
      ["reduceByKey", add, 4],
      ["groupByKey", listed, 24],
    ]) {
      const { work, fake } = flowOf(kind, fn, { chunk: 30 });
      const records = await written(work, events);
      const before = fake.files.get("1-2").length;
      const all = await merged(work, records);
      assert.equal(fake.files.get("1-2").length - before, length);
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
        const { work } = flowOf("groupByKey", listed, { chunk });
        const { values } = await reduced(work, await written(work, events));
        const expected = new Map();
        for (const [of, value] of events.flat()) {
          const same = of === 0 ? 0 : of;
          if (!expected.has(same)) expected.set(same, []);
          expected.get(same).push(JSON.parse(JSON.stringify(value)));
        }
        const inOrder = [...expected].sort(
          ([a], [b]) => partitionOf(a, PARTITIONS) - partitionOf(b, PARTITIONS) || compared(a, b),
        );
        assert.deepEqual(values, inOrder);
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });
});
