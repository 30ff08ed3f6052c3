"use strict";
// Counts the words of all sources in a folder, on all hosts of a broker:
//
//   SONIC_CLUSTER=redis://broker:6379 node examples/cluster/job.js FOLDER
//
// and on each other machine, which has the same folder:
//
//   npx sonic-distribute host --cluster redis://broker:6379 examples/cluster/job.js FOLDER
const path = require("path");
const { MapReduce, Map: send, isMaster } = require("../..");
const { countWords, filesIn } = require("./count");

const folder = path.resolve(process.argv[2] || ".");

async function masterFn(queue) {
  for (const file of filesIn(folder)) await send(queue, { data: path.relative(folder, file) });
}

const countFile = ({ data }) => countWords(path.join(folder, data)).words;

function reduceFn(results, failed) {
  const entries = results.getElements();
  return {
    files: new Set(entries.map(({ data }) => data)).size,
    counted: entries.length,
    words: entries.reduce((sum, { response }) => sum + response, 0),
    failed: failed.getElements().length,
    workers: new Set(entries.map(({ id }) => id)).size,
  };
}

const result = MapReduce(
  masterFn,
  [countFile],
  reduceFn,
  {},
  {
    // This process only coordinates: leave that out, and its own machine takes part.
    numWorkers: 0,
    // A file is counted again if its host was lost while it may have been counted there.
    retries: { limit: 3, on: ["host", "crash"] },
    cluster: { url: process.env.SONIC_CLUSTER || "redis://127.0.0.1:6379", lease: 5000 },
  },
);
if (isMaster()) {
  result.then(
    (counted) => console.log(JSON.stringify(counted)),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
