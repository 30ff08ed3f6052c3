// Draws the Mandelbrot set on all processors.
//
//   npm run build && npm start -- [--workers N] [--width N] [--check] [FILE]
//   npm run dev -- …                        the same with tsx, without a build

process.env.QUIET ??= "true"; // no log lines between the output

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  isMaster,
  Map as send,
  MapReduce,
  NUM_CPUS,
  type MasterFn,
  type ReduceFn,
  type RunOptions,
  type WorkerFn,
} from "@tiemma/sonic-distribute";
import { row, type View } from "./mandelbrot.js";
import { png } from "./png.js";

/** The `args` of `masterFn` and of every stage. */
interface Args {
  view: View;
  numWorkers: number;
}

/** Runs in the master. An event is the number of a row. */
const sendRows: MasterFn<Args> = async (workerQueue, { view }) => {
  for (let y = 0; y < view.height; y++) await send(workerQueue, { data: y });
};

/** Runs in a worker. */
const drawRow: WorkerFn<Args, number, Uint8Array> = ({ data: y }, { view }) => row(y, view);

/** Runs in the master, when all rows are drawn. They arrive in any order. */
const assemble: ReduceFn<number, Uint8Array, Uint8Array[]> = (results, failed) => {
  const rows: Uint8Array[] = [];
  while (!results.isEmpty()) {
    const { data: y, response } = results.dequeue();
    rows[y] = response;
  }
  if (!failed.isEmpty()) {
    const { data: y, error } = failed.dequeue();
    throw new Error(`row ${y} was not drawn: ${error?.message}`);
  }
  return rows;
};

const options: RunOptions = {
  // Sends rows as bytes. JSON would turn each into an object with one property per pixel.
  serialization: "advanced",
  taskTimeout: 60_000,
  retries: { limit: 2, on: ["crash"] },
};

const { file, check, ...args } = readArguments();
const began = performance.now();
const rows = await MapReduce<Args, number, Uint8Array, Uint8Array[]>(
  sendRows,
  [drawRow],
  assemble,
  args,
  options,
);
// Workers get here too, at once, with undefined.
if (isMaster() && rows !== undefined) {
  const seconds = (performance.now() - began) / 1000;
  const picture = png(rows);
  writeFileSync(file, picture);
  const { width, height } = args.view;
  console.log(`${file}: ${width} x ${height}, ${args.numWorkers} workers, ${seconds.toFixed(2)} s`);
  if (check) verify(picture, seconds);
}

function verify(picture: Buffer, seconds: number): void {
  const began = performance.now();
  const rows = Array.from({ length: args.view.height }, (_, y) => row(y, args.view));
  const alone = (performance.now() - began) / 1000;
  if (!png(rows).equals(picture)) throw new Error("a single process draws another picture");
  const times = (alone / seconds).toFixed(1);
  console.log(`one process: ${alone.toFixed(2)} s, ${times} times as long`);
  console.log("verified: both pictures are the same");
}

function readArguments(): Args & { file: string; check: boolean } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
      width: { type: "string", default: "1600" },
      check: { type: "boolean", default: false },
    },
  });
  const width = Number(values.width);
  return {
    view: { width, height: Math.round((width * 3) / 4), depth: 2000 },
    numWorkers: Number(values.workers),
    file: positionals[0] ?? "mandelbrot.png",
    check: values.check ?? false,
  };
}
