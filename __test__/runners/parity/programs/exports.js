"use strict";
const os = require("os");
const api = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const types = {};
for (const name of Object.keys(api)) types[name] = typeof api[name];
report(types);
report({
  clusterEvents: api.clusterEvents,
  cpus: api.NUM_CPUS === os.cpus().length,
  again: require("@tiemma/sonic-distribute") === api,
});
