"use strict";
const cluster = require("cluster");
const fs = require("fs");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, until } = require("./support");

if (isMaster())
  (cluster.setupPrimary || cluster.setupMaster)({ stdio: ["ignore", "inherit", "pipe", "ipc"] });
let heard = "";
const master = async (queue) => {
  const { stdin, stdout, stderr } = cluster.workers[1].process;
  report([stdin, stdout, typeof stderr]);
  stderr.on("data", (chunk) => (heard += chunk));
  await Map(queue, { data: 1 });
  await until(() => heard.includes("into the pipe"));
};
const stage = () => {
  console.log("NOTE worker to the inherited stdout");
  console.error("into the pipe");
  return { stdin: fs.readFileSync(0, "utf8") };
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report({ outcome, heard }),
);
