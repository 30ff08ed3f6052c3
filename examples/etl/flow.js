"use strict";
// The flow of load.js. Workers run this file, and not the program.

const { pipeline } = require("node:stream/promises");
const { from: copyFrom } = require("pg-copy-streams");

// In a program of your own: require("@tiemma/sonic-distribute")
const { flow } = require("../..");
const { connection, variable } = require("../backup/connection");
const { read } = require("../logs/ranges");
const { fieldsOf, lineOf } = require("./csv");
const { customerOf, orderOf } = require("./orders");

/** As many rows as are worth a round trip to the server. */
const ROWS = 500;

/** A range of one of the files becomes its lines, without the first one of the file. */
function* linesOf({ data: { file, path, ...range } }) {
  let byte = range.from;
  // A range ends where a line ends, so no character is cut in two.
  for (const bytes of read(path, range).split("\n")) {
    const line = Buffer.from(bytes, "latin1").toString().replace(/\r$/, "");
    if (byte > 0 && line !== "") yield { file, byte, line };
    byte += bytes.length + 1;
  }
}

const parseOrder = ({ data: { line, ...place } }) => ({
  ...orderOf(fieldsOf(line)),
  source: { ...place, line },
});
const parseCustomer = ({ data: { line } }) => customerOf(fieldsOf(line));

/** The row of an order with its customer, without the line that it came from. */
const rowOf = ({ data: { left, right } }) => {
  const { source, ...order } = left;
  return { ...order, name: right.name, country: right.country };
};

/** A line that could not be parsed, as `errors` has it. */
const invalid = ({ data: { data, error } }) => ({ ...data, reason: error.message });
const unknown = ({ data: { left } }) => ({
  ...left.source,
  reason: `there is no customer ${left.customer}`,
});

/**
 * Writes a batch, all of it or nothing. If the worker dies before it has answered, another one writes the batch once
 * more: rows that are there already are left out.
 */
async function copyRows({ data: rows }) {
  const client = await connection(variable("DATABASE_URL"), (opened) =>
    opened.query("CREATE TEMPORARY TABLE batch (LIKE orders) ON COMMIT DELETE ROWS"),
  );
  await client.query("BEGIN");
  try {
    const copy = client.query(copyFrom("COPY batch FROM STDIN (FORMAT csv)"));
    await pipeline([rows.map(textOf).join("")], copy);
    const { rowCount } = await client.query(
      "INSERT INTO orders SELECT * FROM batch ON CONFLICT DO NOTHING",
    );
    await client.query("COMMIT");
    return { rows: rows.length, inserted: rowCount };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

const textOf = ({ id, customer, placed, cents, name, country }) => {
  const amount = (cents / 100).toFixed(2);
  return lineOf([id, customer, placed, amount, name, country]);
};

exports.load = flow((source) => {
  const lines = source.flatMap(linesOf);
  const files = lines.split(({ data: { file } }) => file, ["orders", "customers"]);
  const orders = files.orders.map(parseOrder);
  const customers = files.customers.map(parseCustomer);

  // The worker keeps the left side of one key in memory: the orders of one customer.
  const joined = orders.join(customers, {
    on: [({ customer }) => customer, ({ id }) => id],
    kind: "left",
  });
  const { known, orphans } = joined.split(
    ({ data: { right } }) => (right === undefined ? "orphans" : "known"),
    ["known", "orphans"],
  );
  return {
    batches: known.map(rowOf).batch({ count: ROWS }).map(copyRows),
    rejects: orphans
      .map(unknown)
      .merge(orders.errors.map(invalid, { name: "invalid order" }))
      .merge(customers.errors.map(invalid, { name: "invalid customer" })),
  };
});
