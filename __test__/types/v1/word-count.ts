// The usual 1.0.3 program: Queue from sonic-core, annotated with `any`, async and sync stages.
import { Queue } from "@tiemma/sonic-core";
import {
  getWorkerName,
  isMaster,
  Map,
  MapReduceEvent,
  sonicDistribute,
} from "@tiemma/sonic-distribute";

const masterFn = async (workerQueue: Queue, args: any) => {
  const { files } = args;
  for await (const file of files) {
    await Map(workerQueue, { data: file });
  }
};

const readWords = async (event: MapReduceEvent, args: any) => {
  const fileName = event.data;
  return { name: `${args.folder}/${fileName}`, worker: args.workerID };
};

const count = (event: MapReduceEvent, _: any) => {
  const wordCount: Record<string, number> = event.data;
  for (const key of Object.keys(wordCount)) {
    wordCount[key] *= 2;
  }

  return wordCount;
};

const reduceFn = (queue: Queue) => {
  const wordCounts: Record<string, number> = {};
  while (!queue.isEmpty()) {
    const wordCount = queue.dequeue();
    for (const [word, total] of Object.entries(wordCount.response)) {
      wordCounts[word] = total as number;
    }
  }

  return wordCounts;
};

export const run = async (): Promise<void> => {
  const data = await sonicDistribute(masterFn, [readWords, count], reduceFn, {
    folder: "fixtures",
    numWorkers: 1,
  });

  if (isMaster()) {
    const name: string = getWorkerName();
    data.whatever.the.program.likes(name);
  }
};
