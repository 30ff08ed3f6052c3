"use strict";
// Random events, one worker. argv: the file that lists them. Copied into a project that has one of the two versions.
const fs = require("fs");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { both, report } = require("../programs/support");
const { valueOf } = require("./values");

const events = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));

/** With one worker events come in order. */
let next = 0;

const stage = (event) => {
  const { does, isAsync, value, change } = events[next++];
  const work = () => {
    if (change !== null) mutate(event.data, change);
    if (does === "throw") throw valueOf(value);
    return does === "echo" ? event.data : valueOf(value);
  };
  if (!isAsync) return work();
  return new Promise((done) => setImmediate(done)).then(work);
};

/** Changes an object or an array in place; other data has nothing to change. */
function mutate(data, { how, key, value }) {
  if (data === null || typeof data !== "object") return;
  const keys = Object.keys(data);
  if (how === "delete" && keys.length > 0) delete data[keys[key.length % keys.length]];
  else if (Array.isArray(data)) data.push(valueOf(value));
  else data[key] = valueOf(value);
}

const sent = [];
const masterFn = async (queue) => {
  for (const { event } of events) {
    await Map(queue, valueOf(event)).then(
      () => sent.push("taken"),
      () => sent.push("rejected"),
    );
  }
};

sonicDistribute(masterFn, [stage], (...queues) => both(...queues), { numWorkers: 1 }).then(
  (queues) => {
    if (isMaster()) report({ sent, ...queues });
  },
);
