"use strict";
/**
 * Promise: A failed event is tried again as often as `retries` says, for the causes that it names, with the data as
 * handed over, whatever happened to its workers. Other events run once and do not wait for it. Only the last attempt is
 * in a queue; if that fails too, its error lists all attempts. Without the option no event runs twice.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const byNumber = (a, b) => a - b;

async function one(how, times, options, nodeArgs) {
  const program = await run("retries/one.js", {
    args: [JSON.stringify({ how, times, options })],
    nodeArgs,
  });
  const ran = program.log("ran.log").map(Number);
  const others = range(20).filter((id) => id !== 7);
  assert.deepEqual(ran.filter((id) => id !== 7).sort(byNumber), others, "others run once");
  return { ...program.result, attempts: ran.filter((id) => id === 7).length };
}

const crashes = [
  { how: "SIGKILL", ended: { exitCode: null, signal: "SIGKILL" } },
  { how: "SIGSEGV", ended: { exitCode: null, signal: "SIGSEGV" } },
  { how: "exit 7", ended: { exitCode: 7, signal: null } },
  { how: "uncaught exception", ended: { exitCode: 1, signal: null } },
  { how: "out of memory", nodeArgs: ["--max-old-space-size=48"] },
];

for (const serialization of ["json", "advanced"]) {
  describe(`an event that is tried again, with ${serialization}`, () => {
    for (const { how, nodeArgs } of [...crashes, { how: "throw" }, { how: "reject" }]) {
      it(`succeeds from the data that was handed over: ${how}`, async () => {
        const { results, failed, attempts } = await one(
          how,
          1,
          { retries: 2, serialization },
          nodeArgs,
        );
        assert.deepEqual(failed, []);
        assert.equal(attempts, 2);
        const entries = results
          .map(({ id, ...entry }) => entry)
          .sort((a, b) => a.data.id - b.data.id);
        assert.deepEqual(
          entries,
          range(20).map((id) => ({ data: { id, touched: 1 }, response: 1 })),
        );
      });
    }

    for (const { how, ended, nodeArgs } of crashes) {
      it(`is quarantined when it costs its worker each time: ${how}`, async () => {
        const { results, failed, attempts } = await one(
          how,
          99,
          { retries: 2, serialization },
          nodeArgs,
        );
        assert.deepEqual([results.length, failed.length, attempts], [19, 1, 3]);
        const [{ id, data, error }] = failed;
        assert.deepEqual(data, { id: 7, touched: 0 });
        assert.equal(error.code, "ERR_SONIC_WORKER_EXIT");
        assert.equal(error.quarantined, true);
        assert.equal(error.attempts.length, 3);
        assert.equal(new Set(error.attempts.map(({ pid }) => pid)).size, 3);
        for (const attempt of error.attempts) {
          assert.equal(attempt.code, "ERR_SONIC_WORKER_EXIT");
          assert.ok([1, 2].includes(attempt.worker) && attempt.duration >= 0);
          if (ended)
            assert.deepEqual({ exitCode: attempt.exitCode, signal: attempt.signal }, ended);
        }
        assert.deepEqual([error.attempts[2].worker, error.attempts[2].pid], [id, error.pid]);
      });
    }

    it("fails with the error and the data of the last attempt, and a list of all", async () => {
      const { failed, attempts } = await one("throw", 99, { retries: 3, serialization });
      assert.equal(attempts, 4);
      const [{ data, error }] = failed;
      assert.deepEqual(data, { id: 7, touched: 1 });
      assert.deepEqual(
        [error.name, error.message, error.code, error.quarantined],
        ["RangeError", "no", "ENO", undefined],
      );
      assert.match(error.stack, /RangeError: no\n/);
      for (const { worker, pid, duration, ...rest } of error.attempts) {
        assert.ok([1, 2].includes(worker) && pid > 0 && duration >= 0);
        assert.deepEqual(rest, { name: "RangeError", message: "no", code: "ENO" });
      }
      assert.equal(error.attempts.length, 4);
    });
  });
}

describe("what is tried again", () => {
  const cases = [
    ["SIGKILL", ["error", "timeout"], 1],
    ["SIGKILL", ["crash"], 3],
    ["throw", ["crash", "timeout"], 1],
    ["throw", ["error"], 3],
  ];
  for (const [how, on, expected] of cases) {
    it(`is what \`on\` says: ${how} with ${on}`, async () => {
      const { failed, attempts } = await one(how, 99, { retries: { limit: 2, on } });
      assert.deepEqual(
        [failed.length, failed[0].error.attempts.length, attempts],
        [1, expected, expected],
      );
    });
  }

  for (const options of [null, {}, { retries: 0 }, { retries: { limit: 0 } }]) {
    it(`is nothing by default: ${JSON.stringify(options)}`, async () => {
      for (const how of ["SIGKILL", "throw"]) {
        const { failed, attempts } = await one(how, 1, options);
        assert.deepEqual([failed.length, attempts], [1, 1]);
        assert.equal(failed[0].error.attempts, how === "throw" ? "mine" : undefined);
        assert.equal(failed[0].error.quarantined, undefined);
      }
    });
  }
});

describe("an event that takes too long", () => {
  it("is tried again, and quarantined when it does so each time", async () => {
    const options = { taskTimeout: 300, retries: { limit: 1, on: ["timeout"] } };
    const once = await one("for ever", 1, options);
    assert.deepEqual([once.results.length, once.failed, once.attempts], [20, [], 2]);
    const { failed, attempts } = await one("for ever", 99, options);
    assert.deepEqual([failed.length, attempts], [1, 2]);
    const { code, quarantined, attempts: list } = failed[0].error;
    assert.deepEqual([code, quarantined], ["ERR_SONIC_TASK_TIMEOUT", true]);
    for (const attempt of list)
      assert.ok(
        attempt.code === "ERR_SONIC_TASK_TIMEOUT" && attempt.duration >= 300,
        JSON.stringify(attempt),
      );
  });
});

describe("a pause between attempts", () => {
  for (const how of ["crash", "error"]) {
    it(`holds no other event up, and is at least as long as it is to be: ${how}`, async () => {
      const { answered, failed, pauses } = (await run("retries/rests.js", { args: [how, "400"] }))
        .result;
      assert.deepEqual(failed, []);
      assert.deepEqual(answered, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
      // The clock of the day is read in whole milliseconds.
      assert.ok(pauses.length === 2 && pauses[0] >= 399 && pauses[1] >= 1199, `${pauses}`);
    });
  }
});

describe("an event for a worker that the program chose", () => {
  for (const how of ["crash", "error"]) {
    for (const backoff of ["0", "50"]) {
      it(`is tried again there, and its worker is free when it has ended: ${how}, after ${backoff} ms`, async () => {
        const program = await run("retries/chosen.js", { args: [how, backoff] });
        const { free, answered, failed } = program.result;
        assert.deepEqual(failed, []);
        assert.deepEqual(free, [1, 2, 3]);
        assert.equal(answered.length, 12);
        const ran = program.log("ran.log");
        assert.equal(ran.length, 24);
        for (const { id, data, response } of answered) {
          assert.equal(id, response);
          assert.deepEqual(
            ran.filter((line) => line.startsWith(`${data} `)),
            [`${data} ${id}`, `${data} ${id}`],
          );
        }
      });
    }
  }
});

describe('onError: "abort"', () => {
  it("waits for the last attempt", async () => {
    const program = await run("retries/aborts.js");
    assert.deepEqual(program.result, { error: { thrown: { message: "attempt 3", attempts: 3 } } });
    const ran = program.log("ran.log").map(Number);
    assert.deepEqual(
      [1, 3].map((event) => ran.filter((id) => id === event).length),
      [2, 3],
    );
  });
});
