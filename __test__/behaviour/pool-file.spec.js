"use strict";
/**
 * Promise: `createPool` with a worker file starts workers that run that file and not the program. Its exported functions are the stages,
 * by name. A file that cannot serve rejects the pool, and says why. Workers end with code 0 and without a word.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");
const { FIXTURES, run } = require("../support/run");

const at = (name) => path.join(FIXTURES, "pool", "file", name);
const FILES = ["stages.js", "stages.mjs"];

const file = async (...args) => {
  const program = await run("pool/file.js", { args });
  assert.equal(program.code, 0, program.transcript);
  assert.equal(program.log("program.log").length, 1, "the program runs once");
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};

describe("a worker file", () => {
  for (const name of FILES) {
    it(`runs in place of the program, and its exported functions are the stages: ${name}`, async () => {
      const { result, stderr } = await file("works", name, "more");
      const { failed, self, ...rest } = result;
      assert.deepEqual(rest, {
        double: 42,
        add: 3,
        pipeline: [4, 8],
        read: [[4, 8]],
        reduced: [20],
        died: "ERR_SONIC_WORKER_EXIT",
      });
      const { pid, ...how } = self;
      const args = ["works", name, "more"];
      assert.deepEqual(how, { script: at(name), args, options: [], isMain: true, isOther: true });
      const { stack, ...error } = failed;
      const expected = { name: "RangeError", message: "out of it", work: "fails", isOther: true };
      assert.deepEqual(error, expected);
      assert.match(stack, /^RangeError: out of it\n[^\n]*stages\.m?js[\s\S]*\n[^\n]*pool.file\.js/);
      assert.equal(stderr, "");
    });

    it(`counts only what the program calls: ${name}`, async () => {
      const { result } = await file("counts", name);
      const none = { handedOver: 0, answered: 0, bytesIn: 0, bytesOut: 0, tasks: 0, isBusy: false };
      assert.deepEqual(result.before, none);
      const all = { handedOver: 3, answered: 3, bytesIn: 6, bytesOut: 6, tasks: 3 };
      assert.deepEqual(result.after, all);
    });

    it(`tells its names whatever its workers run, and that costs none of their events: ${name}`, async () => {
      const { result } = await file("exclusive", name);
      assert.deepEqual(result, { isFirst: true });
    });

    it(`has its stages by name alone, and an unknown one names them: ${name}`, async () => {
      const { result } = await file("unknown", name);
      for (const { error } of Object.values(result)) {
        assert.equal(error.code, "ERR_SONIC_UNKNOWN_STAGE");
        assert.match(error.message, /it has .*\bdouble\b/);
        assert.doesNotMatch(error.message, /it has .*\blimit\b/);
      }
      assert.match(result.function.error.message, /by their names alone/);
    });

    for (const how of ["ends", "closes", "throws", "killed"]) {
      it(`has workers that end without a word: ${name}, ${how}`, async () => {
        const program = await run("pool/file.js", { args: [how, name] });
        assert.match(program.stdout, /^RESULT \[2,4,6\]\n$/, program.transcript);
        if (how === "throws") assert.match(program.stderr, /^[^\n]*\n[\s\S]*thrown by the master/);
        else assert.equal(program.stderr, "", program.transcript);
        assert.equal(program.stderr.match(/Warning|worker/gi), null, program.transcript);
        if (how === "throws" || how === "killed") return;
        assert.equal(program.code, 0, program.transcript);
        assert.deepEqual(program.alive, []);
        assert.deepEqual(program.log("exits.log"), Array(2).fill("0 null"));
      });
    }
  }

  it("has a function that is the module, or its default, as the stage `default`", async () => {
    assert.deepEqual((await file("defaults")).result, ["one 1", "default 2"]);
  });

  it("may have accessors, which are not called before the program names them", async () => {
    const { result } = await file("accessors");
    assert.deepEqual([result.before, result.lazy], [false, "lazy"]);
    assert.equal(result.broken.error.code, "ERR_SONIC_UNKNOWN_STAGE");
    assert.match(result.broken.error.message, /exports no function "broken"/);
  });

  it("is given by its path, from the current directory, or by its URL", async () => {
    const { answers, outcomes } = (await file("names")).result;
    assert.deepEqual(answers, Array(6).fill("one 1"));
    const [name, url, wrong, nothing, folder, number] = outcomes;
    for (const [code] of [name, url, wrong, number]) {
      assert.equal(code, "ERR_SONIC_INVALID_ARGUMENT");
    }
    assert.match(name[1], /a path that starts with \.\/ or \.\.\/.*got "one\.js"/);
    assert.match(url[1], /got "https:/);
    assert.match(wrong[1], /is not the URL of a file/);
    for (const [code, message] of [nothing, folder]) {
      assert.equal(code, "ERR_SONIC_WORKER_FILE");
      assert.match(message, /(does not exist|is not a file); a relative path starts at /);
    }
    assert.match(nothing[1], /nothing\.js/);
    assert.match(number[1], /got 7$/);
  });

  const REFUSED = {
    "none.js": /none\.js exports no function: its exported functions are the stages/,
    "throws.js": /throws\.js threw while it loaded: TypeError: not today/,
    "throws.mjs": /throws\.mjs threw while it loaded: TypeError: not today/,
    "typed.tsx": /typed\.tsx threw while it loaded: .*install tsx .* with npx tsx, a host with /,
    "never.mjs": /never\.mjs ended with code \d+ while it loaded: .* never settles/,
    "exits.js": /exits\.js ended with code 3 while it loaded: it calls process\.exit/,
    "pool.mjs":
      /threw while it loaded: Error: the pool at pool\.mjs:5:\d+ is made in a worker file/,
    "call.mjs":
      /threw while it loaded: Error: the call at call\.mjs:5:\d+ is made in a worker file/,
  };
  for (const [name, message] of Object.entries(REFUSED)) {
    it(`that cannot serve rejects the pool, and says why: ${name}`, async () => {
      const { error } = (await file("refuses", name)).result;
      assert.equal(error.code, "ERR_SONIC_WORKER_FILE");
      assert.match(error.message, message);
    });
  }

  const died = { died: "ERR_SONIC_WORKER_EXIT", waited: "waited" };

  it("that throws in a replacement is tried again there, and costs no other worker its events", async () => {
    const { result } = await file("breaks", "2");
    assert.deepEqual(result, { ...died, met: [0, 1], workers: 2, warnings: [] });
  });

  it("that throws three times in a replacement costs the pool that worker, and says why", async () => {
    const { warnings, ...rest } = (await file("breaks", "3")).result;
    assert.deepEqual(rest, { ...died, met: [], workers: 1 });
    const [[code, message]] = warnings;
    assert.equal(code, "SONIC_WORKER_GIVEN_UP");
    assert.match(message, /breaks\.js threw while it loaded: TypeError: not today$/);
  });

  it("works beside a pool of functions, whose workers run the program", async () => {
    const { result } = await run("pool/file.js", { args: ["beside"] });
    assert.deepEqual(result, ["one 1", 2]);
  });
});
