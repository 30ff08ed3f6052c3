// A pool's calls take what its stages take and give what they return, with no type written twice.
import {
  createPool,
  FailedResult,
  KeptWork,
  Map,
  MapError,
  MapResult,
  MasterFn,
  Pool,
  PoolEntry,
  PoolOptions,
  PoolSettled,
  PoolWorker,
  Queue,
  ReduceFn,
  RunStatistics,
  RouteOptions,
  StageFn,
  Stages,
  WorkerFn,
  WorkerGroup,
} from "@tiemma/sonic-distribute";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(_?: T): void => undefined;
/** Whether a promise is one of exactly this. */
const gives = <T>() => ({
  inPromise: <U>(_: Promise<U>, ..._same: Same<T, U> extends true ? [] : [never]) => undefined,
});

interface Photo {
  width: number;
  pixels: number[];
}

interface Salt {
  salt: string;
}

const load = async ({ data }: { data: string }): Promise<Photo> => ({
  width: data.length,
  pixels: [],
});
const resize = ({ data }: { data: Photo }, { workerID }: { workerID: number }): Photo => ({
  ...data,
  width: workerID,
});
const hash = ({ data }: { data: string }): string => data;
const count = async ({ data }: { data: Photo }): Promise<number> => data.width;
const double = ({ data }: { data: number }): number => data * 2;
const salted = ({ data }: { data: string }, args: Salt & { workerID: number }): string =>
  data + args.salt + args.workerID;
const peppered: WorkerFn<{ pepper?: number }, string, string> = ({ data }, { pepper }) =>
  data + String(pepper);
const typed: StageFn<Salt, number, boolean> = ({ data }, { salt, workerID }) =>
  data > salt.length + workerID;
const ping = (): "pong" => "pong";
const find = ({ data }: { data: string }): number | undefined => (data ? 1 : undefined);
const nothing = async (_: { data: number }): Promise<void> => undefined;

const stages = {
  load,
  resize,
  hash,
  count,
  double,
  salted,
  peppered,
  typed,
  ping,
  find,
  nothing,
};

export const calls = async (): Promise<void> => {
  const pool = await createPool(stages, { numWorkers: 2 });
  isTrue<Same<typeof pool, Pool<typeof stages>>>();

  gives<string>().inPromise(pool.call(hash, "text"));
  gives<string>().inPromise(pool.call("hash", "text"));
  gives<Photo>().inPromise(pool.call(load, "file"));
  gives<Photo>().inPromise(pool.call("load", "file"));
  gives<Photo>().inPromise(pool.call(resize, { width: 1, pixels: [1] }));
  gives<"pong">().inPromise(pool.call(ping, undefined));
  gives<"pong">().inPromise(pool.call("ping", { any: "thing" }));
  gives<number | undefined>().inPromise(pool.call(find, "text"));
  gives<void>().inPromise(pool.call(nothing, 1));
  gives<string>().inPromise(
    pool.call(hash, "text", { signal: new Signal(), taskTimeout: 1000, retries: 2 }),
  );
  gives<string>().inPromise(
    pool.call(hash, "text", { retries: { limit: 1 }, args: { not: "needed" } }),
  );

  // @ts-expect-error a number is not a text
  await pool.call(hash, 5);
  // @ts-expect-error a number is not a text
  await pool.call("hash", 5);
  // @ts-expect-error the data is missing
  await pool.call(hash);
  // @ts-expect-error a photo has pixels
  await pool.call("resize", { width: 1 });
  // @ts-expect-error there is no such stage
  await pool.call("hsah", "text");
  // @ts-expect-error a function that is not one of the stages
  await pool.call((event: { data: bigint }) => event, 1);
  // @ts-expect-error nor is one that could stand in for a stage
  await pool.call(() => "text", "text");
  // @ts-expect-error a stage is a name or a function
  await pool.call(1, "text");
  // @ts-expect-error the result is a text
  (await pool.call(hash, "text")).toFixed();
  // @ts-expect-error the result may be undefined
  (await pool.call(find, "text")).toFixed();
  // @ts-expect-error there is no such option
  await pool.call(hash, "text", { retry: 1 });
  // @ts-expect-error it is a signal, and not its controller
  await pool.call(hash, "text", { signal: { abort: () => undefined } });
  // @ts-expect-error settled is an option of map
  await pool.call(hash, "text", { settled: true });
};

