/**
 * Computes in parallel supersteps: how heat spreads over a plate, by Jacobi's method.
 *
 *   node examples/jacobi.js [WORKERS]
 *
 * Each worker has a strip of the plate for the whole computation. In each step it needs the rows next to its strip, as they were
 * after the step before. So it puts its own outer rows into a store, waits at a barrier until all have, and gets those of its
 * neighbours.
 *
 * If a worker dies, the others cannot go on: the barrier is broken, and the master starts the computation again.
 */
"use strict";

const { isDeepStrictEqual } = require("util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, sync } = require("..");

const ROWS = 96;
const COLUMNS = 64;
const STEPS = 120;

/** How often the master starts again, if workers die. */
const TRIES = 3;

/** Runs in a worker, once for each strip. All strips must run at the same time: there are as many workers. */
async function relax({ data: strip }, { strips, attempt }) {
  const [from, to] = rangeOf(strip, strips);
  let plate = start().slice(from - 1, to + 1); // with a row of the neighbour, or of the edge, on each side
  // Each attempt has its own names: nothing is left in them.
  const rows = sync.store(`rows ${attempt}`);
  const barrier = sync.barrier(`step ${attempt}`, strips);
  const last = plate.length - 1;

  for (let step = 0; step < STEPS; step++) {
    // Two sets of keys, in turns: a slow neighbour may still read those of the step before.
    const key = (of, side) => `${of} ${side} ${step % 2}`;
    await rows.set(key(strip, "first"), plate[1]);
    await rows.set(key(strip, "last"), plate[last - 1]);
    await barrier.wait();
    if (strip > 0) plate[0] = (await rows.get(key(strip - 1, "last"))).value;
    if (strip < strips - 1) plate[last] = (await rows.get(key(strip + 1, "first"))).value;
    plate = next(plate);
  }
  return plate.slice(1, last).map((row) => [...row]);
}

/** One step: each inner point becomes the mean of its four neighbours. */
function next(plate) {
  return plate.map((row, y) => {
    if (y === 0 || y === plate.length - 1) return row;
    return row.map((value, x) => {
      if (x === 0 || x === row.length - 1) return value;
      return (plate[y - 1][x] + plate[y + 1][x] + row[x - 1] + row[x + 1]) / 4;
    });
  });
}

/** The plate before the first step: cold, with hot edges above and on the left. */
function start() {
  return Array.from({ length: ROWS + 2 }, (_, y) =>
    Float64Array.from({ length: COLUMNS + 2 }, (_, x) => (y === 0 || x === 0 ? 100 : 0)),
  );
}

/** The rows of a strip: from the first one to before the second one. */
function rangeOf(strip, strips) {
  const at = (n) => 1 + Math.floor((n * ROWS) / strips);
  return [at(strip), at(strip + 1)];
}

/** The rows of all strips, or `undefined` if a worker died. */
async function compute(pool, strips, attempt) {
  const all = Array.from({ length: strips }, (_, strip) => strip);
  const settled = await pool.map(relax, all, { args: { strips, attempt }, settled: true });
  const errors = settled.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  for (const error of errors) {
    const isOfDeath = ["ERR_SONIC_BARRIER_BROKEN", "ERR_SONIC_WORKER_EXIT"].includes(error.code);
    if (!isOfDeath || attempt === TRIES) throw error;
  }
  if (errors.length > 0) return undefined;
  return [].concat(...settled.map(({ value }) => value));
}

async function main() {
  const workers = Number(process.argv[2] || 4);
  const pool = await createPool({ relax }, { numWorkers: workers });
  try {
    let attempt = 1;
    let rows = await compute(pool, workers, attempt);
    while (rows === undefined) {
      console.log(`attempt ${attempt}: a worker died, and the barrier broke`);
      rows = await compute(pool, workers, ++attempt);
    }
    verify(rows, workers);
  } finally {
    await pool.close();
  }
}

function verify(rows, workers) {
  let plate = start();
  for (let step = 0; step < STEPS; step++) plate = next(plate);
  const expected = plate.slice(1, -1).map((row) => [...row]);
  if (!isDeepStrictEqual(rows, expected)) throw new Error("one process gets another plate");
  console.log(`${ROWS} x ${COLUMNS} points, ${STEPS} steps, ${workers} workers`);
  console.log("verified: one process gets the same plate, to the last digit");
}

main().catch((error) => {
  console.error(`jacobi: ${error.message}`);
  process.exitCode = 1;
});
