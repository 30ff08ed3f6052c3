/**
 * A nightly batch and calls that somebody waits for, on one pool: three programs share the same workers.
 *
 *   node examples/nightly.js [--workers N] [--customers N] [--check]
 *
 * This program has the pool, and starts the other two: `--role batch` scores all customers, `--role interactive` some of them,
 * one after the other. Both connect to the pool and have no workers of their own. `--check` compares the scores with those
 * of a single process.
 */
"use strict";

const { spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const { once } = require("node:events");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { connectPool, createPool, NUM_CPUS } = require("..");

/** How many customers somebody asks for while the batch runs. */
const ASKED = 20;

/** How the calls of each program run. */
const BATCH = { retries: 2, weight: 0.2 };
const INTERACTIVE = { retries: 2, priority: 1 };

/** Runs in a worker: any work that takes a while. */
function score({ data: customer }) {
  let hash = createHash("sha256").update(String(customer)).digest();
  for (let round = 0; round < 500; round++) hash = createHash("sha256").update(hash).digest();
  return hash.readUInt32LE(0) % 1000;
}

/** Has the pool, and is done when the other two are. */
async function share({ workers, customers, check }) {
  const socket = path.join(os.tmpdir(), `nightly-${process.pid}`);
  const pool = await createPool({ score }, { numWorkers: workers, listen: socket });
  try {
    const roles = ["batch", "interactive"];
    const ended = roles.map((role) =>
      start(
        "--role",
        role,
        "--socket",
        socket,
        "--customers",
        customers,
        ...(check ? ["--check"] : []),
      ),
    );
    const codes = await Promise.all(ended);
    const failed = roles.filter((_, at) => codes[at] !== 0);
    if (failed.length > 0) throw new Error(`failed: ${failed.join(", ")}`);
    const { answered, crashes } = pool.statistics();
    console.log(`pool: ${answered} scores, ${crashes} crashes`);
  } finally {
    await pool.close();
  }
}

/** Starts this file once more, with another role. */
async function start(...args) {
  const child = spawn(process.execPath, [__filename, ...args.map(String)], { stdio: "inherit" });
  const [code] = await once(child, "exit");
  return code;
}

/** All customers. The pool takes them as fast as its workers are: the list may be as long as it likes. */
async function batch({ socket, customers, check }) {
  const pool = await connectPool(socket);
  let total = 0;
  for await (const { response, error } of pool.stream("score", numbers(customers), BATCH)) {
    if (error) throw new Error(error.message);
    total += response;
  }
  console.log(`batch: ${customers} customers, ${total} in total`);
  if (check) verify("batch", total, [...numbers(customers)]);
  await pool.close();
}

/** Some customers, as somebody asks for them. */
async function interactive({ socket, customers, check }) {
  const pool = await connectPool(socket);
  let total = 0;
  const times = [];
  const asked = Array.from({ length: ASKED }, (_, at) => customers + at);
  for (const customer of asked) {
    const began = performance.now();
    total += await pool.call("score", customer, INTERACTIVE);
    times.push(performance.now() - began);
  }
  const median = times.sort((a, b) => a - b)[ASKED / 2];
  console.log(`interactive: ${ASKED} customers, ${total} in total, ${median.toFixed(1)} ms each`);
  if (check) verify("interactive", total, asked);
  await pool.close();
}

function verify(role, total, customers) {
  const expected = customers.reduce((sum, data) => sum + score({ data }), 0);
  if (total !== expected) throw new Error(`one process gets ${expected} in total`);
  console.log(`verified: one process gets the same scores as ${role}`);
}

function* numbers(count) {
  for (let at = 0; at < count; at++) yield at;
}

function readArguments() {
  const options = {
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    customers: { type: "string", default: "20000" },
    check: { type: "boolean", default: false },
    role: { type: "string", default: "share" },
    socket: { type: "string" },
  };
  const { values } = parseArgs({ options });
  const customers = Number(values.customers);
  if (!Number.isInteger(customers) || customers < 1)
    throw new Error("--customers needs a positive integer");
  return { ...values, workers: Number(values.workers), customers };
}

async function main() {
  const given = readArguments();
  await { share, batch, interactive }[given.role](given);
}

main().catch((error) => {
  console.error(`nightly: ${error.message}`);
  process.exitCode = 1;
});
