"use strict";
/**
 * Promise: A program may make as many calls as it likes: one after another, in a loop, at once, or composed by hand.
 * Each has its own workers and queues. require() and import give the same names. Children that a worker starts are not
 * workers.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const result = async (fixture, ...args) => (await run(fixture, { args })).result;

const TYPES = {
  Delay: "function",
  Map: "function",
  MapReduce: "function",
  NUM_CPUS: "number",
  Queue: "function",
  clusterEvents: "object",
  configureWorkers: "function",
  getLogger: "function",
  getWorkerID: "function",
  getWorkerName: "function",
  initMaster: "function",
  initWorkers: "function",
  isMaster: "function",
  shutdown: "function",
  sonicDistribute: "function",
};

describe("several calls in one program", () => {
  it("one after another, each have workers and results of their own, with ids that go on rising", async () => {
    const [first, second] = await result("calls/sequential.js");
    assert.deepEqual(first.ids, [1, 2]);
    assert.deepEqual(second.ids, [3, 4, 5]);
    for (const { ids, used, failed } of [first, second]) {
      assert.ok(used.length > 0 && used.every((id) => ids.includes(id)), `${used} of ${ids}`);
      assert.deepEqual(failed, []);
    }
    assert.deepEqual([first.sum, second.sum], [4950, 1_225_000]);
  });

  it("have workers that were started for one of them and skip the others", async () => {
    const program = await run("calls/skips.js");
    assert.deepEqual(program.result, [1, 2, 3]);
    const values = [1, 2, 3].flatMap((id) =>
      [1, 2, 3].map((n) => `worker ${id} call ${n} undefined`),
    );
    assert.deepEqual(program.log("values.log").sort(), values);
    assert.deepEqual(
      program.log("served.log").sort(),
      [1, 2, 3].map((id) => `worker ${id} served 1`),
    );
  });

  it("in a loop, have workers with that turn's closure", async () => {
    const turns = range(6).map((turn) => range(20).map((i) => i + turn * 100));
    assert.deepEqual(await result("calls/loop.js"), turns);
  });

  it("at once, share no event, answer or worker", async () => {
    const { all, left } = await result("calls/at-once.js");
    assert.deepEqual(
      all.map(({ right, failed }) => [right, failed]),
      ["x", "y", "z"].map((name) => [299, [[`${name}13`, name]]]),
    );
    const ids = all.flatMap((call) => call.ids);
    assert.equal(new Set(ids).size, ids.length, `ids ${ids}`);
    assert.ok(
      ids.every((id) => id >= 1 && id <= 6),
      `ids ${ids}`,
    );
    assert.deepEqual(left, []);
  });

  it("do not mind those before them that failed", async () => {
    const [master, reduce, argument, fine] = await result("calls/after-failure.js");
    assert.equal(master.error.message, "masterFn");
    assert.equal(reduce.error.message, "reduceFn");
    assert.equal(argument.error.code, "ERR_SONIC_INVALID_ARGUMENT");
    assert.deepEqual(fine, { value: "fine" });
  });

  it("may be made in another's masterFn and reduceFn", async () => {
    assert.deepEqual(await result("calls/nested.js"), [11, 20]);
  });
});

describe("a call by hand", () => {
  for (const how of ["initMaster", "configureWorkers"]) {
    it(`works with ${how}, Map, getWorkerID, initWorkers and shutdown`, async () => {
      const { start, id, during, over, responses, failed } = await result("calls/by-hand.js", how);
      assert.deepEqual(start, {
        keys: ["failedOrder", "processOrder", "workerQueue"],
        free: [1, 2],
        workers: ["1", "2"],
      });
      assert.equal(id, "number");
      assert.equal(during, 51);
      assert.equal(over, "undefined");
      const expected = [...range(50).filter((i) => i !== 7), "sent"].map((data) => `${data}!`);
      assert.deepEqual(responses.sort(), expected.sort());
      assert.deepEqual(failed, [[7, "seven"]]);
    });
  }

  it("works several times, with results taken while they come in", async () => {
    assert.deepEqual(await result("calls/by-hand-twice.js"), [465, 4650]);
  });
});

describe("the exports", () => {
  it("are 1.0.3's, the documented name MapReduce, and Queue, to require()", async () => {
    const { types, alias, events, cpus, delayed, value } = await result("calls/exports.js");
    assert.deepEqual(
      Object.fromEntries(Object.keys(TYPES).map((name) => [name, types[name]])),
      TYPES,
    );
    assert.equal(alias, true);
    assert.deepEqual(events, { MESSAGE: "message", DISCONNECT: "disconnect" });
    assert.deepEqual({ cpus, delayed, value }, { cpus: true, delayed: true, value: "undefined" });
  });

  it("are the same to import, in an ES module that awaits at its top level", async () => {
    const { value, types, same, clusterEvents, name } = await result("calls/module.mjs");
    assert.equal(value, 90);
    assert.deepEqual(types, TYPES);
    assert.equal(same, true);
    assert.deepEqual(clusterEvents, { MESSAGE: "message", DISCONNECT: "disconnect" });
    assert.equal(name, "MASTER");
  });

  it("work by 1.0.3's name", async () => {
    assert.equal(await result("calls/alias.js"), 16);
  });
});

describe("a worker's own", () => {
  for (const what of ["thread", "fork", "execFile"]) {
    it(`${what} does not take itself for a worker`, async () => {
      assert.deepEqual(await result("calls/descendants.js", what), {
        isMaster: true,
        name: "MASTER",
        isWorker: false,
        env: [],
      });
    });
  }

  it("child processes can run jobs of their own", async () => {
    assert.deepEqual(await result("calls/grandchildren.js"), {
      responses: range(3).map(() => [4950, 1_225_000]),
      failed: [],
    });
  });
});