export const seen = async (): Promise<void> => {
  const pool = await createPool(stages, {
    signal: new Signal(),
    progress: "workers",
    maxEventsPerWorker: 64,
    maxBytesWaiting: 1024,
    onProgress: ({ answered }) => answered.toFixed(),
    onStats: async ({ workers }) => workers.length,
  });
  gives<string[]>().inPromise(pool.map(hash, ["text"], { progress: true, total: 1 }));
  pool.stream(hash, ["text"], {
    total: 1,
    trace: "run.json",
    report: "run.html",
    onError: "abort",
  });
  gives<number>().inPromise(
    pool.run(
      () => undefined,
      hash,
      () => 1,
      {},
      { progress: false, report: "run.html" },
    ),
  );
  // @ts-expect-error a report is one of a run
  await createPool(stages, { report: "run.html" });
  // @ts-expect-error nor has a map one
  await pool.map(hash, ["text"], { report: "run.html" });
  // @ts-expect-error a call has no progress
  await pool.call(hash, "text", { progress: true });
};

export const args = async (): Promise<void> => {
  const pool = await createPool(stages);

  gives<string>().inPromise(pool.call(salted, "text", { args: { salt: "salt" } }));
  gives<string>().inPromise(pool.call("salted", "text", { args: { salt: "" }, retries: 1 }));
  gives<boolean>().inPromise(pool.call(typed, 1, { args: { salt: "salt" } }));
  gives<string>().inPromise(pool.call(peppered, "text"));
  gives<string>().inPromise(pool.call(peppered, "text", { args: {} }));
  gives<string>().inPromise(pool.call(peppered, "text", { args: { pepper: 1 } }));
  gives<string>().inPromise(pool.call([salted, peppered], "text", { args: { salt: "salt" } }));
  gives<string>().inPromise(
    pool.call(["salted", peppered], "text", { args: { salt: "salt", pepper: 1 } }),
  );
  gives<string[]>().inPromise(pool.map(salted, ["text"], { args: { salt: "salt" } }));
  pool.stream(salted, ["text"], { args: { salt: "salt" } });

  // @ts-expect-error the stage needs salt
  await pool.call(salted, "text");
  // @ts-expect-error the stage needs salt
  await pool.call("salted", "text", {});
  // @ts-expect-error the salt is a text
  await pool.call(salted, "text", { args: { salt: 1 } });
  // @ts-expect-error the pepper is a number
  await pool.call(peppered, "text", { args: { pepper: "" } });
  // @ts-expect-error the second stage needs salt
  await pool.call([peppered, salted], "text", { args: { pepper: 1 } });
  // @ts-expect-error the stage needs salt
  await pool.map(salted, ["text"]);
  // @ts-expect-error the stage needs salt
  pool.stream(salted, ["text"]);
  // @ts-expect-error args is an object
  await pool.call(hash, "text", { args: "salt" });
};

export const routes = async (): Promise<void> => {
  const gpu: WorkerGroup = { tags: ["gpu"], exclusive: true, env: { DEVICE: "0" } };
  const pool = await createPool(stages, {
    workers: [gpu, { count: 2, execArgv: ["--no-warnings"], maxTasksPerWorker: 5 }],
  });

  gives<string>().inPromise(pool.call(hash, "text", { tags: ["gpu"], key: 1 }));
  gives<string[]>().inPromise(pool.map(hash, ["text"], { key: "a", spread: true }));
  pool.stream(hash, ["text"], { tags: [], priority: -1, weight: 0.2 });
  // @ts-expect-error a priority is a number
  await pool.call(hash, "text", { priority: "high" });
  const routing: RouteOptions = { tags: ["gpu"], key: "a" };
  const handAll = (queue: Queue) =>
    Promise.all([{ data: "a" }].map(Map.bind(null, queue))).then(() =>
      Map(queue, { data: "text" }, routing),
    );
  await pool.run(handAll, hash, () => 1, {}, { tags: ["gpu"] });

  // @ts-expect-error tags are a list
  await pool.call(hash, "text", { tags: "gpu" });
  // @ts-expect-error a key is a text or a number
  await pool.call(hash, "text", { key: {} });
  // @ts-expect-error there is no such option
  await createPool(stages, { workers: [{ tag: "gpu" }] });
};

