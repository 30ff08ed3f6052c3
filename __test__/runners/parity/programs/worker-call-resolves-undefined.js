"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, note } = require("./support");

let afterTheCall = false;
(async () => {
  const value = await sonicDistribute(
    (queue) => Map(queue, { data: "first" }),
    [() => ({ afterTheCall })],
    both,
    { numWorkers: 1 },
  );
  afterTheCall = true;
  if (isMaster()) report(value);
  else note("worker", `got ${value}`);
})();
