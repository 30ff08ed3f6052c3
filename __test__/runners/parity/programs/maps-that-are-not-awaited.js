"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

// 1.0.3's Map looks for a free worker every Math.random() * 50 ms, its end of run for a full queue every second: this
// makes the one that loses always the same one.
Math.random = () => 30;
const master = (queue) => {
  for (let data = 1; data <= 5; data += 1) Map(queue, { data });
};
const reduce = (results) => results.getElements().map((entry) => entry.response);

sonicDistribute(master, [(event) => event.data], reduce, { numWorkers: 1 }).then((responses) => {
  if (!isMaster()) return;
  report(responses);
  process.exit(0); // the Maps 1.0.3 has lost would now spin for ever
});
