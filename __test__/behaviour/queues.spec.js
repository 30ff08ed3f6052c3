"use strict";
/**
 * Promise: A Queue is a live array with five methods. workerQueue lists the free workers: a program that takes ids from
 * it, or adds some, decides who runs what. The result queues hold, in completion order, the outcome of each event and
 * what workers added themselves.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const path = require("node:path");
const { describe, it } = require("node:test");
const { run, FIXTURES } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const result = async (fixture, ...args) => (await run(fixture, { args })).result;

describe("Queue", () => {
  it("is a live array behind enqueue, dequeue, isEmpty, getElements() and elements", async () => {
    const { empty, filled, dequeued } = await result("queues/queue.js");
    assert.deepEqual(empty, { isEmpty: true, dequeued: "undefined", json: '{"elements":[]}' });
    assert.equal(filled.same, true);
    assert.equal(filled.isEmpty, false);
    assert.equal(filled.json, '{"elements":["a","b",{"c":1},"d"]}');
    assert.match(filled.shown, /elements: \[ 'a', 'b', \{ c: 1 \}, 'd' \]/);
    assert.deepEqual(dequeued, ["a", "b", { c: 1 }, "d", "undefined"]);
  });

  it("is type-compatible with sonic-core's under tsc --strict", () => {
    const root = path.join(FIXTURES, "..", "..");
    const tsc = require.resolve("typescript/bin/tsc", { paths: [root] });
    const options = [
      "--strict",
      "--noEmit",
      "--target",
      "es2020",
      "--module",
      "commonjs",
      "--esModuleInterop",
      "--types",
      "node",
      "--skipLibCheck",
    ];
    try {
      execFileSync(process.execPath, [tsc, ...options, path.join(FIXTURES, "queues", "types.ts")], {
        cwd: root,
        encoding: "utf8",
      });
    } catch ({ stdout }) {
      assert.fail(stdout);
    }
  });
});

describe("the result queues as queues", () => {
  const entry = (i) => ({ id: 1, data: i, response: i * 10 });
  const touched = {
    nothing: [entry(1), entry(2), entry(3)],
    "sort elements": [entry(3), entry(2), entry(1)],
    "sort getElements()": [entry(3), entry(2), entry(1)],
    "dequeue, then sort": [entry(3), entry(2), entry(1)],
    "push and truncate": ["first", entry(1), entry(2)],
    enqueue: [entry(2), entry(3), "enqueued"],
    replace: ["replaced"],
  };
  for (const [touch, expected] of Object.entries(touched)) {
    it(`yield, after "${touch}", what is then in the array`, async () => {
      const { shown, dequeued, after } = await result("queues/result-queues.js", touch);
      assert.deepEqual(dequeued, expected);
      assert.deepEqual(after, ["undefined", true, true, "undefined"]);
      assert.equal(shown.ofClass, true);
      assert.equal(shown.json, JSON.stringify({ elements: [entry(1), entry(2), entry(3)] }));
      assert.equal(shown.failed, '{"elements":[]}');
      assert.match(shown.inspected, /elements: \[\s+\{ id: 1, data: 1, response: 10 \},/);
      assert.deepEqual(shown.keys, ["elements"]);
    });
  }

  it("take additions while they are being emptied", async () => {
    assert.deepEqual(await result("queues/untouched-results.js"), { inOrder: true, count: 10_001 });
  });
});

describe("workerQueue", () => {
  it("holds the ids of the free workers, all at the start, none while all are busy, all when all have answered", async () => {
    const { start, busy, end } = await result("queues/free-workers.js");
    assert.deepEqual(start, { ids: [1, 2, 3], workers: [1, 2, 3], isEmpty: false, json: 3 });
    assert.deepEqual(busy, { ids: [], isEmpty: true, dequeued: "undefined" });
    assert.deepEqual(end, [1, 2, 3]);
  });

  it("is exact from the first touch, even amid a stream of tiny events", async () => {
    assert.deepEqual(await result("queues/touched-late.js"), { ids: true, end: [1, 2] });
  });

  it("shows no worker as free whose results cannot be seen", async () => {
    for (const how of ["quiet", "heard"])
      assert.equal(await result("queues/free-and-done.js", how), 0, how);
  });

  it("lets the program keep a worker, which then gets only what is sent to it", async () => {
    const where = await result("queues/kept-worker.js");
    assert.deepEqual(
      where.filter((text) => text.endsWith("2")),
      ["own 2"],
    );
    assert.ok(where.includes("shared 1") || where.includes("shared 3"), where.join());
  });

  it("runs two events at once in a worker that is in it twice, and one again once it is in it once", async () => {
    assert.deepEqual(
      await result("queues/given-twice.js"),
      range(50).map(() => 1),
    );
  });

  it("gets the worker back that Map took from a sonic-core Queue of ids, where the event ran", async () => {
    const ran = await result("queues/core-queue.js");
    assert.equal(ran.length, 40);
    assert.deepEqual(
      ran.filter(([data]) => data === "mine"),
      range(20).map(() => ["mine", 3]),
    );
  });

  it("gives getWorkerID a free worker's number, and lets it wait while there is none", async () => {
    const { ids, types, left } = await result("queues/worker-id.js");
    assert.deepEqual(ids.sort(), [1, 2]);
    assert.deepEqual(types, ["number", "number"]);
    assert.equal(left, 0);
  });
});

describe("the result queues' entries", () => {
  it("are in submission order with one worker", async () => {
    assert.deepEqual(await result("queues/order.js", "1"), ["slow", ...range(500)]);
  });

  it("are in completion order with several", async () => {
    const responses = await result("queues/order.js", "2");
    assert.deepEqual(
      responses.filter((response) => response !== "slow"),
      range(500),
    );
    assert.ok(responses.indexOf("slow") >= 499, `"slow" is number ${responses.indexOf("slow")}`);
  });

  it("are {id, data, response}, or {id, data, failed: true, error} whatever was thrown", async () => {
    const { results, failed } = await result("queues/entries.js");
    assert.deepEqual(
      results,
      ["first", "last"].map((data) => ({ id: 1, data, response: `${data} done` })),
    );
    assert.deepEqual(
      failed.map(({ data }) => data),
      ["class", "plain", "string", "number", "object", "null", "undefined", "rejects"],
    );
    for (const entry of failed) {
      assert.deepEqual(Object.keys(entry).sort(), ["data", "error", "failed", "id"]);
      assert.equal(entry.id, 1);
      assert.equal(entry.failed, true);
      assert.equal(typeof entry.error.name, "string");
      assert.equal(typeof entry.error.message, "string");
    }
    const messages = Object.fromEntries(failed.map(({ data, error }) => [data, error.message]));
    assert.equal(messages.plain, "plain");
    assert.equal(messages.rejects, "rejected");
    for (const [kind, text] of /** @type {[string, any][]} */ ([
      ["string", /a string/],
      ["number", /42/],
      ["null", /null/],
      ["undefined", /undefined/],
    ])) {
      assert.match(messages[kind], text);
    }
    assert.match(JSON.stringify(failed.find(({ data }) => data === "object").error), /an object/);
  });

  it("keep a thrown error's name, message, stack, code, cause and own properties", async () => {
    const { failed } = await result("queues/entries.js");
    const { error } = failed.find(({ data }) => data === "class");
    assert.equal(error.name, "OrderError");
    assert.equal(error.message, "bad order");
    assert.equal(error.code, "E_ORDER");
    assert.deepEqual(error.detail, { line: 7 });
    assert.match(error.stack, /bad order[\s\S]*entries\.js/);
    assert.equal(error.cause.message, "the cause");
  });

  it("hold 0, empty string and false, and nothing for a response that is undefined or null once encoded", async () => {
    const { results, failed } = await result("queues/falsy.js");
    assert.deepEqual(results, [
      ["zero", 0],
      ["minus zero", 0],
      ["empty", ""],
      ["false", false],
      ["empty list", []],
    ]);
    assert.equal(failed, 0);
  });

  it("hold the event's data as the worker left it, also when it then failed", async () => {
    const { results, failed } = await result("queues/mutated.js");
    const list = [1, 2, 3];
    assert.deepEqual(
      results.map(({ data }) => data),
      [
        { kind: "sets", list, set: true },
        { kind: "pushes", list: [1, 2, 3, 4] },
        { kind: "deletes" },
        { kind: "later", list, set: "later" },
        { kind: "reassigns", list },
        { kind: "returns", list, set: 1, second: 2 },
      ],
    );
    assert.deepEqual(results[5].response, { kind: "returns", list, set: 1, second: 2 });
    assert.deepEqual(failed, [{ kind: "fails", list: [1] }]);
  });

  it("hold what a worker sent with process.send, as it is, before the answer of the event that sent it", async () => {
    const { results, failed } = await result("queues/one-to-many.js");
    const sent = (letters) => letters.split("").map((response) => ({ response, from: letters }));
    assert.deepEqual(results, [
      ...sent("ab"),
      ...sent("mn"),
      { id: 1, data: "mn", response: "mn whole" },
      ...sent("yz"),
    ]);
    assert.deepEqual(failed, [{ failed: true, why: "no more letters" }]);
  });

  it("free nobody when a worker sent them itself", async () => {
    assert.deepEqual(await result("queues/frees-nobody.js"), ["released", "second handed over"]);
  });

  it("are all there when reduceFn runs, thousands of a worker's own included", async () => {
    assert.deepEqual(await result("queues/many-sends.js"), { entries: 20_000, distinct: 20_000 });
  });

  it("include those of events whose Map nobody awaited", async () => {
    assert.deepEqual(await result("queues/not-awaited.js"), range(1000));
    assert.deepEqual(await result("queues/not-awaited.js", "looked"), range(1000));
  });
});

it("an event goes to another worker where the one whose id was next has gone, and to the program's own where that is next", async () => {
  assert.deepEqual(await result("queues/gone.js"), {
    done: ["first", "second", "third"],
    sent: [{ data: "fourth" }, { data: "fifth", more: 1 }],
  });
});
