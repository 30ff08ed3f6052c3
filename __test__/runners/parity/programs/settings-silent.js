"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, until } = require("./support");

if (isMaster()) (cluster.setupPrimary || cluster.setupMaster)({ silent: true });
const heard = { stdout: "", stderr: "" };
const master = async (queue) => {
  for (const name of ["stdout", "stderr"]) {
    cluster.workers[1].process[name].on("data", (chunk) => (heard[name] += chunk));
  }
  await Map(queue, { data: 1 });
  await until(() => heard.stdout.includes("out") && heard.stderr.includes("err"));
};
const stage = () => {
  process.stdout.write("out\n");
  process.stderr.write("err\n");
  return "done";
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then((outcome) => {
  if (isMaster())
    report({ outcome, out: heard.stdout.endsWith("out\n"), err: heard.stderr.endsWith("err\n") });
});
