"use strict";
// Connects to the database in DATABASE_URL. It takes no password on the command line: every user of the
// machine could read it.

const { execFileSync } = require("node:child_process");
const path = require("node:path");
const { Client } = require("pg");

/** @type {Map<string, Promise<Client>>} */
const open = new Map();

/**
 * This process's connection to a database. It opens at the first call, and closes when the worker is
 * released: a worker exits when its event loop is empty, and an open connection would keep it alive.
 * @param {string} url
 * @param {(client: Client) => Promise<unknown>} [prepare] called once, after connecting
 * @returns {Promise<Client>}
 */
function connection(url, prepare = async () => {}) {
  if (!open.has(url)) {
    if (open.size === 0) process.once("disconnect", close);
    open.set(url, connect(url, prepare));
  }
  return open.get(url);
}

async function connect(url, prepare) {
  const client = new Client({ connectionString: url });
  await client.connect();
  await prepare(client);
  return client;
}

async function close() {
  for (const client of open.values()) await (await client).end();
  open.clear();
}

function variable(name) {
  const url = process.env[name];
  if (!url) throw new Error(`set ${name} to the database: postgres://USER:PASSWORD@HOST/DATABASE`);
  return url;
}

/**
 * Runs one of PostgreSQL's own programs on a database. It finds them in `PGBIN` if that is set, otherwise in
 * the `PATH`.
 * @param {string} name
 * @param {string} url
 * @param {string[]} args
 */
function tool(name, url, args) {
  const { username, password, hostname, port, pathname } = new URL(url);
  const PGUSER = decodeURIComponent(username);
  const PGPASSWORD = decodeURIComponent(password);
  const PGDATABASE = decodeURIComponent(pathname.slice(1));
  const where = { PGUSER, PGPASSWORD, PGDATABASE, PGHOST: hostname, PGPORT: port || "5432" };
  execFileSync(path.join(process.env.PGBIN ?? "", name), args, {
    env: { ...process.env, ...where },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

module.exports = { close, connection, tool, variable };
