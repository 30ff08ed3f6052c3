/**
 * Compares every row of every table of two PostgreSQL databases, several tables at once.
 *
 *   DATABASE_URL=postgres://… OTHER_URL=postgres://… node compare.js [--workers N]
 */
"use strict";

process.env.QUIET = process.env.QUIET ?? "true"; // no log lines between the output

const { parseArgs } = require("node:util");
const Cursor = require("pg-cursor");

// In a program of your own: require("@tiemma/sonic-distribute")
const { isMaster, Map: send, MapReduce, NUM_CPUS } = require("../..");
const { readSequences, readTables } = require("./catalog");
const { close, connection, variable } = require("./connection");

/** How many rows are read at once. */
const ROWS = 1000;

async function sendTables(workerQueue, { tables }) {
  for (const { name } of tables) await send(workerQueue, { data: name });
}

/** Runs in a worker, once per table: reads the table on both sides in the same order. */
async function compareTable({ data: table }, { urls }) {
  const clients = await Promise.all(urls.map((url) => connection(url)));
  const sql = `SELECT t::text AS row FROM ONLY ${table} t ORDER BY t::text COLLATE "C"`;
  const cursors = clients.map((client) => client.query(new Cursor(sql)));
  let rows = 0;
  for (;;) {
    const [ours, theirs] = await Promise.all(cursors.map((cursor) => cursor.read(ROWS)));
    const at = ours.findIndex(({ row }, index) => row !== theirs[index]?.row);
    if (at >= 0 || ours.length !== theirs.length) {
      await Promise.all(cursors.map((cursor) => cursor.close()));
      throw new Error(`differs at row ${rows + (at < 0 ? ours.length : at) + 1}`);
    }
    rows += ours.length;
    if (ours.length === 0) return rows;
  }
}

function sumUp(results, failures) {
  let rows = 0;
  while (!results.isEmpty()) rows += results.dequeue().response;
  return { rows, failures: failures.getElements() };
}

async function main() {
  const { values } = parseArgs({ options: { workers: { type: "string" } } });
  const numWorkers = Number(values.workers ?? Math.max(NUM_CPUS, 2));
  const urls = [variable("DATABASE_URL"), variable("OTHER_URL")];
  const args = { urls, numWorkers };
  if (isMaster()) args.tables = await compareCatalogs(urls);
  const outcome = await MapReduce(sendTables, [compareTable], sumUp, args);
  // Workers get here too, at once.
  if (!isMaster()) return;
  await close();
  for (const { data, error } of outcome.failures) console.error(`${data}: ${error.message}`);
  if (outcome.failures.length > 0) throw new Error("the databases differ");
  console.log(`compared ${args.tables.length} tables, ${outcome.rows} rows: all are the same`);
}

async function compareCatalogs(urls) {
  const clients = await Promise.all(urls.map((url) => connection(url)));
  const [ours, theirs] = await Promise.all(
    clients.map(async (client) => {
      const tables = await readTables(client);
      // The number of pages depends on the table's history.
      const same = tables.map(({ pages, ...table }) => table);
      return { tables: same, sequences: await readSequences(client) };
    }),
  );
  if (JSON.stringify(ours) !== JSON.stringify(theirs)) throw new Error("the tables differ");
  return ours.tables;
}

main().catch(async (error) => {
  console.error(`compare: ${error.message}`);
  process.exitCode = 1;
  await close();
});
