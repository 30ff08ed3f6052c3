"use strict";
// The program of the chaos run: workers write down each event as it starts and ends, as the soak's checker reads it.
const { appendFileSync } = require("fs");
const path = require("path");
const { MapReduce, Map: send, isMaster } = require("../../..");

const { CLUSTER, LOGS } = process.env;
const EVENTS = Number(process.env.EVENTS);
const TIME = Number(process.env.TIME);
const RETRIES = Number(process.env.RETRIES);
const cell = new Int32Array(new SharedArrayBuffer(4));
const log = path.join(LOGS, String(process.pid));
const textOf = (n) => "x".repeat(n % 1000);

if (!isMaster()) appendFileSync(log, "");

function work({ data: { n, text } }) {
  const started = Date.now();
  appendFileSync(log, `S ${n} ${started}\n`);
  Atomics.wait(cell, 0, 0, TIME);
  appendFileSync(log, `F ${n} ${Date.now()}\n`);
  return { pid: process.pid, started, text };
}

async function masterFn(queue) {
  for (let n = 0; n < EVENTS; n++) await send(queue, { data: { n, text: textOf(n) } });
}

const reduceFn = (results, failures) => ({
  answered: results.getElements().map(({ data: { n }, response: { pid, started, text } }) => {
    return { n, pid, started, isWhole: text === textOf(n) };
  }),
  failed: failures.getElements().map(({ data: { n }, error: { message, code, pid, attempts } }) => {
    return { n, error: { message, code, pid, attempts } };
  }),
});

/** @type {any} */
const options = {
  numWorkers: 0,
  cluster: JSON.parse(CLUSTER),
  retries: RETRIES === 0 ? undefined : { limit: RETRIES, on: ["crash", "host"] },
};
const call = MapReduce(masterFn, [work], reduceFn, {}, options);
if (isMaster()) {
  call
    .catch(({ stack }) => ({ rejected: stack }))
    .then((outcome) => process.stdout.write(`RESULT ${JSON.stringify(outcome)}\n`));
}
