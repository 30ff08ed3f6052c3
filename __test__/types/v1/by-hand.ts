// The lower-level functions, composed by hand.
import { Queue } from "@tiemma/sonic-core";
import {
  clusterEvents,
  configureWorkers,
  Delay,
  getLogger,
  getWorkerID,
  getWorkerName,
  initMaster,
  initWorkers,
  isMaster,
  Map,
  NUM_CPUS,
  shutdown,
} from "@tiemma/sonic-distribute";

const logger = getLogger(getWorkerName());

export const run = async (): Promise<void> => {
  if (!isMaster()) {
    await initWorkers([(event, args) => event.data + args.workerID], { any: "thing" });
    return;
  }

  const numWorkers: number = NUM_CPUS > 1 ? NUM_CPUS : 2;
  const { workerQueue, processOrder, failedOrder } = await initMaster(numWorkers);
  const queue: Queue = workerQueue;
  const workerID: number = await getWorkerID(queue);
  queue.enqueue(workerID);

  await Map(queue, { data: { some: "data" } });
  while (workerQueue.getElements().length !== numWorkers) {
    await Delay(1000);
    await Delay();
  }
  await shutdown(numWorkers);

  const message: string = clusterEvents.MESSAGE + clusterEvents.DISCONNECT;
  logger(message);
  logger({ not: "a string" }, new Date().toISOString());
  processOrder.dequeue().response.toFixed();
  failedOrder.dequeue().anything.at.all();
};

export const more = async (): Promise<Queue[]> => {
  const queues = await configureWorkers(2);
  return [queues.workerQueue, queues.processOrder, queues.failedOrder];
};
