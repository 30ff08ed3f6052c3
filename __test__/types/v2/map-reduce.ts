// `MapReduce` with no type arguments takes and gives `any`, and needs no args.
import { EventFailure, Map, MapReduce, sonicDistribute } from "@tiemma/sonic-distribute";

export const withoutArgs = (): Promise<any> =>
  MapReduce(
    (workerQueue) => Map(workerQueue, { data: 1 }),
    [({ data }) => data],
    (results) => results,
  );

export const withOptions = (): Promise<any> =>
  MapReduce(
    fn,
    [],
    fn,
    {},
    {
      numWorkers: 2,
      serialization: "advanced",
      maxEventsPerWorker: 1,
      maxBytesWaiting: 1 << 20,
      signal: new Signal(),
      onError: "abort",
      abortGrace: 500,
      taskTimeout: 1000,
      maxTasksPerWorker: 100,
      maxWorkerMemory: 2 ** 30,
      shutdownGrace: Infinity,
      heartbeatTimeout: 0,
    },
  );

/** Whatever has what is used of an AbortSignal. */
class Signal {
  readonly aborted: boolean = false;
  addEventListener(_type: "abort", _listener: () => void): void {}
  removeEventListener(_type: "abort", _listener: () => void): void {}
}

export const failed = ({ name, message, code, cause }: EventFailure): any[] => [
  name.length,
  message.length,
  code,
  cause.data,
  cause.failed,
];

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
  // @ts-expect-error it is "collect" or "abort"
  await MapReduce(fn, [], fn, {}, { onError: "stop" });
  // @ts-expect-error it is a signal, and not its controller
  await MapReduce(fn, [], fn, {}, { signal: { abort: fn } });
  // @ts-expect-error 1.0.3 demands args
  await sonicDistribute(fn, [], fn);
};
