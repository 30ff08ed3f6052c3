"use strict";
/**
 * Promise: What a flatMap makes of an item is put out exactly as it was, in order, all of it or nothing, whatever it is made of and
 * whatever the values are.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { codecOf } = require("../../lib/shared/codec");
const { FlowWork } = require("../../lib/worker/flow");
const {
  both,
  failFor,
  later,
  node,
  outcomeOf,
  pass,
  planOf,
  spread,
  spreadMap,
  workOf,
} = require("../support/flows");

/** map, then flatMap, then map, then exit 2. */
const nested = [node("map", [[0, 2]]), node("flatMap", [[-1, 3]]), node("map", [[2]])];

describe("flatMap", () => {
  const iterables = {
    "an array": () => [1, 2, 3],
    "a Set": () => new Set([1, 2, 3]),
    "a generator": function* () {
      yield* [1, 2, 3];
    },
    "an async generator": async function* () {
      yield* [1, 2, 3];
    },
    "a promise of an array": async () => [1, 2, 3],
    "a promise of an async iterable": async () =>
      (async function* () {
        yield* [1, 2, 3];
      })(),
    "an array with promises": () => [1, Promise.resolve(2), 3],
    "a generator with promises": function* () {
      yield* [1, Promise.resolve(2), 3];
    },
  };
  const outputs = [1, 2, 3].map((item) => [1, item]);
  for (const [name, fn] of Object.entries(iterables)) {
    it(`puts out the items of ${name}`, async () => {
      assert.deepEqual((await outcomeOf(workOf(spread, [fn]), 1, 0)).records, outputs);
    });

    both(`takes those of ${name} through what follows, in order`, async (form) => {
      const seen = [];
      const follow = form(({ data }) => {
        seen.push(data);
        return data * 10;
      });
      const { records } = await outcomeOf(workOf(spreadMap, [fn, follow]), 1, 0);
      assert.deepEqual(records, [
        [0, 10],
        [0, 20],
        [0, 30],
      ]);
      assert.deepEqual(seen, [1, 2, 3]);
    });
  }

  it("makes no promise if nothing is one", async () => {
    const { isAsync } = await outcomeOf(workOf(spreadMap, [iterables["a generator"], pass]), 1, 0);
    assert.equal(isAsync, false);
  });

  it("puts out nothing, and what is undefined", async () => {
    assert.equal((await outcomeOf(workOf(spread, [() => []]), 1, 0)).payload, "");
    const { payload, records } = await outcomeOf(workOf(spread, [() => [, undefined]]), 1, 0);
    assert.equal(payload, "&\n&");
    assert.deepEqual(records, [
      [1, undefined],
      [1, undefined],
    ]);
  });

  it("takes nothing else for an iterable", async () => {
    for (const value of ["text", 5, undefined, null, {}, { [Symbol.iterator]: 1 }]) {
      const { thrown } = await outcomeOf(workOf(spread, [() => value]), 1, 0);
      assert.match(thrown.message, /flatMap: .* an iterable or an async iterable, got/);
    }
  });

  it("runs what follows one after the other", async () => {
    let running = 0;
    const follow = async ({ data }) => {
      running++;
      await new Promise(setImmediate);
      assert.equal(running--, 1);
      return data;
    };
    const { records } = await outcomeOf(workOf(spreadMap, [() => [1, 2, 3], follow]), 1, 0);
    assert.equal(records.length, 3);
  });

  const throwing = {
    generator: function* () {
      yield 1;
      throw new Error("broken off");
    },
    "async generator": async function* () {
      yield 1;
      throw new Error("broken off");
    },
    "promise in an array": () => [1, Promise.reject(new Error("broken off")), 3],
    "array with what cannot be sent": () => [1, () => "broken off"],
  };
  for (const [name, fn] of Object.entries(throwing)) {
    both(`fails as a whole at the entry for a ${name} that throws`, async (form) => {
      for (const [nodes, follow] of [[spread], [spreadMap, form(pass)]]) {
        if (nodes === spreadMap && name.startsWith("array with")) continue;
        const { thrown, records } = await outcomeOf(workOf(nodes, [fn, follow]), 1, 0);
        assert.equal(records, undefined);
        assert.match(thrown.message, /broken off|can be sent/);
      }
    });

    both(`puts out nothing of an item whose ${name} throws behind the entry`, async (form) => {
      const nodes = [node("map", [[0, 2]]), node("flatMap", [[1, 3]]), node("map", [[2]])];
      const work = workOf(nodes, [form(pass), fn, form(failFor(1))]);
      const [item, ...rest] = (await outcomeOf(work, 1, "d")).records;
      assert.deepEqual(item, [0, "d"]);
      assert.equal(rest.length, 1);
      assert.deepEqual([rest[0][0], rest[0][1], rest[0][3]], ["!", 2, "d"]);
    });
  }

  both("keeps an item's other outputs if what follows fails for one", async (form) => {
    const work = workOf(nested, [form(pass), form(() => [1, 2, 3]), form(failFor(2))]);
    assert.deepEqual((await outcomeOf(work, 1, "d")).records, [
      [0, "d"],
      [2, 1],
      ["!", 3, "no 2", 2, undefined],
      [2, 3],
    ]);
  });

  it("closes an iterator that it does not read to its end", async () => {
    for (const form of [(fn) => fn, later]) {
      const closed = [];
      const fn = function* () {
        try {
          yield 1;
          yield () => 1;
        } finally {
          closed.push(true);
        }
      };
      const { thrown } = await outcomeOf(
        workOf([node("flatMap", [[1, 2]]), node("map", [[0]])], [fn, form(pass)]),
        1,
        0,
      );
      assert.match(thrown.message, /can be sent/);
      assert.deepEqual(closed, [true]);
    }
  });

  it("in a flatMap loses only its own", async () => {
    const nodes = [node("flatMap", [[-1, 2]]), node("flatMap", [[0, 3]]), node("map", [[1]])];
    const inner = function* ({ data }) {
      yield data;
      if (data === 2) throw new Error("inner");
    };
    for (const form of [(fn) => fn, later]) {
      const { records } = await outcomeOf(
        workOf(nodes, [() => [1, 2, 3], inner, form(pass)]),
        1,
        0,
      );
      const bad = ["!", 2, "inner", 2, undefined];
      assert.deepEqual(records, [[0, 1], [1, 1], bad, [0, 3], [1, 3]]);
    }
  });

  it("hears promises that reject while others are waited for", async () => {
    const fn = () => [
      new Promise((_, reject) => setImmediate(reject, new Error("first"))),
      Promise.reject(new Error("second")),
    ];
    const { thrown } = await outcomeOf(workOf(spread, [fn]), 1, 0);
    assert.equal(thrown.message, "first");
    const early = () => [() => 1, Promise.reject(new Error("never waited for"))];
    assert.match((await outcomeOf(workOf(spread, [early]), 1, 0)).thrown.message, /can be sent/);
    await new Promise(setImmediate);
  });
});

