// Counts the words of the files that are named on the command line, on all processors.
//
//   node map-reduce.js README.md …

const { readFileSync } = require("fs");
const { isMaster, Map: send, MapReduce } = require("@tiemma/sonic-distribute");

// In the master: one event for each file. `await` keeps it from running ahead of the workers.
const masterFn = async (workerQueue, { files }) => {
  for (const file of files) await send(workerQueue, { data: file });
};

// In a worker, for every event. What it returns is the response.
const countWords = ({ data: file }) =>
  readFileSync(file, "utf8").split(/\s+/).filter(Boolean).length;

// In the master, when every event is answered.
const reduceFn = (results, failed) => {
  let words = 0;
  while (!results.isEmpty()) words += results.dequeue().response;
  while (!failed.isEmpty()) {
    const { data, error } = failed.dequeue();
    console.error(`${data}: ${error.message}`);
  }
  return words;
};

// The workers run this program too, from its first line on: what only the master is to do belongs into
// `if (isMaster())`.
const files = process.argv.length > 2 ? process.argv.slice(2) : [__filename];

MapReduce(masterFn, [countWords], reduceFn, { files }).then((words) => {
  if (isMaster()) console.log(`${words} words`);
});
