"use strict";
const assert = require("assert");
const { sonicDistribute, Map, isMaster, getWorkerName } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

describe(`a run in ${getWorkerName()}`, () => {
  it("maps and reduces", async () => {
    const outcome = await sonicDistribute(
      (queue) => Map(queue, { data: 2 }),
      [(event) => event.data + 1],
      both,
      { numWorkers: 1 },
    );
    if (!isMaster()) return;
    report(outcome);
    assert.strictEqual(outcome.results[0].response, 3);
  });
});
