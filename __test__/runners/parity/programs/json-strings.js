"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const strings = [
  "",
  "plain",
  "\ud800",
  "a\udc00b",
  "\u2028\u2029",
  "😀 é ü ß",
  "\0\u0001\u001f\u007f",
  "\n\r\t",
  '"\\/',
  "ÿ",
  "\ufeffBOM",
];
strings.push("null", "[1]", '{"id":9,"response":1}', "NODE_", " x ");
const codes = (text) => Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
const echoing = process.argv[2] === "echo";
if (echoing) strings.shift(); // 1.0.3 loses a response that is ""
const master = async (queue) => {
  for (const data of strings) await Map(queue, { data });
  await Map(queue, { data: strings });
  await Map(queue, { data: Object.fromEntries(strings.map((key, at) => [key, at])) });
};
const stage = (event) => ({
  same: event.data,
  codes: typeof event.data === "string" && codes(event.data),
});
const echo = (event) => event.data;

sonicDistribute(master, echoing ? [echo] : [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
