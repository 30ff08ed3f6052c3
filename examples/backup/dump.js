/**
 * Dumps a PostgreSQL database with several connections at once. All of them see the same moment.
 *
 *   DATABASE_URL=postgres://… node dump.js [--workers N] FOLDER
 *
 * Writes to the folder: the schema as SQL (by `pg_dump`), the rows of each table in parts, and `manifest.json`.
 */
"use strict";

process.env.QUIET = process.env.QUIET ?? "true"; // no log lines between the output

const fs = require("node:fs");
const path = require("node:path");
const { pipeline } = require("node:stream/promises");
const { to: copyTo } = require("pg-copy-streams");

// In a program of your own: require("@tiemma/sonic-distribute")
const { isMaster, Map: send, MapReduce } = require("../..");
const { readArguments } = require("./arguments");
const { readSequences, readTables } = require("./catalog");
const { close, connection, tool, variable } = require("./connection");

/** Pages of 8 KB in a part: large enough to read efficiently, small enough to spread over the workers. */
const PAGES = 1024;

/** Runs in the master: sends one event per part of a table. */
async function sendParts(workerQueue, { tables, snapshot }) {
  for (const table of tables) {
    for (const part of partsOf(table)) await send(workerQueue, { data: { ...part, snapshot } });
  }
}

function partsOf({ name, columns, pages, isTree }) {
  const all = { table: name, columns: columns.join(", "), where: "true", part: 0 };
  // A table that refers to itself must be restored in one part.
  const count = isTree ? 1 : Math.ceil(pages / PAGES);
  if (count <= 1) return [all];
  return Array.from({ length: count }, (_, part) => {
    const from = `ctid >= '(${part * PAGES},0)'`;
    // The last part has no end: pages may have been added since the count. The snapshot hides their rows.
    const to = part === count - 1 ? "true" : `ctid < '(${(part + 1) * PAGES},0)'`;
    return { ...all, where: `${from} AND ${to}`, part };
  });
}

/** Runs in a worker, once per part: writes its rows to a file. */
async function dumpPart({ data }, { url, folder }) {
  const { table, columns, where, part, snapshot } = data;
  const client = await connection(url, (opened) => share(opened, snapshot));
  const rows = client.query(
    copyTo(`COPY (SELECT ${columns} FROM ONLY ${table} WHERE ${where}) TO STDOUT`),
  );
  const file = `${table.replace(/[^\w.]/g, "_")}.${part}.copy`;
  const to = fs.createWriteStream(path.join(folder, file), { flags: "wx" });
  await pipeline(rows, to);
  return { file, rows: rows.rowCount, bytes: to.bytesWritten };
}

/** Makes a connection see the moment of the snapshot. */
async function share(client, snapshot) {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  await client.query(`SET TRANSACTION SNAPSHOT '${snapshot}'`);
}

/** Runs in the master, when every part is answered. */
function listParts(results, failures) {
  if (!failures.isEmpty()) {
    const { data, error } = failures.dequeue();
    throw new Error(`${data.table}, part ${data.part}: ${error.message}`);
  }
  const parts = [];
  while (!results.isEmpty()) {
    const { data, response } = results.dequeue();
    parts.push({ table: data.table, ...response });
  }
  return parts;
}

async function main() {
  const { folder, numWorkers } = readArguments("one folder, which dump.js creates");
  const url = variable("DATABASE_URL");
  const args = { url, folder, numWorkers };
  if (isMaster()) Object.assign(args, await prepare(url, folder));
  const parts = await MapReduce(sendParts, [dumpPart], listParts, args);
  // Workers get here too, at once.
  if (!isMaster()) return;
  await close();
  const { tables, sequences } = args;
  fs.writeFileSync(
    path.join(folder, "manifest.json"),
    JSON.stringify({ tables, sequences, parts }, null, 2),
  );
  const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
  console.log(
    `dumped ${tables.length} tables, ${sum("rows")} rows, ${sum("bytes")} bytes in ${parts.length} parts`,
  );
}

/** Lists what to dump. The master's transaction stays open, or the snapshot would be dropped. */
async function prepare(url, folder) {
  fs.mkdirSync(folder);
  const client = await connection(url, (opened) =>
    opened.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
  );
  const { rows } = await client.query("SELECT pg_export_snapshot() AS snapshot");
  const [{ snapshot }] = rows;
  const file = `--file=${path.join(folder, "schema.sql")}`;
  tool("pg_dump", url, ["--schema-only", "--no-owner", `--snapshot=${snapshot}`, file]);
  return { tables: await readTables(client), sequences: await readSequences(client), snapshot };
}

main().catch(async (error) => {
  console.error(`dump: ${error.message}`);
  process.exitCode = 1;
  await close();
});
