"use strict";
// What a line of each file must have. A function throws what is wrong with it.

/** @param {string[]} fields */
function orderOf(fields) {
  const [id, customer, placed, amount] = exactly(4, fields);
  return {
    id: integer("the id", id),
    customer: integer("the customer", customer),
    placed: day(placed),
    // Cents: a fraction would be rounded.
    cents: cents(amount),
  };
}

/** @param {string[]} fields */
function customerOf(fields) {
  const [id, name, country] = exactly(3, fields);
  if (name === "") throw new Error("the name is empty");
  if (!/^[A-Z]{2}$/.test(country)) throw new Error(`the country is ${JSON.stringify(country)}`);
  return { id: integer("the id", id), name, country };
}

function exactly(count, fields) {
  if (fields.length !== count) {
    throw new Error(`there are ${fields.length} fields, not ${count}`);
  }
  return fields;
}

function integer(what, text) {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${what} is ${JSON.stringify(text)}`);
  return Number(text);
}

function day(text) {
  const date = new Date(`${text}T00:00:00Z`);
  // JavaScript takes 2026-02-30 for the 2nd of March.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text) {
    throw new Error(`the day is ${JSON.stringify(text)}`);
  }
  return text;
}

function cents(text) {
  const found = /^(\d{1,9})\.(\d\d)$/.exec(text);
  if (found === null) throw new Error(`the amount is ${JSON.stringify(text)}`);
  return Number(found[1] + found[2]);
}

module.exports = { customerOf, orderOf };
