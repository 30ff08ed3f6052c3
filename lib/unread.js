"use strict";
// Results that were looked for too early and never again: the program's log says so at its end. Only a run that the
// program began by hand has queues while it is on.

const { Set } = require("./primordials");

/**
 * Those whose results were looked for in vain while they were on.
 * @type {Set<InstanceType<typeof import("./run").Run>>}
 */
const runs = new Set();

/** @param {InstanceType<typeof import("./run").Run>} run whose results were looked for in vain */
function missed(run) {
  if (runs.size === 0) process.on("exit", tell);
  runs.add(run);
}

/** @param {InstanceType<typeof import("./run").Run>} run some of whose results have been found since */
function found(run) {
  if (runs.delete(run) && runs.size === 0) process.removeListener("exit", tell);
}

/** @param {InstanceType<typeof import("./run").Run>} run whose workers have all ended: no more results come */
function over(run) {
  if (run.results.count() === 0) found(run);
}

function tell() {
  for (const run of runs) {
    const count = run.results.count();
    if (count === 0) continue;
    run.log(
      `Results were looked for while events still ran, and ${count} that came later were never ` +
        `read: await shutdown(${run.ids.length}) before reading them, or look again`,
    );
  }
}

module.exports = { found, missed, over };
