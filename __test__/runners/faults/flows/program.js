"use strict";
// The program of one cell of a flow: twelve events become 36 items, which move on to workers of another tag and are put together by
// their keys; one fault in one worker. argv: the cell, as JSON.
const cell = JSON.parse(process.argv[2]);
const { arm, isWorker } = require("../inject");

const injected = arm({ fault: cell.fault, moment: cell.strikes }, () => false);
injected.begin("at start");

const { MapReduce, Map, flow, isMaster } = require("../../../..");
const { log, outcome, report } = require("../../../support/program");
const { EVENTS, FATAL, FATAL_KEY, keyOf, partsOf } = require("./work");

injected.begin("handshake");
if (isWorker) log("processes.log", process.pid);

/** The fault, if it is to strike in this node. */
async function strikeIn(node) {
  if (cell.node !== node) return undefined;
  await injected.run();
  // What was raised where nobody waits for it comes now.
  await new Promise(setImmediate);
  return injected.response(node);
}

const work = flow((source) =>
  source
    .flatMap(
      async ({ data: { n } }) => {
        log("ran.log", `parts ${n}`);
        const parts = partsOf(n);
        if (n !== FATAL) return parts;
        const response = await strikeIn("parts");
        // It is read when the answer is half written.
        const rest = response && Object.getOwnPropertyDescriptor(response, "rest");
        if (rest !== undefined) Object.defineProperty(parts[2], "rest", rest);
        return parts;
      },
      { name: "parts", tags: ["a"] },
    )
    .map(
      async ({ data: { n, at } }) => {
        log("ran.log", `paired ${n} ${at}`);
        if (n === FATAL && at === 1) await strikeIn("paired");
        return [keyOf(n, at), n];
      },
      { name: "paired", tags: ["b"] },
    )
    .groupByKey(
      async ({ key, values }) => {
        const all = [...values];
        if (key === FATAL_KEY) await strikeIn("summed");
        return { key, count: all.length, sum: all.reduce((sum, n) => sum + n, 0) };
      },
      { name: "summed" },
    ),
);

const masterFn = async (queue) => {
  for (let n = 0; n < EVENTS; n++) await Map(queue, { data: { n } });
};

const reduceFn = (results, failed) => ({
  groups: results.getElements().map(({ response }) => response),
  failed: failed.getElements().map(({ node, data, error }) => ({ node, data, error })),
});

const options = {
  workers: [{ tags: ["a"] }, { tags: ["b"] }],
  serialization: cell.serialization,
  ...cell.limits,
  ...(cell.retries === "on" ? { retries: { limit: 1, on: ["crash", "timeout", "error"] } } : {}),
};

const call = MapReduce(masterFn, work, reduceFn, {}, options);
if (isMaster()) outcome(call).then(report);
else call.catch(() => {});
