"use strict";
// COMPAT, "Exit": how master and workers end, and in which order.

const section = "Exit";
const RUNNING = /NOTE worker runs/;

module.exports = [
  { program: "exit-code-of-the-program.js", section, end: "exit 3" },
  { program: "process-exit-while-an-event-runs.js", section, end: "exit 5" },
  {
    program: "endless-loop-when-the-master-exits.js",
    section,
    original: { end: "exit 0", results: ["leaving"], survivors: 1 },
    ours: { end: "exit 0", results: ["leaving"], survivors: 0 },
  },
  { program: "master-lives-until-its-workers-have-drained.js", section },
  { program: "released-worker-drains-without-its-master.js", section, end: "exit 4" },
  { program: "masterfn-rejects-with-the-very-error.js", section, args: ["error"] },
  { program: "masterfn-rejects-with-the-very-error.js", section, args: ["string"] },
  { program: "masterfn-rejects-with-the-very-error.js", section, args: ["undefined"] },
  {
    program: "interrupted.js",
    section,
    end: "SIGINT",
    interrupt: { when: RUNNING, signal: "SIGINT", whom: "group" },
    args: ["by Ctrl-C"],
  },
  {
    program: "interrupted.js",
    section,
    end: "SIGTERM",
    interrupt: { when: RUNNING, signal: "SIGTERM", whom: "master" },
    args: ["by SIGTERM"],
  },
  {
    program: "interrupted.js",
    section,
    end: "SIGKILL",
    interrupt: { when: RUNNING, signal: "SIGKILL", whom: "master" },
    args: ["by SIGKILL"],
  },
];
