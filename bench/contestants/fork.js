"use strict";
// Bare `child_process.fork` with JSON messages, its default: what the others are compared with.

const { runForked } = require("../forked");
const { WORKLOADS } = require("../workloads");

module.exports = {
  title: "fork",
  refuses: ({ workload }) =>
    WORKLOADS[workload].binary ? "sends JSON, which has no Buffers" : undefined,
  run: (job) => runForked(job, "json"),
};
