"use strict";
// Makes up the files of a shop, the same ones each time: orders and customers as CSV, with lines that make no sense.

const fs = require("node:fs");

const { lineOf } = require("./csv");
const { randomFrom } = require("../random");

const NAMES = ["Ada", "Grace", 'Joan "Jo"', "Zoë", "Kō", "Smith, Ann", "O'Neil"];
const COUNTRIES = ["DE", "NG", "US", "JP"];

/** Lines of orders that are to be rejected, with the reasons in their place. */
const BROKEN = [
  (id) => `${id},1,2026-02-30,1.00\n`,
  (id) => `${id},1,2026-01-01,ten\n`,
  (id) => `${id},1,2026-01-01\n`,
  (id) => `${id},"1,2026-01-01,1.00\n`,
  () => "\u{1f4a5},1,2026-01-01,1.00\n",
];

/**
 * @param {{ orders: string, customers: string }} files
 * @param {number} count of orders
 */
function generate(files, count) {
  const random = randomFrom(count);
  const below = (most) => Math.floor(random() * most);
  const pick = (list) => list[below(list.length)];
  const people = Math.max(1, Math.floor(count / 20));

  let text = "id,name,country\n";
  for (let id = 1; id <= people; id++)
    text += lineOf([id, `${pick(NAMES)} ${id}`, pick(COUNTRIES)]);
  text += `${people + 1},,DE\n`;
  fs.writeFileSync(files.customers, text);

  const output = fs.openSync(files.orders, "w");
  fs.writeSync(output, "id,customer,placed,amount\n");
  for (let id = 1; id <= count; id++) {
    if (below(100) === 0) fs.writeSync(output, pick(BROKEN)(id));
    else {
      // A few customers have left, and are in no file.
      const customer = 1 + below(people + Math.ceil(people / 100));
      const placed = new Date(Date.UTC(2026, 0, 1 + below(365))).toISOString().slice(0, 10);
      fs.writeSync(output, lineOf([id, customer, placed, (below(100_000) / 100).toFixed(2)]));
    }
  }
  fs.closeSync(output);
}

module.exports = { generate };
