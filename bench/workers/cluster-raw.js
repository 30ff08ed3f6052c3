"use strict";
// The same as BullMQ alone does it: a job for each event, in two processes, with the results by QueueEvents.
const { fork } = require("node:child_process");
const { performance } = require("node:perf_hooks");
const { Queue, QueueEvents, Worker } = require("bullmq");

const cell = new Int32Array(new SharedArrayBuffer(4));

const stages = {
  tiny: (data) => data + 1,
  wait(data) {
    Atomics.wait(cell, 0, 0, data);
    return 1;
  },
  echo: (data) => data,
};

const given = JSON.parse(process.argv[2]);
const connection = { url: given.url };
const REMOVED = { removeOnComplete: true };

async function work() {
  const worker = new Worker("raw", async ({ data }) => stages[given.stage](data.value), {
    connection,
  });
  await worker.waitUntilReady();
  process.send("ready");
  process.once("disconnect", () => process.exit());
}

async function main() {
  const { data, count, rounds } = given;
  const workers = [0, 1].map(() => fork(__filename, [process.argv[2], "worker"]));
  await Promise.all(
    workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))),
  );
  const queue = new Queue("raw", { connection });
  const events = new QueueEvents("raw", { connection });
  await events.waitUntilReady();
  const value = typeof data === "string" ? data.repeat(1 << 20) : data;
  const times = [];
  for (let round = -1; round < rounds; round++) {
    let left = count;
    const ended = new Promise((resolve) => {
      const listener = () => {
        if (--left > 0) return;
        events.removeListener("completed", listener);
        resolve();
      };
      events.on("completed", listener);
    });
    const began = performance.now();
    for (let at = 0; at < count; at += 1000) {
      const size = Math.min(1000, count - at);
      await queue.addBulk(new Array(size).fill({ name: "event", data: { value }, opts: REMOVED }));
    }
    await ended;
    // The first is to warm up.
    if (round >= 0) times.push(performance.now() - began);
  }
  for (const worker of workers) worker.kill();
  await queue.obliterate({ force: true });
  await Promise.all([events.close(), queue.close()]);
  console.log(`TIMES ${JSON.stringify(times)}`);
}

if (process.argv[3] === "worker") work();
else main();
