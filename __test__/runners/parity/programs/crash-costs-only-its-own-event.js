"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const cluster = require("cluster");
const { report, record, recorded, note } = require("./support");

const EVENTS = 400;
const fatal = new Set([37, 200, 333]);
if (isMaster())
  cluster.on("exit", (worker, _code, signal) =>
    note("cluster", `worker ${worker.id} ended by ${signal}`),
  );
const master = async (queue) => {
  for (let data = 0; data < EVENTS; data += 1) await Map(queue, { data });
};
const stage = (event) => {
  record("ran", event.data);
  if (fatal.has(event.data)) process.kill(process.pid, "SIGKILL");
  return { answer: event.data };
};
const reduce = (results, failed) => {
  const ran = recorded("ran");
  const ids = new Set(results.getElements().map((entry) => entry.id));
  const answers = new Set(results.getElements().map((entry) => entry.response.answer));
  const failures = failed
    .getElements()
    .map((entry) => entry.data)
    .sort((a, b) => a - b);
  return {
    ids: [...ids].sort(),
    answers: answers.size,
    failures,
    ran: ran.length,
    distinct: new Set(ran).size,
  };
};

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (outcome) => isMaster() && report(outcome),
);
