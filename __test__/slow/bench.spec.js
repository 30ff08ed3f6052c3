"use strict";
/**
 * Promise: The benchmark gives the same work to every chosen pool, writes figures that a program can read, and says
 * what is wrong with its arguments. Speed itself is not promised.
 */
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { ROOT, Workspace } = require("../support/workspace");

const BENCH = path.join(ROOT, "bench", "run.js");

describe("npm run bench", () => {
  const out = new Workspace("bench");
  const bench = (...args) => runCommand(process.execPath, [BENCH, ...args, "--out", out.folder]);
  after(() => out.remove());

  it("measures the chosen workload with the chosen contestants", async () => {
    const choice = ["--only", "tiny", "--against", "fork", "--events", "1000", "--runs", "1"];
    const { code, stdout, output } = await bench(...choice);
    assert.strictEqual(code, 0, output);
    assert.match(stdout, /^tiny: .* \(1,000 events, 2 workers\)$/m);
    assert.match(stdout, /^bars:$/m);

    const report = JSON.parse(fs.readFileSync(out.path("results.json"), "utf8"));
    assert.strictEqual(report.node, process.versions.node);
    assert.ok(Date.parse(report.date) > 0, report.date);
    assert.strictEqual(report.versions.ours, require("../../package.json").version);
    assert.strictEqual(report.cases.length, 1);
    const [{ workload, workers, events, unit, results }] = report.cases;
    assert.deepStrictEqual({ workload, workers, events, unit }, TINY);
    assert.deepStrictEqual(
      results.map(({ contestant }) => contestant),
      ["ours", "fork"],
    );
    for (const { values, median, ratio } of results) {
      assert.strictEqual(values.length, 1);
      assert.ok(median > 0 && ratio > 0, output);
    }
    const [fast, ...others] = report.bars;
    assert.strictEqual(fast.measured, results[1].median / results[0].median);
    assert.ok(others.every(({ measured, met }) => measured === null && met === null));
  });

  it("names the workloads that there are when one is not known", async () => {
    const { code, stdout, stderr } = await bench("--only", "tiny,huge");
    assert.strictEqual(code, 1);
    assert.strictEqual(stdout, "");
    assert.match(stderr, /^bench: --only: unknown huge; known are tiny, .*object.*events$/m);
  });

  it("names the contestants that there are when one is not known", async () => {
    const { code, stderr } = await bench("--against", "spoon");
    assert.strictEqual(code, 1);
    assert.match(stderr, /^bench: --against: unknown spoon; known are original, fork.*$/m);
  });
});

const TINY = { workload: "tiny", workers: 2, events: 1000, unit: "ms" };
