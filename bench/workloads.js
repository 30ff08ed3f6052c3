"use strict";
// The workloads. Each makes the data of event number `index`, answers it, and reads an answer. An answer
// always differs from the data, and reading it gives a number that identifies the correct answer. So the
// contestants differ only in how values travel.
//
// `outstanding` is the number of events in flight per worker: many if events are short, few if they are
// large, and at most two if a long queue of one worker would keep the others idle.

const { spin } = require("./spin");

/** A record as an API would return it: 1 KB of JSON. */
const RECORD = {
  id: 0,
  name: "Ada Lovelace",
  address: {
    street: "12 St James's Square",
    city: "London",
    country: "GB",
    position: [51.5, -0.1],
  },
  tags: ["analyst", "mathematician", "poet", "translator", "correspondent", "gambler", "traveller"],
  scores: Array.from({ length: 40 }, (_, index) => index * 37 + 0.25),
  active: true,
  notes: "The engine weaves algebraic patterns as the loom weaves flowers and leaves. ".repeat(7),
};

/** Texts of letters and spaces that differ at every position. JSON need not escape anything in them. */
function texts(length) {
  const make = (_, number) => {
    const line = "the quick brown fox jumps over a lazy dog ";
    const turned = line.slice(number) + line.slice(0, number);
    // A buffer makes a flat string. `repeat` would make one that V8 flattens at the first read.
    return Buffer.alloc(length, turned, "latin1").toString("latin1");
  };
  return Array.from({ length: length > 1_000_000 ? 2 : 8 }, make);
}

const buffers = (length) =>
  Array.from({ length: 4 }, (_, number) => Buffer.alloc(length, number + 1));

/** @template T @param {() => T[]} make called only in the process that sends */
function inTurn(make) {
  /** @type {T[] | undefined} */
  let values;
  return (index) => {
    values = values ?? make();
    return values[index % values.length];
  };
}

const number = {
  data: (index) => index,
  answer: (data) => data + 1,
  read: (answer) => answer,
};

const text = (length) => ({
  data: inTurn(() => texts(length)),
  answer: (data) => data.slice(1),
  read: (answer) => answer.length + answer.charCodeAt(0) * 3 + answer.charCodeAt(answer.length - 1),
});

/** Numbers whose events all take the same CPU time, in milliseconds. */
const even = (cost) => ({ ...number, cost: () => cost });

/** One in twenty events takes twenty times as long, at a scattered position among the twenty. */
const LONG_EVERY = 20;
const LONG_TIMES = 20;
const isLong = (index) =>
  index % LONG_EVERY === (Math.imul(Math.floor(index / LONG_EVERY) + 1, 40503) >>> 7) % LONG_EVERY;

/**
 * @typedef {object} Workload
 * @property {string} does a description for the table
 * @property {number} events enough for a reliable time
 * @property {number} [quickEvents] the number with `--quick`
 * @property {number} outstanding
 * @property {(index: number) => any} data
 * @property {(data: any) => any} answer
 * @property {(answer: any) => number} read
 * @property {(index: number) => number} [cost] milliseconds of CPU time before the answer
 * @property {number} [workers] a fixed number of workers
 * @property {boolean} [fixed] the number of events is fixed
 * @property {boolean} [cold] includes the start of the process; no worker is warmed up
 * @property {"ms" | "MB"} [unit]
 * @property {boolean} [binary] JSON cannot encode the values
 * @property {string} [base] the contestant that the others are compared with
 */

/** @type {Record<string, Workload>} */
const WORKLOADS = {
  tiny: {
    does: "a number in, the next one out",
    events: 100_000,
    quickEvents: 20_000,
    outstanding: 256,
    ...number,
  },
  few: {
    does: "200 numbers, the most that 1.0.3 can handle in time",
    events: 200,
    fixed: true,
    outstanding: 256,
    ...number,
  },
  object: {
    does: "an object of 1 KB in, a changed one out",
    events: 20_000,
    quickEvents: 5_000,
    outstanding: 64,
    data: (index) => ({ ...RECORD, id: index }),
    answer: (data) => ({ ...data, id: data.id + 1 }),
    read: (answer) => answer.id + answer.notes.length + answer.scores.length,
  },
  string100k: {
    does: "a string of 100 KB in, another one out",
    events: 1000,
    quickEvents: 300,
    outstanding: 8,
    ...text(100_000),
  },
  string10m: {
    does: "a string of 10 MB in, another one out",
    events: 20,
    quickEvents: 8,
    outstanding: 2,
    ...text(10_000_000),
  },
  buffer1m: {
    does: "a Buffer of 1 MB in, another one out, with structured clone",
    events: 100,
    quickEvents: 40,
    outstanding: 4,
    binary: true,
    data: inTurn(() => buffers(1 << 20)),
    answer: (data) => data.subarray(1),
    read: (answer) => answer.length + answer[0] * 3 + answer[answer.length - 1],
  },
  cpu100us: {
    does: "events that take 100 us",
    events: 10_000,
    quickEvents: 3000,
    outstanding: 8,
    ...even(0.1),
  },
  cpu1ms: {
    does: "events that take 1 ms",
    events: 1000,
    quickEvents: 400,
    outstanding: 2,
    ...even(1),
  },
  skewed: {
    does: "events that take 1 ms, one in twenty 20 ms",
    events: 1000,
    quickEvents: 400,
    outstanding: 1,
    ...number,
    cost: (index) => (isLong(index) ? LONG_TIMES : 1),
  },
  roundtrip: {
    does: "one worker; each event is sent after the answer to the last one",
    events: 3000,
    quickEvents: 1000,
    outstanding: 1,
    workers: 1,
    ...number,
  },
  start: {
    does: "a whole process with 4 events, from start to exit",
    events: 4,
    outstanding: 2,
    workers: 2,
    fixed: true,
    cold: true,
    ...number,
  },
  held: {
    does: "memory of unread results",
    events: 1_000_000,
    quickEvents: 200_000,
    outstanding: 256,
    workers: 2,
    unit: "MB",
    ...number,
  },
  features: {
    does: "a number in, the next one out, with one feature at a time, including the reading of the results",
    events: 300_000,
    quickEvents: 50_000,
    outstanding: 256,
    base: "with+nothing",
    ...number,
  },
};

/**
 * The function that a worker calls with the data of an event.
 * @param {Workload} workload
 * @param {number} spinsPerMs
 * @returns {(data: any) => any}
 */
function serving({ answer, cost }, spinsPerMs) {
  if (cost === undefined) return answer;
  // In these workloads the data is the number of the event.
  return (data) => {
    spin(Math.round(cost(data) * spinsPerMs));
    return answer(data);
  };
}

/** The CPU time of `events` events in milliseconds, or 0 for workloads without a cost. */
function totalCost({ cost }, events) {
  let total = 0;
  if (cost !== undefined) for (let index = 0; index < events; index++) total += cost(index);
  return total;
}

module.exports = { WORKLOADS, serving, totalCost };
