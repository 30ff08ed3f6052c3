"use strict";
/**
 * Promise: A program that replaces globals before or during a call (fake timers, a mocked file system, another Promise)
 * gets the same results as without. Log lines have the real time.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { describe, it } = require("node:test");
const { run } = require("../../support/run");
const { ROOT } = require("../../support/workspace");

const OURS = [
  "timers",
  "process.nextTick",
  "queueMicrotask",
  "Promise",
  "Buffer",
  "Date",
  "Date.now",
  "JSON",
  "JSON.stringify",
  "performance",
  "collections",
  "prototypes",
  "fs functions",
];
const TOOLS = ["@sinonjs/fake-timers", "node:test", "mock-fs"];

const SAMPLE = [
  1,
  "two",
  { three: [3] },
  [4],
  "f\u00fcnf",
  "x".repeat(20000),
  null,
  "nothing",
  { date: "1970-01-01T00:00:00.000Z" },
];

describe("a program that replaces", () => {
  for (const what of [...OURS, ...TOOLS]) {
    for (const when of ["before", "during"]) {
      it(`gets the same results: ${what}, ${when} the call`, async (test) => {
        const { missing, ...result } = (await run("globals/replaced.js", { args: [what, when] }))
          .result;
        if (missing) return test.skip(missing);
        const { sample, ...rest } = result;
        assert.deepEqual(
          sample,
          SAMPLE.map((value) => [value]),
        );
        assert.deepEqual(rest, {
          count: SAMPLE.length + 3000,
          failed: [["RangeError", "as asked"]],
          shown: SAMPLE.length + 3001,
          streamed: [[1], [2], [3]],
          byHand: [[5], [6], [7]],
        });
      });
    }
  }
});

describe("log lines", () => {
  it("have the real time where the program has stopped the clock", async () => {
    const began = Date.now();
    const program = await run("globals/log-lines.js", { env: { QUIET: undefined } });
    assert.equal(program.result, 1);
    const times = program.lines
      .map((line) => /^(\d{4}-\S+Z): (MASTER|WORKER-1): /.exec(line))
      .filter(Boolean);
    assert.ok(
      times.some(([, , name]) => name === "WORKER-1") && times.length > 5,
      program.transcript,
    );
    for (const [line, time] of times)
      assert.ok(Date.parse(time) >= began && Date.parse(time) <= Date.now(), line);
  });
});

describe("lib/", () => {
  it("takes what programs replace from lib/shared/primordials.js, its functions too", () => {
    // Bare globals are biome's business.
    const filesIn = (folder) => fs.readdirSync(folder).map((name) => path.join(folder, name));
    for (const name of filesIn(path.join(ROOT, "lib"))
      .flatMap(filesIn)
      .filter((name) => name.endsWith(".js") && !name.endsWith("primordials.js"))) {
      const text = fs.readFileSync(name, "utf8").replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, "");
      assert.doesNotMatch(text, /process\.(nextTick|hrtime)\b|\bfs\.\w+\(|require\("fs"\)\./, name);
    }
  });
});
