/**
 * Restores a dump of dump.js into an empty PostgreSQL database, with several connections at once.
 *
 *   DATABASE_URL=postgres://… node restore.js [--workers N] FOLDER
 *
 * A table is restored after the tables it refers to. So no foreign key is ever violated, and none has to be
 * turned off.
 */
"use strict";

process.env.QUIET = process.env.QUIET ?? "true"; // no log lines between the output

const fs = require("node:fs");
const path = require("node:path");
const { pipeline } = require("node:stream/promises");
const { from: copyFrom } = require("pg-copy-streams");

// In a program of your own: require("@tiemma/sonic-distribute")
const { isMaster, Map: send, MapReduce } = require("../..");
const { readArguments } = require("./arguments");
const { close, connection, tool, variable } = require("./connection");

/** Runs in the master: sends the parts of each table as soon as its parents are restored. */
async function sendParts(workerQueue, { progress }) {
  for (;;) {
    const next = await progress.next();
    if (next === undefined) return;
    for (const data of next) await send(workerQueue, { data });
  }
}

/** Knows which tables are restored, which are in progress, and which can start. */
class Progress {
  constructor(tables, parts) {
    this.waiting = new Map(tables.map((table) => [table.name, table]));
    this.parts = parts;
    /** The number of parts that are not restored yet, by table. */
    this.left = new Map(tables.map(({ name }) => [name, this.partsOf(name).length]));
    this.failed = undefined;
    this.changed = () => {};
  }

  partsOf(name) {
    return this.parts.filter(({ table }) => table === name);
  }

  /** Called with the entry of a part. Each part has one, even if its worker died. */
  hear({ data, failed }) {
    if (failed) this.failed = data;
    this.left.set(data.table, this.left.get(data.table) - 1);
    this.changed();
  }

  /** The parts that can be restored now. Undefined when all have started, or one has failed. */
  async next() {
    while (this.failed === undefined && this.waiting.size > 0) {
      const ready = [...this.waiting.values()].find(({ parents }) =>
        parents.every((parent) => this.left.get(parent) === 0),
      );
      if (ready !== undefined) {
        this.waiting.delete(ready.name);
        return this.partsOf(ready.name).map((part) => ({ ...part, columns: ready.columns }));
      }
      await new Promise((resolve) => {
        this.changed = resolve;
      });
    }
    return undefined;
  }
}

/** Runs in a worker, once per part: copies the rows from the file into the table. */
async function restorePart({ data: { table, columns, file } }, { url, folder }) {
  const client = await connection(url);
  const rows = client.query(copyFrom(`COPY ${table} (${columns.join(", ")}) FROM STDIN`));
  await pipeline(fs.createReadStream(path.join(folder, file)), rows);
  return rows.rowCount;
}

/** Runs in the master, when every part is answered. */
function count(results, failures) {
  if (!failures.isEmpty()) {
    const { data, error } = failures.dequeue();
    throw new Error(`${data.file}: ${error.message}`);
  }
  const total = { parts: 0, rows: 0 };
  while (!results.isEmpty()) {
    total.parts += 1;
    total.rows += results.dequeue().response;
  }
  return total;
}

async function main() {
  const { folder, numWorkers } = readArguments("the folder of a dump");
  const url = variable("DATABASE_URL");
  const args = { url, folder, numWorkers };
  const options = {};
  if (isMaster()) {
    Object.assign(args, prepare(url, folder));
    args.progress = new Progress(args.tables, args.parts);
    options.onResult = (entry) => args.progress.hear(entry);
  }
  const total = await MapReduce(sendParts, [restorePart], count, args, options);
  // Workers get here too, at once.
  if (!isMaster()) return;
  if (total.parts !== args.parts.length) throw new Error("parts are missing");
  const client = await connection(url);
  for (const { name, value } of args.sequences) {
    await client.query("SELECT setval($1::regclass, $2)", [name, value]);
  }
  await client.query("ANALYZE");
  await close();
  console.log(`restored ${args.tables.length} tables, ${total.rows} rows in ${total.parts} parts`);
}

/** Creates the empty tables with all their constraints, and reads the manifest. */
function prepare(url, folder) {
  const schema = `--file=${path.join(folder, "schema.sql")}`;
  tool("psql", url, ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", schema]);
  return JSON.parse(fs.readFileSync(path.join(folder, "manifest.json"), "utf8"));
}

main().catch(async (error) => {
  console.error(`restore: ${error.message}`);
  process.exitCode = 1;
  await close();
});
