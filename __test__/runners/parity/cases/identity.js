"use strict";
// COMPAT, "Identity, environment": who a process is, what cluster shows of the workers, messages both ways.

const section = "Identity";

module.exports = [
  { program: "identity-while-modules-load.js", section },
  { program: "cluster-workers-while-running.js", section },
  { program: "cluster-events.js", section },
  { program: "worker-events.js", section },
  { program: "worker-sees-its-release.js", section },
  { program: "cluster-worker-inside-a-worker.js", section },
  { program: "progress-counted-by-cluster-messages.js", section, log: "unordered" },
  { program: "process-messages-in-a-worker.js", section },
  { program: "messages-of-the-programs-own.js", section },
  {
    program: "messages-from-the-master-are-events.js",
    section,
    advises: /SONIC_MAP_WITHOUT_DATA|--trace-warnings/,
  },
  { program: "events-sent-to-a-chosen-worker.js", section, log: "unordered" },
];
