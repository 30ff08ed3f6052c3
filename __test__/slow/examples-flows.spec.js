"use strict";
/**
 * Promise: Each example with a flow does its job, with the result that a single process has, also when a worker is killed
 * while it runs, and says what is wrong with its arguments.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { killAt } = require("../support/kill-at");
const { ROOT, Workspace } = require("../support/workspace");

const EXAMPLES = path.join(ROOT, "examples");

/** Its files are nowhere any more. @param {string} folder */
const assertEmpty = (folder) => assert.deepEqual(fs.readdirSync(folder), []);

describe("examples/words.js", () => {
  const scratch = new Workspace("words");
  const WORDS = path.join(EXAMPLES, "words.js");
  const env = { TMPDIR: scratch.path("texts") };
  const spill = scratch.path("spill");
  const small = ["--workers", "2", "--spill", spill, "--size", "20", "--check"];
  const count = (...args) => runCommand(process.execPath, args, { env });
  before(() => {
    for (const folder of [env.TMPDIR, spill]) fs.mkdirSync(folder);
  });
  after(() => scratch.remove());

  const check = ({ code, stdout, output }) => {
    assert.equal(code, 0, output);
    assert.match(stdout, /^4178496 words, 99506 different$/m);
    assert.match(stdout, /^2 workers: [\d.]+ s, master \d+ MB at most$/m);
    assert.match(stdout, /^verified: both count the same, each word$/m);
    assertEmpty(spill);
  };

  it("counts the words of a text that it generates as one process does", async () => {
    check(await count(WORDS, ...small));
  });

  it("does so when events write more often than they end, and a worker dies", async () => {
    const kill = scratch.write("kill.js", killAt(3, scratch.path("died")));
    const often = ["--memory", "200000", "--chunk", "500000"];
    const outcome = await count("-r", kill, WORDS, ...small, ...often);
    assert.ok(fs.existsSync(scratch.path("died")), outcome.output);
    check(outcome);
  });

  it("counts the words of a file that is named", async () => {
    const text = scratch.write("text.txt", "to be,\tor not\n\nto sein à la être à");
    const { code, stdout, output } = await count(WORDS, "--workers", "2", "--check", text);
    assert.equal(code, 0, output);
    assert.match(stdout, /^ +2 {2}to\n +2 {2}à$/m);
    assert.match(stdout, /^10 words, 8 different$/m);
    assert.match(stdout, /^verified: both count the same, each word$/m);
  });

  it("says so when an argument is wrong, or there is no such file", async () => {
    const wrong = await count(WORDS, "--size", "large");
    assert.deepEqual(
      [wrong.code, wrong.stderr],
      [1, "words: --size needs a positive integer, got large\n"],
    );
    const none = await count(WORDS, scratch.path("nowhere"));
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^words: ENOENT.*nowhere/);
  });
});

describe("examples/page-rank.js", () => {
  const scratch = new Workspace("page-rank");
  const RANK = [path.join(EXAMPLES, "page-rank.js"), "--workers", "2", "--pages", "2000"];
  const rank = (...args) => runCommand(process.execPath, args);
  const pagesOf = (stdout) => stdout.match(/^\d+\.\d{4} % {2}page \d+$/gm);
  after(() => scratch.remove());

  it("finds the ranks that one process finds, and makes each link once", async () => {
    const { code, stdout, output } = await rank(...RANK, "--check");
    assert.equal(code, 0, output);
    assert.equal(pagesOf(stdout).length, 10);
    assert.match(stdout, /^2000 pages, \d+ iterations, 2 workers: /m);
    assert.match(stdout, /^verified: a single process finds the same ranks, to the last digit$/m);
    assert.match(stdout, /^verified: each chunk of links was made once$/m);
  });

  it("finds the same ones when a worker dies in the midst of it, and says that links were made again", async () => {
    const kill = scratch.write("kill.js", killAt(20, scratch.path("died")));
    const whole = await rank(...RANK);
    const { code, stdout, stderr, output } = await rank("-r", kill, ...RANK, "--check");
    assert.ok(fs.existsSync(scratch.path("died")), output);
    assert.deepEqual(pagesOf(stdout), pagesOf(whole.stdout));
    assert.match(stdout, /^verified: a single process finds the same ranks, to the last digit$/m);
    assert.match(stderr, /^page-rank: 16 chunks of links were made \d+ times$/m);
    assert.equal(code, 1);
  });

  it("says so when an argument is wrong", async () => {
    const { code, stderr } = await rank(RANK[0], "--pages", "0");
    assert.deepEqual([code, stderr], [1, "page-rank: --pages needs a positive integer\n"]);
  });
});

describe("examples/logs/flow.js", () => {
  const { generate } = require("../../examples/logs/generate");
  const scratch = new Workspace("logs-flow");
  const program = (name) => [path.join(EXAMPLES, "logs", name), "--workers", "2"];
  const analyse = (...args) => runCommand(process.execPath, args);
  after(() => scratch.remove());

  /** What both print, but for the times. */
  const resultOf = ({ code, stdout, output }) => {
    assert.equal(code, 0, output);
    assert.match(stdout, /^verified: both count the same$/m);
    return stdout.replace(/^(2 workers|one process): .*\n/gm, "");
  };

  it("prints what analyse.js prints, also when a worker dies", async () => {
    const log = scratch.path("made.log");
    generate(log, 25_000);
    const args = ["--range", "100000", "--check", log];
    const plain = resultOf(await analyse(...program("analyse.js"), ...args));
    assert.equal(resultOf(await analyse(...program("flow.js"), ...args)), plain);
    const kill = scratch.write("kill.js", killAt(5, scratch.path("died")));
    const killed = await analyse("-r", kill, ...program("flow.js"), ...args);
    assert.ok(fs.existsSync(scratch.path("died")), killed.output);
    assert.equal(resultOf(killed), plain);
  });

  it("counts odd names and lines, whatever its ranges", async () => {
    const log = scratch.write(
      "small.log",
      [
        '10.0.0.1 - - [15/Jan/2026:09:59:59 +0000] "GET /constructor HTTP/1.1" 200 100 "-" "curl/8" 10',
        '10.0.0.2 - - [15/Jan/2026:10:00:00 +0000] "GET /a?q=1 HTTP/1.1" 200 1000 "-" "curl/8" 20',
        "out of disk",
        '10.0.0.3 - - [15/Jan/2026:10:00:01 +0000] "POST /a HTTP/1.1" 500 - "-" "a" 3000',
        '10.0.0.3 - - [01/Feb/2026:00:00:01 +0000] "GET /__proto__ HTTP/1.1" 404 7 "-" "curl/8" 30',
      ].join("\n"),
    );
    for (const range of ["1", "150", "1000000"]) {
      const result = resultOf(
        await analyse(...program("flow.js"), "--range", range, "--check", log),
      );
      assert.match(result, /^5 requests, 1 malformed lines, 1107 bytes sent$/m);
      assert.match(result, /^ +2 {2}\/a\n +1 {2}\/__proto__\n +1 {2}\/constructor$/m);
    }
  });

  it("says so when there is no such log", async () => {
    const { code, stderr } = await analyse(...program("flow.js"), scratch.path("nowhere.log"));
    assert.equal(code, 1);
    assert.match(stderr, /^flow: ENOENT.*nowhere\.log/);
  });
});
