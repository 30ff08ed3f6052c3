"use strict";
const cluster = require("cluster");
const { isMaster, getWorkerName } = require("@tiemma/sonic-distribute");

const { isWorker, isPrimary, worker } = cluster;
module.exports = {
  isMaster: isMaster(),
  name: getWorkerName(),
  isWorker,
  isPrimary,
  id: worker ? worker.id : "none",
};
module.exports.channel = [typeof process.send, process.connected];
