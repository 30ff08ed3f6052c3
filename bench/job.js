"use strict";
// The job of this process and its workers. run.js passes it in the environment, which every kind of worker
// inherits.
//
// { workload, workers, events, cold, spinsPerMs }: `cold` means that no worker has answered before the clock
// starts.

module.exports = JSON.parse(process.env.BENCH_JOB);
