// Counts the words of the files that are named on the command line, on all processors.
//
//   node map-reduce.ts README.md …

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  isMaster,
  Map as send,
  type MasterFn,
  MapReduce,
  type ReduceFn,
  type WorkerFn,
} from "@tiemma/sonic-distribute";

type Args = { files: string[] };

// In the master: one event for each file. `await` keeps it from running ahead of the workers.
const masterFn: MasterFn<Args> = async (workerQueue, { files }) => {
  for (const file of files) await send(workerQueue, { data: file });
};

// In a worker, for every event. What it returns is the response.
const countWords: WorkerFn<Args, string, number> = ({ data: file }) =>
  readFileSync(file, "utf8").split(/\s+/).filter(Boolean).length;

// In the master, when every event is answered.
const reduceFn: ReduceFn<string, number, number> = (results, failed) => {
  let words = 0;
  while (!results.isEmpty()) words += results.dequeue().response;
  while (!failed.isEmpty()) {
    const { data, error } = failed.dequeue();
    console.error(`${data}: ${error?.message}`);
  }
  return words;
};

// The workers run this program too, from its first line on: what only the master is to do belongs into
// `if (isMaster())`.
const files = process.argv.length > 2 ? process.argv.slice(2) : [fileURLToPath(import.meta.url)];

const words = await MapReduce<Args, string, number, number>(masterFn, [countWords], reduceFn, {
  files,
});
if (isMaster()) console.log(`${words} words`);
