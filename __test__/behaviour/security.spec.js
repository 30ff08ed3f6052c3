"use strict";
/**
 * Promise: Only the program decides how a run works: nothing on Object.prototype does. Keys such as `__proto__` are
 * data. Only the started process sees its invitation. An answer that is not valid JSON fails its event and no other.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { NO_PROC } = require("../support/processes");
const { run } = require("../support/run");

const result = async (fixture, ...args) => {
  const program = await run(fixture, { args });
  assert.deepEqual(program.tmp, [], "files were left where everybody may write");
  return program.result;
};

describe("what is put on Object.prototype", () => {
  for (const when of ["early", "late"]) {
    it(`is no option, no setting and no variable: ${when}`, async () => {
      const { workers, forked, rows, failed } = await result("security/pollution.js", when);
      const row = (data) => [["id", "data", "response"], data, ["workerID"], [when], [], false];
      // None was replaced.
      assert.deepEqual([workers, forked, failed], [2, 2, [[3, "no"]]]);
      assert.deepEqual(rows, [row(0), row(1), row(2), row({ a: 1 })]);
    });
  }

  for (const when of ["early", "late"]) {
    it(`is no option of a pool and its calls: ${when}`, async () => {
      const { answers, emitted, workers, answered } = await result("security/pool.js", when);
      const told = (data) => [data, ["workerID"], 1, null];
      assert.deepEqual(answers, [told(1), told(2), told(3), told(3), told(4)]);
      assert.deepEqual([emitted, workers, answered], [[2, 1, 0], [2, [["a"], []]], 7]);
    });
  }

  it("is no option of a pool in the program's own process", async () => {
    const { answers, emitted, workers } = await result("security/pool.js", "late", "here");
    assert.deepEqual(
      answers.map(([data, , attempt]) => [data, attempt]),
      [1, 2, 3, 4].map((data) => [data, 1]),
    );
    assert.deepEqual(
      [emitted, workers],
      [
        [2, 1, 0],
        [1, [["a"]]],
      ],
    );
  });

  it("is no number of workers, but what a class of the program's says is", async () => {
    const { counts, processors } = await result("security/default.js");
    assert.deepEqual(counts, [processors, processors, 3]);
  });
});

describe("keys that objects are attacked with", () => {
  for (const serialization of ["json", "advanced"]) {
    it(`are data wherever they come: ${serialization}`, async () => {
      const { entries, evil, isClean } = await result("security/keys.js", serialization);
      assert.equal(entries.length, 6);
      for (const [text, isPlain, wasClean] of entries) {
        assert.ok(isPlain && wasClean, text);
        assert.ok(text.includes(evil), `${text} has not ${evil}`);
      }
      assert.ok(entries.some(([text]) => text.includes('"__proto__":{"polluted":8}')));
      assert.ok(isClean);
    });
  }
});

describe("what a worker joins with", { skip: NO_PROC }, () => {
  it("is not on its command line, not its program's, not its children's, and has no name", async () => {
    const { token, commandLine, environment, descriptors, mode, open, named } =
      await result("security/secrets.js");
    assert.match(token, /^[0-9a-f]{32}$/);
    assert.ok(
      commandLine.length > 1 && commandLine.every((argument) => !argument.includes(token)),
      `${commandLine}`,
    );
    assert.ok(open >= 4, `${open} sockets of the run's are listed`);
    assert.deepEqual(
      { environment, descriptors, named, mode },
      { environment: [], descriptors: [], named: [], mode: 0 },
    );
  });
});

describe("numbers that the core is given", () => {
  it("are not believed: they are errors, and close and end nothing", async () => {
    const { joined, isOpen, counts, spawned } = await result("security/numbers.js");
    assert.equal(joined.length, 7);
    for (const text of joined)
      assert.match(text, /^descriptor -?\d+ cannot be one that a worker was given$|^invalid value/);
    assert.ok(isOpen);
    assert.match(counts, /workers are not what they are said to be/);
    assert.deepEqual(spawned.slice(0, 2), [
      "the pool has no slot 1",
      "the pool has no slot 4294967295",
    ]);
    assert.match(spawned[2], /Bad file descriptor/);
  });
});

describe("an answer that makes no sense", () => {
  const garbage = [
    "{",
    "1,2",
    "1,2,3,4,5,6",
    "",
    "]",
    '"a\n',
    '1\n,2,3,"x"',
    "\0",
    "}{",
    "é",
    "1],[1,2,3,4",
  ];
  for (const how of ["", "long "]) {
    for (const watched of [false, true]) {
      it(`fails its event, and no other: ${how}${watched ? "watched" : "unwatched"}`, async () => {
        const data = garbage.flatMap((text, at) => [at, `${how}garbage ${text}`]);
        const args = [1, data.map((value) => ({ data: value })), watched].map((value) =>
          JSON.stringify(value),
        );
        const { results, failed } = await result("peer-job.js", ...args);
        const sound = results.filter((entry) => typeof entry.data === "number");
        assert.deepEqual(
          sound.map((entry) => [entry.id, entry.data, entry.response]),
          garbage.map((_, at) => [1, at, at * 2]),
        );
        assert.equal(results.length, sound.length);
        assert.equal(failed.length, garbage.length);
        for (const { id, error } of failed)
          assert.deepEqual([id, error.name, error.code], [1, "Error", "ERR_SONIC_PROTOCOL"]);
      });
    }
  }
});
