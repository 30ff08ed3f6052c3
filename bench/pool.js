"use strict";
/**
 * Measures a pool that stays, in turns with `child_process.fork`, piscina and `MapReduce`: 2 workers, JSON. Prints the median of each
 * measurement, the least and the most, and whether the goals are met. A missed goal fails nothing.
 *
 *   node bench/pool.js [--runs N] [--only TEXT]
 */
const { fork } = require("node:child_process");
const path = require("node:path");
const { performance } = require("node:perf_hooks");
const { setTimeout: delay } = require("node:timers/promises");
const { createPool, isMaster, Map: send, MapReduce } = require("..");
const { measureAll, numbers, quantile } = require("./goals");
const { ensurePeers } = require("./peers");

const WORKERS = 2;
/** The most runs of one measurement. */
const MOST_RUNS = 100;
const FILE = path.join(__dirname, "workers", "pool.js");

/** @param {() => Promise<unknown>} work @returns {Promise<number>} milliseconds */
async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** The p50 of so many, one after another. @param {number} count @param {() => Promise<unknown>} work */
async function typical(count, work) {
  const times = [];
  for (let at = 0; at < count; at++) times.push(await timed(work));
  return quantile(times, 0.5);
}

/** So many are outstanding until all are answered. @param {(data: number) => Promise<number>} ask */
function outstanding(count, most, ask) {
  let next = 0;
  const one = async () => {
    while (next < count) {
      const data = next++;
      if ((await ask(data)) !== data + 1) throw new Error(`a wrong answer to ${data}`);
    }
  };
  return timed(() => Promise.all(numbers(most).map(one)));
}

/** Children of `fork`, each of which answers in order. */
class Forked {
  constructor() {
    this.children = numbers(WORKERS).map(() => fork(FILE, ["child"]));
    this.waiting = this.children.map((child) => {
      const waiting = [];
      child.on("message", (answer) => waiting.shift()(answer));
      return waiting;
    });
    this.turn = 0;
  }

  ask(data) {
    const at = this.turn++ % WORKERS;
    return new Promise((resolve) => {
      this.waiting[at].push(resolve);
      this.children[at].send(data);
    });
  }

  close() {
    for (const child of this.children) child.disconnect();
  }
}

