"use strict";
/**
 * The program of a cell: its events are numbers, which go through a function or a flow, as WORK says. Workers note their processes, and
 * each event that begins, in files, by the host. Reports what became of the events.
 */
const { appendFileSync, existsSync } = require("fs");
const { MapReduce, Map: send, flow, isMaster } = require("../../..");

const { CLUSTER, RAN, PIDS, HOST, GATE, WORK } = process.env;
const EVENTS = Number(process.env.EVENTS);
const TIME = Number(process.env.TIME);
const retries = process.env.RETRIES === undefined ? undefined : JSON.parse(process.env.RETRIES);

/** Characters of an item. */
const LARGE = 2000;

/** Milliseconds that none takes. */
const LONG = 600_000;

const cell = new Int32Array(new SharedArrayBuffer(4));

if (!isMaster()) appendFileSync(PIDS, `${HOST} ${process.pid}\n`);

function work({ data }) {
  appendFileSync(RAN, `${HOST} ${data}\n`);
  while (!existsSync(GATE)) Atomics.wait(cell, 0, 0, 5);
  Atomics.wait(cell, 0, 0, TIME);
  return { double: data * 2 };
}

/** Items so large that a host keeps some for the second node, which is not fused with the first one. */
const hops = flow((source) =>
  source
    .map(({ data }) => ({ number: data, text: "x".repeat(LARGE) }), { name: "large" })
    .map(
      ({ data: { number, text } }) => ({ number, ...work({ data: number }), length: text.length }),
      { name: "work", taskTimeout: LONG },
    ),
);

async function masterFn(queue) {
  for (let data = 0; data < EVENTS; data++) await send(queue, { data });
}

const numberOf = (data) => data.number ?? data;

const reduceFn = (results, failures) => ({
  answered: results.getElements().map(({ data = NaN, response }) => {
    const { number = data, double, length = LARGE } = response;
    return [number, length === LARGE ? double : NaN];
  }),
  failed: failures.getElements().map(({ data, error }) => [numberOf(data), error.code]),
});

const options = { numWorkers: 0, cluster: JSON.parse(CLUSTER), retries };
const call = MapReduce(masterFn, WORK === "a flow" ? hops : [work], reduceFn, {}, options);
if (isMaster()) {
  call.then(
    (value) => process.stdout.write(`RESULT ${JSON.stringify(value)}\n`),
    ({ message, code }) =>
      process.stdout.write(`RESULT ${JSON.stringify({ error: { message, code } })}\n`),
  );
}
