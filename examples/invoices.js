/**
 * Numbers invoices without gaps: several workers write to one file, and two of them are killed in the middle.
 *
 *   node examples/invoices.js [WORKERS]
 *
 * A lock makes reading the last number and writing the next invoice one step. When its holder dies, the next request has it at
 * once. What a dead holder left behind is repaired by the next one, and `retries` invoices its order again.
 */
"use strict";

const fs = require("fs");
const os = require("os");
const path = require("path");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, locks } = require("..");

const ORDERS = 300;

/** The orders whose first worker dies: with half a line written, and with a whole line written but not answered. */
const DIES_HALFWAY = 60;
const DIES_UNANSWERED = 200;

/** Runs in a worker, for each order. Returns the number of its invoice. */
function invoice({ data: order }, { file }, task) {
  const isFirst = task.attempt === 1;
  return locks.request("invoices", async () => {
    const invoices = await readAndRepair(file);
    // The order's first worker may have died after it had written the invoice.
    const written = invoices.find((each) => each.order === order);
    if (written !== undefined) return written.number;

    const number = invoices.length + 1;
    const line = `${JSON.stringify({ number, order, pid: process.pid })}\n`;
    if (isFirst && order === DIES_HALFWAY) {
      fs.appendFileSync(file, line.slice(0, line.length / 2));
      die();
    }
    await fs.promises.appendFile(file, line);
    if (isFirst && order === DIES_UNANSWERED) die();
    return number;
  });
}

/** The invoices of the file. Cuts off half a line, which a worker left that was killed. */
async function readAndRepair(file) {
  const text = await fs.promises.readFile(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole !== text) await fs.promises.truncate(file, Buffer.byteLength(whole));
  return parse(whole);
}

const parse = (text) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** Ends the process as a crash would: no code of it runs any more. */
function die() {
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

async function main() {
  const workers = Number(process.argv[2] || 4);
  // Each worker has several orders at once, so the lock is wanted in one process too.
  const pool = await createPool({ invoice }, { numWorkers: workers, concurrency: 4, retries: 3 });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "invoices-"));
  const file = path.join(folder, "invoices.jsonl");
  fs.writeFileSync(file, "");
  try {
    const orders = Array.from({ length: ORDERS }, (_, at) => at + 1);
    const numbers = await pool.map(invoice, orders, { args: { file } });
    verify({ orders, numbers, file, crashes: pool.statistics().crashes });
  } finally {
    await pool.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function verify({ orders, numbers, file, crashes }) {
  const invoices = parse(fs.readFileSync(file, "utf8"));
  const gap = invoices.findIndex(({ number }, at) => number !== at + 1);
  if (gap !== -1) throw new Error(`number ${gap + 1} is missing`);
  if (invoices.length !== ORDERS) throw new Error(`${invoices.length} invoices were written`);
  for (const [at, order] of orders.entries()) {
    const found = invoices.filter((each) => each.order === order);
    if (found.length !== 1) throw new Error(`order ${order} has ${found.length} invoices`);
    if (found[0].number !== numbers[at]) throw new Error(`order ${order} has another number`);
  }
  if (crashes !== 2) throw new Error(`${crashes} workers died, not 2`);
  const processes = new Set(invoices.map(({ pid }) => pid)).size;
  console.log(`${ORDERS} invoices, written by ${processes} processes`);
  console.log(`verified: the numbers from 1 to ${ORDERS} have no gap, and each order has one`);
  console.log("verified: 2 workers were killed while they held the lock");
}

main().catch((error) => {
  console.error(`invoices: ${error.message}`);
  process.exitCode = 1;
});
