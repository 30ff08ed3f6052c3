"use strict";
// The work of a worker, for every contestant: it answers events, and replies with its name to the warm-up
// message.

const { threadId } = require("node:worker_threads");
const job = require("./job");
const { WARM_UP } = require("./warm-up");
const { WORKLOADS, serving } = require("./workloads");

/** Long enough that one worker cannot take all warm-up messages. */
const WARM_UP_MS = 10;

const answer = serving(WORKLOADS[job.workload], job.spinsPerMs);

/** @returns {any} the answer; a promise only for the warm-up */
function serve(data) {
  return data === WARM_UP ? introduce() : answer(data);
}

/** @returns {Promise<string>} */
async function introduce() {
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  return `${process.pid}:${threadId}`;
}

module.exports = { introduce, serve };
