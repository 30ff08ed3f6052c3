"use strict";
/**
 * Promised: what the documentation shows does what it says. Each block of JavaScript or TypeScript in README.md and docs/ is a
 * whole program, or a part that the text names: it is run where the package is installed, and what it prints must be what the
 * block of text behind it shows, if there is one.
 *
 * A block is told what it is by the word behind its language: `js part` is not run; `js file=NAME` is only written, for the
 * blocks behind it in the same document; `ts` is run by a Node that strips types, `mjs` as an ES module.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, describe, it } = require("node:test");

const { runCommand } = require("./support/command");
const { nodeOfLine } = require("./support/node-lines");
const { ROOT, Workspace } = require("./support/workspace");

const DOCUMENTS = ["README.md", ...fs.readdirSync(path.join(ROOT, "docs")).map((name) => `docs/${name}`)];

/** @returns {{ language: string, words: string[], code: string, shows: string | undefined, line: number }[]} */
function blocksOf(text) {
  const blocks = [];
  const all = [...text.matchAll(/^```(\S*) ?(.*)\n([\s\S]*?)^```$\n*(?=(^```text\n([\s\S]*?)^```$)?)/gm)];
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
    after(() => project.remove());

    for (const { language, words, code, shows, line } of blocksOf(fs.readFileSync(path.join(ROOT, document), "utf8"))) {
      const file = words.map((word) => /^file=(.+)$/.exec(word)).find(Boolean);
      if (file) project.write(file[1], code);
      if (file || words.includes("part")) continue;
      it(`does what its program in line ${line} says`, async () => {
        project.write(`program-${line}.${language}`, code);
        const node = language === "ts" ? await nodeOfLine(24) : process.execPath;
        const end = await runCommand(node, [`program-${line}.${language}`], { cwd: project.folder, env: { QUIET: "1" } });
        assert.equal(end.code, 0, end.output);
        assert.equal(end.stderr, "");
        if (shows !== undefined) assert.equal(end.stdout, shows);
      });
    }
  });
}
