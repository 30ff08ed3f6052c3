"use strict";
// The program of the dashboard's pictures: a pool that parses orders in a flow and renders their invoices, until it is stopped. Some orders
// are broken, and some end their worker.

const { createPool, flow, isMaster, locks } = require("../..");

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const spin = (ms) => {
  for (const end = Date.now() + ms; Date.now() < end; );
};

const orders = flow((source) =>
  source
    .map(
      function parse({ data }) {
        spin(3);
        if (data % 97 === 50) throw new SyntaxError(`order ${data} has no customer`);
        return { order: data, lines: [1, 2, 3] };
      },
      { name: "parse" },
    )
    .flatMap(
      ({ data: { order, lines } }) => lines.map((line) => ({ order, line, price: order % 7 })),
      { name: "lines" },
    )
    .filter(({ data: { price } }) => price > 0, { name: "priced" })
    .map(({ data: { order, price } }) => [order % 5, price], { name: "by region" })
    .reduceByKey((a, b) => a + b, { name: "sum" }),
);

async function render({ data: { order, total } }) {
  spin(4);
  await sleep(4 + (order % 13));
  if (order % 173 === 40) process.exit(7);
  if (order % 61 === 30) throw new RangeError(`the total ${total} of order ${order} is negative`);
  if (order % 9 === 0) await locks.request("ledger", () => sleep(3));
  return `invoice-${order}.pdf`;
}

async function main() {
  const pool = await createPool({ orders, render }, { numWorkers: 8, retries: 1, dashboard: 0 });
  if (!isMaster()) return;
  const numbers = function* () {
    for (let n = 0; ; n++) yield n;
  };
  const invoices = function* () {
    for (let order = 0; ; order++) yield { order, total: order % 61 === 30 ? -3 : order * 2 };
  };
  const feed = async () => {
    for await (const { failed } of pool.stream(render, invoices())) if (failed) await sleep(20);
  };
  const sums = async () => {
    for await (const _ of pool.stream(orders, numbers()));
  };
  await Promise.all([feed(), sums()]);
}
main();
