"use strict";
// The program of the soak: rounds of runs, the last ones beside a flow, each with a pool after them, until it is told to stop. Each worker
// writes down which event starts and ends, by one system call each; the master writes down what each event came to. Between rounds, when no worker is left, it waits for
// a line on its standard input. argv: the seed, the first round, and the folder for all that is written down.
const fs = require("fs");
const path = require("path");
const { MapReduce, Map, isMaster } = require("../../..");
const { childrenOf } = require("./children");
const { eventOf, groupsOf, numberOf, sumOf } = require("./loads");
const { flowOf } = require("./flow-loads");
const { runFlow } = require("./flow-program");
const { poolOf } = require("./pool-loads");
const { runPool } = require("./pool-program");

const [seed, first, folder] = process.argv.slice(2);
const cell = new Int32Array(new SharedArrayBuffer(4));
const block = (milliseconds) => milliseconds > 0 && Atomics.wait(cell, 0, 0, milliseconds);
const time = () => Number(process.hrtime.bigint() / 1000n);

/** A worker's log of a run; made with the first line. */
function logOf(name) {
  let file;
  return (line) => {
    if (file === undefined) file = fs.openSync(path.join(folder, name, `${process.pid}.log`), "a");
    fs.writeSync(file, `${line}\n`);
  };
}

/** The process is stopped, or the thread loops; and goes on so if somebody lets it continue. */
function hang(n) {
  if (n % 2 === 0) process.kill(process.pid, "SIGSTOP");
  for (;;);
}

function stageOf(run) {
  const log = logOf(run.name);
  return ({ data }) => {
    const n = numberOf(data);
    const started = time();
    log(`S ${n} ${started}`);
    const { does, isAsync, milliseconds } = eventOf(seed, run, n);
    const end = () => {
      if (does === "exit") process.exit(n % 100);
      if (does === "hang") hang(n);
      if (does === "kill") {
        process.kill(process.pid, "SIGKILL");
        block(60_000);
      }
      const finished = time();
      log(`F ${n} ${finished}`);
      if (does === "throw") throw new Error(`event ${n} throws`);
      return { pid: process.pid, started, sum: sumOf(data) };
    };
    if (isAsync) return new Promise((done) => setTimeout(done, milliseconds)).then(end);
    block(milliseconds);
    return end();
  };
}

const masterFnOf = (run) => async (queue) => {
  const maps = [];
  for (let n = 0; n < run.count; n++) {
    const map = Map(queue, { data: eventOf(seed, run, n).data });
    if (run.awaits) await map;
    else maps.push(map);
  }
  await Promise.all(maps);
};

const reduceFn = (results, failed) => ({
  answered: results.getElements().map(({ data, response: { pid, started, sum } }) => ({
    n: numberOf(data),
    pid,
    started,
    isWhole: sum === sumOf(data),
  })),
  failed: failed.getElements().map(({ data, error }) => ({ n: numberOf(data), error })),
});

async function runOnce(run) {
  if (isMaster()) fs.mkdirSync(path.join(folder, run.name));
  const { numWorkers, serialization, retries, taskTimeout } = run;
  const on = ["crash", "timeout", "error"];
  /** @type {any} */
  const options = {
    numWorkers,
    serialization,
    taskTimeout,
    ...(retries > 0 ? { retries: { limit: retries, on } } : {}),
  };
  let outcome;
  try {
    outcome = await MapReduce(masterFnOf(run), [stageOf(run)], reduceFn, {}, options);
  } catch (error) {
    outcome = { rejected: `${error.stack}` };
  }
  if (!isMaster()) return;
  fs.writeFileSync(path.join(folder, run.name, "outcome.json"), JSON.stringify(outcome));
  console.log(`RUN ${run.name}`);
}

/** Waits for a line. */
/** @returns {Promise<string>} */
function told() {
  return new Promise((resolve) => process.stdin.once("data", (text) => resolve(`${text}`.trim())));
}

async function main() {
  // A worker was started in a round, and comes to the calls of that round and no further.
  const last = isMaster() ? Infinity : Number(process.env.SOAK_ROUND);
  for (let round = Number(first); round <= last; round++) {
    if (isMaster()) process.env.SOAK_ROUND = `${round}`;
    const flow = flowOf(seed, round);
    const groups = groupsOf(seed, round);
    for (const [at, group] of groups.entries()) {
      const runs = group.map(runOnce);
      if (at === groups.length - 1) runs.push(runFlow(seed, flow, path.join(folder, flow.name)));
      await Promise.all(runs);
    }
    const pool = poolOf(seed, round);
    const poolRun = runPool(seed, pool, path.join(folder, pool.name));
    // In a worker it never ends, and the worker may be for a later round.
    if (!isMaster()) continue;
    await poolRun;
    while (childrenOf(process.pid).length > 0) await new Promise((done) => setTimeout(done, 5));
    globalThis.gc();
    console.log(`QUIET ${round}`);
    if ((await told()) === "stop") break;
  }
  if (isMaster()) process.stdin.destroy();
}

main();
