"use strict";
/**
 * Promise: To Node's cluster module, and to every program that uses it, our workers are cluster workers: their
 * identity, their events, messages in both directions, and events sent to a chosen worker.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const result = async (fixture, ...args) => (await run(fixture, { args })).result;
const byNumber = (a, b) => a - b;

describe("identity", () => {
  it("is there from the program's first line on: cluster.isWorker, cluster.worker.id, getWorkerName(), workerID", async () => {
    const master = await result("cluster/first-line.js");
    assert.deepEqual(master.first, { isWorker: false, isMaster: true, env: [] });
    assert.deepEqual(
      [master.loading, master.name, master.isMaster],
      [{ name: "MASTER", isMaster: true }, "MASTER", true],
    );
    assert.equal(master.workers.length, 20);
    for (const { workerID, id, name, isMaster, shared, first, loading } of master.workers) {
      assert.ok(workerID === 1 || workerID === 2, `workerID ${workerID}`);
      assert.deepEqual(first, {
        isWorker: true,
        isMaster: false,
        id: workerID,
        connected: true,
        env: [],
      });
      assert.deepEqual(loading, { name: `WORKER-${workerID}`, isMaster: false });
      assert.deepEqual(
        { id, name, isMaster, shared },
        { id: workerID, name: `WORKER-${workerID}`, isMaster: false, shared: true },
      );
    }
  });

  it("shows in cluster.workers: the live workers during a run, none in reduceFn", async () => {
    const { live, reducing, pids } = await result("cluster/workers.js");
    const expected = { missing: [], connected: true, dead: false };
    assert.deepEqual(
      live.map(({ pid, ...worker }) => worker),
      [1, 2].map((id) => ({ key: String(id), id, ...expected })),
    );
    assert.deepEqual(reducing, []);
    const known = live.map(({ id, pid }) => `${id} ${pid}`);
    for (const pid of pids) assert.ok(known.includes(pid), `${pid} is none of ${known}`);
  });
});

describe("cluster's events", () => {
  /** The events of one emitter, in order. */
  const of = (seen, emitter) =>
    seen
      .filter(([name]) => name.startsWith(emitter))
      .map(([name, ...args]) => [name.slice(emitter.length + 1), ...args]);

  it("tell of a released worker's life: fork, online, message, disconnect, exit with code 0", async () => {
    const seen = await result("cluster/events.js");
    assert.deepEqual(of(seen, "cluster"), [
      ["fork", "worker 1"],
      ["online", "worker 1"],
      ["message", "worker 1", "hello"],
      ["message", "worker 1", "answer"],
      ["disconnect", "worker 1"],
      ["exit", "worker 1", 0, null],
    ]);
    assert.deepEqual(of(seen, "worker 1"), [
      ["online"],
      ["message", "hello"],
      ["message", "answer"],
      ["disconnect"],
      ["exit", 0, null],
    ]);
  });

  for (const signal of ["SIGKILL", "SIGTERM"]) {
    it(`tell that a worker was killed, and of its replacement: ${signal}`, async () => {
      const seen = of(await result("cluster/events.js", signal), "cluster").filter(
        ([name]) => name !== "message",
      );
      const exits = seen.filter(([name]) => name === "exit");
      assert.deepEqual(exits, [["exit", "worker 1", null, signal], ...exits.slice(1)]);
      assert.ok(
        exits.slice(1).every(([, worker]) => worker === "worker 1"),
        JSON.stringify(exits),
      );
      const names = seen.map(([name]) => name);
      assert.deepEqual(names.slice(0, 2), ["fork", "online"]);
      assert.deepEqual(names.filter((name) => name === "fork").length, exits.length);
      assert.deepEqual(names.filter((name) => name === "disconnect").length, exits.length);
    });
  }
});

describe("messages", () => {
  it("go both ways between the program's master and workers, and tell their callbacks", async () => {
    const { heard, sent } = await result("cluster/messages.js");
    const pongs = [1, 2].flatMap((id) => [
      [id, { pong: `to ${id}`, from: id, to: id }],
      [id, { pong: "sent", error: "null", from: id }],
    ]);
    assert.deepEqual(heard, pongs.map((entry) => JSON.stringify(entry)).sort());
    assert.deepEqual(
      sent,
      range(2).map(() => ["boolean", "null"]),
    );
  });

  it("keep their order in thousands, big ones among them, while events run", async () => {
    assert.deepEqual(await result("cluster/many-messages.js"), { inOrder: true, sizes: true });
  });

  it("show each answer to cluster.on('message') in the master, and each event to process.on('message') in a worker", async () => {
    const { answers, events, queued, failed } = await result("cluster/answers-seen.js");
    const data = [...range(50), "events"];
    assert.deepEqual([queued, failed], [50, 1]);
    assert.deepEqual(events, data);
    assert.deepEqual(
      answers.map(([id, message]) => [id, message.id, message.data]),
      data.map((value) => [1, 1, value]),
    );
    const [, seven] = answers[7];
    assert.equal(seven.failed, true);
    assert.equal("response" in seven, false);
    assert.deepEqual(
      answers.filter((_, i) => i !== 7).map(([, { response }]) => response),
      [...data.filter((value) => value !== 7 && value !== "events"), data],
    );
  });

  it("show answers to whoever listens from when he does until he stops", async () => {
    assert.deepEqual(await result("cluster/heard-late.js"), { heard: [2], responses: [1, 2, 3] });
  });

  it("with {data} are events for that very worker, and their answers count like any other's", async () => {
    const { mapped, routed, astray, failed } = await result("cluster/routed.js");
    assert.deepEqual({ mapped, astray, failed }, { mapped: 100, astray: [], failed: [] });
    assert.deepEqual(routed, range(100));
  });

  it("with a handle are refused at once, from either side, and those without go on", async () => {
    const { fromMaster, fromWorker, heard } = await result("cluster/handles.js");
    assert.equal(typeof fromMaster.message, "string", JSON.stringify(fromMaster));
    assert.equal(fromWorker.length, 1);
    assert.equal(typeof fromWorker[0].message, "string", JSON.stringify(fromWorker[0]));
    assert.deepEqual(heard, ["from the worker"]);
  });
});

describe("a worker that the program takes down itself", () => {
  // worker.kill() ends it by signal on some Node lines, after its disconnection on others
  const ways = {
    kill: /^(0|SIGTERM)$/,
    "kill SIGKILL": /^(0|SIGKILL)$/,
    disconnect: /^0$/,
    "process.kill": /^SIGTERM$/,
  };
  for (const [how, reason] of Object.entries(ways)) {
    for (const workers of ["2", "1"]) {
      it(`from the master, idle, costs no event, one of ${workers}: ${how}`, async () => {
        const { first, responses, failed } = await result("cluster/taken-down.js", how, workers);
        assert.deepEqual(failed, []);
        assert.deepEqual(responses.sort(byNumber), range(50));
        const [id, code, signal] = first;
        assert.equal(id, 1);
        assert.match(String(signal || code), reason);
      });
    }
  }

  for (const how of ["worker.kill", "worker.disconnect", "process.disconnect"]) {
    it(`from within an event costs that event at most: ${how}`, async () => {
      const { responses, failed } = await result("cluster/leaves.js", how);
      assert.deepEqual([...responses, ...failed].sort(byNumber), range(20));
      assert.ok(
        failed.length === 0 || (failed.length === 1 && failed[0] === 5),
        `failed ${failed}`,
      );
    });
  }
});
