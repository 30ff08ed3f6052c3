"use strict";
/** One measurement of flows, named by the argument, in this process and its workers: it prints a line of JSON. */
const fs = require("node:fs");
const { performance } = require("node:perf_hooks");
const { MapReduce, Map, flow, isMaster, stream } = require("../..");

const [, , name, given] = process.argv;
const SMALL = 200_000;

/** Milliseconds of a call from its masterFn to its last result, workers' starts left out, and what reduceFn returns. */
async function timed(workers, masterFn, reduceFn, options = { numWorkers: 2 }) {
  let began = 0;
  const begin = (queue, args) => {
    began = performance.now();
    return masterFn(queue, args);
  };
  let milliseconds = 0;
  let result;
  await MapReduce(
    begin,
    workers,
    (results, failed) => {
      milliseconds = performance.now() - began;
      result = reduceFn(results, failed);
    },
    {},
    options,
  );
  return { milliseconds, result };
}

const numbers = (count) => async (queue) => {
  for (let data = 0; data < count; data++) await Map(queue, { data });
};
function countOf(results) {
  let count = 0;
  while (!results.isEmpty()) {
    results.dequeue();
    count++;
  }
  return count;
}
const add = ({ data }) => data + 1;
const double = ({ data }) => data * 2;

/** Peak of the resident memory of this process and of its workers, in MB. */
function watchMemory() {
  const peak = { master: 0, worker: 0 };
  const look = () => {
    const own = process.memoryUsage().rss;
    peak.master = Math.max(peak.master, own);
    for (const { process: child } of Object.values(require("node:cluster").workers || {})) {
      try {
        const pages = Number(fs.readFileSync(`/proc/${child.pid}/statm`, "utf8").split(" ")[1]);
        peak.worker = Math.max(peak.worker, pages * 4096);
      } catch {
        // It has exited.
      }
    }
  };
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    return { master: Math.round(peak.master / 1e6), worker: Math.round(peak.worker / 1e6) };
  };
}

/** A file in pieces that end at line ends: where each begins and ends. */
function* piecesOf(file, size) {
  const { size: all } = fs.statSync(file);
  const descriptor = fs.openSync(file, "r");
  const look = Buffer.alloc(4096);
  for (let from = 0; from < all; ) {
    let to = Math.min(from + size, all);
    if (to < all) {
      const read = fs.readSync(descriptor, look, 0, look.length, to);
      const at = look.subarray(0, read).indexOf(10);
      to = at < 0 ? all : to + at + 1;
    }
    yield { file, from, to };
    from = to;
  }
  fs.closeSync(descriptor);
}

function textOf({ file, from, to }) {
  const bytes = Buffer.allocUnsafe(to - from);
  const descriptor = fs.openSync(file, "r");
  fs.readSync(descriptor, bytes, 0, bytes.length, from);
  fs.closeSync(descriptor);
  return bytes.latin1Slice();
}

const pieces = (size) => async (queue) => {
  for (const data of piecesOf(given, size)) await Map(queue, { data });
};

function* wordsOf({ data }) {
  for (const line of textOf(data).split("\n")) {
    if (line !== "") for (const word of line.split(" ")) yield [word, 1];
  }
}

function* pairsOf({ data }) {
  const text = textOf(data);
  for (let from = 0; from < text.length; from += 100) yield text.slice(from, from + 99);
}

const flows = {
  fused: flow((source) => source.map(add).map(double)),
  tags: flow((source) => source.map(add, { tags: ["a"] }).map(double, { tags: ["b"] })),
  hop: flow((source) => source.map(add).map(double, { maxWaiting: 4096 })),
  flatMap: flow((source) =>
    source.flatMap(function* outputs({ data }) {
      for (let at = 0; at < 1000; at++) yield data + at;
    }),
  ),
  words: flow((source) => source.flatMap(wordsOf).reduceByKey((a, b) => a + b)),
  sort: flow((source) => source.flatMap(pairsOf).sortBy((line) => line.slice(0, 10))),
  join: flow((source) => {
    const side = (salt) =>
      source.flatMap(function* rows({ data }) {
        for (let at = 0; at < 10_000; at++) yield { key: data * 10_000 + at, [salt]: at };
      });
    return side("left").join(side("right"), { on: [({ key }) => key, ({ key }) => key] });
  }),
};

const tagged = { workers: [{ tags: ["a"] }, { tags: ["b"] }] };

/** Reads entries as they come, and counts them. */
async function read(of, masterFn) {
  let began = 0;
  let count = 0;
  let sum = 0;
  const begin = (queue) => {
    began = performance.now();
    return masterFn(queue);
  };
  for await (const { response } of stream(begin, of, {}, { numWorkers: 2 })) {
    count++;
    if (Array.isArray(response)) sum += response[1];
  }
  return { milliseconds: performance.now() - began, count, sum };
}

const scenarios = {
  plain: () => timed([add, double], numbers(SMALL), countOf),
  fused: () => timed(flows.fused, numbers(SMALL), countOf),
  tags: () => timed(flows.tags, numbers(SMALL), countOf, tagged),
  hop: () => timed(flows.hop, numbers(SMALL), countOf),
  flatMap: () => read(flows.flatMap, numbers(2000)),
  words: () => read(flows.words, pieces(4 << 20)),
  sort: () => read(flows.sort, pieces(4_000_000)),
  join: () => read(flows.join, numbers(100)),
};

async function main() {
  const peak = isMaster() ? watchMemory() : undefined;
  const measured = await scenarios[name]();
  if (peak !== undefined) console.log(JSON.stringify({ ...measured, memory: peak() }));
}

main();
