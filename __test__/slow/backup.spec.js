"use strict";
/**
 * Promise: The backup example dumps a real PostgreSQL database, restores it into another one, and both are equal, row
 * by row. It says so when they are not, or when it cannot do its job.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");
const { Client } = require("pg");

const { fill } = require("../../examples/backup/sample");
const { Server, isInstalled } = require("../../examples/backup/server");
const { runCommand } = require("../support/command");
const { install } = require("../support/debian");
const { ROOT, Workspace } = require("../support/workspace");

const FOLDER = path.join(ROOT, "examples", "backup");
const ORDERS = 2000;
/** What `fill` makes of them. */
const ROWS = 12_400;

if (!isInstalled()) install("postgresql");

describe("examples/backup", {
  skip: isInstalled() ? false : "there is no PostgreSQL server here",
}, () => {
  const texts = new Workspace("backup");
  let server;
  let clients;

  const env = (url, other) => ({
    DATABASE_URL: server.url(url),
    OTHER_URL: other && server.url(other),
    PGBIN: server.bin,
  });
  const run = (name, url, ...args) => runWith([], name, url, ...args);
  const runWith = (nodeArgs, name, url, ...args) =>
    runCommand(
      process.execPath,
      [...nodeArgs, path.join(FOLDER, name), "--workers", "3", ...args],
      { env: env(url) },
    );
  const compare = (...urls) =>
    runCommand(process.execPath, [path.join(FOLDER, "compare.js")], { env: env(...urls) });

  before(async () => {
    server = await Server.start();
    const admin = await connect("postgres");
    for (const name of ["shop", "copy", "other", "killed", "circle"])
      await admin.query(`CREATE DATABASE ${name}`);
    await admin.end();
    clients = {
      shop: await connect("shop"),
      copy: await connect("copy"),
      circle: await connect("circle"),
    };
    await fill(clients.shop, ORDERS);
  });
  after(async () => {
    for (const client of Object.values(clients ?? {})) await client.end();
    if (server !== undefined) await server.stop();
    texts.remove();
  });

  async function connect(database) {
    const client = new Client({ connectionString: server.url(database) });
    await client.connect();
    return client;
  }

  it("dumps a database, and restores it with every row, sequence and constraint", async () => {
    const dumped = await run("dump.js", "shop", texts.path("dump"));
    assert.equal(dumped.code, 0, dumped.output);
    assert.match(dumped.stdout, new RegExp(`^dumped 7 tables, ${ROWS} rows, `));
    const restored = await run("restore.js", "copy", texts.path("dump"));
    assert.equal(restored.code, 0, restored.output);
    assert.match(restored.stdout, new RegExp(`^restored 7 tables, ${ROWS} rows in 7 parts$`, "m"));
    const compared = await compare("shop", "copy");
    assert.equal(compared.code, 0, compared.output);
    assert.match(
      compared.stdout,
      new RegExp(`^compared 7 tables, ${ROWS} rows: all are the same$`, "m"),
    );
    const constraints =
      "SELECT count(*)::int AS count FROM pg_constraint WHERE contype IN ('p', 'f', 'c', 'u')";
    const counts = await Promise.all(
      [clients.shop, clients.copy].map(
        async (client) => (await client.query(constraints)).rows[0].count,
      ),
    );
    assert.equal(counts[0], counts[1]);
    const { rows } = await clients.copy.query(
      "INSERT INTO orders (customer, placed) VALUES (1, now()) RETURNING id",
    );
    assert.equal(rows[0].id, String(ORDERS + 1), "the sequence goes on where it was");
  });

  it("finds a row that is missing and one that differs", async () => {
    const missing = await compare("shop", "copy");
    assert.equal(missing.code, 1, missing.output);
    assert.match(missing.stderr, /^compare: the tables differ$/m, "a sequence has gone on");
    await clients.copy.query(
      `DELETE FROM orders WHERE id > ${ORDERS}; SELECT setval('orders_id_seq', ${ORDERS})`,
    );
    await clients.copy.query(
      'UPDATE items SET quantity = quantity + 1 WHERE "order" = 7 AND line = 2',
    );
    const changed = await compare("shop", "copy");
    assert.equal(changed.code, 1, changed.output);
    assert.match(changed.stderr, /^"public"\."items": differs at row \d+$/m);
  });

  it("ends a restore and names the part when a worker is killed", async () => {
    const preload = path.join(__dirname, "..", "fixtures", "crash", "killed-in-event.js");
    const { code, stderr } = await runWith(
      ["--require", preload],
      "restore.js",
      "killed",
      texts.path("dump"),
    );
    assert.match(stderr, /^restore: .*\.copy: .*SIGKILL/m);
    assert.equal(code, 1);
  });

  it("names the part that cannot be restored, and begins no table that depends on it", async () => {
    const [name] = fs.readdirSync(texts.path("dump")).filter((file) => file.includes("customers"));
    fs.appendFileSync(texts.path(`dump/${name}`), "garbage\n");
    const { code, stderr } = await run("restore.js", "other", texts.path("dump"));
    assert.equal(code, 1);
    assert.match(stderr, /^restore: _public_\._customers_\.0\.copy: invalid input syntax/m);
    const other = await connect("other");
    const { rows } = await other.query(
      "SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM items) AS items",
    );
    await other.end();
    assert.deepEqual(rows, [{ orders: 0, items: 0 }]);
  });

  it("says so when tables refer to each other in a circle, or a folder is there already", async () => {
    await clients.circle.query(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b",
    );
    const circle = await run("dump.js", "circle", texts.path("circle"));
    assert.equal(circle.code, 1);
    assert.match(
      circle.stderr,
      /^dump: these tables refer to each other in a circle: "public"\."a", "public"\."b"$/m,
    );
    const again = await run("dump.js", "shop", texts.path("dump"));
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^dump: EEXIST: /m);
  });
});
