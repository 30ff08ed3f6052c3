"use strict";
// COMPAT, "Identity, environment": cluster's settings, what workers inherit, sockets, TypeScript, test runners.
const assert = require("assert");

const section = "Environment";
const answered = (data, response) => [{ results: [{ id: 1, data, response }], failed: [] }];
const TYPED = { program: "typed-program.ts", section };

/** Runners that run tests in something else than the process they were started as: 1.0.3's run never ends there. */
const underRunner = (name, runner, extension) => ({
  program: `under-${name}${extension}`,
  section,
  runner,
  needsNode: 20,
  original: { end: "hang", said: /Running Map reduce/ },
  ours: {
    end: "exit 0",
    results([{ rejected }]) {
      assert.match(rejected, new RegExp(name, "i"));
      assert.match(rejected, /setupPrimary/);
    },
  },
});

module.exports = [
  { program: "settings-exec-and-args.js", section },
  { program: "settings-cwd.js", section },
  { program: "settings-silent.js", section },
  { program: "settings-stdio.js", section },
  { program: "settings-serialization.js", section },
  {
    program: "settings-exec-argv.js", // 1.0.3 overwrites what the program has set
    section,
    original: { end: "exit 0", results: answered("undefined", "undefined") },
    ours: { end: "exit 0", results: answered("undefined", "function") },
  },
  {
    program: "exec-argv-is-inherited.js",
    section,
    nodeArgs: ["--expose-gc"],
    original: { end: "exit 0", results: answered("function", "undefined") },
    ours: { end: "exit 0", results: answered("function", "function") },
  },
  { program: "stdio-is-inherited.js", section, stdin: "what the user types\n" },
  { program: "listen-in-a-worker.js", section },
  { program: "listen-on-a-taken-port.js", section },
  {
    program: "listen-on-one-port-in-two-workers.js",
    section,
    original: { end: "exit 0", results: [["listens: true", "listens: true"]] },
    ours: { end: "exit 0", results: [["listens: true", "EADDRINUSE"]] },
  },
  {
    program: "handles-passed-between-processes.js",
    section,
    args: ["from the worker"],
    original: { end: "exit 0", results: [["sent"]] },
    ours: { end: "exit 0", results: [["error"]] },
  },
  {
    program: "handles-passed-between-processes.js",
    section,
    args: ["from the master"],
    original: { end: "exit 0", results: ["sent", ["nothing", "nothing"]] },
    ours: { end: "exit 0", results: ["error", ["nothing"]] },
  },
  {
    program: "worker-of-somebody-elses-cluster.js",
    section,
    original: { end: "exit 0", results: [{ isMaster: false, value: "undefined" }] },
    ours: {
      end: "exit 0",
      results: [{ isMaster: false, value: "undefined" }],
      said: /^[^\n]*worker of another cluster[^\n]*$/, // one line, and nothing else
    },
  },
  {
    ...TYPED,
    nodeArgs: ["-r", "tsconfig-paths/register", "-r", "ts-node/register"],
    args: ["with ts-node"],
  },
  { ...TYPED, nodeArgs: ["-r", "tsx/cjs"], args: ["with tsx"] },
  { program: "ts-file-required-by-a-plain-worker.js", section },
  { program: "path-alias-required-by-a-plain-worker.js", section },
  // The runners' own lines carry durations, and come from master and worker alike.
  {
    program: "under-mocha.js",
    section,
    runner: ["node_modules/mocha/bin/mocha", "--timeout=30000", "programs/under-mocha.js"],
    log: "any",
  },
  { program: "under-node-test.js", section, log: "any", needsNode: 18 },
  underRunner(
    "jest",
    [
      "node_modules/jest/bin/jest.js",
      "--rootDir=.",
      "--cacheDirectory=.jest",
      "--testMatch=**/under-jest.js",
    ],
    ".js",
  ),
  underRunner(
    "vitest",
    ["node_modules/vitest/vitest.mjs", "run", "--root=.", "programs/under-vitest.test.mjs"],
    ".test.mjs",
  ),
];
