"use strict";
// The program of the picture of hosts: renders invoices on all machines, until it is stopped.

const { createPool, isMaster } = require("../..");

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function render({ data: order }) {
  await sleep(20 + (order % 13));
  return `invoice-${order}.pdf`;
}

async function main() {
  const pool = await createPool({ render }, { numWorkers: 2, dashboard: 0 });
  if (!isMaster()) return;
  const orders = function* () {
    for (let order = 0; ; order++) yield order;
  };
  for await (const _ of pool.stream(render, orders()));
}
main();
