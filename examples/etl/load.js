/**
 * Loads orders into PostgreSQL: parses two CSV files, adds the customer to each order, and writes rows in batches. Lines
 * that make no sense go into a file of their own.
 *
 *   DATABASE_URL=postgres://… node load.js --orders FILE --customers FILE --rejects FILE [--workers N] [--range BYTES] [--check]
 *
 * A second load of the same files changes nothing. `--check` repeats the work in this process, and compares every row and
 * every reject.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, NUM_CPUS } = require("../..");
const { close, connection, variable } = require("../backup/connection");
const { ranges } = require("../logs/ranges");
const { lineOf } = require("./csv");
const { verify } = require("./verify");

const SCHEMA = `CREATE TABLE IF NOT EXISTS orders (
  id int PRIMARY KEY,
  customer int NOT NULL,
  placed date NOT NULL,
  amount numeric(12, 2) NOT NULL,
  name text NOT NULL,
  country char(2) NOT NULL
)`;

/** The ranges of both files. Only places cross to the workers, which read the text themselves. */
function* parts({ orders, customers, range }) {
  for (const part of ranges(customers, range))
    yield { file: "customers", path: customers, ...part };
  for (const part of ranges(orders, range)) yield { file: "orders", path: orders, ...part };
}

async function load(pool, given) {
  const options = {
    // A worker that dies may have written its batch: writing it once more does no harm. What fails for another reason,
    // such as a database that is gone, ends the load.
    retries: { limit: 2, on: ["crash"] },
    onError: "abort",
  };
  const total = { rows: 0, batches: 0, rejects: 0 };
  const rejects = fs.openSync(given.rejects, "w");
  try {
    fs.writeSync(rejects, "file,byte,reason,line\n");
    for await (const { sink, response } of pool.stream("load", parts(given), options)) {
      if (sink === "batches") {
        total.batches++;
        total.rows += response.rows;
      } else {
        total.rejects++;
        const { file, byte, reason, line } = response;
        fs.writeSync(rejects, lineOf([file, byte, reason, line]));
      }
    }
  } finally {
    fs.closeSync(rejects);
  }
  return total;
}

async function main() {
  const { workers, check, ...given } = readArguments();
  const client = await connection(variable("DATABASE_URL"));
  await client.query(SCHEMA);
  const file = require.resolve("./flow.js");
  const pool = await createPool(file, { numWorkers: workers });
  try {
    const began = performance.now();
    const { rows, batches, rejects } = await load(pool, given);
    const seconds = (performance.now() - began) / 1000;
    const { rows: counted } = await client.query("SELECT count(*)::int AS count FROM orders");
    console.log(`${rows} rows in ${batches} batches, ${rejects} lines rejected`);
    console.log(`the table has ${counted[0].count} rows`);
    console.log(`${workers} workers: ${seconds.toFixed(2)} s`);
    if (check) {
      await verify(client, given);
      console.log("verified: one process gets the same rows, and rejects the same lines");
    }
  } finally {
    await pool.close();
    await close();
  }
}

function readArguments() {
  const options = {
    orders: { type: "string" },
    customers: { type: "string" },
    rejects: { type: "string" },
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    range: { type: "string", default: String(2 ** 20) },
    check: { type: "boolean", default: false },
  };
  const { values } = parseArgs({ options });
  for (const name of ["orders", "customers", "rejects"]) {
    if (values[name] === undefined) throw new Error(`name a file with --${name}`);
  }
  const [orders, customers, rejects] = [values.orders, values.customers, values.rejects].map(
    (name) => path.resolve(name),
  );
  const range = Number(values.range);
  if (!(range >= 1)) throw new RangeError(`--range must be at least 1 byte, got ${values.range}`);
  return {
    orders,
    customers,
    rejects,
    range,
    workers: Number(values.workers),
    check: values.check,
  };
}

main().catch(async (error) => {
  console.error(`load: ${error.message}`);
  process.exitCode = 1;
  await close();
});
