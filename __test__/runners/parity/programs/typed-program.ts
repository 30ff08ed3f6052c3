import { Queue } from "@tiemma/sonic-core";
import {
  Map,
  MapReduceEvent,
  MasterFn,
  ReduceFn,
  WorkerFn,
  isMaster,
  sonicDistribute,
} from "@tiemma/sonic-distribute";
import { twice } from "@aliased/twice";
const { report } = require("./support");

enum Mode {
  Plain = "plain",
}
const master: MasterFn = async (queue: Queue, args: any) => {
  for (const data of args.numbers as number[]) await Map(queue, { data });
};
const worker: WorkerFn = (event: MapReduceEvent, args: any): any => ({
  [args.mode]: twice(event.data as number),
});
const reduce: ReduceFn = (results: Queue, failed: Queue) => {
  const sums: number[] = [];
  while (!results.isEmpty()) sums.push((results.dequeue() as any).response[Mode.Plain]);
  return { sums, failed: failed.isEmpty() };
};

sonicDistribute(master, [worker], reduce, {
  numWorkers: 1,
  numbers: [1, 2, 3],
  mode: Mode.Plain,
}).then((sums: any) => {
  if (isMaster()) report(sums);
});
