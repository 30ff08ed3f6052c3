"use strict";
/**
 * Promise: the stages of a pipeline may have different tags. Then an event goes on from worker to worker, and each stage runs where
 * its tags say. The event ends once, with the data that it came with, in its place, whatever dies, fails or is stopped on the way;
 * a retry runs again only what the failed worker had. Workers that are behind hold up those that hand events over.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (file, scenario, ...more) => {
  const program = await run(`chains/${file}`, { args: [scenario, ...more] });
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};
const pool = async (...scenario) => (await ended("pool.js", ...scenario)).result;
const call = async (scenario) => (await ended("map-reduce.js", scenario)).result;

const WAY = ["first in a, second in b, third in c"];
const ALL = {
  called: [WAY, true],
  mapped: [WAY, true],
  ran: [WAY, 200, 0],
  streamed: { completion: [WAY, 200, true, true], submission: [WAY, 200, true, true] },
};

describe("stages with different tags", () => {
  it("run each in its own workers, however an event is handed over", async () => {
    assert.deepEqual(await pool("ways"), ALL);
  });

  it("may be those of a worker file", async () => {
    assert.deepEqual(await pool("file"), ALL);
  });

  it("may be run by another program that is connected to the pool", async () => {
    assert.deepEqual(await pool("client"), ALL);
  });

  it("run as one where there are no workers", async () => {
    const text = JSON.stringify(ALL).replace(/ in [abc]/g, " in undefined");
    assert.deepEqual(await pool("inProcess"), JSON.parse(text));
  });

  it("may be functions of a MapReduce or of a stream", async () => {
    const ways = [["a,b,b"], true, 100];
    assert.deepEqual(await call("whole"), { ways, failed: 0 });
    assert.deepEqual(await call("streamed"), { completion: ways, submission: [...ways, true] });
  });

  it("leave the event the data that the first of them made of it", async () => {
    assert.deepEqual(await call("changed"), [
      { data: { value: 1, seen: "a" }, response: ["a", "b"] },
    ]);
  });

  it("run in one worker where the call has tags; those of a Map are the first stage's", async () => {
    const inOne = (group) => [0, `first in ${group}`, `second in ${group}`, `third in ${group}`];
    const apart = (first) => [0, `first in ${first}`, "second in b", "third in c"];
    assert.deepEqual(await pool("overridden"), {
      called: inOne("a"),
      again: apart("a"),
      none: inOne("c"),
      mapped: inOne("a"),
      streamed: inOne("a"),
      ran: inOne("a"),
      first: apart("b"),
    });
    assert.deepEqual(await call("routed"), { named: [["b,b,b"], true, 100] });
  });

  it("run in one worker where the pool has each worker run them", async () => {
    const groups = ["a", "b", "c"];
    const inOne = groups.map((group) => [
      0,
      ...["first", "second", "third"].map((name) => `${name} in ${group}`),
    ]);
    assert.deepEqual(await pool("each"), inOne);
  });

  it("pass on what there is, by the serialization of the pool", async () => {
    const passed = (date, map) => [
      ["nothing", "undefined", "b"],
      ["null", null, "b"],
      ["text", "grüße \u{1f642}", "b"],
      ["long", "3000000 characters", "b"],
      ["bytes", "bytes 1,2,3", "b"],
      ["date", date, "b"],
      ["map", map, "b"],
      ["number", 1.5, "b"],
    ];
    assert.deepEqual(await pool("values", "json"), passed("1970-01-01T00:00:00.005Z", {}));
    assert.deepEqual(await pool("values", "advanced"), passed("date 5", "map a,1"));
  });

  it("of which no worker has the tags are refused before any of them runs", async () => {
    const codes = Array(4).fill("ERR_SONIC_NO_WORKER");
    const instead = [1, "first in a", "nowhere in a"];
    assert.deepEqual(await pool("unknown"), { codes, noted: 0, instead });
    const [unknown, tooMany, taken, ofOneGroup] = (await call("refused")).named;
    assert.deepEqual(unknown, [
      "ERR_SONIC_NO_WORKER",
      'no worker can run this event: no worker has the tag "c"; the workers have "a" and "b"',
    ]);
    assert.deepEqual(tooMany, [
      "ERR_SONIC_INVALID_ARGUMENT",
      "a pipeline may change the tags of its stages 62 times, got 63",
    ]);
    for (const [code] of [taken, ofOneGroup]) assert.equal(code, "ERR_SONIC_NO_WORKER_IDS");
  });
});

describe("an event on its way from worker to worker", () => {
  it("is tried again only where its worker was killed, and nothing is lost", async () => {
    assert.deepEqual(await pool("kills"), {
      isGone: "ERR_SONIC_WORKER_EXIT",
      retried: [1, 2, 3].map((data) => [data, "third in c"]),
      noted: 4,
      after: [0, "third in c"],
    });
  });

  it("has all attempts in each worker", async () => {
    assert.deepEqual(await pool("attempts"), [1, 2, 3]);
  });

  it("fails where the last worker of a later stage is given up", async () => {
    const { before, died, codes } = await pool("givenUp");
    assert.deepEqual(before, [0, "doomed in doomed"]);
    assert.deepEqual([died, codes], ["ERR_SONIC_WORKER_EXIT", ["ERR_SONIC_NO_WORKER"]]);
  });

  it("has the time limit anew in each worker", async () => {
    const expected = { late: "ERR_SONIC_TASK_TIMEOUT", inTime: 2, noted: 1 };
    assert.deepEqual(await pool("timeouts"), expected);
  });

  it("is stopped as any other", async () => {
    assert.deepEqual(await pool("aborts"), { names: ["AbortError"], after: 7 });
  });

  it("may emit others, which begin with the first stage, and count", async () => {
    assert.deepEqual(await pool("emits"), {
      data: [0, 0, 1, 1, 2, 2, 3],
      counts: { first: 7, second: 7 },
      refused: "ERR_SONIC_EMIT",
    });
  });

  it("keeps its priority", async () => {
    assert.deepEqual(await pool("priorities"), [10, 11, 12, 13, 14, 0, 1, 2, 3, 4]);
  });

  it("keeps its key through the first stages", async () => {
    assert.deepEqual(await pool("keys"), { pids: 1, count: 50 });
  });

  it("runs beside others, as many as each stage allows", async () => {
    assert.deepEqual(await pool("concurrent"), { met: [0, 1, 2, 3], many: [WAY, true] });
  });

  it("holds up a generator that yields for ever, if a later stage is behind", async () => {
    const [small, large] = (await pool("endless")).yielded;
    // What waits beyond the first stage, and what has credit at a worker.
    assert.ok(small <= 1024 + 512 * 3, `${small} small ones`);
    assert.ok(large <= 50, `${large} of 10 kB, with a limit of 100 kB`);
  });

  it("is one event in all that is noted of a run", async () => {
    const counts = { handedOver: 100, answered: 100, unfinished: 0 };
    const { traced, ...noted } = await call("noted");
    assert.deepEqual(noted, { counts, tasks: 300, times: true, reported: true });
    assert.ok(traced >= 300, "the trace has each part of its way");
    const events = { handedOver: 100, answered: 100, failed: 0, unfinished: 0 };
    assert.deepEqual(await pool("statistics"), { ...events, tasks: 250 });
  });
});
