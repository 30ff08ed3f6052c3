"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

class Own extends RangeError {}
const thrown = {
  error: () => new Error("an error"),
  own: () => Object.assign(new Own("a class of its own"), { code: "E_OWN", name: "Own" }),
  string: () => "a string",
  object: () => ({ an: "object" }),
  number: () => 42,
  array: () => [1, 2],
  false: () => false,
  null: () => null,
  undefined: () => undefined,
  regexp: () => /re/,
};
const master = async (queue) => {
  for (const data of Object.keys(thrown)) await Map(queue, { data });
};
const stage = (event) => {
  throw thrown[event.data]();
};
const rejecting = (event) => Promise.reject(thrown[event.data]());

sonicDistribute(master, [process.argv[2] === "thrown" ? stage : rejecting], both, {
  numWorkers: 1,
}).then((outcome) => isMaster() && report(outcome));
