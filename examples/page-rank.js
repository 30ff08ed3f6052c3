/**
 * Ranks the pages of a web by their links (PageRank): each iteration is a run of the same flow on one pool.
 *
 *   node examples/page-rank.js [--workers N] [--pages N] [--top N] [--check]
 *
 * The web is generated, the same one each time. `--check` compares the ranks with those of a single process, and verifies
 * that no worker made links twice.
 */
"use strict";

const { isDeepStrictEqual, parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, flow, Map: send, NUM_CPUS } = require("..");
const { randomFrom } = require("./random");

const CHUNKS = 16;
const MOST_ITERATIONS = 100;

/** The share of readers who follow a link. The others go to any page. */
const DAMPING = 0.85;

/**
 * All ranks add up to this. They are integers, because the order in which a flow adds is different each time: a sum of
 * integers is the same in any order, and a sum of fractions is not.
 */
const TOTAL = 1e12;

/** The iterations end when all ranks together change by less than this. */
const PRECISION = TOTAL / 1e6;

/** The links of the chunks that this worker has made so far. A program of your own would read them from a file. */
const cache = [];

/** Runs in a worker, once per chunk and iteration: what each page gives to the pages that it links to. */
function* contributions({ data: { chunk, ranks } }, { pages }, task) {
  if (cache[chunk] === undefined) {
    cache[chunk] = linksOf(chunk, pages);
    task.count("chunks made");
  }
  for (const [at, links] of cache[chunk].entries()) {
    const share = shareOf(ranks[at], links);
    for (const page of links) yield [page, share];
  }
}

const shareOf = (rank, links) => Math.floor((rank * DAMPING) / links.length);

const spread = flow((source) => source.flatMap(contributions).reduceByKey((a, b) => a + b));

/** One iteration on the pool. Only ranks and sums cross between processes: `key` sends a chunk to the worker that has its links. */
async function iterate(pool, ranks) {
  const pages = ranks.length;
  const sendChunks = async (workerQueue) => {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const { from, to } = rangeOf(chunk, pages);
      await send(workerQueue, { data: { chunk, ranks: ranks.slice(from, to) } }, { key: chunk });
    }
  };
  const next = Array(pages).fill(baseOf(pages));
  // With a contribution missing, the ranks would be wrong.
  const options = { args: { pages }, onError: "abort" };
  for await (const { response } of pool.stream(spread, sendChunks, options)) {
    const [page, sum] = response;
    next[page] += sum;
  }
  return next;
}

/** What a page has without any link to it. */
const baseOf = (pages) => Math.floor((TOTAL * (1 - DAMPING)) / pages);

const changeOf = (before, after) =>
  after.reduce((sum, rank, page) => sum + Math.abs(rank - before[page]), 0);

/** Iterates until the ranks change no more. @param {(ranks: number[]) => Promise<number[]>} step */
async function converge(pages, step) {
  let ranks = Array(pages).fill(Math.floor(TOTAL / pages));
  for (let iterations = 1; iterations <= MOST_ITERATIONS; iterations++) {
    const next = await step(ranks);
    const change = changeOf(ranks, next);
    ranks = next;
    if (change < PRECISION) return { ranks, iterations };
  }
  throw new Error(`the ranks still change after ${MOST_ITERATIONS} iterations`);
}

async function main() {
  const { workers, pages, top, check } = readArguments();
  // A worker that dies is replaced. The new one makes the links again, and no contribution counts twice.
  const pool = await createPool({ spread }, { numWorkers: workers, retries: 2 });
  // Only the master gets here.
  try {
    const began = performance.now();
    const { ranks, iterations } = await converge(pages, (before) => iterate(pool, before));
    const seconds = (performance.now() - began) / 1000;

    const order = [...ranks.keys()].sort((a, b) => ranks[b] - ranks[a] || a - b);
    for (const page of order.slice(0, top)) {
      console.log(`${((ranks[page] / TOTAL) * 100).toFixed(4)} %  page ${page}`);
    }
    console.log(
      `${pages} pages, ${iterations} iterations, ${workers} workers: ${seconds.toFixed(2)} s`,
    );
    if (check) await verify(ranks, iterations, pool.statistics().counts["chunks made"]);
  } finally {
    await pool.close();
  }
}

async function verify(ranks, iterations, made) {
  const pages = ranks.length;
  const links = Array.from({ length: CHUNKS }, (_, chunk) => linksOf(chunk, pages)).flat();
  const alone = await converge(pages, async (before) => {
    const next = Array(pages).fill(baseOf(pages));
    for (const [page, targets] of links.entries()) {
      const share = shareOf(before[page], targets);
      for (const target of targets) next[target] += share;
    }
    return next;
  });
  if (alone.iterations !== iterations || !isDeepStrictEqual(alone.ranks, ranks)) {
    throw new Error("a single process finds other ranks");
  }
  console.log("verified: a single process finds the same ranks, to the last digit");
  if (made !== CHUNKS) throw new Error(`${CHUNKS} chunks of links were made ${made} times`);
  console.log("verified: each chunk of links was made once");
}

const rangeOf = (chunk, pages) => ({
  from: Math.floor((chunk * pages) / CHUNKS),
  to: Math.floor(((chunk + 1) * pages) / CHUNKS),
});

/** The links of the pages of a chunk: the same in each process. A few pages have most of them. */
function linksOf(chunk, pages) {
  const random = randomFrom(chunk + 1);
  const { from, to } = rangeOf(chunk, pages);
  return Array.from({ length: to - from }, () => {
    const count = 1 + Math.floor(20 * random() ** 2);
    return Array.from({ length: count }, () => Math.floor(pages * random() ** 3));
  });
}

function readArguments() {
  const options = {
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    pages: { type: "string", default: "20000" },
    top: { type: "string", default: "10" },
    check: { type: "boolean", default: false },
  };
  const { values } = parseArgs({ options });
  const pages = Number(values.pages);
  if (!Number.isInteger(pages) || pages < 1) throw new Error("--pages needs a positive integer");
  return {
    workers: Number(values.workers),
    pages,
    top: Number(values.top),
    check: values.check,
  };
}

main().catch((error) => {
  console.error(`page-rank: ${error.message}`);
  process.exitCode = 1;
});
