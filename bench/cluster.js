"use strict";
/**
 * Measures a pool over two hosts of one worker each, in turns with BullMQ alone: a job for each event, two processes, results by
 * QueueEvents. Broker, hosts and master share this machine. Prints the median of each measurement, the least and the most, and whether the
 * goals are met. A missed goal fails nothing. Many hosts are simulated: theirs is the whole protocol, and workers that only wait.
 *
 *   node bench/cluster.js [--runs N] [--only TEXT]
 */
const { execFile, spawn } = require("node:child_process");
const path = require("node:path");
const { promisify } = require("node:util");
const { measureAll, quantile } = require("./goals");
const { Redis } = require("./redis");

const execute = promisify(execFile);

const BIN = path.join(__dirname, "..", "bin", "sonic-distribute.js");
const OURS = path.join(__dirname, "workers", "cluster.js");
const RAW = path.join(__dirname, "workers", "cluster-raw.js");
const SIMULATED = path.join(__dirname, "workers", "cluster-simulated.js");

/** So many simulated hosts, in so many processes, each with so many places, on which an event takes so many milliseconds. */
const MANY = { hosts: 200, processes: 2, places: 8, time: 20, count: 20_000 };

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
    const { stdout } = await execute(process.execPath, args, { maxBuffer: 1 << 26 });
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
        name: "200 simulated hosts, events of 20 ms, a second",
        of: { ours: () => many(redis, url) },
        runs: 1,
        goals: [{ says: "at least 20,000", is: ({ ours }) => ours, least: 20_000 }],
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

/**
 * Events a second on many simulated hosts. Prints what master and broker used of a processor, and how many events hosts had, the few of the
 * warm-up among them.
 * @param {Redis} redis
 * @param {string} url
 */
async function many(redis, url) {
  const { hosts, processes, places, time, count } = MANY;
  // Other hosts are at the same broker, which serve the other measurements.
  const cluster = `${url}/1`;
  const each = hosts / processes;
  const all = Array.from({ length: processes }, (_, at) => {
    const given = { url: cluster, program: OURS, count: each, places, first: at * each };
    return execute(process.execPath, [SIMULATED, JSON.stringify(given)]);
  });
  const given = { stage: "wait", data: time, count, rounds: 1, url: cluster };
  const how = { lease: 30_000, settle: 10_000, broker: redis.child.pid };
  const { stdout } = await execute(process.execPath, [OURS, JSON.stringify({ ...given, ...how })]);
  const [ms] = JSON.parse(/^TIMES (.*)$/m.exec(stdout)[1]);
  const spent = JSON.parse(/^SPENT (.*)$/m.exec(stdout)[1]);
  for (const { child } of all) child.kill();
  const ended = await Promise.all(all);
  const had = ended.flatMap(({ stdout }) => JSON.parse(/^ANSWERED (.*)$/m.exec(stdout)[1]));
  const of = (who) =>
    `${who} ${((spent[who] / count) * 1000).toFixed(0)} µs an event, ${(spent[who] / ms).toFixed(2)} of a processor`;
  console.log(
    `${of("master")}; ${of("broker")}; ${had.length} hosts had ${Math.min(...had)} to ${Math.max(...had)} events`,
  );
  return (count / ms) * 1000;
}

main();
