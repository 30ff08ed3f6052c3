"use strict";
/**
 * Promise: The documentation does what it shows. Each block of JavaScript or TypeScript in README.md and docs/ is a
 * whole program, or a part that the text marks: it runs where the package is installed, and must print what the block
 * of text after it shows, if there is one.
 *
 * Words after the language say what a block is: `js part` does not run; `js file=NAME` is only written, for later
 * blocks of the same document; `ts` runs on a Node that strips types, `mjs` as an ES module; `js run=NAME` is a test
 * file for that runner.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runCommand } = require("../support/command");
const { nodeOfLine } = require("../support/node-lines");
const { MODULES, ROOT, Workspace } = require("../support/workspace");

const DOCUMENTS = [
  "README.md",
  ...fs.readdirSync(path.join(ROOT, "docs")).map((name) => `docs/${name}`),
];

/** How each runner is started for one file. */
const RUNNERS = {
  mocha: (file) => [path.join(MODULES, "mocha/bin/mocha"), file],
  "node:test": (file) => ["--test", file],
  jest: (file, folder) => [
    path.join(MODULES, "jest/bin/jest.js"),
    "--watchman=false",
    "--config",
    JSON.stringify({ rootDir: folder }),
    "--cacheDirectory",
    path.join(folder, "cache"),
    "--runTestsByPath",
    file,
  ],
  vitest: (file) => [path.join(MODULES, "vitest/vitest.mjs"), "run", file],
};

/** @returns {{ language: string, words: string[], code: string, shows: string | undefined, line: number }[]} */
function blocksOf(text) {
  const blocks = [];
  const all = [
    ...text.matchAll(/^```(\S*) ?(.*)\n([\s\S]*?)^```$\n*(?=(^```text\n([\s\S]*?)^```$)?)/gm),
  ];
  for (const { 1: language, 2: words, 3: code, 5: shows, index } of all) {
    const line = text.slice(0, index).split("\n").length;
    blocks.push({ language, words: words.split(" ").filter(Boolean), code, shows, line });
  }
  return blocks.filter(({ language }) => ["js", "mjs", "ts"].includes(language));
}

for (const document of DOCUMENTS) {
  describe(document, () => {
    const project = new Workspace("docs");
    const home = project.path("node_modules/@tiemma");
    fs.mkdirSync(home, { recursive: true });
    fs.symlinkSync(ROOT, path.join(home, "sonic-distribute"));
    project.link("vitest");
    after(() => project.remove());

    for (const { language, words, code, shows, line } of blocksOf(
      fs.readFileSync(path.join(ROOT, document), "utf8"),
    )) {
      const word = (name) =>
        words.map((each) => each.split("=")).find(([key]) => key === name)?.[1];
      const [file, runner] = [word("file"), word("run")];
      if (file) project.write(file, code);
      if (file || words.includes("part")) continue;
      if (runner) {
        it(`passes, the test of ${runner} in line ${line}`, async () => {
          const test = path.basename(project.write(`part-${line}.test.${language}`, code));
          const env = { QUIET: "1", NO_COLOR: "1" };
          const end = await runCommand(process.execPath, RUNNERS[runner](test, project.folder), {
            cwd: project.folder,
            env,
          });
          assert.equal(end.code, 0, end.output);
          assert.match(end.output, /\b(1 passing|pass 1|1 passed)\b/);
        });
        continue;
      }
      it(`does what its program in line ${line} says`, async () => {
        project.write(`program-${line}.${language}`, code);
        const node = language === "ts" ? await nodeOfLine(24) : process.execPath;
        const end = await runCommand(node, [`program-${line}.${language}`], {
          cwd: project.folder,
          env: { QUIET: "1" },
        });
        assert.equal(end.code, 0, end.output);
        assert.equal(end.stderr, "");
        if (shows !== undefined) assert.equal(end.stdout, shows);
      });
    }
  });
}

describe("the recipe for an event that needs another one's answer", () => {
  const project = new Workspace("recipe");
  after(() => project.remove());

  it("ends and says why when the worker dies that was to answer", async () => {
    project.installOurs();
    const text = fs.readFileSync(path.join(ROOT, "docs/cookbook.md"), "utf8");
    const [, recipe] = text.split("## An event that needs another one's answer\n");
    project.write("program.js", blocksOf(recipe)[0].code);
    const args = [
      "--require",
      path.join(__dirname, "..", "fixtures/crash/killed-in-event.js"),
      "program.js",
    ];
    const end = await runCommand(process.execPath, args, {
      cwd: project.folder,
      env: { QUIET: "1" },
    });
    assert.match(end.stderr, /^the first event failed: .*SIGKILL/m);
    assert.equal(end.code, 1);
    assert.equal(end.stdout, "");
  });
});
