"use strict";
// Does the work of load.js in one process, with plain loops, and compares.

const fs = require("node:fs");
const { isDeepStrictEqual } = require("node:util");

const { fieldsOf, lineOf } = require("./csv");
const { customerOf, orderOf } = require("./orders");

const ROWS = `SELECT id, customer, to_char(placed, 'YYYY-MM-DD') AS placed, (amount * 100)::int AS cents, name, country
  FROM orders ORDER BY id`;

/** Throws if the table or the rejects are others than those that the files lead to. */
async function verify(client, files) {
  const rejected = [];
  const customers = new Map();
  for (const [, customer] of parsed("customers", files.customers, customerOf, rejected)) {
    customers.set(customer.id, customer);
  }
  const expected = new Map();
  for (const [place, order] of parsed("orders", files.orders, orderOf, rejected)) {
    const customer = customers.get(order.customer);
    if (customer === undefined) {
      rejected.push(rejectOf(place, `there is no customer ${order.customer}`));
    } else {
      expected.set(order.id, { ...order, name: customer.name, country: customer.country });
    }
  }
  const { rows } = await client.query(ROWS);
  const sorted = [...expected.values()].sort((a, b) => a.id - b.id);
  if (!isDeepStrictEqual(rows, sorted)) throw new Error("one process gets other rows");
  const [, ...lines] = fs.readFileSync(files.rejects, "utf8").match(/.*\n/g);
  if (!isDeepStrictEqual(lines.sort(), rejected.sort())) {
    throw new Error("one process rejects other lines");
  }
}

/** The lines of a file that can be parsed. */
function* parsed(file, name, parse, rejected) {
  let byte = 0;
  for (const line of fs.readFileSync(name, "utf8").split("\n")) {
    const place = { file, byte, line };
    byte += Buffer.byteLength(line) + 1;
    if (place.byte === 0 || line === "") continue;
    try {
      yield [place, parse(fieldsOf(line))];
    } catch (error) {
      rejected.push(rejectOf(place, error.message));
    }
  }
}

const rejectOf = ({ file, byte, line }, reason) => lineOf([file, byte, reason, line]);

module.exports = { verify };
