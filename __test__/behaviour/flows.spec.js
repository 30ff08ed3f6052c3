"use strict";
/**
 * Promise: a flow gives the same as one process that runs node after node, wherever a program may have one, whatever its nodes are,
 * and though workers are killed. Its functions get what stages get, and its entries say what they are. What a flow cannot have is
 * refused, and so is one that is another in a worker than in the master.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (file, ...args) => {
  const program = await run(`flows/${file}`, { args: args.map(String) });
  assert.equal(program.code, 0, program.transcript);
  assert.equal(program.stderr, "", program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  assert.deepEqual(program.tmp, [], program.transcript);
  return program.result;
};
const given = (scenario, ...more) => ended("given.js", scenario, ...more);

describe("a flow gives what one process makes of it", () => {
  const same = async (...args) => {
    const { is, due, isOrdered } = await ended("ways.js", ...args);
    assert.equal(Object.keys(due.all).length, 7);
    assert.equal(due.failures.length, 0, "the broken item is in a sink");
    assert.deepEqual(is, due);
    assert.equal(isOrdered, true);
  };
  const ways = {
    mapReduce: "in MapReduce, which reduces in the master",
    stream: "in a stream",
    runByName: "in the run of a pool, by its name",
    runItself: "in the run of a pool, by itself",
    runInMaster: "in the run of a pool, which reduces in the master",
    streamByName: "in the stream of a pool, by its name",
    streamItself: "in the stream of a pool, by itself",
    streamInMaster: "in the stream of a pool, which reduces in the master",
    runOfFile: "in the run of a pool with a worker file",
    streamOfFile: "in the stream of a pool with a worker file",
  };
  for (const [way, title] of Object.entries(ways)) it(title, () => same(way));

  it("with values that are cloned", async () => {
    await same("mapReduce", "advanced");
    await same("streamItself", "advanced");
  });

  it("in a pool without workers", () => same("inProcess"));
  it("in another program that is connected to the pool", () => same("client"));

  const random = async (...args) => {
    const { wrong, entries, killed, unfinished } = await ended("random.js", ...args);
    assert.deepEqual([wrong, unfinished], [[], 0]);
    assert.ok(entries > 0);
    return killed;
  };
  it("whatever it is made of: 100 made by chance", () => random(1, 100, "json"));
  it("whatever it is made of, with values that are cloned: 40", () => random(301, 40, "advanced"));
  it("though workers are killed all the while: 30", async (test) => {
    const killed = await random(401, 30, "json", "killed");
    test.diagnostic(`${killed} workers were killed`);
    assert.ok(killed > 0);
  });
});

describe("a chain of map, flatMap and filter, in the order of its events", () => {
  const inOrder = async (...args) => {
    const { wrong, entries, killed, unfinished } = await ended("random.js", ...args, "inOrder");
    assert.deepEqual([wrong, unfinished], [[], 0]);
    assert.ok(entries > 100);
    return killed;
  };

  it("gives what one process makes of it, one after the other: 60 made by chance", () =>
    inOrder(1, 60, "json", "workers"));
  it("the same with values that are cloned: 20", () => inOrder(201, 20, "advanced", "workers"));
  it("the same though workers are killed all the while: 25", async (test) => {
    const killed = await inOrder(301, 25, "json", "killed");
    test.diagnostic(`${killed} workers were killed`);
    assert.ok(killed > 0);
  });

  it("has failures where their items were, in a stream of its own too", async () => {
    const expected = [1, -1, 2, -2, 3, -3, 4, ["checks", -4, "fails"], 5, -5, 6, -6];
    assert.deepEqual(await given("inOrder"), expected);
  });
});

describe("the functions of a flow", () => {
  it("get the args of the call, and the worker's number where they run in workers", async () => {
    const has = ["given", "number"];
    assert.deepEqual(await given("args"), [
      {
        map: [has],
        flatMap: [has],
        filter: [7],
        split: [7],
        reduce: [[1, "given"]],
        inMaster: [[1, "given"]],
        groups: [[7, [1], "given"]],
      },
      [],
    ]);
  });

  it("know their attempt in each event, and emit and count with its answer", async () => {
    const { entries, failed, counts } = await given("task");
    assert.deepEqual(entries, [
      [1, 1, "boolean", 1],
      [1, 2, "boolean", 1],
      [2, 1, "boolean", 2],
      [3, 1, "boolean", 1],
      [5, 1, "boolean", 1],
      [9, 1, "boolean", 1],
    ]);
    assert.deepEqual([failed, counts], [[], { seen: 6, passed: 6 }]);
  });
});

describe("the entries of a flow", () => {
  it("have no data, and failures have their node and what it was given; onResult sees all of them", async () => {
    const { entries, failed, results } = await given("entries");
    const good = [1, 2, 4].map((response) => ({ id: 1, response }));
    assert.deepEqual(entries, good);
    const error = ["RangeError", "fails"];
    assert.deepEqual(failed, [{ id: 1, failed: true, node: "checks", data: 3, error }]);
    assert.deepEqual(results, [good[0], good[1], failed[0], good[2]]);
  });

  it("name their sink where there are several", async () => {
    const entries = await given("sinks");
    const named = entries.map(({ id, ...entry }) => {
      assert.equal(typeof id, "number");
      return JSON.stringify(entry);
    });
    assert.deepEqual(named.sort(), [
      '{"response":1,"sink":"all"}',
      '{"response":1,"sink":"low"}',
      '{"response":2,"sink":"all"}',
    ]);
  });

  it("are none where an item is undefined", async () => {
    const responses = (await given("nothing")).map(({ response }) => response);
    assert.deepEqual(responses.sort(), [2, null]);
  });
});

describe("what is refused", () => {
  const wrong = (message) => ["TypeError", "ERR_SONIC_INVALID_ARGUMENT", message];
  const ordered =
    'options.order: "submission" is possible with a flow that is a chain of map, flatMap and filter, and here the node reduce is a reduce: leave it out';

  it("is a flow where an event has one answer, in a list, in an order, and of nobody", async () => {
    const { outcomes, after } = await given("refused");
    const single = (method) =>
      wrong(
        `${method}: "one" is a flow, where an event may have any number of answers: use run or stream`,
      );
    const alone = wrong(
      '"one" is a flow, which stands alone: pass it by itself, or make the other stages nodes of it',
    );
    assert.deepEqual(outcomes.slice(0, -1), [
      ...["call", "call", "map", "each"].map(single),
      ...[alone, alone],
      wrong(ordered),
    ]);
    assert.equal(outcomes[outcomes.length - 1][1], "ERR_SONIC_UNKNOWN_STAGE");
    assert.equal(after, 5);
  });

  it("is a flow in a list of functions, or in an order", async () => {
    const [list, order] = await given("refusedInList");
    assert.deepEqual(list.slice(0, 2), ["TypeError", "ERR_SONIC_INVALID_ARGUMENT"]);
    assert.match(list[2], /^workerFns must be an array of functions .*at index 1$/);
    assert.deepEqual(order, wrong(ordered));
  });

  it("is a flow that is another one in a worker, though the call has a name", async () => {
    const [call, named] = await given("differs");
    assert.equal(call[1], "ERR_SONIC_CALL_UNREACHABLE");
    assert.match(call[2], /its functions are others/);
    assert.equal(named[1], "ERR_SONIC_FLOW");
    assert.match(named[2], /is another one in this worker than in the master/);
  });

  it("is a pool whose flow is another one in a worker", async () => {
    const [, code, message] = await given("differsInPool");
    assert.equal(code, "ERR_SONIC_CALL_UNREACHABLE");
    assert.match(message, /its functions are others/);
  });

  it("is what such a worker of a pool is to run, and nothing else", async () => {
    assert.deepEqual(await given("differsInFile"), {
      codes: ["ERR_SONIC_FLOW"],
      count: 40,
      isSome: true,
      after: 5,
    });
  });
});
