"use strict";
/**
 * Promise: the items of a flow cross between a master with several machines and a worker as they are, bytes among them too; and what
 * workers have written is read once, however many pieces there are.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { carriedItem, outputsOf, packed, placed } = require("../../lib/cluster/flow-items");
const { Shuffle, checkTold, dataOf } = require("../../lib/cluster/shuffle");
const { FailedItem, Gathered, open, pack } = require("../../lib/master/in-process-values");
const { valueOf } = require("../../lib/shared/carried");
const { codecOf } = require("../../lib/shared/codec");
const { isPlace, spillsAt, unwrapped } = require("../../lib/shared/flow/carried");
const { wire } = require("../../lib/shared/native");
const { Records } = require("../../lib/worker/flow/records");

const exit = (number) => `\n${String.fromCharCode(wire().firstExit + number)}`;

describe("an item on its way to a worker", () => {
  const failure = (codec, data) =>
    new FailedItem(
      { id: 3, error: { message: "no" }, node: "one" },
      pack(codec, data, "data", "it"),
    );
  const items = (codec) => {
    const of = (value) => pack(codec, value, "data", "it");
    const bytes = of(Buffer.from([1, 2]));
    return [
      of(5),
      of(null),
      of(undefined),
      of({ "…item": { parts: [] } }),
      new Gathered([of(1), of(undefined), of("a")]),
      new Gathered([bytes, new Gathered([bytes, of(2)])]),
      failure(codec, [1]),
      new Gathered([failure(codec, undefined), failure(codec, Buffer.from([7]))]),
    ];
  };
  for (const name of ["json", "bytes", "advanced"])
    it(`is what the node gets: ${name}`, () => {
      const codec = codecOf(name);
      for (const item of items(codec)) {
        const value = valueOf(carriedItem(codec, item));
        // As the pool of a host hands it on to its worker.
        const there = open(pack(codec, value, "data", "it"));
        assert.deepEqual(name === "advanced" ? there : unwrapped(there), open(item));
      }
    });
});

describe("what an event of a flow has put out", () => {
  const thrown = Object.assign(new RangeError("no\t1"), { code: "E" });
  for (const isBinary of [false, true])
    it(`is read as it was written, ${isBinary ? "in bytes" : "in text"}`, () => {
      const codec = codecOf("bytes");
      const records = new Records(codec, undefined);
      records.add(exit(0), { text: "a\tb\nc" });
      records.add(exit(3), undefined);
      if (isBinary) records.add(exit(1), Buffer.from([0, 10, 255]));
      records.fail(2, ["\t"], thrown, '{"p":1}');
      records.spilled(4, '{"file":"1-2","parts":[]}');
      records.goOn('{"p":2}');
      /** @type {any[]} */
      const outputs = outputsOf(records.payload());
      const [first, none, ...rest] = outputs;
      assert.deepEqual([first.exit, open(first.item)], [0, { text: "a\tb\nc" }]);
      assert.deepEqual([none.exit, open(none.item)], [3, undefined]);
      if (isBinary) assert.deepEqual(open(rest.shift().item), Buffer.from([0, 10, 255]));
      const [failed, written, further] = rest;
      const { node, error, again, item } = failed;
      assert.deepEqual(
        [node, error.name, error.message, error.code, again, open(item)],
        [2, "RangeError", "no\t1", "E", '{"p":1}', ["\t"]],
      );
      assert.deepEqual(written, { to: 4, told: { file: "1-2", parts: [] } });
      assert.deepEqual(further, { further: '{"p":2}' });
    });

  it("is refused where it is damaged", () => {
    const whole = new Records(codecOf("bytes"), undefined);
    whole.add(exit(1), Buffer.alloc(40));
    whole.fail(2, Buffer.alloc(9), thrown);
    const bytes = Buffer.from(whole.payload());
    for (let length = 1; length < bytes.length; length++) {
      const isEnd = length === 46;
      if (!isEnd) assert.throws(() => outputsOf(bytes.subarray(0, length)), `${length}`);
    }
    for (const text of ["!1", "!1\t{", "$1", "\u0001", "$1\t{", "!1\t{}\t"])
      assert.throws(() => outputsOf(text), text);
  });
});

describe("what workers have written", () => {
  const told = (file, ...parts) => ({ file, parts });

  it("is read once, by partitions, and merged where there is too much of one", () => {
    const shuffle = new Shuffle();
    shuffle.add(told("1-10", [2, 0, 10, 1], [0, 10, 5, 2], [1, 15, 0, 0]));
    assert.equal(shuffle.excess(), undefined);
    for (let at = 0; at < 256; at++) shuffle.add(told("2-20", [2, at, 1, 1]));
    const merge = shuffle.excess();
    assert.deepEqual([merge.partition, merge.extents.length], [2, 128]);
    assert.deepEqual(merge.extents[0], ["1-10", 0, 10]);
    assert.deepEqual(JSON.parse(dataOf(merge, true)), { p: 2, x: merge.extents, c: true });
    assert.ok(shuffle.putBack(merge));
    const again = shuffle.excess();
    assert.deepEqual(again, merge);
    shuffle.add(told("3-30", [2, 0, 1, 129]));
    const all = shuffle.take().map((data) => JSON.parse(data));
    assert.deepEqual(
      all.map(({ p, x, c }) => [p, x.length, c]),
      [
        [0, 1, undefined],
        [2, 130, undefined],
      ],
    );
    assert.deepEqual(shuffle.take(), []);
  });

  it("is merged again a few times where that fails", () => {
    const shuffle = new Shuffle();
    /** @type {any} */
    const merge = { partition: 0, extents: [["1-1", 0, 1]] };
    const tries = Array.from({ length: 5 }, () => shuffle.putBack(merge));
    assert.deepEqual(tries, [true, true, true, true, false]);
  });

  it("is nothing else than what a worker can have said, and nowhere else", () => {
    checkTold(told("1-2", [0, 0, 1, 1]));
    const bad = [null, {}, told("../x", []), told("1-2", [0, 0, 1]), told("1-2", [0, -1, 1, 1])];
    for (const one of bad) assert.throws(() => checkTold(one), /damaged/);
    assert.ok(isPlace(["sonic-spill-1-2.a-3", 1, 64]));
    for (const one of [null, ["x", 1, 64], ["sonic-spill-/..", 1, 8], ["sonic-spill-1", "..", 8]])
      assert.equal(isPlace(one), false);
  });

  it("is of nodes whose events write or read it, with those that run in the same event", () => {
    const port = (next, ...spills) => ({ exit: -1, next, spills });
    /** @type {any[]} */
    const nodes = [
      { hold: null, ports: [port(2)] },
      { hold: null, ports: [port(0, { node: 4, side: 0 })] },
      { hold: null, ports: [port(0)] },
      { hold: "spill", ports: [port(0)] },
    ];
    assert.deepEqual(
      [1, 2, 3, 4].map((node) => spillsAt({ nodes }, node)),
      [true, true, false, true],
    );
    const item = carriedItem(codecOf("json"), packed("[1]"));
    const data = valueOf(placed(item, ["sonic-spill-1", 1, 8]));
    assert.deepEqual([data["…place"], valueOf(data.item)], [["sonic-spill-1", 1, 8], [1]]);
  });
});
