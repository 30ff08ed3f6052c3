// Nothing annotated: every parameter gets its type from the call, and under 1.0.3 that is `any`.
import { Map, sonicDistribute } from "@tiemma/sonic-distribute";

export const run = async (): Promise<number> => {
  const total = await sonicDistribute(
    async (workerQueue, args) => {
      for (let i = 0; i < args.not.in.the.literal; i++) await Map(workerQueue, { data: i });
    },
    [
      (event, args) => event.data.deep.inside + args.workerID,
      async (event) => event.data,
      () => undefined,
    ],
    (resultQueue, failedQueue) => {
      const first = resultQueue.dequeue();
      const failure = failedQueue.getElements()[0];
      const order = resultQueue.elements.map((entry) => entry.response.order);
      return { first: first.response.anything, cause: failure.cause, order };
    },
    { numWorkers: 2 },
  );

  return total.not.what.reduce.returned;
};

// The result goes wherever the program says: it is `any`, whatever reduceFn returns.
export const asText = async (): Promise<string> =>
  sonicDistribute(
    () => 0,
    [],
    () => 0,
    undefined,
  );
