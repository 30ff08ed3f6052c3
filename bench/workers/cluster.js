"use strict";
// What bench/cluster.js measures of a pool over a cluster: a program that its hosts serve. Prints how many milliseconds each round took.
const { performance } = require("node:perf_hooks");
const { createPool, flow } = require("../..");
const { usedBy } = require("../process-time");

const cell = new Int32Array(new SharedArrayBuffer(4));

const more = ({ data }) => data + 1;

const stages = {
  tiny: ({ data }) => data + 1,
  wait({ data }) {
    Atomics.wait(cell, 0, 0, data);
    return 1;
  },
  echo: ({ data }) => data,
  fused: flow((source) => source.map(more).map(more)),
  // It has an option of its own: so it runs in an event of its own.
  hop: flow((source) => source.map(more).map(more, { taskTimeout: 60_000 })),
  largeHop: flow((source) =>
    source.map(({ data }) => data).map(({ data }) => data.length, { taskTimeout: 60_000 }),
  ),
};

/** What all of a call's events go through. @param {any} pool @param {string} stage @param {any[]} events */
async function send(pool, stage, events) {
  if (typeof stages[stage] === "function") return pool.map(stage, events);
  let entries = 0;
  for await (const _ of pool.stream(stage, events)) entries++;
  return entries;
}

async function main() {
  const { stage, data, count, rounds, ...how } = JSON.parse(process.argv[2] || "{}");
  const { url, lease = 10_000, settle = 3000, broker } = how;
  const pool = await createPool(stages, { numWorkers: 0, cluster: { url, lease } });
  const value = typeof data === "string" ? data.repeat(1 << 20) : data;
  const events = new Array(count).fill(value);
  // Both hosts have joined when both have answered.
  for (let warm = 0; warm < 3; warm++)
    await send(pool, stage, events.slice(0, Math.min(count, 400)));
  await new Promise((resolve) => setTimeout(resolve, settle));
  const times = [];
  const [used, usedByBroker] = [process.cpuUsage(), broker && usedBy(broker)];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    if (count === 1) await pool.call(stage, value);
    else await send(pool, stage, events);
    times.push(performance.now() - began);
  }
  if (broker !== undefined) {
    const { user, system } = process.cpuUsage(used);
    const spent = { master: (user + system) / 1000, broker: usedBy(broker) - usedByBroker };
    console.log(`SPENT ${JSON.stringify(spent)}`);
  }
  await pool.close();
  console.log(`TIMES ${JSON.stringify(times)}`);
  // Of this process alone, as bench/cluster-cost.js counts it.
  console.log(`PROCESSOR ${JSON.stringify(process.cpuUsage())}`);
}

main();
