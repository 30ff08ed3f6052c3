"use strict";
/**
 * Promise: What is reduced or grouped by keys comes out complete, each key once, whatever its values; an event puts out a bounded part and
 * another one goes on; what fails is one item or one group, and it can be tried again alone.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { later, node, outcomeOf } = require("../support/flows");
const spills = require("../support/spills");

const { add, byKey, extentsOf, flowOf, listed, recordsIn, reduced, whole, written } = spills;

describe("reduceByKey", () => {
  it("combines values of a key in the event, and over all events", async () => {
    const { work } = flowOf("reduceByKey", add);
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
    assert.equal(recordsIn(records), 5);
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
      assert.deepEqual([redo.key, redo.only], ["b", true]);
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
  it("gives its function each key with all values, and the args", async () => {
    const fn = (group, args) => [...listed(group), args];
    for (const form of [(same) => same, later]) {
      const { work } = flowOf("groupByKey", form(fn));
      const ofKey = (key, values) => values.map((value) => [key, value]);
      const first = [...ofKey("a", [1]), ...ofKey("b", ["x"]), ...ofKey("a", [{ c: 1 }])];
      const { values } = await reduced(work, await written(work, [first, ofKey("a", [null])]));
      const args = { workerID: 1 };
      assert.deepEqual(byKey(values), [
        ["a", [1, { c: 1 }, null], args],
        ["b", ["x"], args],
      ]);
    }
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

  it("sends outputs through what follows, one after the other", async () => {
    const after = [node("map", [[0]])];
    const functions = [later(later(({ data }) => data))];
    const options = { after, functions, partitions: 1 };
    const { work } = flowOf(
      "groupByKey",
      later(({ key }) => key),
      options,
    );
    const records = await written(work, [["a", "b", "c"].map((key) => [key, 1])]);
    assert.deepEqual((await reduced(work, records)).values, ["a", "b", "c"]);
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
