"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const first = (event) => {
  event.data.list.push("seen");
  event.data.stage = 1;
  delete event.data.secret;
  event.data.late = event.data.list;
  if (event.data.fail === "first") throw new Error("after the mutation");
  return event.data;
};
const second = (event) => {
  event.data.stage = 2;
  if (event.data.fail === "second") throw new Error("after both mutations");
  event.data = "reassigning is not mutating";
  return event.data;
};
const master = async (queue) => {
  const sent = { list: [], secret: 1 };
  for (const fail of ["", "first", "second"]) await Map(queue, { data: { ...sent, fail } });
  if (sent.list.length > 0) throw new Error("the master's own object was changed");
};

sonicDistribute(master, [first, second], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
