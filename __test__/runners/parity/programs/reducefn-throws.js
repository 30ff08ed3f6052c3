"use strict";
const { sonicDistribute, Map } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const mine = new Error("the reducer's");
const reduce = () => {
  throw mine;
};

sonicDistribute((queue) => Map(queue, { data: 1 }), [(event) => event.data], reduce, {
  numWorkers: 2,
}).catch((error) => {
  report({ caught: error.message, same: error === mine });
});
