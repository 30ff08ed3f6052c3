"use strict";
// COMPAT, "Exports": every name, the low-level functions by hand.
const assert = require("assert");

const section = "Exports";
const ADDED = {
  MapReduce: "function",
  createPool: "function",
  connectPool: "function",
  stage: "function",
  flow: "function",
  stream: "function",
  lastRun: "function",
  locks: "object",
  sync: "object",
  Queue: "function",
};
const TYPES = {
  sonicDistribute: "function",
  Map: "function",
  isMaster: "function",
  getWorkerName: "function",
  getWorkerID: "function",
  configureWorkers: "function",
  initMaster: "function",
  initWorkers: "function",
  shutdown: "function",
  getLogger: "function",
  Delay: "function",
  clusterEvents: "object",
  NUM_CPUS: "number",
};
const VALUES = {
  clusterEvents: { MESSAGE: "message", DISCONNECT: "disconnect" },
  cpus: true,
  again: true,
};
const exporting = (types) => (results) => assert.deepStrictEqual(results, [types, VALUES]);

module.exports = [
  {
    program: "exports.js",
    section,
    original: { end: "exit 0", results: exporting(TYPES) },
    ours: { end: "exit 0", results: exporting({ ...TYPES, ...ADDED }) },
  },
  { program: "small-exports-work.js", section },
  {
    program: "name-the-readme-documents.js",
    section,
    original: { end: "exit 1", said: /TypeError: MapReduce is not a function/ },
    ours: {
      end: "exit 0",
      results: [{ results: [{ id: 1, data: 20, response: 21 }], failed: [] }],
    },
  },
  {
    program: "queue-can-be-imported.js",
    section,
    original: { end: "exit 1", said: /TypeError: Queue is not a constructor/ },
    ours: {
      end: "exit 0",
      results: [true, { seen: ["a", false, ["b"], "b", "<undefined>", true], are: [true, true] }],
    },
  },
  { program: "esm-named-imports.mjs", section },
  { program: "low-level-functions-composed-by-hand.js", section },
  { program: "low-level-results-read-while-running.js", section },
  { program: "configure-workers-composed-by-hand.js", section, log: "unordered" },
  { program: "get-worker-id-waits-for-a-free-worker.js", section },
  { program: "shutdown-by-hand-with-nobody-there.js", section },
];
