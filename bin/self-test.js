"use strict";
// The run of `doctor`: two workers and 100 events, one of which fails and one of which ends its worker.

process.env.QUIET = "1";

const { isMaster, Map: send, MapReduce } = require("..");

const EVENTS = 100;
const THROWS = 10;
const EXITS = 20;

/** @type {import("..").MasterFn} */
async function masterFn(workerQueue) {
  for (let data = 0; data < EVENTS; data++) await send(workerQueue, { data });
}

/** @type {import("..").WorkerFn} */
function workerFn({ data }) {
  if (data === THROWS) throw new Error("this is expected");
  if (data === EXITS) process.exit(1);
  return data;
}

/** @type {import("..").ReduceFn} */
function reduceFn(results, failed) {
  const answered = results.getElements().map((/** @type {any} */ { response }) => response);
  const failures = failed.getElements().map((/** @type {any} */ { data }) => data);
  const sorted = [answered, failures].map((all) =>
    all.sort((/** @type {number} */ a, /** @type {number} */ b) => a - b),
  );
  return JSON.stringify(sorted);
}

const all = Array.from({ length: EVENTS }, (_, at) => at);
const lost = [THROWS, EXITS];
const expected = JSON.stringify([all.filter((at) => !lost.includes(at)), lost]);

MapReduce(masterFn, [workerFn], reduceFn, { numWorkers: 2 }).then((outcome) => {
  if (!isMaster()) return;
  if (outcome === expected) return;
  console.error(`unexpected results: ${outcome}`);
  process.exitCode = 1;
});
