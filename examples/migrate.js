/**
 * Brings a database to the current schema once, whichever worker comes first, and while that worker is killed.
 *
 *   node examples/migrate.js [WORKERS]
 *
 * Each worker calls `sync.once` before its first event. One of them migrates, and the others wait for it. If it dies, the
 * next one takes over, and goes on with the migration that is missing.
 */
"use strict";

const fs = require("fs");
const os = require("os");
const path = require("path");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, sync } = require("..");

/** Each of them works on a database once: a table that exists cannot be made again. */
const MIGRATIONS = [
  (tables) => create(tables, "customers", ["id", "name"]),
  (tables) => create(tables, "orders", ["id", "customer", "amount"]),
  (tables) => tables.customers.push("country"),
  (tables) => create(tables, "countries", ["code", "name"]),
];

/** The first worker that migrates dies when the database has this version. */
const DIES_AT = 2;

/** Runs in each worker before anything else, also in those that replace a dead one. */
async function prepare({ data: folder }) {
  return sync.once("schema", () => migrate(folder));
}

/** Runs once. Returns the schema, which all workers get. */
async function migrate(folder) {
  const { version } = await read(folder);
  for (let at = version; at < MIGRATIONS.length; at++) {
    const { tables } = await read(folder);
    MIGRATIONS[at](tables);
    await commit(folder, { version: at + 1, tables });
    if (at + 1 === DIES_AT && isFirst(folder)) die();
  }
  return read(folder);
}

function create(tables, name, columns) {
  if (tables[name] !== undefined) throw new Error(`there is a table ${name} already`);
  tables[name] = columns;
}

// What stands in for a database: a file that changes as a whole, and a log of its changes.

const read = async (folder) =>
  JSON.parse(await fs.promises.readFile(path.join(folder, "database.json"), "utf8"));

async function commit(folder, database) {
  const next = path.join(folder, `${process.pid}.json`);
  await fs.promises.writeFile(next, JSON.stringify(database));
  await fs.promises.appendFile(path.join(folder, "log"), `${database.version} ${process.pid}\n`);
  await fs.promises.rename(next, path.join(folder, "database.json"));
}

/** Whether nobody else has asked before. */
function isFirst(folder) {
  try {
    fs.writeFileSync(path.join(folder, "died"), "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

/** Ends the process as a crash would: no code of it runs any more. */
function die() {
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

/** Runs in a worker: any work that needs the schema. */
async function columnsOf({ data: table }) {
  const { tables } = await sync.once("schema", () => {
    throw new Error("the schema was not ready");
  });
  return tables[table];
}

async function main() {
  const workers = Number(process.argv[2] || 4);
  const pool = await createPool({ prepare, columnsOf }, { numWorkers: workers });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "migrate-"));
  fs.writeFileSync(path.join(folder, "database.json"), JSON.stringify({ version: 0, tables: {} }));
  try {
    const { results } = await pool.each(prepare, folder, { keep: true });
    const columns = await pool.map(columnsOf, ["customers", "orders", "countries"]);
    verify({ folder, results, columns, workers, crashes: pool.statistics().crashes });
  } finally {
    await pool.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function verify({ folder, results, columns, workers, crashes }) {
  const log = fs.readFileSync(path.join(folder, "log"), "utf8").trim().split("\n");
  const lines = log.map((line) => line.split(" "));
  const applied = lines.map(([version]) => Number(version)).join();
  if (applied !== MIGRATIONS.map((_, at) => at + 1).join())
    throw new Error(`the migrations that were applied are ${applied}`);
  const processes = new Set(lines.map(([, pid]) => pid)).size;
  if (processes !== 2 || crashes !== 1)
    throw new Error(`${processes} processes migrated, and ${crashes} died`);
  if (results.length !== workers) throw new Error(`${results.length} workers were prepared`);
  for (const { version } of results)
    if (version !== MIGRATIONS.length) throw new Error(`a worker began with version ${version}`);
  if (columns.map((each) => each.length).join() !== "3,3,2")
    throw new Error(`the tables have the columns ${JSON.stringify(columns)}`);
  console.log(`${MIGRATIONS.length} migrations, ${workers} workers`);
  console.log("verified: each migration was applied once, before any worker went on");
  console.log("verified: the first worker died in the middle, and another one finished its work");
}

main().catch((error) => {
  console.error(`migrate: ${error.message}`);
  process.exitCode = 1;
});
