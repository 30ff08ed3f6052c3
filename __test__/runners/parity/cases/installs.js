"use strict";
// COMPAT: projects without ts-node and tslib, and programs without a script.
const assert = require("assert");
const fs = require("fs");
const path = require("path");

const section = "Where 1.0.3 hangs or crashes";
const text = fs.readFileSync(
  path.join(__dirname, "../programs/program-without-a-script.js"),
  "utf8",
);
const ours = {
  end: "exit 0",
  results: [{ results: [{ id: 1, data: 20, response: 21 }], failed: [] }],
};

module.exports = [
  {
    program: "plain-npm-install.js",
    section,
    args: ["without tslib"],
    layouts: { original: "plain-original", ours: "plain-ours" },
    original: { end: "exit 1", said: /Cannot find module 'tslib'/ },
    ours,
  },
  {
    program: "plain-npm-install.js",
    section,
    args: ["without ts-node"],
    layouts: { original: "tslib-original", ours: "plain-ours" },
    original: { end: "hang", said: /Cannot find module 'tsconfig-paths\/register'/ },
    ours,
  },
  {
    program: "plain-npm-install.js", // 1.0.3 needs none, and is compared only as the program's proof
    section,
    args: ["without a binary"],
    layouts: { ours: "binaryless-ours" },
    original: ours,
    ours: { end: "exit 1", said: [/linux|darwin|win32/, /npm|install|build/] },
  },
  {
    program: "program-without-a-script.js",
    section: "Identity, environment",
    runner: ["-e", text],
    original: {
      end: "exit 0",
      results: ([{ rejected }]) => assert.match(rejected, /"modulePath" argument must be/),
    },
    ours: {
      end: "exit 0",
      results([{ rejected }]) {
        assert.match(rejected, /script|-e/);
        assert.doesNotMatch(rejected, /modulePath/);
      },
    },
  },
];