export const pipelines = async (which: "load" | "hash"): Promise<void> => {
  const pool = await createPool(stages);

  gives<string>().inPromise(pool.call([hash], "text"));
  gives<Photo>().inPromise(pool.call([load, resize], "file"));
  gives<number>().inPromise(pool.call(["load", "resize", "count"], "file"));
  gives<number>().inPromise(pool.call([hash, "load", resize, "count", double], "file"));
  gives<number>().inPromise(
    pool.call([hash, load, resize, resize, resize, count, double, double], "file"),
  );
  gives<Photo | string>().inPromise(pool.call(which, "file"));
  gives<"pong">().inPromise(pool.call([load, ping], "file"));

  const fixed = ["load", "count"] as const;
  gives<number>().inPromise(pool.call(fixed, "file"));
  gives<number[]>().inPromise(pool.map(fixed, ["file"]));

  // @ts-expect-error the first stage takes a text
  await pool.call([load, resize], 5);
  // @ts-expect-error the second stage takes a photo
  await pool.call([hash, resize], "text");
  // @ts-expect-error the second stage takes a photo
  await pool.call(["hash", "resize"], "text");
  // @ts-expect-error the last stage takes a photo
  await pool.call([hash, load, resize, resize, resize, count, double, count], "file");
  // @ts-expect-error the second stage does not take undefined
  await pool.call([find, double], "text");
  // @ts-expect-error a function that is not one of the stages
  await pool.call([load, (event: { data: Photo }) => event.data.width], "file");
  // @ts-expect-error there is no such stage
  await pool.call([load, "resiez"], "file");
  // @ts-expect-error a pipeline has a stage
  await pool.call([], "file");
  const loose = ["load", "count"];
  // @ts-expect-error nobody knows which stages these are
  await pool.call(loose, "file");
  // @ts-expect-error one of the two does not take a photo
  await pool.call([load, which], "file");
  // @ts-expect-error the second stage takes a photo
  await pool.map([hash, resize], ["text"]);
  // @ts-expect-error the second stage takes a photo
  pool.stream([hash, resize], ["text"]);
};

export const maps = async (settled: boolean): Promise<void> => {
  const pool = await createPool(stages);

  gives<string[]>().inPromise(pool.map(hash, ["a", "b"]));
  gives<string[]>().inPromise(pool.map("hash", new Set(["a", "b"])));
  gives<number[]>().inPromise(pool.map([load, count], texts()));
  gives<number[]>().inPromise(pool.map([load, count], textsLater(), { retries: 1 }));
  gives<string[]>().inPromise(pool.map(hash, ["a"] as readonly string[], {}));
  gives<string[]>().inPromise(pool.map(hash, ["a"], { settled: false }));
  gives<PoolSettled<string>[]>().inPromise(pool.map(hash, ["a"], { settled: true }));
  gives<PoolSettled<string>[]>().inPromise(
    pool.map(salted, ["a"], { settled: true, args: { salt: "" } }),
  );
  gives<string[] | PoolSettled<string>[]>().inPromise(pool.map(hash, ["a"], { settled }));

  for (const result of await pool.map(count, [], { settled: true })) {
    if (result.status === "fulfilled") isTrue<Same<typeof result.value, number>>();
    else isTrue<Same<typeof result.reason, Error>>();
    // @ts-expect-error it may have failed
    result.value.toFixed();
  }

  // @ts-expect-error numbers are not texts
  await pool.map(hash, [1, 2]);
  // @ts-expect-error these are not texts
  await pool.map(hash, numbers());
  // @ts-expect-error one text is not many
  await pool.map(hash, "text");
  // @ts-expect-error a generator and not its function
  await pool.map(hash, texts);
  // @ts-expect-error it is true or false
  await pool.map(hash, ["a"], { settled: "true" });
  // @ts-expect-error there is no such option
  await pool.map(hash, ["a"], { settle: true });
  // @ts-expect-error there is no such option
  await pool.map(salted, ["a"], { settle: true, args: { salt: "" } });
};

