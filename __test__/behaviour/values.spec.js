"use strict";
/**
 * Promise: Values cross between master and workers exactly as JSON, in both directions and at any size. What JSON
 * cannot express fails where it was given, and only there.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const result = async (fixture, ...args) => (await run(fixture, { args: args.map(String) })).result;

describe("JSON's meaning", () => {
  it("is kept for an event's data, in the worker and in the result queue", async () => {
    const { failed, seen } = await result("values/as-data.js");
    assert.deepEqual(failed, []);
    assert.ok(seen.length > 70, `${seen.length} samples`);
    assert.deepEqual(
      seen.map(([name, inWorker]) => [name, inWorker]),
      seen.map(([name, , , expected]) => [name, expected]),
    );
    assert.deepEqual(
      seen.map(([name, , inQueue]) => [name, inQueue]),
      seen.map(([name, , , expected]) => [name, expected]),
    );
  });

  it("is kept for a response, and one that is null or undefined in JSON adds nothing", async () => {
    const { failed, got, expected } = await result("values/as-response.js");
    assert.deepEqual(failed, []);
    assert.ok(expected.length > 60, `${expected.length} samples`);
    assert.deepEqual(got, expected);
  });

  it("is kept for what a worker sends itself", async () => {
    const sent = await result("values/as-sent.js");
    assert.ok(sent.length > 70, `${sent.length} samples`);
    assert.deepEqual(
      sent.map(([name, got]) => [name, got]),
      sent.map(([name, , expected]) => [name, expected]),
    );
  });

  it("is taken when Map has the event: what its owner does to the object afterwards is not seen", async () => {
    const expected = range(500)
      .map((n) => [n, ...range(n).slice(-3)].join(" "))
      .map((text) => `${text} | ${text}`);
    assert.deepEqual(await result("values/changed-by-owner.js"), expected);
  });
});

describe("what JSON cannot say", () => {
  it("fails, as a response, that event with a TypeError, and no other", async () => {
    const { results, failed } = await result("values/unserialisable.js");
    assert.deepEqual(results, [{ id: 1, data: "good", response: "good" }]);
    assert.deepEqual(
      failed.map(({ id, data, error }) => [id, data, error.name]),
      [
        [1, "BigInt", "TypeError"],
        [1, "BigInt inside", "TypeError"],
        [1, "cycle", "TypeError"],
        [1, "toJSON throws", "Error"],
      ],
    );
    assert.match(failed[0].error.message, /BigInt/);
    assert.match(failed[2].error.message, /circular/);
    assert.equal(failed[3].error.message, "from toJSON");
  });

  it("rejects, as data, its Map with a TypeError, and the run goes on", async () => {
    const { rejected } = await result("values/unserialisable.js");
    assert.deepEqual(Object.keys(rejected), ["BigInt", "BigInt inside", "cycle", "toJSON throws"]);
    for (const name of ["BigInt", "BigInt inside", "cycle"])
      assert.equal(rejected[name].error.type, "TypeError", name);
    assert.ok(rejected["toJSON throws"].error, "a toJSON that throws");
  });
});

describe("big values", () => {
  const MB = 1_000_000;
  const sizes = [
    { what: "1 MB of ASCII", length: MB, end: "z", events: 8, workers: 2 },
    { what: "10 MB of ASCII", length: 10 * MB, end: "z", events: 3, workers: 2 },
    { what: "60 MB of ASCII", length: 60 * MB, end: "z", events: 1, workers: 1 },
    { what: "1 MB of Latin-1", length: MB, end: "é", events: 4, workers: 2 },
    {
      what: "10 million characters of which one is a lone surrogate",
      length: 10 * MB,
      end: "\\ud800",
      events: 2,
      workers: 1,
    },
    {
      what: "10 million characters, not all Latin-1",
      length: 10 * MB,
      end: "日",
      events: 2,
      workers: 2,
    },
    {
      what: "60 million characters, not all Latin-1",
      length: 60 * MB,
      end: "日",
      events: 1,
      workers: 1,
    },
  ];
  for (const { what, length, end, events, workers } of sizes) {
    it(`arrive whole: ${what}, there and back`, async () => {
      const expected = range(events).map((i) => [i, length, length + 40, true]);
      assert.deepEqual(await result("values/big.js", length, end, events, workers), expected);
    });
  }

  it("arrive whole: every length about a power of two", async () => {
    assert.deepEqual(await result("values/boundaries.js"), { count: 0, wrong: [] });
  });

  it("arrive whole: 100,000 objects, changed on the way", async () => {
    assert.deepEqual(await result("values/big-object.js"), {
      last: "changed",
      data: true,
      response: true,
    });
  });

  it("arrive whole among small ones: 5000 events of mixed sizes", async () => {
    assert.deepEqual(await result("values/mixed-sizes.js"), {
      count: 5000,
      distinct: 5000,
      wrong: 0,
      failed: 0,
    });
  });
});

describe("values that are too long to travel", () => {
  const most = {
    json: /is longer as JSON than a string can be, \d+ characters/,
    advanced: /has 107374\d+ bytes, and the most is 1073741824 \(1 GiB\): /,
  };
  for (const serialization of ["json", "advanced"]) {
    it(`are refused at once with the limit, in every direction, and the run goes on: ${serialization}`, async () => {
      const { refused, answered, failed } = await result("values/too-long.js", serialization);
      for (const [name, { error }] of Object.entries(refused)) {
        if (serialization === "advanced" && name.startsWith("text")) continue; // it has a toJSON, which that does not ask
        assert.deepEqual([error.type, error.code], ["RangeError", "ERR_SONIC_TOO_LARGE"], name);
        assert.match(
          error.message,
          name.startsWith("text")
            ? most.json
            : error.message.includes("JSON")
              ? most.json
              : /has 107374\d+ bytes/,
          name,
        );
        assert.match(
          error.message,
          name.endsWith("sent") ? /^worker\.send: the message / : /^Map: the event /,
          name,
        );
      }
      assert.deepEqual(answered, ["ends well", "ends well"]);
      const failing = serialization === "json" ? ["buffer", "view", "text"] : ["buffer", "view"];
      assert.deepEqual(
        failed.slice(0, failing.length),
        failing.map((name) => [name, "RangeError", "ERR_SONIC_TOO_LARGE"]),
      );
    });
  }
});
