/**
 * Backs up and restores a real database: starts its own PostgreSQL server, fills a database, dumps it,
 * restores it into another one, and compares the two row by row. Then it times other ways to dump the same
 * data.
 *
 *   node examples/backup/demo.js [--orders N] [--workers N] [--runs N]
 */
"use strict";

const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { Client } = require("pg");
const { fill } = require("./sample");
const { Server } = require("./server");

async function main() {
  const { orders, workers, runs } = readArguments();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-backup-"));
  const server = await Server.start();
  try {
    await prepare(server, orders);
    const dump = path.join(folder, "dump");
    const [shop, copy] = [server.url("shop"), server.url("copy")];
    const PGBIN = server.bin;
    await program("dump.js", { DATABASE_URL: shop, PGBIN }, "--workers", workers, dump);
    await program("restore.js", { DATABASE_URL: copy, PGBIN }, "--workers", workers, dump);
    await program("compare.js", { DATABASE_URL: shop, OTHER_URL: copy }, "--workers", workers);
    if (runs > 0) await compareWays({ server, folder, workers, runs });
  } finally {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(server, orders) {
  const admin = new Client({ connectionString: server.url("postgres") });
  await admin.connect();
  for (const name of ["shop", "copy"]) await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const shop = new Client({ connectionString: server.url("shop") });
  await shop.connect();
  await fill(shop, orders);
  await shop.query("VACUUM ANALYZE");
  const { rows } = await shop.query("SELECT pg_database_size('shop') AS size");
  await shop.end();
  console.log(`a database of ${Math.round(rows[0].size / 1e6)} MB`);
}

/** Runs one of the programs of this folder. */
async function program(name, env, ...args) {
  await run(process.execPath, [path.join(__dirname, name), ...args], env, "inherit");
}

async function run(command, args, env = {}, output = "ignore") {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", output, "inherit"],
  });
  const [code, signal] = await once(child, "exit");
  if (code !== 0)
    throw new Error(`${path.basename(command)} failed: ${signal ?? `exit code ${code}`}`);
}

/** Takes turns, so that other load on the machine affects all ways alike. */
async function compareWays({ server, folder, workers, runs }) {
  const env = { DATABASE_URL: server.url("shop"), PGBIN: server.bin };
  const dump = (count) => (to) =>
    run(process.execPath, [path.join(__dirname, "dump.js"), "--workers", count, to], env);
  const pgDump = (count) => (to) => {
    const how = ["--format=directory", "--compress=0", `--jobs=${count}`, `--file=${to}`];
    return run(path.join(server.bin, "pg_dump"), [...how, `--dbname=${server.url("shop")}`]);
  };
  const ways = {
    [`dump.js, ${workers} workers`]: dump(workers),
    "dump.js, 1 worker": dump("1"),
    [`pg_dump -j ${workers}`]: pgDump(workers),
    "pg_dump -j 1": pgDump("1"),
  };
  const times = new Map(Object.keys(ways).map((name) => [name, []]));
  for (let turn = 0; turn < runs; turn++) {
    for (const [name, way] of Object.entries(ways)) {
      const to = path.join(folder, "timed");
      const began = process.hrtime.bigint();
      await way(to);
      times.get(name).push(Number(process.hrtime.bigint() - began) / 1e6);
      fs.rmSync(to, { recursive: true });
    }
  }
  console.log(`time to dump it, in milliseconds, median of ${runs}:`);
  for (const [name, values] of times) {
    const median = values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
    console.log(`  ${name.padEnd(18)} ${median.toFixed(0).padStart(7)}`);
  }
}

function readArguments() {
  const options = {
    orders: { type: "string", default: "200000" },
    workers: { type: "string", default: String(Math.max(os.cpus().length, 2)) },
    runs: { type: "string", default: "3" },
  };
  const { values } = parseArgs({ options });
  return { orders: Number(values.orders), workers: values.workers, runs: Number(values.runs) };
}

main().catch((error) => {
  console.error(`backup: ${error.message}`);
  process.exitCode = 1;
});
