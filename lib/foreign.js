"use strict";
// A call in a worker that this copy of the package did not start. 1.0.3 silently does nothing there; here it is said why,
// except where that is as it should be.

const { isAnothers } = require("./copies");
const { checkForeignWorker } = require("./host");
const { variable } = require("./own");

let warned = false;

/** Passes by a call that this process can neither make nor serve. */
function passForeign() {
  // It serves a call of that copy, and other workers serve this one.
  if (isAnothers()) return;
  checkForeignWorker();
  if (warned) return;
  warned = true;
  const [whose, way] = isOfPm2()
    ? ["PM2 in cluster mode", "Run the program in a process of its own (PM2: exec_mode fork)"]
    : [
        "started by cluster.fork(), and not by a call of this package",
        "Make the call in the process that forks, or in a program that child_process.fork() starts",
      ];
  console.error(
    `@tiemma/sonic-distribute: this process is a worker of another cluster (${whose}), so it is not a ` +
      `master and MapReduce does nothing here. ${way}.`,
  );
}

/** PM2 tells the programs that it starts who they are. */
const isOfPm2 = () => variable("pm_id") !== undefined && variable("PM2_HOME") !== undefined;

module.exports = { passForeign };
