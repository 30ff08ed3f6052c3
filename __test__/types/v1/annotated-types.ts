// The exported types, written out.
import { Queue } from "@tiemma/sonic-core";
import {
  Map,
  MapReduceEvent,
  MasterFn,
  ReduceFn,
  sonicDistribute,
  WorkerFn,
} from "@tiemma/sonic-distribute";

interface Args {
  folder: string;
  onDone?: (name: string) => void;
  numWorkers?: number;
}

const masterFn: MasterFn = async (workerQueue, args: Args) => {
  const event: MapReduceEvent = { data: args.folder };
  await Map(workerQueue, event);
  await Map(workerQueue, { data: 1, id: 2, response: [], failed: false, SYN: true });
};

const stages: WorkerFn[] = [
  (event, args: Args & { workerID: number }) => `${event.data}${args.folder}${args.workerID}`,
  async (event: { data: string }) => event.data.length,
  ({ data, response, failed, id }) => [data, response, failed, id],
];

const reduceFn: ReduceFn = async (results, failed) => {
  const all: MapReduceEvent[] = results.getElements();
  const events: Queue<MapReduceEvent> = failed;
  return all.length + events.elements.length;
};

interface Total {
  total: number;
}

export const run = async (args: Args): Promise<Total> => {
  const total: Total = await sonicDistribute(masterFn, stages, reduceFn, args);
  return total;
};

// A program that keeps the functions in a class, and one that passes the function itself around.
export class Job {
  private readonly call = sonicDistribute;

  public async start(): Promise<any> {
    return this.call(this.send.bind(this), [this.work.bind(this)], this.sum, { numWorkers: 3 });
  }

  private async send(workerQueue: Queue<number>): Promise<void> {
    await Map(workerQueue, { data: null });
  }

  private work(event: MapReduceEvent): Record<string, any> {
    return { data: event.data };
  }

  private sum(results: Queue<{ response: number }>, failed: Queue<any>): number {
    return results.dequeue().response + failed.getElements().length;
  }
}

export const wrap = (call: typeof sonicDistribute): typeof sonicDistribute => {
  return (master, workers, reduce, args) => call(master, workers, reduce, args);
};