export const streams = async (): Promise<void> => {
  const pool = await createPool(stages);

  for await (const entry of pool.stream([load, count], textsLater(), { order: "submission" })) {
    isTrue<Same<typeof entry, PoolEntry<string, number>>>();
    isTrue<Same<typeof entry.id, number>>();
    isTrue<Same<typeof entry.data, string>>();
    if (entry.failed) {
      isTrue<Same<typeof entry.failed, true>>();
      isTrue<Same<typeof entry.error, MapError>>();
      // @ts-expect-error it failed
      entry.response.toFixed();
    } else {
      isTrue<Same<typeof entry.response, number>>();
      // @ts-expect-error it did not fail
      entry.error.message.trim();
    }
    // @ts-expect-error it may have failed
    entry.response.toFixed();
  }
  isTrue<
    Same<ReturnType<typeof streamOf>, AsyncGenerator<PoolEntry<string, number>, void, undefined>>
  >();

  pool.stream(hash, ["a"], { maxResultsWaiting: 1, taskTimeout: 1 });
  pool.stream(hash, new Set(["a"]));
  pool.stream(hash, texts);
  pool.stream(hash, textsLater);
  pool.stream(hash, () => ["a", "b"]);
  pool.stream(hash, function* () {
    yield "a";
  });
  pool.stream(hash, async function* () {
    yield "a";
  });
  pool.stream(hash, async (workerQueue) => {
    isTrue<Same<typeof workerQueue, Queue<never>>>();
    await Map(workerQueue, { data: "a" });
  });
  pool.stream(hash, async () => undefined);
  pool.stream(hash, (workerQueue: Queue) => Map(workerQueue, { data: "a" }));
  pool.stream(ping, ["a"]);
  pool.stream(
    salted,
    async (workerQueue, { salt }) => {
      isTrue<Same<typeof salt, string>>();
      await Map(workerQueue, { data: salt });
    },
    { args: { salt: "salt" } },
  );

  // @ts-expect-error one text is not many
  pool.stream(hash, "text");
  // @ts-expect-error one text is not many
  pool.stream(ping, "text");
  // @ts-expect-error numbers are not texts
  pool.stream(hash, [1, 2]);
  // @ts-expect-error these are not texts
  pool.stream(hash, numbers());
  // @ts-expect-error its items are not texts
  pool.stream(hash, numbers);
  // @ts-expect-error its items are not texts
  pool.stream(hash, () => [1]);
  // @ts-expect-error its items are not texts
  pool.stream(hash, async function* () {
    yield 1;
  });
  // @ts-expect-error a source is no object of other kinds
  pool.stream(hash, { data: "a" });
  // @ts-expect-error it is "completion" or "submission"
  pool.stream(hash, ["a"], { order: "none" });
  pool.stream(hash, async (workerQueue) => {
    // @ts-expect-error there are no ids in it
    workerQueue.dequeue().toFixed();
  });
};
const streamOf = (pool: Pool<typeof stages>) => pool.stream([load, count], ["a"]);