describe("values", () => {
  const texts = [
    "",
    "a\nb\tc",
    'é\u2028"\\',
    "\ud800",
    0,
    -1.5,
    1e300,
    true,
    null,
    undefined,
    [1],
    { a: {} },
  ];

  for (const serialization of ["json", "bytes", "advanced"]) {
    it(`are text as long as all have one, with ${serialization}`, async () => {
      const simple = texts.slice(0, 10);
      const items = serialization === "advanced" ? simple : texts;
      const { payload, records } = await outcomeOf(
        workOf(spread, [() => items], serialization),
        1,
        0,
      );
      assert.equal(typeof payload, "string");
      assert.deepEqual(
        records,
        items.map((item) => [1, item]),
      );
    });
  }

  it("that JSON has no number for are null", async () => {
    const { payload } = await outcomeOf(workOf(spread, [() => [Number.NaN, -0, -1 / 0]]), 1, 0);
    assert.equal(payload, "&null\n&0\n&null");
  });

  it("are bytes if any is: with all that came before and comes behind", async () => {
    const items = [
      ...texts.slice(0, 10),
      Buffer.from([1, 2]),
      new Float32Array([1.5]),
      undefined,
      "é",
      7,
    ];
    for (const serialization of ["bytes", "advanced"]) {
      const nodes = [node("map", [[-1, 2]]), node("flatMap", [[1, 3]]), node("map", [[0]])];
      const work = workOf(nodes, [pass, () => items, failFor("é")], serialization);
      const { payload, records } = await outcomeOf(work, 1, 0);
      assert.ok(Buffer.isBuffer(payload));
      const expected = items.flatMap((item) => [
        [1, item],
        item === "é" ? ["!", 3, "no é", "é", undefined] : [0, item],
      ]);
      assert.deepEqual(records, expected);
    }
  });

  it("of structured clones keep what JSON has not", async () => {
    const items = [new Map([[1, new Date(5)]]), -0, Number.NaN, { a: 1n }];
    const { records } = await outcomeOf(workOf(spread, [() => items], "advanced"), 1, 0);
    assert.deepEqual(
      records,
      items.map((item) => [1, item]),
    );
  });

  it("that are Buffers are as they were when they were put out", async () => {
    const fn = function* () {
      const buffer = Buffer.alloc(1);
      for (let n = 1; n < 4; n++) {
        buffer[0] = n;
        yield buffer;
      }
    };
    const { records } = await outcomeOf(workOf(spread, [fn], "bytes"), 1, 0);
    assert.deepEqual(
      records,
      [1, 2, 3].map((n) => [1, Buffer.from([n])]),
    );
  });

  it("that fail behind the entry come with their bytes", async () => {
    for (const data of [Buffer.from([9]), undefined, "é"]) {
      const nodes = [node("flatMap", [[-1, 2]]), node("map", [[0]])];
      const fail = failFor(data);
      const work = workOf(nodes, [() => [Buffer.from([1]), data], fail], "bytes");
      const { records } = await outcomeOf(work, 1, 0);
      assert.deepEqual(records, [
        [0, Buffer.from([1])],
        ["!", 2, `no ${data}`, data, undefined],
      ]);
    }
  });

  it("that are taken back leave no bytes", async () => {
    const nodes = [node("map", [[0, 2]]), node("flatMap", [[1]])];
    const fn = function* () {
      yield Buffer.from([1]);
      throw new Error("broken off");
    };
    const { payload } = await outcomeOf(workOf(nodes, [pass, fn], "bytes"), 1, "d");
    assert.equal(typeof payload, "string");
    assert.match(payload, /^%"d"\n!2\t{.*}\t\t"d"$/);
  });

  it("of more than 1 GiB in all are an error", async () => {
    // So many bytes are counted, and never touched.
    const big = Buffer.alloc(2 ** 28);
    const codec = { ...codecOf("bytes"), encode: (value) => (value === "d" ? '"d"' : big) };
    const work = (nodes, functions) => new FlowWork({ plan: planOf(nodes), functions, codec });
    const five = () => [[], [], [], [], []];
    const { thrown } = await outcomeOf(work(spread, [five]), 1, 0);
    assert.equal(thrown.code, "ERR_SONIC_TOO_LARGE");
    const nodes = [node("map", [[0, 2]]), node("flatMap", [[1]])];
    const { records } = await outcomeOf(work(nodes, [pass, five]), 1, "d");
    assert.deepEqual(records[0], [0, "d"]);
    assert.match(records[1][2], /all that an event of a flow puts out has \d+ bytes/);
  });

  it("that are long texts are one", async () => {
    const text = "x".repeat(2 ** 24);
    const { payload } = await outcomeOf(workOf(spread, [() => [text, text, 1, text]]), 1, 0);
    assert.equal(payload, [text, text, 1, text].map((one) => `&${JSON.stringify(one)}`).join("\n"));
  });
});
