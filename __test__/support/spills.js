"use strict";
// Flows whose keys and values go through files, by hand, with native functions that are no files; and what their events put out.
const assert = require("node:assert/strict");

const { codecOf } = require("../../lib/shared/codec");
const { FlowWork } = require("../../lib/worker/flow");
const { Spill } = require("../../lib/worker/spill");
const { FakeSpill, compared } = require("./fake-spill");
const { node, outcomeOf, pass, planOf } = require("./flows");

/** How many partitions there are, but for what is sorted. */
const PARTITIONS = 4;

const add = (a, b) => a + b;
const listed = ({ key, values }) => [key, [...values]];

/**
 * flatMap into a hold, whose outputs go to exit 0.
 * @param {string} kind of the hold
 * @param {any} fn the hold's
 */
function flowOf(kind, fn, /** @type {any} */ given = {}) {
  const { after = [], functions = [], ...options } = given;
  const next = after.length > 0 ? 3 : 0;
  const hold = node(kind, [[next > 0 ? -1 : 0, next]], { hold: "spill" });
  const entry = node("flatMap", [[-1, 0, [{ node: 2, side: 0 }]]]);
  return spilling([entry, hold, ...after], [pass, fn, ...functions], options);
}

/** @param {ReturnType<typeof node>[]} nodes @param {any[]} functions */
function spilling(
  nodes,
  functions,
  { codec = "json", chunk = 2 ** 20, fake = new FakeSpill(), partitions = PARTITIONS } = {},
) {
  const { native } = fake;
  const where = { native, dir: () => fake.dir, file: "1-2" };
  const spill = new Spill({ ...where, partitions, codec: codecOf(codec), chunk });
  const work = new FlowWork({ plan: planOf(nodes), functions, codec: codecOf(codec), spill });
  return { work, fake };
}

/** The extents by partition that the records of an event tell of. */
function extentsOf(records, number = 2) {
  const byPartition = new Map();
  for (const [mark, of, told] of records) {
    if (mark !== "$" || of !== number) continue;
    for (const [partition, offset, length] of told.parts) {
      if (!byPartition.has(partition)) byPartition.set(partition, []);
      byPartition.get(partition).push([told.file, offset, length]);
    }
  }
  return byPartition;
}

/** How many keys and values records tell of. */
function recordsIn(records) {
  const tolds = records.filter(([mark]) => mark === "$").map(([, , told]) => told.parts);
  return tolds.flat().reduce((sum, [, , , count]) => sum + count, 0);
}

/** Runs an event and all that go on behind it. */
async function whole(work, number, data) {
  const records = [];
  let events = 0;
  for (let next = data; next !== undefined; ) {
    const outcome = await outcomeOf(work, number, next);
    if (outcome.thrown !== undefined) throw outcome.thrown;
    events++;
    assert.ok(events < 10_000);
    next = undefined;
    for (const record of outcome.records) {
      if (record[0] === "#") next = record[1];
      else records.push(record);
    }
  }
  return { records, events };
}

/** The values that exit 0 gets of all partitions, one after the other. */
async function reduced(work, writes, number = 2) {
  const values = [];
  const failed = [];
  let events = 0;
  const extents = extentsOf(writes, number);
  for (const p of [...extents.keys()].sort((a, b) => a - b)) {
    const part = await whole(work, number, { p, x: extents.get(p) });
    events += part.events;
    for (const record of part.records) {
      if (record[0] === 0) values.push(record[1]);
      else failed.push(record);
    }
  }
  return { values, failed, events, extents };
}

/** Writes events, and returns the records of all. */
async function written(work, events) {
  const records = [];
  for (const data of events) records.push(...(await whole(work, 1, data)).records);
  return records;
}

const byKey = (pairs) => [...pairs].sort(([a], [b]) => compared(a, b));

module.exports = {
  add,
  byKey,
  extentsOf,
  flowOf,
  listed,
  recordsIn,
  reduced,
  spilling,
  whole,
  written,
};
