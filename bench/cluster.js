"use strict";
/**
 * Measures a pool over two hosts of one worker each, in turns with BullMQ alone: a job for each event, two processes, results by
 * QueueEvents. Broker, hosts and master share this machine. Prints the median of each measurement, the least and the most, and whether the
 * goals are met. A missed goal fails nothing.
 *
 *   node bench/cluster.js [--runs N] [--only TEXT]
 */
const { execFile, spawn } = require("node:child_process");
const path = require("node:path");
const { promisify } = require("node:util");
const { measureAll, quantile } = require("./goals");
const { Redis } = require("./redis");

const BIN = path.join(__dirname, "..", "bin", "sonic-distribute.js");
const OURS = path.join(__dirname, "workers", "cluster.js");
const RAW = path.join(__dirname, "workers", "cluster-raw.js");

/** How many worker processes each has. */
const WORKERS = 2;

async function main() {
  const redis = await Redis.start();
  const url = `redis://127.0.0.1:${redis.port}`;
  const hosts = ["a", "b"].map((name) =>
    spawn(
      process.execPath,
      [BIN, "host", "--cluster", url, "--workers", "1", "--name", name, OURS],
      { stdio: "ignore" },
    ),
  );
  /** The median of the rounds, in milliseconds. @param {string} file @param {object} given */
  const time = async (file, given) => {
    const args = [file, JSON.stringify({ rounds: 3, url, ...given })];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
    const [, times] = /^TIMES (.*)$/m.exec(stdout);
    return quantile(JSON.parse(times), 0.5);
  };
  /** @param {(ms: number, given: any) => number} value @param {any} given @param {any} [forRaw] */
  const both = (value, given, forRaw = given) => ({
    ours: async () => value(await time(OURS, given), given),
    bullmq: async () => value(await time(RAW, forRaw), forRaw),
  });
  const rate = (ms, { count }) => (count / ms) * 1000;
  const share = (ms, { count, data }) => (count * data) / WORKERS / ms;
  const ratio = ({ ours, bullmq }) => ours / bullmq;
  try {
    await measureAll([
      {
        name: "tiny events, a second",
        of: both(
          rate,
          { stage: "tiny", data: 1, count: 100_000 },
          { stage: "tiny", data: 1, count: 5000 },
        ),
        goals: [{ says: "times as many as BullMQ alone, at least 25", is: ratio, least: 25 }],
      },
      ...[
        [1, 2000, 0.8],
        [10, 300, 0.93],
      ].map(([data, count, least]) => ({
        name: `events of ${data} ms, share of what two workers can do`,
        of: both(share, { stage: "wait", data, count }),
        goals: [{ says: `at least ${least}`, is: ({ ours }) => ours, least }],
      })),
      {
        name: "1 MB both ways, a second",
        of: both(rate, { stage: "echo", data: "x", count: 50 }),
        goals: [{ says: "times as many as BullMQ alone, at least 1.5", is: ratio, least: 1.5 }],
      },
      {
        name: "a round trip while all is idle, ms",
        of: both((ms) => ms, { stage: "tiny", data: 1, count: 1, rounds: 50 }),
        goals: [{ says: "times that of BullMQ alone, at most 1", is: ratio, most: 1 }],
      },
    ]);
  } finally {
    const ended = hosts.map((host) => new Promise((resolve) => host.once("exit", resolve)));
    for (const host of hosts) host.kill();
    await Promise.all(ended);
    redis.stop();
  }
}

main();
