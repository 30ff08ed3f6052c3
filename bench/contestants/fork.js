"use strict";
// Bare `child_process.fork` with JSON messages, its default. The base of the comparison.

const { runForked } = require("../forked");
const { WORKLOADS } = require("../workloads");

module.exports = {
  title: "fork",
  refuses: ({ workload }) =>
    WORKLOADS[workload].binary ? "sends JSON, which cannot encode Buffers" : undefined,
  run: (job) => runForked(job, "json"),
};
