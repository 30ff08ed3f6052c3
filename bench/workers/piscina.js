"use strict";
// The worker of piscina, which calls the exported function. Binary answers are moved to the other thread, not
// copied, as piscina advises.

const { move } = require("piscina");
const job = require("../job");
const { serve } = require("../serve");
const { WORKLOADS } = require("../workloads");

/** The answer to the warm-up message is a promise. */
const answerByMoving = (data) => {
  const answer = serve(data);
  return ArrayBuffer.isView(answer) ? move(answer) : answer;
};

module.exports = WORKLOADS[job.workload].binary ? answerByMoving : serve;
