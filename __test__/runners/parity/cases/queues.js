"use strict";
// COMPAT, "Queues": the two result queues and workerQueue, read, changed and handed around; ids; order.

const section = "Queues";

module.exports = [
  { program: "queue-api.js", section },
  { program: "queue-arrays-are-live.js", section },
  { program: "queue-printed-and-stringified.js", section },
  { program: "queue-kept-after-the-run.js", section },
  { program: "worker-queue-read.js", section },
  { program: "worker-kept-out-of-the-queue.js", section, log: "unordered" },
  { program: "worker-given-back-to-the-queue.js", section },
  { program: "worker-enqueued-twice-runs-two-events-at-once.js", section },
  { program: "map-over-a-queue-of-sonic-core.js", section },
  { program: "ids-are-one-to-n.js", section, log: "unordered" },
  { program: "completion-order-is-submission-order-with-one-worker.js", section },
  { program: "results-are-in-completion-order.js", section, log: "unordered" },
  { program: "many-events-over-two-workers.js", section, log: "unordered" },
];
