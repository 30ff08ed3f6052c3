"use strict";
// Bare `child_process.fork` with structured clones.

const { runForked } = require("../forked");

module.exports = {
  title: "fork, advanced",
  run: (job) => runForked(job, "advanced"),
};
