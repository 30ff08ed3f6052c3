"use strict";
/**
 * What programs do with the flows of fixtures/flows/stages.js on a pool, wherever that runs them. Each scenario tells what it saw, in
 * no order but where there is one, and without what differs from place to place. Node 14 parses it.
 */
const { Map } = require("../..");
const { controller } = require("./abort");
const { drain, outcome, until } = require("./program");

const numbers = (count) => Array.from({ length: count }, (_, at) => at);

const sorted = (list) => list.map((one) => JSON.stringify(one)).sort();

/** @param {[string, any]} one @param {[string, any]} other */
const byName = (one, other) => (one[0] < other[0] ? -1 : 1);

const told = ({ id, error, ...entry }) => ({
  id: typeof id,
  ...Object.fromEntries(Object.entries(entry).sort(byName)),
  ...(error && { error: [error.name, error.message, error.code, (error.attempts || []).length] }),
});

const entriesOf = async (stream) => {
  const entries = [];
  for await (const entry of stream) entries.push(entry);
  return entries;
};

/** The entries of a stream. */
const all = async (pool, name, source, options) =>
  (await entriesOf(pool.stream(name, source, options))).map(told);

const unordered = async (...given) => sorted(await all(...given));

const reduce = (results, failures) =>
  [drain(results), drain(failures)].map((list) => sorted(list.map(told)));

/** An iterable that tells how much of it was taken. */
function endless() {
  const source = { taken: 0, [Symbol.iterator]: () => ({ next }) };
  const next = () => ({ done: false, value: source.taken++ });
  return source;
}

const scenarios = {
  sinks: (pool) => unordered(pool, "sinks", numbers(10), { args: { n: 100 } }),
  failures: (pool) => unordered(pool, "fails", numbers(6)),
  unread: (pool) => unordered(pool, "unread", numbers(5)),
  wrong: (pool) => unordered(pool, "wrong", ["one", "two", 3]),
  retries: (pool) => unordered(pool, "retried", numbers(4)),
  async timeouts(pool) {
    const entries = await all(pool, "late", numbers(3));
    // Only workers can be killed, and the message tells of it.
    return sorted(entries.map(({ error, ...entry }) => [entry, error && [error[0], error[2]]]));
  },
  sorted: (pool) => all(pool, "sorted", numbers(200)),
  inOrder: (pool) => all(pool, "chained", numbers(40), { order: "submission" }),
  batches: (pool) => unordered(pool, "batches", numbers(10)),
  reduced: (pool) => unordered(pool, "reduced", numbers(5), { args: { n: 1 } }),
  unreduced: (pool) => all(pool, "unreduced", [1]),
  keyed: (pool) => unordered(pool, "keyed", numbers(9)),
  copies: (pool) => unordered(pool, "copies", [1, 2]),
  nothing: (pool) => unordered(pool, "nothing", numbers(4)),
  bytes: (pool) => unordered(pool, "bytes", [1, 2]),
  staged: (pool) => unordered(pool, "staged", numbers(3)),
  empty: (pool) => unordered(pool, "reduced", [], { args: { n: 1 } }),

  async emits(pool) {
    const counted = () => Object(pool.statistics().counts).events || 0;
    const before = counted();
    const entries = await all(pool, "emits", [5]);
    // A client hears of it a little later.
    await until(() => counted() === before + 6);
    return entries;
  },

  async timed(pool) {
    const read = { entries: 0 };
    async function* source() {
      yield 1;
      // The batch is not full, and the source not at its end.
      await until(() => read.entries > 0);
      yield 2;
    }
    const items = [];
    for await (const { response } of pool.stream("timed", source())) {
      read.entries++;
      items.push(...response);
    }
    return items;
  },

  async run(pool) {
    const master = async (queue, { n }) => {
      for (const data of numbers(6)) await Map(queue, { data: data + n }, { priority: data % 2 });
    };
    return [
      await pool.run(master, "fails", reduce, { n: 1 }),
      await pool.run(master, "reduced", reduce, { n: 1 }),
      await pool.run(master, "nothing", reduce, { n: 0 }),
      await pool.run(() => {}, "sinks", reduce),
      await outcome(
        pool.run(
          async (queue) => {
            await Map(queue, { data: 1 });
            throw new Error("masterFn");
          },
          "sinks",
          reduce,
        ),
      ),
    ];
  },

  async refusals(pool) {
    const outcomes = [
      await outcome(pool.call("sinks", 1)),
      await outcome(pool.map("sinks", [])),
      await outcome(pool.map("sinks", [1])),
      await outcome(pool.each("sinks")),
      await outcome(pool.call(["double", "sinks"], 1)),
      await outcome((async () => entriesOf(pool.stream(["sinks"], [1])))()),
      await outcome(entriesOf(pool.stream("sinks", [1], { order: "submission" }))),
      await outcome(entriesOf(pool.stream("fails", [1], { order: "submission" }))),
    ];
    return [outcomes, await pool.call("double", 2)];
  },

  async aborts(pool) {
    const { signal, abort } = controller();
    const outcomes = [
      outcome(entriesOf(pool.stream("never", numbers(100), { signal }))),
      outcome(pool.run((queue) => Map(queue, { data: 1 }), "never", reduce, undefined, { signal })),
    ];
    await until(() => pool.workers.some(({ running }) => running > 0));
    abort("enough");
    const onError = await outcome(entriesOf(pool.stream("unread", [3], { onError: "abort" })));
    return [await Promise.all(outcomes), onError, await unordered(pool, "staged", [1])];
  },

  async heldBack(pool) {
    const source = endless();
    const options = { order: "submission", maxResultsWaiting: 8 };
    const read = [];
    // Nothing can be read before the first event has ended.
    for await (const { response } of pool.stream("hindered", source, options))
      if (read.push([response, source.taken < 300]) === 40) break;
    return read;
  },

  async ahead(pool) {
    const source = endless();
    let read = 0;
    for await (const _ of pool.stream("slow", source, { maxResultsWaiting: 8 }))
      if (++read === 20) break;
    const after = await unordered(pool, "staged", [1]);
    return { isBounded: source.taken >= 20 && source.taken < 500, after };
  },
};

module.exports = { numbers, scenarios };
