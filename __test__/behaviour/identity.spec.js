"use strict";
/**
 * Promise: A worker serves the call that it was started for, in whatever order either role reaches its calls. Where a
 * worker cannot tell, the call rejects and says what to do. No event runs through the functions of another call.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { outOfTime } = require("../support/out-of-time");
const { run } = require("../support/run");

const result = async (fixture, ...args) => (await run(`identity/${fixture}`, { args })).result;

const values = (outcomes) =>
  Object.values(outcomes).map(({ value, error }) => value ?? error.message);

describe("a call is found", () => {
  for (const how of ["helper", "statements"]) {
    it(`in whichever order two calls at once are reached: ${how}`, async () => {
      assert.deepEqual(values(await result("at-once.js", how)), ["a1", "b1"]);
    });
  }

  for (const told of ["line", "args", "name"]) {
    it(`behind others that the master has skipped, by its ${told}`, async () => {
      assert.deepEqual(values(await result("skipped.js", told)), ["b1", "c1"]);
    });
  }

  it("by its file, when two files that look alike are loaded in another order", async () => {
    assert.deepEqual(values(await result("files.js")), ["first1", "second1"]);
  });

  it("by count, when only closures tell calls apart that begin together", async () => {
    assert.deepEqual(values(await result("equal.js", "turn")), ["a1", "b1"]);
  });

  it("by its name, when it begins while one runs that only its closure tells from it", async () => {
    assert.deepEqual(values(await result("equal.js", "named")), ["a1", "b1"]);
  });

  for (const how of [
    "time",
    "instance",
    "random",
    "folder",
    "rows",
    "named",
    "functions",
    "statements",
  ]) {
    it(`though it is not the same in both roles: ${how}`, async () => {
      assert.deepEqual(await result("roles.js", how), { value: 2 });
    });
  }

  for (const how of ["time", "instance", "named", "rows", "folder", "random"]) {
    it(`in a worker that something else keeps alive: ${how}`, async () => {
      assert.deepEqual(await result("roles.js", how, "open"), { value: 2 });
    });
  }
});

describe("a call rejects", () => {
  it("if workers reach only an equal one that another line makes, which may have another closure", async () => {
    const { error } = await result("roles.js", "lines");
    assert.equal(error.code, "ERR_SONIC_CALL_UNREACHABLE");
    assert.match(
      error.message,
      /roles\.js:\d+:\d+ \(called at roles\.js:\d+:\d+, and the wanted one at roles\.js:\d+:\d+\).*name/,
    );
  });

  for (const told of [
    "line",
    "args",
    "random-like",
    "number",
    "url",
    "instance",
    "long list",
    "getter",
  ]) {
    it(`if workers reach only another call of the same helper, which differs by its ${told}`, async () => {
      const { skipped, alike } = await result("siblings.js", told);
      assert.deepEqual(
        [skipped.value, skipped.error?.code],
        [undefined, "ERR_SONIC_CALL_UNREACHABLE"],
      );
      assert.deepEqual(alike, { value: "right" });
    });
  }

  it("in a later turn that workers do not reach, also when the program has changed its environment meanwhile", async () => {
    const program = await run("identity/ends-early.js", {
      args: ["QUIET"],
      env: { QUIET: undefined },
    });
    assert.deepEqual(program.result, [2, "ERR_SONIC_CALL_UNREACHABLE"]);
    assert.deepEqual(await result("ends-early.js", "ANOTHER"), [2, "ERR_SONIC_CALL_UNREACHABLE"]);
  });

  it("in a later turn of a loop that ends early in workers, instead of running an earlier turn's function", async () => {
    assert.deepEqual(await result("ends-early.js"), [2, "ERR_SONIC_CALL_UNREACHABLE"]);
  });

  it("if it begins in a later turn while one runs that only its closure tells from it", async () => {
    const [first, second] = await result("equal.js", "later");
    assert.deepEqual(first, { value: "a1" });
    assert.equal(second.error.code, "ERR_SONIC_CALL_AMBIGUOUS");
    assert.match(second.error.message, /equal\.js:\d+:\d+/);
    assert.match(second.error.message, /`name`/);
  });

  it("when a worker's program has ended without reaching it, with the calls that it has reached, and what to do", async () => {
    const { error } = await result("unreachable.js");
    assert.equal(error.code, "ERR_SONIC_CALL_UNREACHABLE");
    assert.match(error.message, /without reaching the call at unreachable\.js:7:\d+/);
    assert.match(
      error.message,
      /unreachable\.js:7:\d+ \(its args differ in factor\); the call at unreachable\.js:16:3 \(its functions are others\)/,
    );
    assert.match(error.message, /name/);
  });

  it("at the deadline, with the same, when something keeps such a worker alive", async () => {
    const said = /unreachable\.js:7:\d+ \(its args differ in factor\)/;
    const { error } = await outOfTime("identity/unreachable.js", "alive", said);
    assert.equal(error.code, "ERR_SONIC_CALL_UNREACHABLE");
    assert.match(error.message, /did not reach the call at unreachable\.js:7:\d+ within \d+ ms/);
    assert.match(error.message, said);
  });

  it("if its name is none, or another call's", async () => {
    const { all, same, taken, streamed } = await result("names.js");
    assert.deepEqual(
      all.map(({ error }) => error.code),
      Array(4).fill("ERR_SONIC_INVALID_ARGUMENT"),
    );
    for (const { error } of all) assert.match(error.message, /name/);
    assert.deepEqual(same, [{ value: 1 }, { value: 2 }]);
    assert.equal(taken.error.code, "ERR_SONIC_CALL_AMBIGUOUS");
    assert.match(taken.error.message, /"loop"/);
    assert.deepEqual(streamed, ["streamed"]);
  });

  for (const what of ["MapReduce", "stream", "initMaster", "configureWorkers", "initWorkers"]) {
    for (const when of ["at once", "later", "deeper", "by a timer", "by a chain"]) {
      it(`inside a running event: ${what}, ${when}`, async () => {
        const { results, failed } = await result("nested.js", what, when);
        assert.deepEqual(results, []);
        assert.equal(failed.length, 1);
        assert.equal(failed[0].code, "ERR_SONIC_NESTED_CALL");
        assert.match(failed[0].message, /nested\.js:\d+:\d+/);
        assert.match(failed[0].message, /in the master/);
      });
    }
  }
});
