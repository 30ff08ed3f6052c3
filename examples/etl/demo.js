/**
 * Loads made-up orders into a real database: starts its own PostgreSQL server, makes two CSV files, and runs load.js.
 *
 *   node examples/etl/demo.js [--orders N] [--workers N] [--check]
 */
"use strict";

const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { Server } = require("../backup/server");
const { generate } = require("./generate");

async function main() {
  const { orders: count, workers, check } = readArguments();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-etl-"));
  const [orders, customers, rejects] = ["orders", "customers", "rejects"].map((name) =>
    path.join(folder, `${name}.csv`),
  );
  const server = await Server.start();
  try {
    generate({ orders, customers }, count);
    const { size } = fs.statSync(orders);
    console.log(`${count} orders, ${(size / 1e6).toFixed(1)} MB`);
    const args = ["--orders", orders, "--customers", customers, "--rejects", rejects];
    if (check) args.push("--check");
    const program = path.join(__dirname, "load.js");
    const child = spawn(process.execPath, [program, "--workers", workers, ...args], {
      env: { ...process.env, DATABASE_URL: server.url("postgres") },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error("load.js failed");
    console.log("\nsome of the rejects:");
    console.log(fs.readFileSync(rejects, "utf8").split("\n").slice(0, 6).join("\n"));
  } finally {
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function readArguments() {
  const options = {
    orders: { type: "string", default: "50000" },
    workers: { type: "string", default: String(Math.max(os.cpus().length, 2)) },
    check: { type: "boolean", default: false },
  };
  const { values } = parseArgs({ options });
  const orders = Number(values.orders);
  if (!Number.isInteger(orders) || orders < 1) throw new Error("--orders needs a positive integer");
  return { orders, workers: values.workers, check: values.check };
}

main().catch((error) => {
  console.error(`etl: ${error.message}`);
  process.exitCode = 1;
});
