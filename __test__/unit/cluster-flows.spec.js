"use strict";
/**
 * Promise: the items of a flow cross between a master with several machines and a worker as they are, bytes among them too; and what
 * workers have written is read once, however many pieces there are.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { describe, it } = require("node:test");

const { checked } = require("../../lib/cluster/checked");
const { Coordinator } = require("../../lib/cluster/coordinator");
const { carriedItem, outputsOf, packed, placed, shown } = require("../../lib/cluster/flow-items");
const { ClusterNode } = require("../../lib/cluster/flow-node");
const { Counters, entryOf } = require("../../lib/cluster/outcome");
const { Shuffle, checkTold, dataOf } = require("../../lib/cluster/shuffle");
const { SharedSpill } = require("../../lib/cluster/spill");
const { FlowRouter } = require("../../lib/master/flow-router");
const { Held } = require("../../lib/master/in-process-held");
const { Tally } = require("../../lib/master/tally");
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

describe("an item as people see it", () => {
  it("is itself, and nothing where bytes are among others", () => {
    const codec = codecOf("bytes");
    const of = (value) => pack(codec, value, "data", "it");
    const seen = (item) => valueOf(shown(item, carriedItem(codec, item)));
    const like = { "…item": { parts: [] } };
    for (const value of [{ a: 1 }, like, undefined]) assert.deepEqual(seen(of(value)), value);
    assert.deepEqual(seen(new Gathered([of(1), of("a")])), [1, "a"]);
    assert.deepEqual(seen(new Gathered([of(1), of(Buffer.from("a"))])), undefined);
  });
});

describe("an event of a node", () => {
  const isSeen = false;
  const about = { work: ["w"], args: null, taskTimeout: null, classes: [], refusal: "", isSeen };
  const setUp = (place) => {
    const coordinator = new Coordinator();
    /** @type {any} */
    const pool = { errors: new Map(), codec: codecOf("json"), coordinator, tally: new Tally() };
    const settled = [];
    const router = { settle: (...of) => settled.push(of) };
    /** @type {any} */
    const run = { isRunning: true, pool, router, counters: new Counters(pool) };
    /** @type {any} */
    const plan = { name: "one", number: 1 };
    const how = { fn: undefined, tags: [], isEntry: true, retries: undefined, place };
    const ofEvents = coordinator.begin({ ...about, retries: null });
    return { node: new ClusterNode(run, plan, how, ofEvents), run, pool, settled };
  };

  it("is shown with its item, and not with where it writes", () => {
    const { node, run } = setUp(["sonic-spill-1", 1, 64]);
    const event = node.begin({ item: packed('{"a":1}') });
    assert.ok(event.text.includes("sonic-spill-1"));
    assert.deepEqual(
      [...run.counters.open].map(({ value }) => value.text),
      ['{"a":1}'],
    );
  });

  it("fails where its item is too large for the broker, and counts", async () => {
    const { node, pool, settled } = setUp(undefined);
    assert.equal(node.begin({ item: packed("x".repeat((64 << 20) + 1)) }), undefined);
    await new Promise(setImmediate);
    const [[of, , { error }]] = settled;
    assert.deepEqual([settled.length, of, error.code], [1, node, "ERR_SONIC_TOO_LARGE"]);
    const { handedOver, failed, unfinished } = pool.tally.statistics(0);
    assert.deepEqual([handedOver, failed, unfinished], [1, 1, 0]);
  });
});

