"use strict";
/**
 * Measures what an event costs over a cluster: the processor time of master, broker and host (without its worker), and the bytes that
 * the broker takes in and gives out. For each size a master runs twice, with few and with many rounds: the difference is what events
 * cost, without start and end. Linux only. docs/cluster-operations.md has the figures of one run.
 *
 *   node bench/cluster-cost.js
 */
const { execFile, spawn } = require("node:child_process");
const path = require("node:path");
const { promisify } = require("node:util");
const { usedBy } = require("./process-time");
const { Redis } = require("./redis");

const BIN = path.join(__dirname, "..", "bin", "sonic-distribute.js");
const PROGRAM = path.join(__dirname, "workers", "cluster.js");

/** Few rounds and many. */
const ROUNDS = [1, 6];

const SIZES = [
  { name: "a number", stage: "tiny", data: 1, count: 100_000 },
  { name: "1 ms of work", stage: "wait", data: 1, count: 2000 },
  { name: "10 ms of work", stage: "wait", data: 10, count: 200 },
  { name: "1 MiB both ways", stage: "echo", data: "x", count: 40 },
  { name: "a number through two nodes in one event", stage: "fused", data: 1, count: 20_000 },
  { name: "a number through two nodes with a hop", stage: "hop", data: 1, count: 20_000 },
  { name: "1 MiB through two nodes with a hop", stage: "largeHop", data: "x", count: 30 },
];

/** @param {InstanceType<typeof Redis>} redis */
async function traffic(redis) {
  const text = await redis.ask("INFO", "stats");
  const of = (name) => Number(new RegExp(`total_net_${name}_bytes:(\\d+)`).exec(text)[1]);
  return { in: of("input"), out: of("output") };
}

/** What one run of the master costs. @param {any} given */
async function cost(redis, host, given) {
  const before = [usedBy(redis.child.pid), usedBy(host.pid), await traffic(redis)];
  const args = [PROGRAM, JSON.stringify(given)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
  const { user, system } = JSON.parse(/^PROCESSOR (.*)$/m.exec(stdout)[1]);
  const [broker, own, bytes] = before;
  const { in: taken, out } = await traffic(redis);
  return {
    master: (user + system) / 1000,
    broker: usedBy(redis.child.pid) - broker,
    host: usedBy(host.pid) - own,
    in: taken - bytes.in,
    out: out - bytes.out,
  };
}

async function main() {
  const redis = await Redis.start();
  const url = `redis://127.0.0.1:${redis.port}`;
  const args = [BIN, "host", "--cluster", url, "--workers", "1", PROGRAM];
  const host = spawn(process.execPath, args, { stdio: "ignore" });
  try {
    for (const { name, ...given } of SIZES) {
      const costs = [];
      for (const rounds of ROUNDS) costs.push(await cost(redis, host, { ...given, rounds, url }));
      const events = (ROUNDS[1] - ROUNDS[0]) * given.count;
      const each = (what) => (costs[1][what] - costs[0][what]) / events;
      const times = ["master", "broker", "host"].map(
        (who) => `${who} ${(each(who) * 1000).toFixed(1)} µs`,
      );
      const bytes = `broker: ${Math.round(each("in"))} bytes in, ${Math.round(each("out"))} out`;
      console.log(`${name}: ${times.join(", ")}; ${bytes}`);
    }
  } finally {
    const ended = new Promise((resolve) => host.once("exit", resolve));
    host.kill();
    await ended;
    redis.stop();
  }
}

main();
