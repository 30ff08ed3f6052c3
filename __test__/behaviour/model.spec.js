"use strict";
/**
 * Promise: Workers re-run the program, and each role uses its own arguments. Events go through the stages, one at a
 * time per worker. Map resolves when a worker takes its event, and never runs ahead of need. Events that wait for each
 * other meet as long as there are enough workers.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run, NODE } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);

describe("roles", () => {
  it("re-runs the program in numWorkers processes and resolves, in the master, to what reduceFn returns", async () => {
    const program = await run("model/roles.js");
    const { value, pid } = program.result;
    assert.equal(value, 55);
    const processes = program.log("processes.log").map((line) => JSON.parse(line));
    assert.deepEqual(
      processes.filter(({ master }) => master),
      [{ master: true, name: "MASTER", pid }],
    );
    const workers = processes.filter(({ master }) => !master);
    assert.deepEqual(workers.map(({ name }) => name).sort(), ["WORKER-1", "WORKER-2", "WORKER-3"]);
    assert.equal(new Set(processes.map((process) => process.pid)).size, 4);
  });

  it("starts workers with the same node, script, argv, execArgv, cwd and environment as the master has at that moment", async () => {
    const { master, worker } = (
      await run("model/same-program.js", { args: ["one", "--two"], nodeArgs: ["--no-deprecation"] })
    ).result;
    assert.deepEqual(master.argv.slice(1), ["one", "--two"]);
    assert.deepEqual(worker, {
      argv: [...master.argv, "added-before-the-call"],
      cwd: `${master.cwd}/elsewhere`,
      execPath: master.execPath,
      execArgv: ["--no-deprecation"],
      late: "set before the call",
    });
    assert.equal(
      require("node:fs").realpathSync(NODE),
      require("node:fs").realpathSync(worker.execPath),
    );
  });

  it("resolves to undefined at once in a worker, where the code after the call runs too", async () => {
    const program = await run("model/after-the-call.js");
    assert.deepEqual(
      program.result,
      range(4).map(() => ["undefined"]),
    );
    assert.deepEqual(program.log("after.log").sort(), ["master", "worker", "worker"]);
  });

  it("looks at the arguments only where a role uses them, and gives each role its own", async () => {
    assert.deepEqual((await run("model/own-arguments.js")).result, { same: true, role: "worker" });
  });
});

describe("stages", () => {
  it("hands each stage {data: previous} and a fresh copy of the args with workerID; the last value is the response", async () => {
    const { responses, args } = (await run("model/pipeline.js")).result;
    const expected = range(6).map((i) => ({
      value: ((i + 1) * 2) ** 2,
      keys: ["data"],
      id: true,
      shared: true,
    }));
    assert.deepEqual(
      responses.sort((a, b) => a.value - b.value),
      expected,
    );
    assert.deepEqual(args, { numWorkers: 2, step: 1, shared: { seen: 0 } });
  });

  it("makes the data the response when there are no stages", async () => {
    assert.deepEqual((await run("model/no-stages.js")).result, [
      { id: 1, data: "as it is", response: "as it is" },
    ]);
  });

  it("takes an event without data as one whose data is undefined, and rejects Map(queue, undefined)", async () => {
    const { rejected, results, failed } = (await run("model/bare-events.js")).result;
    assert.ok(rejected.error, "Map(queue, undefined) resolved");
    assert.deepEqual(failed, []);
    assert.deepEqual(results, [
      { id: 1, response: "undefined" },
      { id: 1, response: "undefined" },
      { id: 1, data: 1, response: "number" },
    ]);
  });

  it("runs one event at a time in a worker", async () => {
    assert.deepEqual((await run("model/one-at-a-time.js")).result, { count: 5000, most: 1 });
  });
});

describe("hand-over", () => {
  it("resolves Map when a worker has the event, not when it is done", async () => {
    assert.deepEqual((await run("model/hand-over.js")).result, ["a", "b"]);
  });

  it("keeps Map pending while every worker has an event", async () => {
    assert.deepEqual((await run("model/no-room.js")).result, {
      order: ["released", "third handed over"],
      count: 3,
    });
  });

  it("sends only a few more 50 ms events than it took to find the one", async () => {
    const { sent, answered } = (await run("model/stop-when-found.js", { args: ["5", "50", "0"] }))
      .result;
    assert.ok(sent >= 6 && sent <= 10, `sent ${sent}`);
    assert.equal(answered, sent);
  });

  it("has not sent thousands more tiny events than it took to find the one", async () => {
    const counts = [];
    // Where the machine is busy, the master may hear of its answers some milliseconds late: thousands of tiny events.
    do {
      const { sent, answered } = (
        await run("model/stop-when-found.js", { args: ["20000", "0", "0"] })
      ).result;
      assert.ok(sent > 20_000, `sent ${sent}`);
      assert.equal(answered, sent);
      counts.push(sent);
    } while (counts.length < 3 && counts.at(-1) >= 22_000);
    assert.ok(Math.min(...counts) < 22_000, `sent ${counts}`);
  });

  it("has not sent thousands more once events get long after thousands of tiny ones", async () => {
    const { sent, answered } = (
      await run("model/stop-when-found.js", { args: ["5005", "10", "5000"] })
    ).result;
    assert.ok(sent > 5005 && sent < 7000, `sent ${sent}`);
    assert.equal(answered, sent);
  });

  it("lets the event loop turn at least every millisecond or so in a loop of Maps", async () => {
    const { immediates, timers, sent, busy } = (await run("model/turns.js")).result;
    assert.ok(sent > 100, `sent ${sent}`);
    assert.ok(immediates > busy / 20, `${immediates} immediates in ${busy} ms`);
    assert.ok(timers > busy / 50, `${timers} timers in ${busy} ms`);
  });

  for (const how of ["sync", "async"]) {
    it(`lets a worker's own timers run while tiny events stream through it, by ${how} functions`, async () => {
      const [ticks, busy] = (await run("model/own-timers.js", { args: [how] })).result;
      assert.ok(ticks > busy / 20, `${ticks} ticks in ${busy} ms`);
    });
  }

  it("does not leave an event to an idle worker whose thread is busy with something else while another is free", async () => {
    assert.equal((await run("model/idle-but-blocked.js")).result, 6);
  });

  it("sends an event to an idle worker at once, with nothing coming after it", async () => {
    assert.deepEqual(
      (await run("model/wait-for-worker.js")).result,
      range(300).map((i) => i + 1),
    );
  });
});

describe("events that wait for each other", () => {
  const meetings = [
    { workers: 2, tiny: 0, groups: 30, runs: 1, how: "turning" },
    { workers: 2, tiny: 0, groups: 30, runs: 1, how: "blocking" },
    { workers: 2, tiny: 3000, groups: 1, runs: 8, how: "turning" },
    { workers: 2, tiny: 3000, groups: 1, runs: 8, how: "blocking" },
    { workers: 4, tiny: 500, groups: 1, runs: 10, how: "blocking" },
    { workers: 2, tiny: 3000, groups: 5, runs: 5, how: "turning" },
    { workers: 3, tiny: 1000, groups: 5, runs: 5, how: "blocking" },
  ];
  for (const { workers, tiny, groups, runs, how } of meetings) {
    const among =
      tiny > 0
        ? `, ${groups} time${groups > 1 ? "s" : ""} after each of ${runs} runs of ${tiny} tiny events`
        : "";
    it(`meet, ${workers} on ${workers} workers${among}, the thread ${how}`, async () => {
      const { result } = await run("model/meet.js", {
        args: [workers, tiny, groups, runs, how].map(String),
      });
      assert.deepEqual(result, { tiny: tiny * runs, met: workers * groups * runs });
    });
  }

  it("meet though thousands of tiny events lie between them", async () => {
    assert.equal((await run("model/late-partner.js")).result, 10_002);
  });
});