export const runs = async (): Promise<void> => {
  const pool = await createPool(stages);

  gives<number>().inPromise(
    pool.run(
      async (workerQueue, { files }) => {
        isTrue<Same<typeof files, string[]>>();
        isTrue<Same<typeof workerQueue, Queue<never>>>();
        for (const file of files) await Map(workerQueue, { data: file });
      },
      [load, count],
      async (results, failures) => {
        isTrue<Same<typeof results, Queue<MapResult<string, number>>>>();
        isTrue<Same<typeof failures, Queue<FailedResult<string>>>>();
        let sum = 0;
        while (!results.isEmpty()) sum += results.dequeue().response;
        return sum;
      },
      { files: ["a"] },
      { taskTimeout: 1000, retries: 1, signal: new Signal() },
    ),
  );
  gives<string>().inPromise(
    pool.run(
      (workerQueue, { salt, more }) => Map(workerQueue, { data: salt + more }),
      "salted",
      (results) => results.dequeue().response,
      { salt: "salt", more: 1 },
    ),
  );
  // What is undefined leaves no entry.
  gives<number>().inPromise(
    pool.run(
      () => undefined,
      find,
      (results) => results.dequeue().response,
    ),
  );
  gives<number>().inPromise(pool.run(master, hash, reduce));
  gives<number>().inPromise(pool.run(typedMaster, hash, typedReduce, { folder: "", more: 1 }));

  // @ts-expect-error the results are texts
  await pool.run(master, hash, (results) => results.dequeue().response.toFixed());
  // @ts-expect-error the stage needs salt
  await pool.run(master, salted, reduce);
  // @ts-expect-error the stage needs salt
  await pool.run(master, salted, reduce, { more: 1 });
  // @ts-expect-error masterFn is a function
  await pool.run("master", hash, reduce);
  // @ts-expect-error there is no such stage
  await pool.run(master, "hsah", reduce);
  // @ts-expect-error the second stage takes a photo
  await pool.run(master, [hash, resize], reduce);
  // @ts-expect-error args have a place of their own
  await pool.run(master, hash, reduce, {}, { args: {} });
  // @ts-expect-error masterFn needs a folder
  await pool.run((_: Queue, args: { folder: string }) => args.folder, hash, reduce, { salt: "" });
  // @ts-expect-error masterFn needs a folder
  await pool.run((_: Queue, args: { folder: string }) => args.folder, hash, reduce);
};
const master = async (workerQueue: Queue): Promise<void> => Map(workerQueue, { data: "a" });
const typedMaster: MasterFn<{ folder: string }> = (workerQueue, { folder }) =>
  Map(workerQueue, { data: folder });
const typedReduce: ReduceFn<string, string, number> = (results, failures) =>
  results.dequeue().response.length + failures.elements.length;
const reduce = (results: Queue, failures: Queue): number =>
  results.elements.length + failures.elements.length;

export const everyWorker = async (keep: boolean): Promise<void> => {
  const pool = await createPool(stages);

  gives<string[]>().inPromise(pool.each(hash, "text"));
  gives<number[]>().inPromise(pool.each(["load", count], "text", { taskTimeout: 1000 }));
  gives<"pong"[]>().inPromise(pool.each(ping));
  gives<string[]>().inPromise(pool.each("salted", "text", { args: { salt: "" } }));
  gives<KeptWork<Photo>>().inPromise(pool.each(load, "text", { keep: true }));
  gives<string[]>().inPromise(pool.each(hash, "text", { keep: false }));
  gives<string[] | KeptWork<string>>().inPromise(pool.each(hash, "text", { keep }));
  const kept = await pool.each(ping, undefined, { keep: true });
  isTrue<Same<typeof kept.results, "pong"[]>>();
  const dispose: () => void = kept.dispose;
  void dispose;

  // @ts-expect-error a number is not a text
  await pool.each(hash, 5);
  // @ts-expect-error the data is missing
  await pool.each(hash);
  // @ts-expect-error the stage needs salt
  await pool.each(salted, "text");
  // @ts-expect-error there is no such stage
  await pool.each("hsah", "text");
  // @ts-expect-error there is no such option
  await pool.each(hash, "text", { keeps: true });
  // @ts-expect-error nothing was kept
  (await pool.each(ping)).dispose();
};

export const members = async (pool: Pool<typeof stages>): Promise<void> => {
  isTrue<Same<typeof pool.workers, PoolWorker[]>>();
  const [{ id, memory, pid, running, tags }] = pool.workers;
  isTrue<Same<typeof tags, string[]>>();
  const sum: number = id + pid + running + memory;
  isTrue<Same<ReturnType<typeof pool.statistics>, RunStatistics>>();
  await pool.resize(2);
  isTrue<Same<ReturnType<typeof pool.resize>, Promise<void>>>();
  await pool.close();
  await pool.close({ signal: new Signal() });
  isTrue<Same<ReturnType<typeof pool.close>, Promise<void>>>();
  const dispose: () => Promise<void> = pool[Symbol.asyncDispose].bind(pool);
  const disposable: { [Symbol.asyncDispose](): PromiseLike<void> } = pool;
  void [sum, dispose, disposable];

  // @ts-expect-error the pool's own
  pool.workers = [];
  // @ts-expect-error a number
  await pool.resize("2");
  // @ts-expect-error there is no such option
  await pool.close({ force: true });
};

