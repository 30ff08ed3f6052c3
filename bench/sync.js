"use strict";
/**
 * Measures locks, counters, barriers and limiters, in turns with proper-lockfile, `navigator.locks` between threads of Node 24, and Redis on
 * this machine. Prints the median of each measurement, the least and the most, and whether the goals are met. A missed goal
 * fails nothing.
 *
 *   node bench/sync.js [--runs N] [--only TEXT]
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { performance } = require("node:perf_hooks");
const { createPool } = require("..");
const { measureAll, numbers, quantile } = require("./goals");
const { ensurePeers } = require("./peers");
const { Redis } = require("./redis");

const FILE = path.join(__dirname, "workers", "sync.js");
const THREADS = path.join(__dirname, "workers", "sync-threads.js");

/** How many a second. @param {number} count @param {(at: number) => Promise<unknown>} work */
async function rate(count, work) {
  const began = performance.now();
  for (let at = 0; at < count; at++) await work(at);
  return (count / (performance.now() - began)) * 1000;
}

/** The p50 of how long after its holder the other one had the lock. @param {number[][]} times */
function handOver(times) {
  const inTurn = times.sort(([a], [b]) => a - b);
  const all = inTurn.flatMap(([, granted, , who], at) => {
    const before = inTurn[at - 1];
    return before === undefined || before[3] === who ? [] : [granted - before[2]];
  });
  return quantile(all, 0.5);
}

class Ours {
  constructor(pool) {
    this.pool = pool;
    this.names = 0;
  }

  /** One that no run has had. */
  name() {
    return `run ${++this.names}`;
  }

  call(work, worker, data) {
    return this.pool.call(work, data, { tags: [`${worker}`] });
  }

  same(count) {
    return this.call("same", 0, { name: this.name(), count });
  }

  async each(count) {
    const data = { name: this.name(), count };
    await this.call("each", 0, data);
    return this.call("each", 1, data);
  }

  /** The same names in turns: each has had them before, and the other last. */
  async again(count, rounds) {
    const data = { name: this.name(), count };
    const rates = [];
    for (let round = 0; round < 2 * rounds; round++)
      rates.push(await this.call("each", round % 2, data));
    return quantile(rates.slice(2), 0.5);
  }

  async contends(count) {
    const data = { name: this.name(), count };
    const both = await Promise.all([0, 1].map((who) => this.call("contends", who, data)));
    return handOver(both.flatMap((list, who) => list.map((time) => [...time, who])));
  }

  counts(count) {
    return this.call("counts", 0, { name: "counter", count });
  }

  async meets(parties, count) {
    const data = { name: this.name(), parties, count };
    const all = await Promise.all(numbers(parties).map((who) => this.call("meets", who, data)));
    return quantile(all.flat(), 0.5);
  }

  /** How far it is off, in percent. */
  async takes(tokens, workers, seconds) {
    const data = { name: this.name(), tokens, count: (tokens * seconds) / workers };
    const all = await Promise.all(numbers(workers).map((who) => this.call("takes", who, data)));
    const times = all.flat().sort((a, b) => a - b);
    const took = (times[times.length - 1] - times[0]) / 1e6;
    return Math.abs(100 * ((times.length - 1) / took / tokens - 1));
  }

  async dies() {
    const name = this.name();
    const dead = this.call("dies", 0, name).catch(() => {});
    const time = await this.call("survives", 1, name);
    await dead;
    return time;
  }
}

/** Has Node 24 measure its own locks: that of this process, or of npm's package `node`. */
function threads() {
  const isOwn = Number(process.versions.node.split(".")[0]) >= 24;
  const [command, ...args] = isOwn
    ? [process.execPath]
    : ["npx", "--yes", "--package=node@24", "--", "node"];
  const text = execFileSync(command, [...args, "--no-warnings", THREADS], { encoding: "utf8" });
  return JSON.parse(text.slice(text.indexOf("{")));
}

class Files {
  constructor() {
    this.lockfile = require("proper-lockfile");
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-sync-"));
  }

  async lock(name) {
    const release = await this.lockfile.lock(path.join(this.folder, name), { realpath: false });
    await release();
  }
}

/** What is measured, each by one function or by several in turns; `goals` compare their medians. */
const measurements = ({ ours, files, redis, thread }) => [
  {
    name: "a lock that this worker had last: a second",
    of: {
      ours: () => ours.same(300_000),
      lockfile: () => rate(300, () => files.lock("same")),
      ...(thread && { threads: async () => (await thread()).same }),
      ...(redis && { redis: () => rate(5000, () => redis.lock("same")) }),
    },
    goals: [{ says: "at least 300,000", is: (of) => of.ours, least: 300_000 }],
  },
  {
    name: "a lock that another worker had last, and this one before: a second",
    of: {
      ours: () => ours.again(1000, 3),
      lockfile: () => rate(300, (at) => files.lock(`${at}`)),
    },
    goals: [
      { says: "at least 15,000", is: (of) => of.ours, least: 15_000 },
      { says: "ours / lockfile at least 10", is: (of) => of.ours / of.lockfile, least: 10 },
    ],
  },
  {
    name: "a lock that another worker had last, the first time here: a second",
    of: {
      ours: () => ours.each(4000),
      lockfile: () => rate(300, (at) => files.lock(`${at}`)),
      ...(thread && { threads: async () => (await thread()).each }),
    },
    goals: [
      { says: "at least 15,000", is: (of) => of.ours, least: 15_000 },
      { says: "ours / lockfile at least 10", is: (of) => of.ours / of.lockfile, least: 10 },
    ],
  },
  {
    name: "from one worker to the other that waits: p50 in us",
    of: {
      ours: () => ours.contends(5000),
      ...(thread && { threads: async () => handOver((await thread()).times) }),
    },
    goals: [{ says: "at most 90", is: (of) => of.ours, most: 90 }],
  },
  {
    name: "counter.add in a worker: a second",
    of: { ours: () => ours.counts(5_000_000) },
    goals: [{ says: "at least 5,000,000", is: (of) => of.ours, least: 5_000_000 }],
  },
  {
    name: "a barrier of 4 workers: p50 in us",
    of: { ours: () => ours.meets(4, 2000) },
    goals: [{ says: "at most 150", is: (of) => of.ours, most: 150 }],
  },
  {
    name: "a limiter of 1,000 a second over 4 workers, 5 s: % off",
    of: { ours: () => ours.takes(1000, 4, 5) },
    goals: [{ says: "at most 1", is: (of) => of.ours, most: 1 }],
  },
  {
    name: "from the kill of its holder to the next: ms",
    runs: 20,
    of: { ours: () => ours.dies() },
    goals: [{ says: "at most 50", is: (of) => of.ours, most: 50 }],
  },
];

/** A peer, or a line that says why it is left out. @template T @param {string} name @param {() => T | Promise<T>} make @returns {Promise<T | undefined>} */
async function peer(name, make) {
  try {
    return await make();
  } catch (error) {
    console.log(`without ${name}: ${Object(error).message.split("\n")[0]}`);
    return undefined;
  }
}

async function main() {
  ensurePeers(["piscina"]);
  const workers = numbers(4).map((tag) => ({ tags: [`${tag}`] }));
  const pool = await createPool(FILE, { workers });
  const ours = new Ours(pool);
  const files = new Files();
  const redis = await peer("Redis", () => Redis.start());
  const thread = (await peer("navigator.locks", threads)) && threads;
  try {
    await ours.same(50_000);
    await measureAll(measurements({ ours, files, redis, thread }));
  } finally {
    await pool.close();
    redis?.stop();
    fs.rmSync(files.folder, { recursive: true });
  }
}

main();
