"use strict";
// What a worker of any contestant does with what it is sent: it answers events, and it says who it is
// when it is asked to warm up.

const { threadId } = require("node:worker_threads");
const job = require("./job");
const { WARM_UP } = require("./warm-up");
const { WORKLOADS, serving } = require("./workloads");

/** Long enough for one worker not to take all of them. */
const WARM_UP_MS = 10;

const answer = serving(WORKLOADS[job.workload], job.spinsPerMs);

/** @returns {any} The answer; a promise only while warming up. */
function serve(data) {
  return data === WARM_UP ? introduce() : answer(data);
}

/** @returns {Promise<string>} */
async function introduce() {
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  return `${process.pid}:${threadId}`;
}

module.exports = { introduce, serve };
