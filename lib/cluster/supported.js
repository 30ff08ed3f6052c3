"use strict";
// What works over a cluster: everything else rejects at once, so that no option is left out in silence.

const { coded } = require("../shared/errors");
const { Set } = require("../shared/primordials");

/** The options of calls, pools and runs that do what they say; `args` and the last ones are those of a pool's calls. */
const OPTIONS = new Set([
  ...["name", "numWorkers", "cluster", "concurrency", "serialization", "taskTimeout", "retries"],
  ...["signal", "onError", "maxTasksPerWorker", "maxWorkerMemory", "shutdownGrace", "abortGrace"],
  ...["heartbeatTimeout", "onResult", "order", "maxResultsWaiting", "maxQueue", "errors"],
  ...["workers", "tags", "key", "spread", "priority", "weight"],
  ...["flow", "entryTags", "chains", "spillDir", "sharedSpill"],
  ...["maxEventsPerWorker", "maxBytesWaiting", "args", "settled", "classes", "total"],
  ...["statistics", "onStats", "trace", "report", "progress", "label", "onProgress", "dashboard"],
]);

/** @param {string} what */
const notYet = (what) =>
  coded(
    Error,
    "ERR_SONIC_CLUSTER",
    `${what} does not work over a cluster yet: leave it out, or run on one machine, without the option cluster and SONIC_CLUSTER`,
  );

/** Throws if there is an option that would be left out. @param {any} options @param {string} where as the error has it */
function checkSupported(options, where) {
  for (const name of Object.keys(options)) {
    const value = options[name];
    if (value === undefined || value === false || OPTIONS.has(name)) continue;
    throw notYet(`${where} ${name}`);
  }
}

module.exports = { checkSupported, notYet };