describe("what a host has answered of an event", () => {
  const row = [1, 2, 3.5, 4, "answered", 1];
  const good = { chunk: 3, event: 4, worker: 5, text: "1", format: 0 };

  it("is taken as it is", () => {
    for (const more of [
      { emitted: [["[1]", 0]], data: ["", 1], counts: { a: 1 }, seen: row },
      { each: [["1", 0]], rows: [row, null] },
      { told: { name: "Error", message: "no" }, attempts: 2, worker: 0, text: undefined },
    ]) {
      /** @type {any} */
      const answer = { ...good, ...more };
      assert.equal(checked(answer), answer);
    }
  });

  it("fails this event where it is damaged", () => {
    for (const more of [
      ...[null, {}, [null], [[1, 0]], [["1"]]].map((emitted) => ({ emitted })),
      ...[
        { told: null },
        { told: "no" },
        { worker: "1" },
        { worker: null },
        { text: 5 },
        { format: 4 },
      ],
      ...[{ data: null }, { data: ["{"] }, { counts: 5 }, { counts: null }, { each: [null] }],
      ...[5, [], row.slice(1), [...row.slice(0, 5), "1"]].map((seen) => ({ seen })),
      { rows: [5] },
      ...[5, [5], [[-1, -2, 0]], [[1, -2, 0, 1]], [[-1, -1, 0, 1]], [[-1, -2, -1, 1]]].map(
        (keep) => ({ keep }),
      ),
      { keep: [[-1, -2, 0, 0]] },
    ]) {
      const { told, ...about } = checked(/** @type {any} */ ({ ...good, ...more }));
      assert.equal(told.code, "ERR_SONIC_PROTOCOL", JSON.stringify(more));
      assert.match(told.message, /^an answer of worker [05] is damaged: /);
      const worker = "worker" in more ? 0 : 5;
      assert.deepEqual(about, { chunk: 3, event: 4, attempts: 1, worker });
    }
  });
});

describe("what an answer says", () => {
  const good = { worker: 5, attempts: 1, text: "1", format: 0 };
  const value = { text: '{"a":1}', format: 0 };

  it("is decoded once, by who reads it", () => {
    assert.deepEqual(entryOf(value, good), { id: 5, data: { a: 1 }, response: 1 });
    const changed = /** @type {[string, number]} */ (['{"a":2}', 0]);
    const entry = entryOf({ text: "never read", format: 0 }, { ...good, data: changed });
    assert.deepEqual(entry, { id: 5, data: { a: 2 }, response: 1 });
  });

  it("fails its event where it cannot be decoded, or the data that another one has emitted", () => {
    /** @type {[any, any, RegExp][]} */
    const all = [
      [value, { ...good, text: "{" }, /^an answer of worker 5 cannot be decoded/],
      [value, { ...good, text: "AA==", format: 2 }, /^an answer of worker 5 cannot be decoded/],
      [value, { ...good, data: ["{", 0] }, /^an answer of worker 5 cannot be decoded/],
      [{ text: "{", format: 0 }, good, /^the data of an event that another one has emitted/],
      [{ text: "{", format: 0 }, { ...good, told: new Error("no") }, /^the data of an event/],
    ];
    for (const [of, outcome, message] of all) {
      const { error, failed, response } = entryOf(of, outcome);
      assert.deepEqual([failed, error.code, response], [true, "ERR_SONIC_PROTOCOL", undefined]);
      assert.match(error.message, message);
    }
  });
});

describe("a reduce in the master's process", () => {
  it("fails where its items cannot be decoded, and tells of none", async () => {
    /** @type {any[]} */
    const entries = [];
    const run = {
      isRunning: true,
      pool: { codec: codecOf("json") },
      deliver: (/** @type {any} */ entry) => entries.push(entry),
      onNews() {},
      stop: assert.fail,
      news: () => Promise.resolve(),
    };
    const plan = { name: "all", hold: "master", errors: -1 };
    const held = new Held();
    held.gather(packed("{"));
    /** @type {any} */
    const node = { name: "all", plan, fn: assert.fail, held, pending: 0, inputs: [] };
    const router = new FlowRouter(run, /** @type {any} */ ({ nodes: [plan] }), false);
    router.nodes = [node];
    await router.reduce(node);
    const [{ node: name, failed, error, ...rest }] = entries;
    assert.deepEqual([name, failed, error.name, rest], ["all", true, "SyntaxError", { id: 0 }]);
    assert.deepEqual([entries.length, node.pending], [1, 0]);
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

  it("is removed when its run is over, and again in case a host has gone on", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-shared-"));
    try {
      /** @type {any} */
      const options = { spillDir: folder, cluster: { lease: 50 } };
      const spill = new SharedSpill(options);
      const own = path.join(spill.path, "7");
      const write = () => fs.mkdirSync(own, { recursive: true });
      write();
      spill.remove(7);
      assert.equal(fs.existsSync(own), false);
      write();
      while (fs.existsSync(own)) await new Promise((resolve) => setTimeout(resolve, 5));
      write();
      spill.remove();
      assert.equal(fs.existsSync(spill.path), false);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
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
