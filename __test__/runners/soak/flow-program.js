"use strict";
// What the soak's program does with a flow: events become items, those move on to workers of another tag, are results there, and are
// gathered by their keys. A worker writes down what it starts, by one system call each: `S <n>` and `S <n> <at>`.
const fs = require("node:fs");
const path = require("node:path");
const { MapReduce, Map, flow, isMaster } = require("../../..");
const { itemOf, sourceOf } = require("./flow-loads");

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** The text is that of the error. */
function does(what, text) {
  if (what === "exit") process.exit(3);
  if (what === "kill") process.kill(process.pid, "SIGKILL");
  if (what === "throw") throw new Error(`${text} throws`);
}

/** @param {string} seed @param {any} load see `flowOf` @param {string} folder of the run */
function graphOf(seed, load, folder) {
  let file;
  const log = (line) => {
    if (file === undefined) file = fs.openSync(path.join(folder, `${process.pid}.log`), "a");
    fs.writeSync(file, `S ${line}\n`);
  };
  const { maxWaiting, memory } = load;
  return flow((source) => {
    const moved = source
      .flatMap(
        async function* parts({ data: n }) {
          log(n);
          const event = sourceOf(seed, load, n);
          // What it has put out by then must not count.
          for (let at = 0; at < event.items; at++) yield { n, at };
          await sleep(event.milliseconds);
          does(event.does, `event ${n}`);
        },
        { name: "parts", tags: ["a"] },
      )
      .map(
        async ({ data: { n, at } }) => {
          log(`${n} ${at}`);
          const item = itemOf(seed, load, n, at);
          await sleep(item.milliseconds);
          does(item.does, `item ${n} ${at}`);
          return [item.key, { n, at }];
        },
        { name: "moved", tags: ["b"], maxWaiting },
      );
    const gather = ({ key, values }) => ({ key, items: [...values] });
    return { moved, gathered: moved.groupByKey(gather, { name: "gathered", memory }) };
  });
}

/** @param {string} seed @param {any} load @param {string} folder of the run */
async function runFlow(seed, load, folder) {
  if (isMaster()) fs.mkdirSync(folder);
  const { groups, serialization, retries, count } = load;
  const on = ["crash", "timeout", "error"];
  /** @type {any} */
  const options = {
    workers: groups,
    serialization,
    ...(retries > 0 ? { retries: { limit: retries, on } } : {}),
  };
  const masterFn = async (queue) => {
    for (let n = 0; n < count; n++) await Map(queue, { data: n });
  };
  const reduceFn = (results, failed) => ({
    results: results.getElements().map(({ sink, response }) => ({ sink, response })),
    failed: failed.getElements().map(({ node, data, error }) => ({ node, data, error })),
  });
  let outcome;
  try {
    outcome = await MapReduce(masterFn, graphOf(seed, load, folder), reduceFn, {}, options);
  } catch (error) {
    outcome = { rejected: `${error.stack}` };
  }
  if (!isMaster()) return;
  fs.writeFileSync(path.join(folder, "outcome.json"), JSON.stringify(outcome));
  console.log(`FLOW ${load.name}`);
}

module.exports = { runFlow };
