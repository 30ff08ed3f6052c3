"use strict";
/**
 * Promise: However a worker exits, the event that ran in it fails, and no other, with an error that names the exit code
 * or signal. Answered events stay answered, no event runs twice, the others run elsewhere, and a new worker takes the
 * old one's id. The call never hangs.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const range = (n) => Array.from({ length: n }, (_, i) => i);
const byNumber = (a, b) => a - b;

/** That an entry is the failure of `data` by the end of its worker, which the error names. */
function assertWorkerExit(entry, data, reason) {
  assert.equal(entry.data, data);
  assert.equal(entry.failed, true);
  assert.equal(entry.error.code, "ERR_SONIC_WORKER_EXIT");
  assert.match(entry.error.message, reason);
  assert.equal(typeof entry.error.name, "string");
  assert.equal(typeof entry.error.stack, "string");
}

/** That the events the log says have started, each did so once. */
function assertRanOnce(program, events) {
  assert.deepEqual(program.log("ran.log").sort(), events.map(String).sort());
}

describe("a worker that ends in an event", () => {
  const ways = [
    { how: "SIGKILL", reason: /SIGKILL/ },
    { how: "SIGSEGV", reason: /SIGSEGV/ },
    { how: "SIGTERM", reason: /SIGTERM/ },
    { how: "abort", reason: /SIGABRT/ },
    { how: "exit 0", reason: /code 0\b/ },
    { how: "exit 7", reason: /code 7\b/ },
    { how: "exit 7 later", reason: /code 7\b/ },
    { how: "uncaught exception", reason: /code 1\b/ },
    // Node 14 only warns unless told; from 15 on this is the default
    { how: "unhandled rejection", reason: /code 1\b/, nodeArgs: ["--unhandled-rejections=throw"] },
    // V8 traps or aborts, by its version
    { how: "out of memory", reason: /SIG(ABRT|TRAP|ILL)/, nodeArgs: ["--max-old-space-size=48"] },
  ];
  for (const { how, reason, nodeArgs } of ways) {
    it(`fails that event and no other: ${how}`, async () => {
      const program = await run("crash/in-event.js", { args: [how], nodeArgs });
      const { results, failed } = program.result;
      assert.equal(failed.length, 1);
      assertWorkerExit(failed[0], 17, reason);
      assert.ok(failed[0].id === 1 || failed[0].id === 2, `id ${failed[0].id}`);
      const others = range(40).filter((i) => i !== 17);
      assert.deepEqual(results.map(({ response }) => response).sort(byNumber), others);
      assertRanOnce(program, range(40));
    });
  }

  for (const fatal of [
    [0],
    [10_000],
    [19_999],
    [3, 4, 5, 6],
    [100, 5000, 9999, 10_000, 15_000, 19_998],
  ]) {
    it(`fails that event and no other amid 20,000 tiny ones: ${fatal.join(", ")}`, async () => {
      const program = await run("crash/amid-tiny.js", { args: [fatal.join()] });
      const { answered, failed } = program.result;
      assert.deepEqual(failed.map(({ data }) => data).sort(byNumber), fatal);
      for (const entry of failed) assertWorkerExit(entry, entry.data, /SIGKILL/);
      assert.deepEqual(
        answered.sort(byNumber),
        range(20_000).filter((i) => !fatal.includes(i)),
      );
      assertRanOnce(program, range(20_000));
    });
  }

  it("is replaced by a new process with the same id", async () => {
    const program = await run("crash/replaced.js");
    const { old, ids, now } = program.result;
    assert.deepEqual(ids, [1, 2]);
    assert.equal(new Set([...old, ...now]).size, 3);
    const met = JSON.parse(program.files["met.json"]).sort((a, b) => a.workerID - b.workerID);
    assert.deepEqual(
      met.map(({ workerID }) => workerID),
      [1, 2],
    );
    assert.deepEqual(
      met.map(({ own }) => own),
      [1, 2],
    );
    assert.deepEqual(met.map(({ pid }) => pid).sort(byNumber), now.sort(byNumber));
  });

  it("is replaced as often as it takes", async () => {
    const program = await run("crash/again-and-again.js");
    const { results, failed } = program.result;
    const fatal = range(45).filter((i) => i % 3 === 1);
    assert.deepEqual(
      failed.map(({ data }) => data),
      fatal,
    );
    for (const entry of failed)
      assertWorkerExit(entry, entry.data, new RegExp(`code ${entry.data}\\b`));
    assert.deepEqual(
      results,
      range(45)
        .filter((i) => i % 3 !== 1)
        .map((data) => ({ id: 1, data, response: 1 })),
    );
    assertRanOnce(program, range(45));
  });

  it("lets the call end with nothing but failures when no event survives", async () => {
    const program = await run("crash/all-die.js");
    const { results, failed } = program.result;
    assert.deepEqual(results, []);
    assert.deepEqual(failed.map(({ data }) => data).sort(byNumber), range(10));
    for (const entry of failed) assertWorkerExit(entry, entry.data, /SIGKILL/);
    assertRanOnce(program, range(10));
  });

  it("has added for good what the event had sent itself", async () => {
    const { responses, failed } = (await run("crash/own-entries.js")).result;
    assert.deepEqual(
      responses,
      range(3).flatMap((event) => range(100).map((part) => `${event}/${part}`)),
    );
    assert.deepEqual(failed, [1]);
  });

  it("does not end by a stray error that the program handles", async () => {
    const { responses, failed } = (await run("crash/own-handler.js")).result;
    assert.deepEqual(failed, []);
    assert.deepEqual(responses[3].strays, ["exception", "rejection"]);
    assert.equal(new Set(responses.map(({ pid }) => pid)).size, 1);
  });
});

