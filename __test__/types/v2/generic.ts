// `MapReduce` with type arguments holds every function to them.
import {
  FailedResult,
  Map,
  MapError,
  MapReduce,
  MapResult,
  MasterFn,
  Pipeline,
  Queue,
  ReduceFn,
  WorkerFn,
} from "@tiemma/sonic-distribute";

interface Args {
  folder: string;
}

type Words = Record<string, number>;
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;

export const oneStage = async (): Promise<number> => {
  const total = await MapReduce<Args, string, Words, number>(
    async (workerQueue, args) => {
      isTrue<Same<typeof args, Args>>();
      await Map(workerQueue, { data: args.folder });
    },
    [
      async (event, args) => {
        isTrue<Same<typeof event.data, string>>();
        isTrue<Same<typeof args.workerID, number>>();
        isTrue<Same<typeof args.folder, string>>();
        return { [event.data]: args.folder.length };
      },
    ],
    (results, failures) => {
      isTrue<Same<typeof results, Queue<MapResult<string, Words>>>>();
      isTrue<Same<typeof failures, Queue<FailedResult<string>>>>();
      const failure = failures.dequeue();
      const error: MapError | undefined = failure.error;
      const code: string | number | undefined = error?.code;
      const text: string = error ? error.message + error.name + (error.stack ?? "") : "";
      return results.dequeue().response[text] + failure.data.length + Number(code);
    },
    { folder: "texts", numWorkers: 4 },
  );
  isTrue<Same<typeof total, number | undefined>>();
  return total ?? 0;
};

export const manyStages = (): Promise<string[] | undefined> =>
  MapReduce<Args, string, Words, string[]>(
    () => undefined,
    [
      (event) => {
        isTrue<Same<typeof event.data, string>>();
        return [event.data];
      },
      (event) => event.data.anything,
      async () => ({ words: 1 }),
    ],
    async (results) => Object.keys(results.getElements()[0].response),
    { folder: "texts" },
  );

export const dynamicStages = (stages: WorkerFn<Args>[]): Promise<string> =>
  MapReduce<Args>(masterFn, stages, () => "", { folder: "texts" });

// Type arguments may be left out from the right; what is left out is `any`.
export const onlyArgs = async (): Promise<string> =>
  MapReduce<Args>(
    (_, args) => args.folder,
    [(event, args) => event.data.anything + args.folder],
    (results, failures) => results.dequeue().anything + failures.dequeue().anything,
    { folder: "texts" },
  );

export const onlyData = async (): Promise<void> => {
  await MapReduce<Args, string>(
    () => undefined,
    [(event) => event.data.length],
    (results) => {
      isTrue<Same<typeof results, Queue<MapResult<string, any>>>>();
    },
    { folder: "texts" },
  );
};

export const masterFn: MasterFn<Args> = (workerQueue, { folder }) =>
  Map(workerQueue, { data: folder });
export const workerFn: WorkerFn<Args, string, number> = ({ data }, { folder, workerID }) =>
  data.length + folder.length + workerID;
export const pipeline: Pipeline<Args, string> = [workerFn];
export const reduceFn: ReduceFn<string, number, number> = (results, failures) =>
  results.dequeue().response + failures.elements.length;
export const named = MapReduce<Args, string, number, number>(masterFn, pipeline, reduceFn, {
  folder: "texts",
});

export const wrong = async (): Promise<void> => {
  // @ts-expect-error folder is missing
  await MapReduce<Args>(masterFn, [workerFn], () => 0, {});
  // @ts-expect-error numWorkers is a number
  await MapReduce<Args>(masterFn, [workerFn], () => 0, { folder: "", numWorkers: "2" });
  // @ts-expect-error the first stage takes a number
  await MapReduce<Args, string>(masterFn, [(e: { data: number }) => e], () => 0, { folder: "" });
  // @ts-expect-error a stage is a function
  await MapReduce<Args, string>(masterFn, [workerFn, "stage"], () => 0, { folder: "" });
  // @ts-expect-error the results hold numbers
  await MapReduce<Args, string, number>(masterFn, [workerFn], (q) => q.dequeue().response.big, {
    folder: "",
  });
  // @ts-expect-error reduceFn returns a string
  await MapReduce<Args, string, number, number>(masterFn, [workerFn], () => "", { folder: "" });

  // @ts-expect-error the stage returns a string
  const stage: WorkerFn<Args, string, number> = () => "text";
  await MapReduce<Args, string, number>(masterFn, [stage], () => 0, { folder: "" });

  const total = await named;
  // @ts-expect-error undefined in a worker
  total.toFixed();
};