export const options = async (): Promise<void> => {
  await createPool(stages, {
    name: "photos",
    numWorkers: 2,
    serialization: "json",
    maxTasksPerWorker: 100,
    maxWorkerMemory: 2 ** 30,
    shutdownGrace: Infinity,
    heartbeatTimeout: 0,
    maxQueue: 1000,
    errors: [Error, TypeError, NotFound, Failure],
    taskTimeout: 1000,
    retries: { limit: 3, backoff: 100, on: ["crash"] },
  });
  const later: PoolOptions = { numWorkers: 2 };
  await createPool(stages, later);

  // @ts-expect-error there is no such option
  await createPool(stages, { numWorker: 2 });
  // @ts-expect-error a number
  await createPool(stages, { maxQueue: "1000" });
  // @ts-expect-error no class of errors
  await createPool(stages, { errors: [Signal] });
  // @ts-expect-error it is "json" or "advanced"
  await createPool(stages, { serialization: "yaml" });
  // @ts-expect-error an option of calls
  await createPool(stages, { weight: 1 });
  // @ts-expect-error the stages are missing
  await createPool();
};

export const stagesOfAPool = async (): Promise<void> => {
  // What has no types gets those that are safe.
  const pool = await createPool({
    untyped: ({ data }, { workerID, more }) => {
      isTrue<Same<typeof data, unknown>>();
      isTrue<Same<typeof workerID, number>>();
      isTrue<Same<typeof more, unknown>>();
      return workerID;
    },
    event: (event) => event.data,
    async method({ data }: { data: number }) {
      return [data];
    },
    alone: ({ data }: { data: string }, args: Salt) => data + args.salt,
    generic: <T>({ data }: { data: T }) => [data],
    chosen: ({ data }: { data: any }) => data,
    thrown: ({ data }: { data: string }): never => {
      throw new Error(data);
    },
    optional: (event?: { data: string }) => event?.data.length,
  });
  gives<number>().inPromise(pool.call("untyped", { any: "thing" }));
  gives<unknown>().inPromise(pool.call("event", 1, { args: { any: "thing" } }));
  gives<number[]>().inPromise(pool.call("method", 1));
  gives<string>().inPromise(pool.call("alone", "text", { args: { salt: "salt" } }));
  gives<unknown[]>().inPromise(pool.call("generic", 1));
  gives<any>().inPromise(pool.call("chosen", 1));
  gives<never>().inPromise(pool.call("thrown", "text"));
  gives<number | undefined>().inPromise(pool.call("optional", "text"));
  // @ts-expect-error a text is not a number
  await pool.call("method", "text");
  // @ts-expect-error a number is not a text
  await pool.call("optional", 1);

  // @ts-expect-error a stage is a function
  await createPool({ hash, two: 2 });
  // @ts-expect-error stages have names
  await createPool([hash]);
  // @ts-expect-error a stage gets an event
  await createPool({ hash, wrong: (data: string) => data });
  // @ts-expect-error a stage gets no callback
  await createPool({ hash, wrong: (event: { data: string }, done: () => void, _: number) => done });
  // @ts-expect-error a class is no stage
  await createPool({ hash, wrong: Signal });
};

export const anyStages = async (all: Stages, untyped: Pool<any>): Promise<void> => {
  const pool = await createPool(all);
  gives<unknown>().inPromise(pool.call("some", 1));
  gives<any>().inPromise(untyped.call("some", 1));
};

/** Other code may take a pool of the stages that it needs. */
export const takes = (pool: Pool<{ hash: typeof hash }>): Promise<string[]> =>
  pool.map("hash", ["a"]);

function* texts(): Generator<string, void, undefined> {
  yield "a";
}
async function* textsLater(): AsyncGenerator<string, void, undefined> {
  yield "a";
}
function* numbers(): Generator<number, void, undefined> {
  yield 1;
}

class NotFound extends Error {
  constructor(readonly path: string) {
    super(path);
  }
}

abstract class Failure extends Error {
  abstract readonly status: number;
}

/** Whatever has what is used of an AbortSignal. */
class Signal {
  readonly aborted: boolean = false;
  addEventListener(_type: "abort", _listener: () => void): void {}
  removeEventListener(_type: "abort", _listener: () => void): void {}
}
