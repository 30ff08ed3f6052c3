"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const heard = [];
const plain = (text) =>
  text
    .replace(/^\S+Z: /, "<time>: ")
    .replace(/pid \d+/, `pid <${text.includes(process.pid) ? "own" : "other"}>`);
console.log = (...all) =>
  heard.push([
    all.length,
    ...all.map((text) => (typeof text === "string" ? plain(text) : typeof text)),
  ]);

const master = async (queue) => {
  await Map(queue, { data: "fail" });
  await Map(queue, { data: "tell" });
};
const stage = (event) => {
  if (event.data === "fail") throw new Error("as told");
  return heard;
};
const reduce = (results) => results.dequeue().response;

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then((inTheWorker) => {
  if (!isMaster()) return;
  process.on("exit", () => report({ inTheMaster: heard, inTheWorker }));
});
