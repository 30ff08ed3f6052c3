"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const given = { 0: 0, "-1": -1, 1.5: 1.5, NaN: NaN, string: "2", null: null }[process.argv[2]];
const outcome = sonicDistribute((queue) => Map(queue, { data: 1 }), [() => 1], both, {
  numWorkers: given,
});
if (isMaster()) {
  outcome.then(report, (error) => {
    const says = [error.message.includes("numWorkers"), error.message.includes(String(given))];
    report({ typeOrRange: error instanceof TypeError || error instanceof RangeError, says });
  });
}
