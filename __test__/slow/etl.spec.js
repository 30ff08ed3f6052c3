"use strict";
/**
 * Promise: The ETL example loads each valid order once into a real PostgreSQL database, with its customer, also when a
 * worker dies after it has committed and before it has answered. It writes every other line into the rejects, with the
 * reason, and says so when it cannot do its job.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, beforeEach, describe, it } = require("node:test");
const { Client } = require("pg");

const { Server, isInstalled } = require("../../examples/backup/server");
const { fieldsOf, lineOf } = require("../../examples/etl/csv");
const { generate } = require("../../examples/etl/generate");
const { customerOf, orderOf } = require("../../examples/etl/orders");
const { runCommand } = require("../support/command");
const { install } = require("../support/debian");
const { MODULES, ROOT, Workspace } = require("../support/workspace");

const LOAD = path.join(ROOT, "examples", "etl", "load.js");

if (!isInstalled()) install("postgresql");

/** For `node -r`: kills the first worker that has committed. The file `mark` is there then. */
const killCommitted = (mark) => `
  const { Client } = require(${JSON.stringify(path.join(MODULES, "pg"))});
  const { query } = Client.prototype;
  Client.prototype.query = function (text, ...rest) {
    const asked = query.call(this, text, ...rest);
    if (text !== "COMMIT" || !require("node:cluster").isWorker) return asked;
    return asked.then((answer) => {
      try {
        require("node:fs").writeFileSync(${JSON.stringify(mark)}, "", { flag: "wx" });
      } catch {
        return answer;
      }
      process.kill(process.pid, "SIGKILL");
    });
  };`;

describe("examples/etl", {
  skip: isInstalled() ? false : "there is no PostgreSQL server here",
}, () => {
  const texts = new Workspace("etl");
  const [orders, customers, rejects] = ["orders", "customers", "rejects"].map((name) =>
    texts.path(`${name}.csv`),
  );
  let server;
  let client;

  const load = (nodeArgs = [], ...args) => {
    const files = ["--orders", orders, "--customers", customers, "--rejects", rejects];
    return runCommand(process.execPath, [...nodeArgs, LOAD, "--workers", "2", ...files, ...args], {
      env: { DATABASE_URL: server.url("postgres") },
    });
  };

  before(async () => {
    server = await Server.start();
    client = new Client({ connectionString: server.url("postgres") });
    await client.connect();
  });
  beforeEach(async () => {
    await client.query("DROP TABLE IF EXISTS orders");
    generate({ orders, customers }, 3000);
  });
  after(async () => {
    await client?.end();
    await server?.stop();
    texts.remove();
  });

  const check = ({ code, stdout, output }) => {
    assert.equal(code, 0, output);
    const [, rows, rejected] = stdout.match(/^(\d+) rows in \d+ batches, (\d+) lines rejected$/m);
    // One of the customers is no customer.
    assert.equal(Number(rows) + Number(rejected), 3001);
    assert.ok(Number(rejected) > 30, output);
    assert.match(stdout, new RegExp(`^the table has ${rows} rows$`, "m"));
    const verified = /^verified: one process gets the same rows, and rejects the same lines$/m;
    assert.match(stdout, verified);
  };

  it("loads what one process loads, and a second time changes nothing", async () => {
    check(await load([], "--check"));
    check(await load([], "--check", "--range", "5000"));
  });

  it("loads each row once when a worker dies that has committed and not answered", async () => {
    const kill = texts.write("kill.js", killCommitted(texts.path("died")));
    const outcome = await load(["-r", kill], "--check", "--range", "5000");
    assert.ok(fs.existsSync(texts.path("died")), outcome.output);
    check(outcome);
  });

  it("rejects each line that makes no sense, and says why", async () => {
    fs.writeFileSync(customers, 'id,name,country\n1,"Zoë ""Z"", Ms",DE\r\n2,,DE\n');
    const lines = ["1,1,2026-01-01,1.05", "2,1,2026-02-30,1.00", "3,2,2026-01-01,1.00", '4,"1'];
    fs.writeFileSync(orders, ["id,customer,placed,amount", ...lines].join("\n"));
    const { code, stdout, output } = await load();
    assert.equal(code, 0, output);
    assert.match(stdout, /^1 rows in 1 batches, 4 lines rejected$/m);
    const { rows } = await client.query("SELECT id, amount, name, country FROM orders");
    assert.deepEqual(rows, [{ id: 1, amount: "1.05", name: 'Zoë "Z", Ms', country: "DE" }]);
    const [head, ...rejected] = fs.readFileSync(rejects, "utf8").trimEnd().split("\n");
    assert.equal(head, "file,byte,reason,line");
    assert.deepEqual(rejected.sort(), [
      'customers,39,the name is empty,"2,,DE"',
      'orders,46,"the day is ""2026-02-30""","2,1,2026-02-30,1.00"',
      'orders,66,there is no customer 2,"3,2,2026-01-01,1.00"',
      'orders,86,field 2 is malformed,"4,""1"',
    ]);
  });

  it("ends and says so when the database refuses a batch", async () => {
    await client.query("CREATE TABLE orders (id int PRIMARY KEY)");
    const { code, stderr } = await load();
    assert.equal(code, 1);
    assert.match(stderr, /^load: .*(expressions|columns|extra data)/m);
  });

  it("says so when a file is missing, or none is named", async () => {
    fs.rmSync(orders);
    const missing = await load();
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^load: ENOENT.*orders\.csv/);
    const unnamed = await runCommand(process.execPath, [LOAD, "--orders", orders]);
    assert.deepEqual([unnamed.code, unnamed.stderr], [1, "load: name a file with --customers\n"]);
  });

  it("reads the CSV that it writes", () => {
    for (const fields of [["a", ""], ['"', ",", "x y"], ["", "", ""], ["ü"]]) {
      assert.deepEqual(fieldsOf(lineOf(fields).trimEnd()), fields);
    }
    for (const line of ['a,"b', 'a"b', '"a"b', '"a""']) {
      assert.throws(() => fieldsOf(line), /^Error: field \d is malformed$/, line);
    }
    assert.throws(() => orderOf(["0", "1", "2026-01-01", "1.00"]), /the id is "0"/);
    assert.throws(() => customerOf(["1", "x", "Germany"]), /the country is "Germany"/);
  });
});
