"use strict";
// What this process and its workers are to do: run.js puts it into the environment, which every kind
// of worker inherits.
//
// { workload, workers, events, cold, spinsPerMs }: `cold` means that nobody has answered yet when the
// clock starts.

module.exports = JSON.parse(process.env.BENCH_JOB);
