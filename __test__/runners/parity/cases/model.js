"use strict";
// COMPAT, "Model": what the call does in each role, when Map resolves, what a pipeline's stages are given.
const assert = require("assert");

const section = "Model";
/** Ours may hand a few tiny events over in advance; "must not have sent thousands more" is the promise. */
const MOST_AHEAD = 1000;

module.exports = [
  { program: "worker-call-resolves-undefined.js", section },
  { program: "each-role-reads-its-own-arguments.js", section },
  { program: "map-resolves-at-hand-over.js", section },
  { program: "map-is-pending-while-no-worker-is-free.js", section },
  { program: "map-never-runs-ahead.js", section },
  { program: "maps-awaited-all-together.js", section, log: "unordered" },
  {
    program: "map-never-runs-far-ahead-of-tiny-events.js",
    section,
    env: { QUIET: "1" },
    // How far ahead is the only difference the contract leaves open; it is bounded instead of compared.
    loosely: (results) => results.map(({ allAnswered }) => allAnswered),
    check: ({ results }) =>
      assert.ok(results[0].ahead < MOST_AHEAD, `ran ${results[0].ahead} events ahead`),
  },
  // How many events fit in 400 ms is chance, so the log is off.
  { program: "timers-of-the-master-run-between-maps.js", section, env: { QUIET: "1" } },
  { program: "pipeline-mixes-sync-and-async.js", section },
  { program: "pipeline-args-are-a-fresh-copy-per-stage.js", section },
  { program: "pipeline-without-stages-answers-the-data.js", section },
  { program: "event-data-mutated-in-place-shows-in-the-queues.js", section },
  {
    program: "events-that-are-not-objects-with-data.js",
    section,
    advises: /SONIC_MAP_WITHOUT_DATA|--trace-warnings/,
  },
  { program: "map-of-undefined-rejects.js", section },
  { program: "workers-rerun-the-program-as-it-is-now.js", section, args: ["one", "two words"] },
  { program: "closures-stay-in-their-process.js", section },
  { program: "one-event-at-a-time-runs-in-a-worker.js", section, log: "unordered" },
  { program: "events-that-wait-for-each-other.js", section, log: "unordered" },
  { program: "quick-events-pass-a-long-one.js", section, log: "unordered" },
  // How many events it takes is chance, so the log is off.
  { program: "timers-of-a-worker-run-between-events.js", section, env: { QUIET: "1" } },
  { program: "call-reached-late.js", section },
  { program: "no-events-at-all.js", section },
  { program: "what-masterfn-and-reducefn-are-given.js", section },
  { program: "value-of-reducefn.js", section, args: ["sync"] },
  { program: "value-of-reducefn.js", section, args: ["async"] },
  { program: "value-of-reducefn.js", section, args: ["thenable"] },
  { program: "value-of-reducefn.js", section, args: ["nothing"] },
  { program: "value-of-reducefn.js", section, args: ["falsy"] },
];