/** Two streams that always have something to do: the part of the busy time that the first had, in percent. */
async function share(pool, milliseconds, seconds) {
  const busy = [0, 0];
  const stop = new AbortController();
  const forever = function* () {
    for (;;) yield milliseconds;
  };
  const take = async (at, weight) => {
    try {
      const options = { weight, signal: stop.signal };
      for await (const { response } of pool.stream("spin", forever(), options))
        busy[at] += response;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  const both = [take(0, 3), take(1, 1)];
  await delay(seconds * 1000);
  stop.abort();
  await Promise.all(both);
  return (100 * busy[0]) / (busy[0] + busy[1]);
}

/** How much larger this process is after all calls than after the first tenth of them. */
async function growth(pool, count) {
  const call = (data) => pool.call("next", data);
  await outstanding(count / 10, 64, call);
  const early = process.memoryUsage().rss;
  await outstanding((count / 10) * 9, 64, call);
  return process.memoryUsage().rss / early;
}

/** The p99 of a call that comes before all that waits of a full batch. */
async function urgent(pool) {
  const stop = new AbortController();
  const forever = function* () {
    for (;;) yield 5;
  };
  const batch = pool.map("spin", forever(), { signal: stop.signal }).catch(() => {});
  await delay(100);
  const times = [];
  for (let at = 0; at < 300; at++) {
    times.push(await timed(() => pool.call("next", at, { priority: 1 })));
  }
  stop.abort();
  await batch;
  return quantile(times, 0.99);
}

/** In the master, each measurement. Workers run this program again, up to the call that they are for. */
let calls = 0;
const mapReduce = (events) => {
  let ready = 0;
  return MapReduce(
    async (queue) => {
      ready = performance.now();
      for (const data of events) await send(queue, { data });
    },
    [({ data }) => data + 1],
    (results) => results.getElements().length > 0 && performance.now() - ready,
    {},
    { numWorkers: WORKERS, name: `whole ${++calls}` },
  );
};

const runOn = (pool, events) =>
  pool.run(
    async (queue) => {
      for (const data of events) await send(queue, { data });
    },
    "next",
    (results) => results.getElements().length,
  );

/** What is measured, each by one function or by several in turns; `goals` compare their medians. */
const measurements = ({ pool, forked, piscina }) => [
  {
    name: "a call, one at a time: p50 in us",
    of: {
      pool: async () => 1000 * (await typical(2000, () => pool.call("next", 1))),
      fork: async () => 1000 * (await typical(2000, () => forked.ask(1))),
    },
    goals: [{ says: "pool / fork at most 0.55", is: (of) => of.pool / of.fork, most: 0.55 }],
  },
  {
    name: "20,000 calls, 64 outstanding: ms",
    of: {
      pool: () => outstanding(20_000, 64, (data) => pool.call("next", data)),
      fork: () => outstanding(20_000, 64, (data) => forked.ask(data)),
      piscina: () => outstanding(20_000, 64, (data) => piscina.run(data)),
    },
    goals: [
      { says: "fork / pool at least 1.5", is: (of) => of.fork / of.pool, least: 1.5 },
      { says: "piscina / pool at least 6", is: (of) => of.piscina / of.pool, least: 6 },
    ],
  },
  {
    name: "a map over 100,000: ms",
    of: {
      pool: () => timed(() => pool.map("next", numbers(100_000))),
      fork: () => outstanding(100_000, 512, (data) => forked.ask(data)),
    },
    goals: [{ says: "fork / pool at least 3", is: (of) => of.fork / of.pool, least: 3 }],
  },
  {
    name: "a run of 4 events on a warm pool: p50 in ms",
    of: { pool: () => typical(300, () => runOn(pool, numbers(4))) },
    goals: [{ says: "at most 1", is: (of) => of.pool, most: 1 }],
  },
  {
    name: "a run of 200,000: ms (MapReduce: with the end of its workers, without their start)",
    of: {
      pool: () => timed(() => runOn(pool, numbers(200_000))),
      MapReduce: () => mapReduce(numbers(200_000)),
    },
    goals: [
      {
        says: "MapReduce / pool at least 0.95",
        is: (of) => of.MapReduce / of.pool,
        least: 0.95,
      },
    ],
  },
  {
    name: "300 events that wait 80 ms, concurrency 16: ms",
    of: {
      async pool() {
        const many = await createPool(FILE, { numWorkers: WORKERS, concurrency: 16 });
        const time = await timed(() => many.map("waits", numbers(300).fill(80)));
        await many.close();
        return time;
      },
    },
    goals: [{ says: "at most 840", is: (of) => of.pool, most: 840 }],
  },
  {
    name: "2,000,000 calls: memory at the end, relative to that after a tenth",
    runs: 1,
    of: { pool: () => growth(pool, 2_000_000) },
    goals: [{ says: "at most 1.25", is: (of) => of.pool, most: 1.25 }],
  },
  {
    name: "weights 3 and 1, 10 s of 5 ms events: % of the first",
    runs: 1,
    of: { pool: () => share(pool, 5, 10) },
    goals: [{ says: "within 3 of 75", is: (of) => Math.abs(of.pool - 75), most: 3 }],
  },
  {
    name: "an urgent call behind a full batch of 5 ms events: p99 in ms",
    of: { pool: () => urgent(pool) },
    goals: [{ says: "at most 10", is: (of) => of.pool, most: 10 }],
  },
];

async function main() {
  ensurePeers(["piscina"]);
  const { FixedQueue, Piscina } = require("piscina");
  const pool = await createPool(FILE, { numWorkers: WORKERS });
  const forked = new Forked();
  const piscina = new Piscina({
    filename: path.join(__dirname, "workers", "pool-piscina.js"),
    minThreads: WORKERS,
    maxThreads: WORKERS,
    taskQueue: new FixedQueue(),
    concurrentTasksPerWorker: 32,
  });
  try {
    const warm = [
      pool.call.bind(pool, "next"),
      (data) => forked.ask(data),
      (data) => piscina.run(data),
    ];
    for (const ask of warm) await outstanding(5000, 64, ask);
    await measureAll(measurements({ pool, forked, piscina }));
  } finally {
    await pool.close();
    forked.close();
    await piscina.destroy();
  }
}

if (isMaster()) main();
else for (let at = 0; at < MOST_RUNS; at++) mapReduce([]);
