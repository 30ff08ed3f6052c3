"use strict";
// Bare `child_process.fork` with structured clone.

const { runForked } = require("../forked");

module.exports = {
  title: "fork, advanced",
  run: (job) => runForked(job, "advanced"),
};
