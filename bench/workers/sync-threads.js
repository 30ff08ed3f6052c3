"use strict";
// `navigator.locks` between two threads of Node 24, for bench/sync.js. Prints its figures as one line of JSON.

const { isMainThread, parentPort, Worker, workerData } = require("node:worker_threads");

const now = () => Number(process.hrtime.bigint()) / 1e3;
const nothing = () => {};
/** @type {any} */
const { locks } = navigator;

async function rate(count, name) {
  const began = now();
  for (let at = 0; at < count; at++) await locks.request(name(at), nothing);
  return (count / (now() - began)) * 1e6;
}

/** Its number, when it was granted and when it was given back (us), each time. */
async function contends(count, turns) {
  const times = [];
  for (let at = 0; at < count; at++) {
    await locks.request("hot", async () => {
      const granted = now();
      const turn = Atomics.add(turns, 0, 1);
      await new Promise((done) => setImmediate(done));
      times.push([turn, granted, now()]);
    });
  }
  return times;
}

const answers = (worker) =>
  new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));

async function main() {
  const turns = new Int32Array(new SharedArrayBuffer(4));
  const same = await rate(20_000, () => "same");
  await rate(2000, (at) => `other ${at}`);
  const threads = ["each", "contends", "contends"].map((what) => ({ what, turns }));
  const each = await answers(new Worker(__filename, { workerData: threads[0] }));
  const both = threads
    .slice(1)
    .map((data) => answers(new Worker(__filename, { workerData: data })));
  const times = (await Promise.all(both)).map((list, who) => list.map((time) => [...time, who]));
  console.log(JSON.stringify({ same, each, times: times.flat() }));
}

/** A request for a lock keeps no thread alive. */
const alive = setInterval(nothing, 60_000);

if (isMainThread) main().finally(() => clearInterval(alive));
else {
  const { what, turns } = workerData;
  const work = what === "each" ? rate(2000, (at) => `other ${at}`) : contends(2000, turns);
  work.then((result) => parentPort?.postMessage(result)).finally(() => clearInterval(alive));
}
