"use strict";
// A connection to the database that DATABASE_URL names. A password has no place on a command line, which
// every user of the machine can read.

const { execFileSync } = require("node:child_process");
const path = require("node:path");
const { Client } = require("pg");

/** @type {Map<string, Promise<Client>>} */
const open = new Map();

/**
 * This process's connection to a database: opened when it is first asked for, and closed when the process
 * has nothing more to do. (A worker ends when its event loop is empty, and a connection would keep it.)
 * @param {string} url
 * @param {(client: Client) => Promise<unknown>} [prepare] done once
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
 * Runs one of PostgreSQL's own programs on a database. They are in `PGBIN`, if that is set, else in the
 * `PATH`.
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
