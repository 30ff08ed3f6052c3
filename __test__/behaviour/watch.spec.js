"use strict";
/**
 * Promise: `node --watch` restarts a program when one of its files changes. Its workers are not watched: they exit
 * normally, and no message that Node sends to the watching process reaches the program.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { describe, it } = require("node:test");
const { start, FIXTURES, NODE } = require("../support/run");

const help = execFileSync(NODE, ["--help"], { encoding: "utf8" });
const SETS = [
  ["--watch"],
  ["--watch", "--watch-preserve-output"],
  ["--watch", "--watch-kill-signal", "SIGINT"],
];

describe("a program under node --watch", () => {
  for (const options of SETS) {
    const unknown = options.find(
      (option) => option.startsWith("-") && !new RegExp(`${option}\\b`).test(help),
    );
    const skip = unknown ? `this Node has no ${unknown}` : false;
    it(`runs again when a file changes, and its workers end well: ${options.join(" ")}`, {
      skip,
    }, async () => {
      const says = (word) => `module.exports = ${JSON.stringify(word)};\n`;
      const program = start(null, {
        nodeArgs: [...options, path.join(FIXTURES, "environment", "watched.js")],
        prepare(dir) {
          fs.writeFileSync(path.join(dir, "says.js"), says("first"));
          fs.writeFileSync(path.join(dir, "more.js"), "");
        },
      });
      for (const [word, next] of [["first", "second"], ["second"]]) {
        await program.until(() => program.read(`${word}.json`).endsWith("}"), `run with ${word}`);
        const expected = { response: [word, 1, "not watched", []], messages: [], ends: [0, 0] };
        assert.deepEqual(JSON.parse(program.read(`${word}.json`)), expected);
        if (next) fs.writeFileSync(path.join(program.dir, "says.js"), says(next));
      }
      process.kill(program.pid, "SIGTERM");
      const { stderr } = await program.ended;
      assert.equal(stderr.replace(/^.*(ExperimentalWarning|--trace-warnings).*$/gm, "").trim(), "");
    });
  }
});
