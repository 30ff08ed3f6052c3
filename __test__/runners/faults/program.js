"use strict";
// The program of one cell: twelve events, two workers, one fault in one worker. The last two events wait for each other,
// which takes two workers that work. argv: the cell, as JSON.
const { fault, moment, serialization, retries, limits, expected } = JSON.parse(process.argv[2]);
const { arm, isWorker } = require("./inject");

const EVENTS = 12;
const FATAL = 5;
const injected = arm({ fault, moment }, ({ n }) => n === FATAL);
injected.begin("at start");

const fs = require("fs");
const { MapReduce, Map, isMaster } = require("../../..");
const { log, mark, marked, outcome, report, seen, until } = require("../../support/program");

injected.begin("handshake");
if (isWorker) log("processes.log", process.pid);

const stage = async ({ data: { n } }) => {
  log("ran.log", n);
  const response = n === FATAL ? await strike() : n;
  if (expected.meets && n >= EVENTS - 2) await meet(n);
  log("done.log", n);
  return response;
};

async function strike() {
  await injected.run();
  injected.idle();
  // What was raised where nobody waits for it comes now.
  await new Promise(setImmediate);
  return injected.response(FATAL);
}

function meet(n) {
  mark(`met-${n}`);
  return Promise.all([EVENTS - 2, EVENTS - 1].map((other) => seen(`met-${other}`)));
}

const count = (file) => (marked(file) ? fs.readFileSync(file, "utf8").split("\n").length - 1 : 0);

const masterFn = async (queue) => {
  const send = async (from, to) => {
    for (let n = from; n < to; n++) await Map(queue, { data: { n } });
  };
  await send(0, FATAL + 1);
  if (moment === "idle") {
    await until(() => count("done.log") === FATAL + 1);
    mark("all-answered");
  }
  if (moment !== "shutdown") await seen("struck");
  await send(FATAL + 1, EVENTS - 3);
  await until(() => count("processes.log") >= expected.processes);
  await send(EVENTS - 3, EVENTS);
};

const reduceFn = (results, failed) => ({
  answered: results.getElements().map(({ data, response }) => [data.n, response.n ?? response]),
  failed: failed.getElements().map(({ data, error }) => [data.n, error]),
});

const options = {
  numWorkers: 2,
  serialization,
  ...limits,
  ...(retries === "on" ? { retries: { limit: 1, on: ["crash", "timeout", "error"] } } : {}),
};

const call = MapReduce(masterFn, [stage], reduceFn, {}, options);
if (isMaster()) outcome(call).then(report);
else call.catch(() => {});
