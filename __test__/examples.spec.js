"use strict";
/**
 * What is promised: the example does its job on real files, each exactly once, and says what is wrong
 * with its arguments.
 */
const assert = require("node:assert");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { runCommand } = require("./support/command");
const { ROOT, Workspace } = require("./support/workspace");

const WORD_COUNT = path.join(ROOT, "examples", "word-count.js");

describe("examples/word-count.js", () => {
  const texts = new Workspace("texts");
  const count = (...args) => runCommand(process.execPath, [WORD_COUNT, ...args]);
  before(() => {
    texts.write("README.md", "A raccoon, a bag.\n");
    texts.write("deep/readme", "the bag; The lady’s BAG\n");
    texts.write("deep/other.md", "not a readme\n");
    texts.write("empty/notes.txt", "skeletons in the closet\n");
  });
  after(() => texts.remove());

  it("counts the words of every README in a folder", async () => {
    const { code, stdout, output } = await count("--workers", "2", texts.folder);
    assert.strictEqual(code, 0, output);
    assert.match(stdout, /^ +3 {2}bag$/m);
    assert.match(stdout, /^ +2 {2}the$/m);
    assert.match(stdout, /^ +1 {2}lady’s$/m);
    assert.match(stdout, /^9 words, 5 different, in 44 bytes$/m);
    assert.match(stdout, /^verified: each of the 2 files was counted exactly once$/m);
  });

  it("counts the words of a file that is named", async () => {
    const { code, stdout, output } = await count(texts.path("empty/notes.txt"));
    assert.strictEqual(code, 0, output);
    assert.match(stdout, /^verified: each of the 1 files was counted exactly once$/m);
  });

  it("counts the READMEs of all that is installed when nothing is named", async () => {
    const { code, stdout, output } = await count();
    assert.strictEqual(code, 0, output);
    const [, files] = /^(\d+) files, \d+ of \d+ workers/m.exec(stdout);
    assert.ok(Number(files) > 100, output);
    assert.match(stdout, new RegExp(`^verified: each of the ${files} files`, "m"));
  });

  it("says so when a path does not exist", async () => {
    const { code, stderr, stdout } = await count(texts.path("nowhere"));
    assert.strictEqual(code, 1);
    assert.strictEqual(stdout, "");
    assert.strictEqual(stderr, `word-count: there is no file or folder ${texts.path("nowhere")}\n`);
  });

  it("says so when a folder has no README", async () => {
    const { code, stderr } = await count(texts.path("empty"));
    assert.strictEqual(code, 1);
    assert.strictEqual(stderr, `word-count: no README in ${texts.path("empty")}\n`);
  });

  it("fails when a file cannot be read", async () => {
    const { code, stderr } = await count(texts.path("README.md"), "/proc/self/mem");
    assert.strictEqual(code, 1);
    assert.match(stderr, /^failed: \/proc\/self\/mem: /m);
    assert.match(stderr, /^counted 0 times: \/proc\/self\/mem$/m);
  });
});
