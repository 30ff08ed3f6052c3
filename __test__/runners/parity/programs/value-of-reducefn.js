"use strict";
const { sonicDistribute, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const value = { list: [1], self: () => 1 };
const reduces = {
  sync: () => value,
  async: async () => value,
  thenable: () => ({ then: (resolve) => resolve(value) }),
  nothing: () => undefined,
  falsy: () => 0,
};

const which = process.argv[2];
sonicDistribute(() => {}, [() => 1], reduces[which], { numWorkers: 1 }).then(
  (got) => isMaster() && report({ which, got, same: got === value }),
);
