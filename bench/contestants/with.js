"use strict";
// This package with one of its features (`with+trace`), in one call. It measures from the start of masterFn to the
// end of the call, without the start of the workers. None of these contestants warms up.

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { performance } = require("node:perf_hooks");
const { Map: send, MapReduce, isMaster, stream } = require("../ours");
const { FEATURES } = require("../features");
const { Tally } = require("../tally");
const { WORKLOADS } = require("../workloads");

async function run(job, feature) {
  const workload = WORKLOADS[job.workload];
  const tally = new Tally(workload, job.events);
  const workerFns = [({ data }) => workload.answer(data)];
  let began = 0;
  const masterFn = async (workerQueue) => {
    began = performance.now();
    for (let index = 0; index < job.events; index++) {
      await send(workerQueue, { data: workload.data(index) });
    }
  };
  const reduceFn = (results) => {
    while (!results.isEmpty()) tally.add(results.dequeue().response);
  };
  const args = { numWorkers: job.workers };
  if (!isMaster()) {
    await MapReduce(masterFn, workerFns, reduceFn, args);
    return undefined;
  }

  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-bench-"));
  try {
    const options = FEATURES[feature](folder);
    if ("order" in options) {
      for await (const { response } of stream(masterFn, workerFns, args, options)) {
        tally.add(response);
      }
    } else {
      await MapReduce(masterFn, workerFns, reduceFn, args, options);
    }
    const value = performance.now() - began;
    tally.check();
    return { value };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** @param {string} feature @returns {Omit<import(".").Contestant, "run">} */
const describe = (feature) => ({ title: `with ${feature}` });

module.exports = { describe, run };
