"use strict";
// The worker of piscina, which calls what a module exports. Between threads, an answer that its sender
// needs no more is moved, as piscina advises for binary data.

const { move } = require("piscina");
const job = require("../job");
const { serve } = require("../serve");
const { WORKLOADS } = require("../workloads");

/** What is sent to warm up is answered with a promise. */
const answerByMoving = (data) => {
  const answer = serve(data);
  return ArrayBuffer.isView(answer) ? move(answer) : answer;
};

module.exports = WORKLOADS[job.workload].binary ? answerByMoving : serve;