describe("workers that the master kills, all at once", () => {
  for (const before of ["0", "1000"]) {
    it(`fail nothing while they are idle, after ${before} events: what follows runs in their replacements`, async () => {
      const program = await run("crash/killed-idle.js", { args: [before] });
      const { answered, failed, ids } = program.result;
      const events = [
        ...range(Number(before)).map((i) => `before ${i}`),
        ...range(50).map((i) => `after ${i}`),
      ];
      assert.deepEqual(failed, []);
      assert.deepEqual(answered.sort(), [...events].sort());
      assert.ok(
        ids.every((id) => id >= 1 && id <= 3),
        `ids ${ids}`,
      );
      assertRanOnce(program, events);
    });
  }

  it("fail nothing while they are idle, time and again", async () => {
    const program = await run("crash/killed-untouched.js");
    const { answered, failed } = program.result;
    assert.deepEqual(failed, []);
    assert.deepEqual(answered, range(60));
    assertRanOnce(program, range(60));
  });

  it("fail the events that ran, and those that waited run in their replacements", async () => {
    const program = await run("crash/killed-busy.js");
    const { answered, failed } = program.result;
    assert.deepEqual(failed.map(({ data }) => data).sort(byNumber), [0, 1, 2]);
    for (const entry of failed) assertWorkerExit(entry, entry.data, /SIGKILL/);
    assert.deepEqual(answered.sort(byNumber), [3, 4, 5, 6, 7, 8, 9]);
    assertRanOnce(program, range(10));
  });
});

describe("a worker that ends between events", () => {
  it("fails nothing: its answer stays and the next event has a new worker", async () => {
    const program = await run("crash/between-events.js");
    const { responses, failed } = program.result;
    assert.deepEqual(failed, []);
    assert.deepEqual(
      responses,
      range(5).flatMap(() => ["then ends", "after"]),
    );
    assertRanOnce(program, responses);
  });

  it("loses no answer when it ends right after the last", async () => {
    const { answered, failed } = (await run("crash/after-the-last.js")).result;
    assert.equal(answered + failed, 2000);
    assert.ok(failed <= 10, `${failed} failed`);
  });
});
