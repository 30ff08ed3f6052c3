// `MapReduce` with no type arguments takes and gives `any`, and needs no args.
import { Map, MapReduce, sonicDistribute } from "@tiemma/sonic-distribute";

export const withoutArgs = (): Promise<any> =>
  MapReduce(
    (workerQueue) => Map(workerQueue, { data: 1 }),
    [({ data }) => data],
    (results) => results,
  );

// One stands in for the other.
export const call: typeof sonicDistribute = MapReduce;

export const wrong = async (): Promise<void> => {
  // @ts-expect-error masterFn is a function
  await MapReduce("masterFn", [], () => 0);
  // @ts-expect-error workerFns is an array
  await MapReduce(
    () => 0,
    {},
    () => 0,
  );
  // @ts-expect-error reduceFn is a function
  await MapReduce(() => 0, []);
  // @ts-expect-error args is the last argument
  await MapReduce(
    () => 0,
    [],
    () => 0,
    {},
    {},
  );
  // @ts-expect-error 1.0.3 demands args
  await sonicDistribute(
    () => 0,
    [],
    () => 0,
  );
};
