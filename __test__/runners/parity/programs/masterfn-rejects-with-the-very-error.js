"use strict";
const { sonicDistribute, Map } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const thrown = {
  error: Object.assign(new Error("mine"), { code: "E_MINE" }),
  string: "a string",
  undefined: undefined,
}[process.argv[2]];
const master = async (queue) => {
  await Map(queue, { data: 1 });
  throw thrown;
};

// Not answered before the program has ended: whether that is logged first would be a matter of time.
const slow = (event) => new Promise((resolve) => setTimeout(() => resolve(event.data), 500));

sonicDistribute(master, [slow], () => report("reduced"), { numWorkers: 1 }).catch((caught) => {
  report({ caught, same: caught === thrown });
  process.exit(0); // 1.0.3 leaves its workers behind
});
