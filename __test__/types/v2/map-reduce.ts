// `MapReduce` with no type arguments takes and gives `any`, and needs no args.
import { Map, MapReduce, sonicDistribute } from "@tiemma/sonic-distribute";

export const withoutArgs = (): Promise<any> =>
  MapReduce(
    (workerQueue) => Map(workerQueue, { data: 1 }),
    [({ data }) => data],
    (results) => results,
  );

export const withOptions = (): Promise<any> =>
  MapReduce(fn, [], fn, {}, {
    numWorkers: 2,
    serialization: "advanced",
    maxEventsPerWorker: 1,
    maxBytesWaiting: 1 << 20,
  });

// One stands in for the other.
export const call: typeof sonicDistribute = MapReduce;

const fn = (): number => 0;

export const wrong = async (): Promise<void> => {
  // @ts-expect-error masterFn is a function
  await MapReduce("masterFn", [], fn);
  // @ts-expect-error workerFns is an array
  await MapReduce(fn, {}, fn);
  // @ts-expect-error workerFns is an array of functions
  await MapReduce(fn, [fn, 1], fn);
  // @ts-expect-error reduceFn is a function
  await MapReduce(fn, []);
  // @ts-expect-error options is the last argument
  await MapReduce(fn, [], fn, {}, {}, {});
  // @ts-expect-error there is no such option
  await MapReduce(fn, [], fn, {}, { numWorker: 1 });
  // @ts-expect-error it is "json" or "advanced"
  await MapReduce(fn, [], fn, {}, { serialization: "yaml" });
  // @ts-expect-error 1.0.3 demands args
  await sonicDistribute(fn, [], fn);
};
