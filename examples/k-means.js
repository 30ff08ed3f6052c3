/**
 * Finds clusters of points with k-means: ten iterations over the same points, on all processors.
 *
 *   node examples/k-means.js [--workers N] [--points N] [--check]
 *
 * Only the centroids and the sums of a chunk cross between processes. The points stay in the workers: `key` sends a
 * chunk to the same worker in each iteration. `--check` compares the centroids with those of a single process, and
 * verifies that no chunk was made twice.
 */
"use strict";

const { isDeepStrictEqual, parseArgs } = require("node:util");

// In a program of your own: require("@tiemma/sonic-distribute")
const { createPool, Map: send, NUM_CPUS } = require("..");
const { randomFrom } = require("./random");

const ITERATIONS = 10;
const CLUSTERS = 8;
const DIMENSIONS = 4;
const CHUNKS = 32;

/** The chunks that this worker has made so far. A program of your own would read them from a file. */
const cache = [];

/** Runs in a worker, once per chunk and iteration. */
function assign({ data: chunk }, { centroids, size }, task) {
  if (cache[chunk] === undefined) {
    cache[chunk] = generate(chunk, size);
    task.count("chunks made");
  }
  return { chunk, pid: process.pid, ...sumsOf(cache[chunk], centroids) };
}

/** Assigns each point to the nearest centroid. Returns the sums and counts of the points by centroid. */
function sumsOf(points, centroids) {
  const sums = centroids.map((centroid) => centroid.map(() => 0));
  const counts = centroids.map(() => 0);
  for (let at = 0; at < points.length; at += DIMENSIONS) {
    const nearest = nearestOf(points, at, centroids);
    for (let d = 0; d < DIMENSIONS; d++) sums[nearest][d] += points[at + d];
    counts[nearest]++;
  }
  return { sums, counts };
}

function nearestOf(points, at, centroids) {
  let nearest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let c = 0; c < centroids.length; c++) {
    let distance = 0;
    for (let d = 0; d < DIMENSIONS; d++) distance += (points[at + d] - centroids[c][d]) ** 2;
    if (distance < least) [nearest, least] = [c, distance];
  }
  return nearest;
}

/**
 * The means of all points, by centroid. It adds the chunks in their own order, not in the order of arrival: the order
 * of a sum changes its last digits, and so each run gives the same result.
 */
function meansOf(parts, centroids) {
  parts.sort((a, b) => a.chunk - b.chunk);
  return centroids.map((centroid, c) => {
    const count = parts.reduce((sum, part) => sum + part.counts[c], 0);
    if (count === 0) return centroid; // no point is near: it stays where it is
    return centroid.map((_, d) => parts.reduce((sum, part) => sum + part.sums[c][d], 0) / count);
  });
}

/** One iteration on the pool. `args` are sent once to each worker, not with each chunk. */
function assignAll(pool, args) {
  const sendChunks = async (workerQueue) => {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      await send(workerQueue, { data: chunk }, { key: chunk });
    }
  };
  const collect = (results, failed) => {
    if (!failed.isEmpty()) throw failed.dequeue().error; // without it the means would be wrong
    return results.getElements().map(({ response }) => response);
  };
  return pool.run(sendChunks, assign, collect, args);
}

async function main() {
  const { workers, points, check } = readArguments();
  // A worker that dies is replaced. The new one makes the chunks again, and the result stays the same.
  const pool = await createPool({ assign }, { numWorkers: workers, retries: 2 });
  try {
    const size = Math.ceil(points / CHUNKS);
    const first = firstCentroids(size);
    const pids = Array.from({ length: CHUNKS }, () => new Set());

    const began = performance.now();
    let centroids = first;
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      const parts = await assignAll(pool, { centroids, size });
      for (const { chunk, pid } of parts) pids[chunk].add(pid);
      centroids = meansOf(parts, centroids);
    }
    const seconds = (performance.now() - began) / 1000;

    for (const centroid of centroids) console.log(centroid.map((x) => x.toFixed(4)).join("  "));
    console.log(
      `${size * CHUNKS} points, ${ITERATIONS} iterations, ${workers} workers: ${seconds.toFixed(2)} s`,
    );
    if (check)
      verify({ first, size, centroids, pids, made: pool.statistics().counts["chunks made"] });
  } finally {
    await pool.close();
  }
}

function verify({ first, size, centroids, pids, made }) {
  const chunks = Array.from({ length: CHUNKS }, (_, chunk) => generate(chunk, size));
  let expected = first;
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const parts = chunks.map((points, chunk) => ({ chunk, ...sumsOf(points, expected) }));
    expected = meansOf(parts, expected);
  }
  if (!isDeepStrictEqual(centroids, expected)) throw new Error("one process finds other centroids");
  console.log("verified: one process finds the same centroids, to the last digit");

  for (const [chunk, { size: processes }] of pids.entries()) {
    if (processes > 1) throw new Error(`chunk ${chunk} was in ${processes} processes`);
  }
  if (made !== CHUNKS) throw new Error(`${CHUNKS} chunks were made ${made} times`);
  const { size: processes } = new Set(pids.flatMap((each) => [...each]));
  console.log(`verified: ${processes} processes served all iterations, and made each chunk once`);
}

/** The points of a chunk, one after the other: the same in each process. */
function generate(chunk, size) {
  const random = randomFrom(chunk + 1);
  const points = new Float64Array(size * DIMENSIONS);
  for (let at = 0; at < points.length; at++) {
    const cluster = Math.floor(at / DIMENSIONS) % CLUSTERS;
    const center = ((cluster >> (at % DIMENSIONS)) & 1) * 10 + cluster;
    points[at] = center + 12 * (random() + random() - 1);
  }
  return points;
}

function firstCentroids(size) {
  const points = generate(0, Math.max(size, CLUSTERS));
  return Array.from({ length: CLUSTERS }, (_, c) => [
    ...points.subarray(c * DIMENSIONS, (c + 1) * DIMENSIONS),
  ]);
}

function readArguments() {
  const options = {
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    points: { type: "string", default: "1000000" },
    check: { type: "boolean", default: false },
  };
  const { values } = parseArgs({ options });
  const points = Number(values.points);
  if (!Number.isInteger(points) || points < 1) throw new Error("--points needs a positive integer");
  return { workers: Number(values.workers), points, check: values.check };
}

main().catch((error) => {
  console.error(`k-means: ${error.message}`);
  process.exitCode = 1;
});
