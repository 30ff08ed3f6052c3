"use strict";
/**
 * Promise: Common mistakes get a message that says what to do, on stderr or in the error: an event that never finishes,
 * slow code before the call, code after it that is not for workers, results read too early. A program without these
 * mistakes gets no message, nor does one with QUIET set.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run, start } = require("../support/run");

const SOON = { QUIET: undefined, SONIC_HINT_AFTER: "200" };
const lines = ({ stderr }, text) => stderr.split("\n").filter((line) => line.includes(text));

describe("an event that does not end", () => {
  it("is told of on stderr, with its worker and data and what it does, and again when it has taken twice as long", async () => {
    const program = start("hints/long.js", { env: SOON });
    await program.until(
      () => ["waits", "blocks"].every((data) => lines(program, `("${data}") for`).length >= 2),
      "told twice",
    );
    program.mark("go");
    const outcome = await program.ended;
    assert.deepEqual(outcome.result, [1, 0], "what it was told of went on");
    for (const [data, what] of [
      ["waits", "its function has returned a promise that is not settled yet"],
      ["blocks", "its function has not returned yet"],
    ]) {
      const told = lines(outcome, `("${data}") for`);
      const times = told.map((line) => {
        const [, worker, time] =
          /Z: MASTER: Worker ([12]) has been running one event \("\w+"\) for (\d+\.\d) s: /.exec(
            line,
          ) || assert.fail(line);
        assert.ok(
          line.endsWith(`: ${what} (the option taskTimeout ends events that take too long)`),
          line,
        );
        assert.ok(["1", "2"].includes(worker));
        return Number(time);
      });
      for (let at = 1; at < times.length; at++)
        assert.ok(times[at] >= 1.5 * times[at - 1], `${times}`);
    }
  });

  it("is told of with the lock or the barrier that it waits for", async () => {
    const program = start("hints/shared.js", { env: SOON });
    const held =
      /it waits for lock "ledger", held by worker \d \(pid \d+, event \d+\) \(the option/;
    const missing = /it waits for barrier "step", where 1 of 2 have come \(the option/;
    await program.until(() => held.test(program.stderr) && missing.test(program.stderr), "told");
    program.mark("go");
    assert.deepEqual((await program.ended).result, ["went", 0, 1]);
  });

  it("is told of in the pool's log where the program is quiet", async () => {
    const program = start("hints/long.js", { env: { ...SOON, QUIET: "1", SONIC_LOG: "warn" } });
    await program.until(() => program.stderr.includes("has been running one event"), "told");
    program.mark("go");
    assert.doesNotMatch((await program.ended).stderr, /MASTER: Worker/);
  });

  /** @type {Record<string, [any, any?]>} */
  const silent = {
    "SONIC_HINT_AFTER=0": [{ SONIC_HINT_AFTER: "0" }],
    taskTimeout: [SOON, { taskTimeout: 60_000 }],
    QUIET: [{ ...SOON, QUIET: "1" }],
  };
  for (const [name, [env, options = {}]] of Object.entries(silent)) {
    it(`is not told of with ${name}`, async () => {
      const program = start("hints/long.js", {
        args: [JSON.stringify(options)],
        env: { QUIET: undefined, ...env },
      });
      // Nothing can be waited for that does not come: three times the time after which it would have.
      setTimeout(() => program.mark("go"), 1000);
      assert.doesNotMatch((await program.ended).stderr, /has been running/);
    });
  }
});

it("heavy code before the call is told of once", async () => {
  const [line, ...others] = lines(await run("hints/heavy.js", { env: SOON }), "to reach the call");
  assert.match(
    line,
    /MASTER: Worker [12] has taken \d+\.\d s to reach the call: every worker runs the program from its beginning\. .* isMaster\(\)$/,
  );
  assert.deepEqual(others, []);
  const usual = await run("hints/heavy.js", { env: { QUIET: undefined } });
  assert.doesNotMatch(usual.stderr, /to reach the call/, "what is no longer than usual");
});

it("code behind the call that fails in workers rejects the call with what to do", async () => {
  const { error } = (await run("hints/forgotten.js")).result;
  assert.equal(error.code, "ERR_SONIC_WORKER_START");
  assert.match(
    error.message,
    /TypeError: .*'length'.*; workers run the program too.* belongs behind isMaster\(\)/,
  );
});

describe("results that are looked for before they are there", () => {
  const told =
    "Results were looked for while events still ran, and 2 that came later were never read: await shutdown(2) before reading them, or look again";

  it("and never again are told of at the end", async () => {
    const outcome = await run("hints/early.js", { args: ["once"], env: SOON });
    assert.equal(outcome.result.early, 0);
    assert.equal(lines(outcome, `MASTER: ${told}`).length, 1, outcome.stderr);
  });

  it("and have all been read keep nothing of the run", async () => {
    const { result } = await run("hints/polled.js", { nodeArgs: ["--expose-gc"] });
    assert.deepEqual(result, [5, 5, 5]);
  });

  it("and of which only the failures are read are told of", async () => {
    const outcome = await run("hints/early.js", { args: ["failures"], env: SOON });
    assert.deepEqual(outcome.result, { early: 0, late: 1 });
    assert.equal(
      lines(outcome, `MASTER: ${told.replace("and 2", "and 1")}`).length,
      1,
      outcome.stderr,
    );
  });

  it("and again when they are, are no mistake", async () => {
    const outcome = await run("hints/early.js", { args: ["again"], env: SOON });
    assert.deepEqual(outcome.result, { early: 0, late: 2 });
    assert.doesNotMatch(outcome.stderr, /were looked for/);
  });
});

describe("an event that was meant to have data", () => {
  const warned = async (what) => {
    const { result, stderr } = await run("hints/dataless.js", { args: [what] });
    return {
      result,
      said: stderr.split("\n").filter((line) => line.includes("SONIC_MAP_WITHOUT_DATA")),
      stderr,
    };
  };
  const meant = {
    '"a.txt"': 'It was "a.txt"; use Map(queue, { data: "a.txt" })',
    5: "It was 5; use Map(queue, { data: 5 })",
    true: "It was true; use Map(queue, { data: true })",
    '["a"]': "It was an array of 1; use Map(queue, { data: […] })",
    '{ file: "x" }':
      "It was an object with file and no data; use Map(queue, { data: { file: … } })",
    '{ "not a name": 1 }':
      "It was an object with … and no data; use Map(queue, { data: { …: … } })",
    "Promise.resolve(1)": "It was an object without data; use Map(queue, { data: … })",
  };
  for (const [event, text] of Object.entries(meant)) {
    it(`is warned of once: ${event}`, async () => {
      const { result, said } = await warned(event);
      assert.equal(result, 6);
      assert.equal(said.length, 1);
      assert.ok(
        said[0].endsWith(
          `[SONIC_MAP_WITHOUT_DATA] Warning: Map: an event has no data, so the worker functions get undefined. ${text}`,
        ),
        said[0],
      );
    });
  }

  for (const event of [
    "{}",
    "{ data: undefined }",
    "{ data: undefined, more: 1 }",
    "Object.create({ data: 1 })",
    "{ data: null, more: 1 }",
    "Object.create(null)",
  ]) {
    it(`is not meant where it has none on purpose: ${event}`, async () => {
      assert.deepEqual(await warned(event), { result: 6, said: [], stderr: "" });
    });
  }
});
