"use strict";
const { createHash } = require("crypto");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const SIZE = 3 * 1024 * 1024;
const texts = { ascii: "a", latin: "é", wide: "漢\u2028", pair: "😀", quotes: '"\\\n' };
const hash = (text) => [text.length, createHash("sha1").update(text, "utf16le").digest("hex")];
const master = async (queue) => {
  for (const unit of Object.values(texts))
    await Map(queue, { data: unit.repeat(SIZE / unit.length) });
  await Map(queue, { data: { deep: [Object.values(texts).join("").repeat(1000)] } });
};
const stage = (event) => (typeof event.data === "string" ? `<${event.data}>` : event.data);
const reduce = (results) =>
  results
    .getElements()
    .map(({ data, response }) => [data, response].map((value) => hash(JSON.stringify(value))));

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (hashes) => isMaster() && report(hashes),
);
