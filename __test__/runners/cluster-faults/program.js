"use strict";
/**
 * The program of a cell: its events are numbers. Workers note their processes, and each event that begins, in files, by the host.
 * Reports what became of the events.
 */
const { appendFileSync, existsSync } = require("fs");
const { MapReduce, Map: send, isMaster } = require("../../..");

const { CLUSTER, RAN, PIDS, HOST, GATE } = process.env;
const EVENTS = Number(process.env.EVENTS);
const TIME = Number(process.env.TIME);
const retries = process.env.RETRIES === undefined ? undefined : JSON.parse(process.env.RETRIES);
const cell = new Int32Array(new SharedArrayBuffer(4));

if (!isMaster()) appendFileSync(PIDS, `${HOST} ${process.pid}\n`);

function work({ data }) {
  appendFileSync(RAN, `${HOST} ${data}\n`);
  while (!existsSync(GATE)) Atomics.wait(cell, 0, 0, 5);
  Atomics.wait(cell, 0, 0, TIME);
  return { double: data * 2 };
}

async function masterFn(queue) {
  for (let data = 0; data < EVENTS; data++) await send(queue, { data });
}

const reduceFn = (results, failures) => ({
  answered: results.getElements().map(({ data, response }) => [data, response.double]),
  failed: failures.getElements().map(({ data, error }) => [data, error.code]),
});

const options = { numWorkers: 0, cluster: JSON.parse(CLUSTER), retries };
const call = MapReduce(masterFn, [work], reduceFn, {}, options);
if (isMaster()) {
  call.then(
    (value) => process.stdout.write(`RESULT ${JSON.stringify(value)}\n`),
    ({ message, code }) =>
      process.stdout.write(`RESULT ${JSON.stringify({ error: { message, code } })}\n`),
  );
}
