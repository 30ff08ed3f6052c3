"use strict";
/**
 * Promise: The fifth parameter holds the options of a call. They are checked, and only own properties count. Each does
 * what it says, and none changes the program's `args`.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const result = async (fixture, ...args) => (await run(fixture, { args: args.map(String) })).result;
const given = (options) =>
  result("options/given.js", typeof options === "string" ? options : JSON.stringify(options));

describe("the options of a call", () => {
  it("may be left out, or left empty", async () => {
    for (const options of [null, {}])
      assert.deepEqual(await given(options), { workers: 2, value: 20 });
  });

  it("say how many workers there are, before args does", async () => {
    assert.deepEqual(await given({ numWorkers: 3 }), { workers: 3, value: 20 });
  });

  it("are own properties: what comes through a prototype is not seen", async () => {
    assert.deepEqual(await given("inherited"), { workers: 2, value: 20 });
  });

  const wrong = [
    [7, "TypeError", "options must be an object, got 7"],
    [[], "TypeError", "options must be an object, got an array of 0"],
    [{ numWorker: 2 }, "TypeError", "options.numWorker is not an option: did you mean numWorkers?"],
    [
      { Serialisation: "json" },
      "TypeError",
      "options.Serialisation is not an option: did you mean serialization?",
    ],
    [
      { colour: "red" },
      "TypeError",
      "options.colour is not an option; there are name, numWorkers, workers, serialization, spillDir, sharedSpill, concurrency, maxEventsPerWorker, maxBytesWaiting, taskTimeout, maxTasksPerWorker, maxWorkerMemory, shutdownGrace, heartbeatTimeout, signal, checkpoint, onError, abortGrace, retries, onResult, statistics, onStats, trace, report, progress, label, total, onProgress, dashboard, cluster",
    ],
    [
      { numWorkers: "2" },
      "TypeError",
      'options.numWorkers must be a whole number of at least 1, got "2"',
    ],
    [
      { numWorkers: 0 },
      "RangeError",
      "options.numWorkers must be a whole number of at least 1, got 0",
    ],
    [{ numWorkers: 5000 }, "RangeError", "options.numWorkers must be at most 4094, got 5000"],
    [
      { serialization: "yaml" },
      "TypeError",
      'options.serialization must be "json" or "advanced", got "yaml"',
    ],
    [{ spillDir: "" }, "TypeError", 'options.spillDir must be the path of a folder, got ""'],
    [{ checkpoint: 5 }, "TypeError", "options.checkpoint must be the path of a file, got 5"],
    [
      { checkpoint: { file: "a", fsync: 0 } },
      "TypeError",
      "options.checkpoint.fsync must be true or false, or a whole number of milliseconds from 1 to 2147483647, got 0",
    ],
    [{ spillDir: 5 }, "TypeError", "options.spillDir must be the path of a folder, got 5"],
    [
      { maxEventsPerWorker: 1.5 },
      "RangeError",
      "options.maxEventsPerWorker must be a whole number of at least 1, got 1.5",
    ],
    [
      { signal: { aborted: false } },
      "TypeError",
      "options.signal must be an AbortSignal, got an object",
    ],
    [{ signal: "now" }, "TypeError", 'options.signal must be an AbortSignal, got "now"'],
    [{ onError: "stop" }, "TypeError", 'options.onError must be "collect" or "abort", got "stop"'],
    [
      { abortGrace: -1 },
      "RangeError",
      "options.abortGrace must be a number of milliseconds from 0 to 2147483647, got -1",
    ],
    ...[0, -1, 2 ** 31].map((value) => [
      { taskTimeout: value },
      "RangeError",
      `options.taskTimeout must be a number of milliseconds above 0, up to 2147483647, or Infinity, got ${value}`,
    ]),
    ...["maxTasksPerWorker", "maxWorkerMemory"].map((name) => [
      { [name]: 0 },
      "RangeError",
      `options.${name} must be a whole number of at least 1, got 0`,
    ]),
    [
      { maxTasksPerWorker: 2 ** 31 },
      "RangeError",
      "options.maxTasksPerWorker must be at most 2147483647, got 2147483648",
    ],
    [
      { maxWorkerMemory: "1 GB" },
      "TypeError",
      'options.maxWorkerMemory must be a whole number of at least 1, got "1 GB"',
    ],
    [
      { shutdownGrace: -1 },
      "RangeError",
      "options.shutdownGrace must be a number of milliseconds from 0 to 2147483647, or Infinity, got -1",
    ],
    [
      { shutdownGrace: "1s" },
      "TypeError",
      'options.shutdownGrace must be a number of milliseconds from 0 to 2147483647, or Infinity, got "1s"',
    ],
    [
      { heartbeatTimeout: -1 },
      "RangeError",
      "options.heartbeatTimeout must be a number of milliseconds above 0, up to 2147483647, or Infinity, or 0, got -1",
    ],
    [
      { taskTimeout: "1s" },
      "TypeError",
      'options.taskTimeout must be a number of milliseconds above 0, up to 2147483647, or Infinity, got "1s"',
    ],
    [
      { abortGrace: "1s" },
      "TypeError",
      'options.abortGrace must be a number of milliseconds from 0 to 2147483647, got "1s"',
    ],
    [{ onResult: 1 }, "TypeError", "options.onResult must be a function, got 1"],
    [{ onStats: 1 }, "TypeError", "options.onStats must be a function, got 1"],
    [{ statistics: 1 }, "TypeError", "options.statistics must be true or false, got 1"],
    [
      { progress: "bar" },
      "TypeError",
      'options.progress must be true or false, "workers", or an object, got "bar"',
    ],
    [
      { total: -1 },
      "RangeError",
      "options.total must be a whole number of at least 1, or 0, got -1",
    ],
    [{ onProgress: true }, "TypeError", "options.onProgress must be a function, got true"],
    [{ trace: true }, "TypeError", "options.trace must be the path of a file, got true"],
    [{ report: "" }, "TypeError", 'options.report must be the path of a file, got ""'],
    [
      { retries: -1 },
      "RangeError",
      "options.retries must be a whole number from 0 to 1000, got -1",
    ],
    [
      { retries: 1.5 },
      "RangeError",
      "options.retries must be a whole number from 0 to 1000, got 1.5",
    ],
    [
      { retries: 1001 },
      "RangeError",
      "options.retries must be a whole number from 0 to 1000, got 1001",
    ],
    [
      { retries: true },
      "TypeError",
      "options.retries must be a whole number from 0 to 1000, got true",
    ],
    [
      { retries: [3] },
      "TypeError",
      "options.retries must be a whole number from 0 to 1000, got an array of 1",
    ],
    [
      { retries: {} },
      "TypeError",
      "options.retries.limit must be a whole number from 0 to 1000, got undefined",
    ],
    [
      { retries: { limits: 3 } },
      "TypeError",
      "options.retries.limits is not an option: did you mean limit?",
    ],
    [
      { retries: { limit: 1, jitter: 1 } },
      "TypeError",
      "options.retries.jitter is not an option; there are limit, backoff, factor, maxDelay, on",
    ],
    [
      { retries: { limit: 1, backoff: -1 } },
      "RangeError",
      "options.retries.backoff must be a number of milliseconds from 0 to 2147483647, got -1",
    ],
    [
      { retries: { limit: 1, factor: 0.5 } },
      "RangeError",
      "options.retries.factor must be a number of at least 1, got 0.5",
    ],
    [
      { retries: { limit: 1, maxDelay: "1s" } },
      "TypeError",
      'options.retries.maxDelay must be a number of milliseconds from 0 to 2147483647, got "1s"',
    ],
    [
      { retries: { limit: 1, on: "crash" } },
      "TypeError",
      'options.retries.on must be an array of "crash", "timeout", "error" and "host", got "crash"',
    ],
    [
      { retries: { limit: 1, on: ["crash", "exit"] } },
      "TypeError",
      'options.retries.on must be an array of "crash", "timeout", "error" and "host", got "exit" in it',
    ],
    [
      { retries: { limit: 1, on: [] } },
      "TypeError",
      'options.retries.on must be an array of "crash", "timeout", "error" and "host", got an array of 0',
    ],
    [
      { cluster: "http://broker" },
      "TypeError",
      'options.cluster must begin with redis: or rediss: (Redis or Valkey), or postgres: (PostgreSQL): got "http:"',
    ],
    [
      { maxBytesWaiting: -1 },
      "RangeError",
      "options.maxBytesWaiting must be a whole number of at least 1, got -1",
    ],
  ];
  for (const [options, name, message] of wrong) {
    it(`that are wrong reject at once: ${JSON.stringify(options)}`, async () => {
      const { workers, error } = await given(options);
      assert.equal(workers, undefined, "workers were started");
      assert.deepEqual(
        [error.name, error.message, error.code],
        [name, message, "ERR_SONIC_INVALID_ARGUMENT"],
      );
    });
  }
});

describe('serialization: "advanced"', () => {
  it("keeps what structured clone keeps, in workers and in the queues, for this call alone", async () => {
    const { inWorker, inQueue, expected, failed, json } = await result("options/advanced.js");
    assert.equal(failed, 0);
    assert.deepEqual(inWorker, expected);
    assert.deepEqual(
      inQueue,
      expected.map((text) => [text, text]),
    );
    assert.equal(json, new Date(5).toISOString());
  });
});

describe("a Buffer under advanced serialization", () => {
  for (const how of ["plain", "exact"]) {
    // In a piece with others, in one of its own, and through the task ring.
    for (const length of [100, 100_000, 3_000_000]) {
      it(`is what it was when Map was called, and in the queue what the worker left: ${how}, ${length} bytes`, async () => {
        const expected = [1, 2, 3, 4, 5, 6].map((i) => [
          true,
          i + 1,
          i % 2 === 0 ? i + 100 : i + 1,
        ]);
        assert.deepEqual(await result("options/buffers.js", how, length), expected);
      });
    }
  }
});

describe("how far a loop of Maps of short events runs ahead", () => {
  // At most: the machine may make short events look long for a while.
  const ahead = async (options, length) =>
    Math.max(...(await result("options/ahead.js", JSON.stringify(options), length)));

  it("is what maxEventsPerWorker says", async () => {
    assert.equal(await ahead({ maxEventsPerWorker: 5 }, 10), 5);
  });

  it("is one event a worker beyond maxBytesWaiting", async () => {
    assert.equal(await ahead({ maxBytesWaiting: 1 }, 1000), 1);
  });

  it("is otherwise some hundred events", async () => {
    const events = await ahead({}, 10);
    assert.ok(events > 5 && events <= 512, `${events} ahead`);
  });
});

describe("the memory of a master that makes events faster than its workers run them", () => {
  it("does not grow with their number", async () => {
    // 300 MB of data.
    const { sum, megabytes } = await result("options/bounded.js", 30_000);
    assert.equal(sum, 4_485_000);
    assert.ok(megabytes < 150, `${megabytes} MB`);
  });
});
