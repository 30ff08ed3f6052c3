"use strict";
const { Queue, sonicDistribute, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const mine = new Queue();
mine.enqueue("a");
mine.elements.push("b");
const seen = [
  mine.dequeue(),
  mine.isEmpty(),
  [...mine.getElements()],
  mine.dequeue(),
  mine.dequeue(),
  mine.isEmpty(),
];
const reduce = (results, failed) => [results instanceof Queue, failed instanceof Queue];
sonicDistribute((queue) => report(queue instanceof Queue), [() => 1], reduce, {
  numWorkers: 1,
}).then((are) => isMaster() && report({ seen, are }));
