/// <reference lib="es2018.asyncgenerator" />

/**
 * Pools of Node.js processes, and MapReduce over them.
 *
 * One program, two roles. The process that you start is the **master**. It starts child processes,
 * and each of them is a **worker**: it runs the same program again.
 *
 * {@link createPool} starts workers that stay, for servers, loops and single calls. Code behind
 * `await createPool(…)` runs in the master alone.
 *
 * {@link MapReduce} is for one batch. In the master, `MapReduce(masterFn, workerFns, reduceFn,
 * args)` starts `args.numWorkers` workers and resolves to what `reduceFn` returns. In a worker, the
 * same call registers `workerFns` and resolves to `undefined` at once. So code after the call runs
 * in the workers too. Put code that uses the result behind `if (isMaster())`.
 *
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { isMaster, Map, MapReduce } from "@tiemma/sonic-distribute";
 *
 * const files = [process.argv[1]]; // for example
 * const total = await MapReduce(
 *   async (workerQueue, { files }) => {
 *     for (const file of files) await Map(workerQueue, { data: file });
 *   },
 *   [({ data: file }) => readFileSync(file, "utf8").split(/\s+/).length],
 *   (results) => {
 *     let sum = 0;
 *     while (!results.isEmpty()) sum += results.dequeue().response;
 *     return sum;
 *   },
 *   { files, numWorkers: 4 },
 * );
 * if (isMaster()) console.log(total);
 * ```
 *
 * Events, responses and queue entries cross between processes as JSON: a `Date` becomes its ISO
 * string, `undefined` and functions are dropped, `NaN` becomes `null`, and `toJSON()` is called.
 * Functions and `args` are never sent: each process has its own. Only a {@link Pool} sends `args`.
 *
 * These types need neither `@types/node` nor any other package. Everything that 1.0.3 exported has
 * the type it had there, word for word. `MapReduce`, `Queue` and the types of the queue entries are
 * new in 2.0.0.
 *
 * @packageDocumentation
 */

// ---------------------------------------------------------------------------------------------
// Running
// ---------------------------------------------------------------------------------------------

/**
 * Runs a map-reduce. The same function as {@link MapReduce}, under the name and with the wider type
 * that 1.0.3 exports.
 */
export declare const sonicDistribute: (
  masterFn: MasterFn,
  workerFns: WorkerFn[],
  reduceFn: ReduceFn,
  args: any,
) => Promise<any>;

/**
 * Runs a map-reduce.
 *
 * ```ts part
 * const total = await MapReduce<{ files: string[] }, string, number, number>(
 *   async (workerQueue, { files }) => {
 *     for (const file of files) await Map(workerQueue, { data: file });
 *   },
 *   [({ data: file }) => readFileSync(file, "utf8").split(/\s+/).length],
 *   (results) => results.getElements().reduce((sum, { response }) => sum + response, 0),
 *   { files, numWorkers: 4 },
 *   { retries: 2, taskTimeout: 10_000 },
 * );
 * if (isMaster()) console.log(total);
 * ```
 *
 * **In the master** it starts the workers, runs `masterFn`, waits until every event is answered,
 * releases the workers and runs `reduceFn`. A released worker exits when its event loop is empty.
 * The promise does not wait for that, but the process does.
 *
 * **In a worker** it registers `workerFns` with the worker's own `args`, and resolves to
 * `undefined` at once. Each worker is started for one call of the program and skips the others.
 *
 * Each process checks only the arguments of its role: `masterFn` and `reduceFn` may be anything in
 * a worker, `workerFns` may be anything in the master.
 *
 * The promise rejects with
 *
 * - a `TypeError` or `RangeError` that names the invalid argument or option;
 * - the error that `masterFn` or `reduceFn` threw, after the workers are released;
 * - the reason of `options.signal`, when it is aborted;
 * - an {@link EventFailure}, under `onError: "abort"`;
 * - an `Error` that names the worker and the reason, if the program exits, throws or hangs in the
 *   workers before it reaches the call;
 * - an `Error` with the code `"ERR_SONIC_RUNNER"` that names the runner and the solution, under
 *   jest, vitest and others whose test code cannot run again in a worker.
 *
 * It does **not** reject when a stage throws or a worker dies. Only that event fails, and is an
 * entry of the failed queue: see {@link FailedResult}.
 *
 * **Types.** Without type arguments everything is `any`, as in 1.0.3. Nothing is inferred, so
 * programs written for 1.0.3 compile unchanged. With type arguments, as in the example, the functions
 * are checked.
 *
 * @param masterFn Sends the events, with {@link Map}. Sync or async.
 * @param workerFns The stages, in order. The first stage gets the event's data, each further stage
 *   gets what the previous one returned, and what the last stage returns is the response. Sync or
 *   async. Or a {@link flow}: then the result queue has a {@link FlowResult} for each item of a sink,
 *   and the failed queue a {@link FlowFailure} for each failure that no {@link FlowNode.errors} reads.
 * @param reduceFn Turns the two queues into the result. Sync or async.
 * @param args Passed unchanged to `masterFn`, and to every stage as a shallow copy with `workerID`
 *   added. `args.numWorkers` is the number of workers: an integer from 1 to 4094, by default
 *   one per processor that this process may use. Default: `{}`.
 * @param options How to run, separate from the program's own `args`: see {@link RunOptions}. Used
 *   only in the master. New in 2.0.0.
 * @returns In the master what `reduceFn` returned (awaited), in a worker `undefined`.
 * @typeParam Args The type of `args`. It need not include `numWorkers`.
 * @typeParam In The data of an event, after JSON.
 * @typeParam Out What the last stage returns, after JSON: the `response` that `reduceFn` reads. (A
 *   stage is checked against it only if it is declared as a {@link WorkerFn}`<Args, In, Out>`.)
 * @typeParam R What `reduceFn` returns. The call's result is `R | undefined`, because it is
 *   `undefined` in a worker.
 * @typeParam Sinks The sinks of a flow. Inferred.
 * @typeParam Reduced What `reduceFn` returns of a flow. Inferred.
 */
export declare function MapReduce<
  Args = any,
  In = any,
  Out = any,
  R = any,
  Sinks = never,
  Reduced = R,
>(
  masterFn: MasterFn<Given<Args>>,
  workerFns: Flow<any, Sinks> | Pipeline<Given<Args>, Given<In>>,
  reduceFn: (
    resultQueue: Queue<ResultOfWork<Sinks, Given<In>, Given<Out>>>,
    failedQueue: Queue<FailureOfWork<Sinks, Given<In>, Given<Out>>>,
  ) => (Given<R> & Reduced) | PromiseLike<Given<R> & Reduced>,
  args?: Given<Args> & MapReduceOptions,
  options?: RunOptions,
): Promise<([Sinks] extends [never] ? Given<R> : Reduced) | undefined>;

/**
 * Runs a {@link flow} whose entries you read while it runs.
 *
 * ```ts part
 * for await (const entry of stream(sendFiles, words)) {
 *   if (entry.failed) console.error(`${entry.node}: ${entry.error.message}`);
 *   else console.log(entry.response);
 * }
 * ```
 *
 * It does what the other form of this function does, and throws as that does. It yields an entry for
 * each item of a sink, and for each failure that no {@link FlowNode.errors} reads: see
 * {@link FlowEntry}. A slow reader slows all nodes down. `order: "submission"` is for flows that are
 * chains of `map`, `flatMap` and `filter`: others are refused. New in 2.0.0.
 *
 * @param masterFn Sends the events, with {@link Map}. Sync or async.
 * @param work The flow.
 * @param args As for {@link MapReduce}. Default: `{}`.
 * @param options How to run: see {@link StreamOptions}.
 * @returns The entries.
 * @typeParam F The type of the flow. Inferred.
 * @typeParam Args The type of `args`. Inferred.
 */
export declare function stream<F extends Flow, Args extends object = object>(
  masterFn: MasterFn<Args>,
  work: F & NotAny<F>,
  args?: Args & MapReduceOptions,
  options?: StreamOptions,
): AsyncGenerator<FlowEntry<F>, void, undefined>;

/**
 * Runs a map-reduce whose entries you read while it runs. There is no `reduceFn`, and no queue
 * grows: the run goes only as fast as you read.
 *
 * ```ts part
 * for await (const { data, response, failed, error } of stream(masterFn, [countWords], { files })) {
 *   if (failed) console.error(`${data}: ${error.message}`);
 *   else console.log(`${data}: ${response}`);
 * }
 * ```
 *
 * **In the master** the first step of the iteration starts the workers and `masterFn`. Each step
 * yields the next entry of either queue. While {@link StreamOptions.maxResultsWaiting} entries are
 * unread, {@link Map} stays pending, so a slow reader slows `masterFn` down. The workers are
 * released when every event is answered, and the iteration ends when every entry is read. Leaving the
 * loop early (`break`, `return`, an exception) aborts the run: see {@link RunOptions.abortGrace}.
 *
 * **In a worker** it registers `workerFns`, and the iteration ends at once.
 *
 * Parameters, types and failures are those of {@link MapReduce}. The iteration throws what
 * `MapReduce` rejects with. The call itself throws if `masterFn`, `args.numWorkers` or `options`
 * are invalid. New in 2.0.0.
 */
export declare function stream<Args = any, In = any, Out = any>(
  masterFn: MasterFn<Given<Args>>,
  workerFns: Pipeline<Given<Args>, Given<In>>,
  args?: Given<Args> & MapReduceOptions,
  options?: StreamOptions,
): AsyncGenerator<
  Entry<
    Given<In>,
    Given<Out>,
    (MapResult<In, Out> & { failed?: undefined }) | (FailedResult<In> & { response?: undefined })
  >,
  void,
  undefined
>;

/**
 * Hands one event to a free worker. Call it in `masterFn`.
 *
 * ```ts part
 * for await (const line of lines) await Map(workerQueue, { data: line });
 * ```
 *
 * Resolves when the event is **handed over**, not when it is answered, and stays pending while no
 * worker can take an event. Await it, and a loop never runs ahead of the workers. A call that is
 * not awaited is still answered before `reduceFn` runs.
 *
 * The promise rejects with
 *
 * - a `TypeError` if the event is `undefined` or `null`, or if its data cannot be encoded as JSON
 *   (a `BigInt`, a cycle); the run goes on;
 * - a `RangeError` with the code `"ERR_SONIC_TOO_LARGE"` if the encoded data is larger than 1 GiB;
 *   the run goes on;
 * - an error with the code `"ERR_SONIC_NO_WORKER"` if no worker has the event's tags; the run goes
 *   on;
 * - the abort reason, if the run was aborted. This rejection does not end a program that does not
 *   await it.
 *
 * @param workerQueue The queue that `masterFn` got, or any queue of worker ids (also one of
 *   `@tiemma/sonic-core`). In the latter case the event goes to a worker whose id is taken from the
 *   queue.
 * @param event `{ data }`. The data is encoded before the call returns, so you may change it right
 *   afterwards. Without `data`, the event's data is `undefined`.
 * @param routing Which workers may run the event: `{ tags, key }`. The promise then waits only for
 *   room in those workers: 64 events each, or more if they are short. Anything but a plain object is
 *   ignored, so that `events.map(Map.bind(null, workerQueue))` works. New in 2.0.0.
 * @returns A promise of nothing.
 */
export declare const Map: (
  workerQueue: Queue,
  event: MapReduceEvent,
  routing?: RouteOptions | number,
) => Promise<void>;

// ---------------------------------------------------------------------------------------------
// A pool that stays
// ---------------------------------------------------------------------------------------------

/**
 * Starts a pool: workers that stay, for any number of calls.
 *
 * ```ts part
 * const hash = ({ data }: { data: string }) => createHash("sha256").update(data).digest("hex");
 *
 * const pool = await createPool({ hash });
 * try {
 *   console.log(await pool.call(hash, "one"));
 *   console.log(await pool.map(hash, ["two", "three"]));
 * } finally {
 *   await pool.close();
 * }
 * ```
 *
 * **In the master** it starts the workers, and resolves to the {@link Pool} when they are ready.
 * The workers run the program again, up to the same call. Functions and closures are never sent, so
 * a stage needs no file of its own. What a stage needs goes into the data or into
 * {@link CallOptions.args}.
 *
 * **In a worker** it registers the stages, and the promise never settles. So code behind
 * `await createPool(…)` runs in the master alone, without `isMaster()`, and a stage cannot use the
 * pool. If a program has several pools, await them together in one `Promise.all`: the workers of a
 * pool behind another pool's `await` never reach it.
 *
 * An idle pool does not keep the process alive, and closes itself at `beforeExit`. Calls that are
 * not finished keep it alive. A pool prints no log lines. New in 2.0.0.
 *
 * The promise rejects with
 *
 * - a `TypeError` or `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"` that names the
 *   invalid argument or option;
 * - an `Error` that names the worker and the reason, if the program exits, throws or hangs in the
 *   workers before it reaches the call. The code is `"ERR_SONIC_CALL_UNREACHABLE"` if it can never
 *   reach the call;
 * - an `Error` with the code `"ERR_SONIC_NESTED_CALL"`, inside a running event;
 * - an `Error` with the code `"ERR_SONIC_RUNNER"` that names the runner and the solution, under
 *   mocha, jest, vitest, ava and other hosts whose code cannot run again in a worker. Pass a worker
 *   file there (see the other form of this function), or use {@link PoolOptions.inProcess}.
 *
 * @param stages The stages by name, at least one: see {@link StageFn}. A {@link flow} may be one of
 *   them. Declare the types of their parameters: the types of all calls are inferred from them.
 * @param options How to run the pool: see {@link PoolOptions}.
 * @returns In the master a promise of the pool. In a worker a promise that never settles.
 * @typeParam S The type of `stages`. Inferred.
 * @typeParam Via The option `serialization`. Inferred, by default `"json"`.
 */
export declare function createPool<S extends Stages, Via extends "json" | "advanced" = "json">(
  stages: S & { [Name in keyof S]: SoundStage<S[Name]> },
  options?: PoolOptions<Via>,
): Promise<Pool<S, Via>>;

/**
 * Starts a pool whose workers run a file of their own, and not the program: a **worker file**. Its
 * exported functions are the stages. Use it in libraries and plugins, in a program that cannot run
 * again, and under test runners.
 *
 * ```ts part
 * // photos.js: export const resize = async ({ data }: { data: string }) => …
 * const pool = await createPool<typeof import("./photos.js")>("./photos.js");
 * try {
 *   await pool.map("resize", photos);
 * } finally {
 *   await pool.close();
 * }
 * ```
 *
 * Each worker starts the file as Node starts a program: as CommonJS or as an ES module, with
 * `await` at its top, and with the same options and loaders as the master. So a TypeScript file
 * works wherever `node` runs it. The file need not import this package, and makes no calls of it
 * while it loads.
 *
 * The stages are known by name alone: a function as `work` rejects with the code
 * `"ERR_SONIC_UNKNOWN_STAGE"`. A default export is the stage `default`, and so is a function that
 * is `module.exports` itself. Exports that are not functions are ignored. An accessor counts as a
 * stage, and is not called before the program names it.
 *
 * Rejects like {@link createPool} with functions, and with an `Error` with the code
 * `"ERR_SONIC_WORKER_FILE"` if the file does not exist, throws or exits while it loads, or exports
 * no function.
 *
 * @param file The file: an absolute path, or one that starts with `./` or `../` and is relative to
 *   the current directory (`process.cwd()`), or a `file:` URL. To name a file beside the module that
 *   makes the call, use `require.resolve("./photos.js")` or `new URL("./photos.js",
 *   import.meta.url)`.
 * @param options How to run the pool: see {@link PoolOptions}.
 * @returns In the master a promise of the pool. In a worker that runs the program a promise that
 *   never settles.
 * @typeParam M The type of the module, `typeof import("./file.js")`. The types of all calls are
 *   inferred from it. Without it data and results are `any`.
 * @typeParam Via The option `serialization`. Give it too if it is `"advanced"`.
 */
export declare function createPool<
  M extends object = Record<string, (event: { data: any }, args: any) => any>,
  Via extends "json" | "advanced" = "json",
>(file: string | { href: string }, options?: PoolOptions<Via>): Promise<Pool<StagesOfFile<M>, Via>>;

/**
 * Connects to a pool of another program on this machine, which {@link PoolOptions.listen} opens.
 *
 * ```ts part
 * // jobs.js: await createPool({ resize }, { listen: "/run/user/1000/jobs" });
 * const pool = await connectPool<{ resize: typeof resize }>("/run/user/1000/jobs");
 * try {
 *   console.log(await pool.call("resize", photo));
 * } finally {
 *   await pool.close();
 * }
 * ```
 *
 * The {@link Pool} is used like one of this program, with these differences:
 *
 * - Stages are known by name alone. A function as `work` rejects with the code
 *   `"ERR_SONIC_UNKNOWN_STAGE"`.
 * - The pool's program sets the options of the pool and the defaults of calls. Its
 *   {@link PoolOptions.maxQueue} counts the calls of all programs.
 * - {@link Pool.workers} and {@link Pool.statistics} return what the pool's process reported last: at
 *   most 100 ms after an answer, and again after each time you read them.
 * - Up to 64 events of a {@link Pool.map}, {@link Pool.stream} or {@link Pool.run} are on their way to
 *   the pool. So an iterable is taken that much further ahead.
 * - {@link Pool.each} with `keep: true` ends with the connection, at the latest.
 * - {@link Pool.locks} and {@link Pool.sync} are those of the pool's program, without
 *   {@link Sync.counter}. {@link locks} and {@link sync} are this program's own.
 * - {@link Pool.close} finishes the calls of this connection and ends it. The pool stays.
 *
 * An idle connection does not keep the process alive, and ends itself at `beforeExit`. If this
 * process dies, its events that wait are dropped, and those that run end unseen. In a worker it
 * connects like anywhere else.
 *
 * If the pool is closed, calls reject with the code `"ERR_SONIC_POOL_CLOSED"`, as in its own program.
 * If its process dies, all calls reject with the code `"ERR_SONIC_POOL_GONE"`, also later ones.
 * Events that were running may have been done. Nothing is sent again. Connect again when the pool is
 * back.
 *
 * The promise rejects with
 *
 * - an `Error` with the code `"ERR_SONIC_CONNECT"` that says why: nothing listens at the path, the
 *   socket belongs to another user, its token does not match, or the program there uses another
 *   version of this package. `cause` has the error of the system, if there is one;
 * - a `TypeError` or `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"` that names the invalid
 *   argument or option;
 * - the reason of {@link ConnectOptions.signal}.
 *
 * @param path The path that the option `listen` of the pool has. A relative path is relative to the
 *   current directory.
 * @param options See {@link ConnectOptions}.
 * @returns A promise of the pool.
 * @typeParam S The type of the stages, or of the worker file. Without it data and results are `any`.
 * @typeParam Via The option `serialization` of the pool. Give it too if it is `"advanced"`.
 */
export declare function connectPool<
  S extends object = Record<string, (event: { data: any }, args: any) => any>,
  Via extends "json" | "advanced" = "json",
>(path: string, options?: ConnectOptions): Promise<Pool<StagesOfFile<S>, Via>>;

/**
 * How to connect to a {@link Pool}: see {@link connectPool}. Only own properties count. A property that
 * is `undefined` counts as absent. An unknown property is a `TypeError`.
 */
export interface ConnectOptions {
  /** Error classes of this program: see {@link PoolOptions.errors}. Default: none. */
  errors?: ErrorClass[];

  /** Gives up connecting when it is aborted. It does not affect calls. Default: none. */
  signal?: AbortSignalLike;
}

/**
 * A pool of workers that stay: see {@link createPool}.
 *
 * **Work.** Each method takes `work`: the name of a stage, the very stage function, or an array of
 * those. An array is a pipeline. Each stage gets what the previous one returned, in the same
 * worker unless their {@link StageOptions.tags} differ. Write a pipeline as a literal or `as const`,
 * so that the compiler can check that its stages fit together. {@link Pool.run} and
 * {@link Pool.stream} also take a {@link flow} of the stages, by its name or itself.
 *
 * **Values** cross between processes as JSON, as for {@link MapReduce}, but a `Buffer` or typed
 * array crosses as bytes if it is the data or the result itself. {@link Json} is the type of a
 * result. With `serialization: "advanced"` a result keeps its type.
 *
 * **Errors.** A method rejects with
 *
 * - an `Error` with the code `"ERR_SONIC_UNKNOWN_STAGE"` that lists the stages, if `work` has a
 *   name or a function that is not one of them;
 * - a `TypeError` or `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"` that names the
 *   invalid argument or option;
 * - a `TypeError` if the data or `args` cannot be encoded (a `BigInt` or a cycle as JSON);
 * - a `RangeError` with the code `"ERR_SONIC_TOO_LARGE"` if the encoded data is larger than 1 GiB;
 * - an `Error` with the code `"ERR_SONIC_QUEUE_FULL"`: see {@link PoolOptions.maxQueue};
 * - an `Error` with the code `"ERR_SONIC_POOL_CLOSED"`, after {@link Pool.close};
 * - the reason of `signal`, when it is aborted;
 * - an `Error` with the code `"ERR_SONIC_POOL_GONE"`: see {@link connectPool};
 * - what ended the pool, if its workers cannot be replaced.
 *
 * **Failed events.** If a stage throws or its worker dies, {@link Pool.call} and {@link Pool.map}
 * reject with an `Error`.
 *
 * - It has the name, message, code, cause and own properties of the stage's error. If that is of a
 *   built-in class such as `TypeError`, or of a class in {@link PoolOptions.errors}, it is of the
 *   same class. If a stage throws something that is not an error, the property `thrown` has it.
 * - `error.task` is `{ work, data, attempts, worker, pid }`: the work and the data of the event,
 *   the number of attempts, and the number and process id of the worker that ran the last attempt.
 * - The stack is the worker's, followed by the caller's.
 * - If the worker died, the code is `"ERR_SONIC_WORKER_EXIT"`, `"ERR_SONIC_WORKER_STALLED"` or
 *   `"ERR_SONIC_TASK_TIMEOUT"`, and the error has the properties of a {@link MapError}. The worker
 *   is replaced.
 *
 * @typeParam S The type of the stages.
 * @typeParam Via How values cross.
 */
export interface Pool<S, Via extends "json" | "advanced" = "json"> {
  /**
   * Runs an event, in the next free worker.
   *
   * ```ts part
   * const small = await pool.call(resize, photo);
   * const digest = await pool.call([resize, "hash"], photo, { taskTimeout: 5000 });
   * ```
   *
   * Rejects as described at {@link Pool}. A call that is aborted while it runs costs its worker,
   * which is killed and replaced, and affects no other call.
   *
   * @param work A stage, or a pipeline of stages.
   * @param data The data for the first stage. It is encoded before the call returns, so you may
   *   change it right afterwards.
   * @param options See {@link CallOptions}. Required if a stage declares `args` that it needs.
   * @returns A promise of what the last stage returned, also if that is `undefined` or `null`.
   */
  call<W extends Work<S>>(
    work: W & SoundWork<S, W>,
    data: DataOf<S, W>,
    ...options: OptionsFor<CallOptions<ArgsOf<S, W>>, ArgsOf<S, W>>
  ): Promise<ResultOf<S, W, Via>>;

  /**
   * Runs an event for each item of an iterable, and resolves to the results in the same order.
   *
   * ```ts part
   * const digests = await pool.map(hash, files);
   * ```
   *
   * Items are taken only as fast as the workers need them. So an iterable may be long, or slow. The
   * first failure rejects and stops the rest: no further item is taken, no further event starts,
   * and workers that run events of this call are killed and replaced. With `settled: true` all
   * items are run, and failures are among the results.
   *
   * Rejects as described at {@link Pool}, and with what the iterable throws.
   *
   * @param work A stage, or a pipeline of stages.
   * @param iterable The data of the events: an iterable or async iterable, but not a string.
   * @param options See {@link PoolMapOptions}. Required if a stage declares `args` that it needs.
   * @returns A promise of the results. With `settled: true` they are like those of
   *   `Promise.allSettled`: see {@link PoolSettled}.
   */
  map<W extends Work<S>, Settled extends boolean = false>(
    work: W & SoundWork<S, W>,
    iterable: Items<DataOf<S, W>>,
    ...options: OptionsFor<PoolMapOptions<ArgsOf<S, W>, Settled>, ArgsOf<S, W>>
  ): Promise<Settled extends true ? PoolSettled<ResultOf<S, W, Via>>[] : ResultOf<S, W, Via>[]>;

  /**
   * Runs events whose results you read while they run.
   *
   * ```ts part
   * for await (const { data, response, failed, error } of pool.stream(hash, files)) {
   *   if (failed) console.error(`${data}: ${error.message}`);
   *   else console.log(`${data}: ${response}`);
   * }
   * ```
   *
   * Yields one entry for each event. An event that failed is an entry too, and does not end the
   * iteration. The events are taken only as fast as you read. Leaving the loop early (`break`,
   * `return`, an exception) stops the rest, as `signal` does.
   *
   * The call itself throws if `work`, `source` or `options` are invalid, or if the pool is closed.
   * The iteration throws the other errors of {@link Pool}, and what the iterable or `masterFn`
   * throws.
   *
   * @param work A stage, a pipeline of stages, or a flow.
   * @param source The data of the events: an iterable or async iterable, but not a string; or a
   *   generator function that returns one; or a `masterFn` as in {@link MapReduce}, which gets a
   *   queue and `args`, and sends the events with {@link Map}. The queue is only for `Map`: reading
   *   the ids in it throws.
   * @param options See {@link PoolStreamOptions}. Required if a stage declares `args` that it
   *   needs.
   * @returns The entries: see {@link PoolEntry}, and {@link FlowEntry} for a flow.
   */
  stream<W extends Work<S>, Returned = unknown>(
    work: W & SoundRun<S, W>,
    source: Source<DataOf<S, W>, ArgsOf<S, W>, Returned>,
    ...options: OptionsFor<PoolStreamOptions<ArgsOf<S, W>>, ArgsOf<S, W>>
  ): AsyncGenerator<EntryOf<S, W, Via>, void, undefined>;

  /**
   * Runs a {@link MapReduce} on this pool, with `work` in place of `workerFns`.
   *
   * ```ts part
   * const total = await pool.run(
   *   async (workerQueue, { files }) => {
   *     for (const file of files) await Map(workerQueue, { data: file });
   *   },
   *   countWords,
   *   (results) => results.getElements().reduce((sum, { response }) => sum + response, 0),
   *   { files },
   * );
   * ```
   *
   * As in `MapReduce`, an event that failed is an entry of the failed queue, and a response that is
   * `undefined` or `null` leaves no entry. Rejects with the errors of {@link Pool}, but not if an
   * event fails, and with what `masterFn` or `reduceFn` throws.
   *
   * @param masterFn Sends the events, with {@link Map}. Sync or async. Its queue is only for `Map`:
   *   reading the ids in it throws.
   * @param work A stage, a pipeline of stages, or a flow.
   * @param reduceFn Turns the two queues into the result, when every event is answered. Sync or
   *   async.
   * @param rest First `args`: an object that `masterFn` gets unchanged and that is sent to the
   *   workers, see {@link CallOptions.args}. Default: `{}`. Required if a stage or `masterFn`
   *   declares `args` that it needs. Then the options: see {@link PoolRunOptions}.
   * @returns A promise of what `reduceFn` returned (awaited).
   */
  run<W extends Work<S>, R, Args extends ArgsOf<S, W> = ArgsOf<S, W>>(
    masterFn: (workerQueue: Queue<never>, args: Args) => unknown,
    work: W & SoundRun<S, W>,
    reduceFn: (
      resultQueue: Queue<RunResultOf<S, W, Via>>,
      failedQueue: Queue<RunFailureOf<S, W>>,
    ) => R | PromiseLike<R>,
    ...rest: RunArguments<Args>
  ): Promise<R>;

  /**
   * Runs work once in every worker.
   *
   * ```ts part
   * await pool.each(connect, url, { keep: true }); // in each worker now, and in each replacement
   * const heaps = await pool.each("heapUsed");
   * ```
   *
   * In each worker it waits until nothing else runs there, and then runs before the events that
   * wait. If it ends its worker, the worker is replaced and the work runs again there, at most three
   * times in all.
   *
   * With `keep: true` the work is also run in each worker that starts later, before any event: in
   * the replacement of one that crashed or was recycled, and in those that {@link Pool.resize}
   * adds. Its results there are dropped. If it throws or its worker dies, a new process replaces
   * that worker, as for a worker that does not start. After three failures in a row the
   * worker is given up: the pool goes on without it, and a process warning with the code
   * `"SONIC_WORKER_GIVEN_UP"` says why. If it was the last one, that ends the pool.
   *
   * Rejects as described at {@link Pool}, with the first failure. The other workers still finish
   * the work, and it is not kept.
   *
   * @param work A stage, or a pipeline of stages.
   * @param rest First the data, which may be absent if the first stage does not need it. Then the
   *   options: see {@link EachOptions}. Required if a stage declares `args` that it needs.
   * @returns A promise of the results, in the order of {@link Pool.workers}. With `keep: true` it
   *   resolves to {@link KeptWork}.
   */
  each<W extends Work<S>, Keep extends boolean = false>(
    work: W & SoundWork<S, W>,
    ...rest: EachArguments<DataOf<S, W>, ArgsOf<S, W>, Keep>
  ): Promise<Keep extends true ? KeptWork<ResultOf<S, W, Via>> : ResultOf<S, W, Via>[]>;

  /**
   * Changes how many workers the pool has, while it runs.
   *
   * ```ts part
   * await pool.resize(availableParallelism());
   * ```
   *
   * If it grows, new workers are started, and take the events that wait. If it shrinks, idle workers
   * leave first. A worker that leaves finishes its events and takes no new ones, so no event is lost. Workers
   * that were given up are replaced. A pool with several groups of workers cannot be resized.
   *
   * If `resize` is called again before it is done, the last call wins, and all calls settle when the
   * pool has that size.
   *
   * Rejects with a `TypeError` or `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"`; with an
   * `Error` with the code `"ERR_SONIC_WORKER_START"` that says why a new worker could not start; and
   * after {@link Pool.close}.
   *
   * @param numWorkers The number of workers: an integer from 1 to 4094.
   * @returns A promise that resolves when all new workers have reached the pool, and those that
   *   leave have exited.
   */
  resize(numWorkers: number): Promise<void>;

  /** The workers of the pool at this moment: a new array each time. */
  readonly workers: PoolWorker[];

  /**
   * The locks of the pool's program. In that program it is the same object as {@link locks}. A client of
   * {@link connectPool} shares them through this object. Its locks are freed when it disconnects or dies.
   */
  readonly locks: LockManager;

  /**
   * What the processes of the pool's program share. In that program it is the same object as
   * {@link sync}. A client of {@link connectPool} has no {@link Sync.counter}.
   */
  readonly sync: Sync;

  /**
   * Returns what the pool has done since it started, over all its calls and runs. It may be called
   * at any time, also after {@link Pool.close}.
   *
   * ```ts part
   * const { answered, failed, unfinished, crashes } = pool.statistics();
   * ```
   *
   * `unfinished` counts the events that wait or run. `wait` and `run` are absent: only a
   * {@link MapReduce} has them. `pids` lists the last thousand processes of the pool.
   */
  statistics(): RunStatistics;

  /**
   * Closes the pool. It finishes the calls made so far, including those that wait, and then releases
   * the workers. Each may take {@link PoolOptions.shutdownGrace} to exit. Later calls reject with the
   * code `"ERR_SONIC_POOL_CLOSED"`. You may close a pool more than once.
   *
   * ```ts part
   * process.once("SIGTERM", () => pool.close({ signal: AbortSignal.timeout(30_000) }));
   * ```
   *
   * @param options `signal` ends the wait for calls: when it is aborted, calls that are not
   *   finished reject with its reason, and the workers are released. Default: none.
   * @returns A promise that resolves when the last worker has exited.
   */
  close(options?: { signal?: AbortSignalLike }): Promise<void>;

  /**
   * The same as {@link Pool.close} without options, for `await using pool = await createPool(…)`.
   * That needs Node 24, or a compiler and a Node that has `Symbol.asyncDispose`.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A worker of a {@link Pool}. */
export interface PoolWorker {
  /** The number of the worker, the same as `workerID` in `args`. A replacement takes it over. */
  id: number;
  /** The process id. */
  pid: number;
  /** How many events it is running. */
  running: number;
  /** Bytes of memory that the process uses (resident set). 0 where the system does not tell. */
  memory: number;
  /** The tags of its group: see {@link PoolOptions.workers}. */
  tags: string[];
}

/**
 * A stage of a {@link Pool}. Runs once per event, in a worker. A worker runs one event at a time, or
 * as many as {@link PoolOptions.concurrency} says. A stage may ignore its last parameters.
 *
 * `args` is a copy of the {@link CallOptions.args} of the call, with `workerID` added. If the stage
 * throws or rejects, the event failed.
 *
 * @typeParam Args The `args` that the stage needs, without `workerID`.
 * @typeParam In The type of `event.data`.
 * @typeParam Out What the stage returns or resolves to.
 */
export type StageFn<Args = object, In = unknown, Out = unknown> = (
  event: { data: In },
  args: Args & WorkerIdentity,
  task: Task,
) => Out | PromiseLike<Out>;

/**
 * The event that a stage runs: its third parameter, in a {@link Pool} and in functions that
 * {@link stage} was called with. All stages of a pipeline get the same.
 */
export interface Task {
  /**
   * The number of the attempt: 1, or more if the event is tried again. See `retries`. It starts at 1
   * again where the {@link StageOptions.tags} of a pipeline change.
   */
  readonly attempt: number;

  /**
   * Is aborted when nobody waits for the event any more: its call was aborted, or it has run longer
   * than its `taskTimeout`. The reason is an `Error` with the code `"ABORT_ERR"` (an `AbortError`)
   * or `"ERR_SONIC_TASK_TIMEOUT"`. Pass it on to what the stage waits for, such as `fetch`. A worker
   * that runs nothing else is killed instead, unless {@link RunOptions.abortGrace} leaves it time.
   *
   * Created on first use. Node 14 has no `AbortSignal`: there it is an object with the same methods
   * and properties.
   */
  readonly signal: NodeAbortSignal;

  /**
   * Adds a further event to the same run, which goes through all its stages from the first one on.
   * Use it for work that finds work: crawls, directory trees, branch and bound.
   *
   * ```ts part
   * for (const link of linksIn(page)) task.emit(link); // in a stage: each is an event of its own
   * ```
   *
   * The event is added when this one is answered, and dropped if this attempt fails or its worker
   * dies. The run waits for it, as for events submitted with {@link Map}.
   *
   * Throws an `Error` with the code `"ERR_SONIC_EMIT"` in {@link Pool.call} and {@link Pool.map},
   * where each event has one result, and with `order: "submission"`. Throws a `TypeError` if the
   * data cannot be encoded, and an `Error` with the code `"ERR_SONIC_EVENT_OVER"` if the event has
   * ended.
   *
   * @param data The data of the new event.
   */
  emit(data: any): void;

  /**
   * Adds `n` to the counter `name` of the run: see {@link RunStatistics.counts}. It counts when the
   * event is answered: an event that is tried again counts once, and one that fails does not.
   *
   * ```ts part
   * task.count("rows", rows.length); // in a stage
   * pool.statistics().counts; // in the program: { rows: 1200 }
   * ```
   *
   * @param name A string of at most 200 characters.
   * @param n A finite number. Default: 1.
   */
  count(name: string, n?: number): void;
}

/** Node's `AbortSignal`, where its types are known. */
export type NodeAbortSignal = typeof globalThis extends {
  AbortSignal: { prototype: infer Signal };
}
  ? Signal
  : AbortSignalLike;

/**
 * Makes a function a stage that gets a third parameter, also in {@link MapReduce} and
 * {@link stream}, and that may have options of its own.
 *
 * ```ts part
 * const page = stage(
 *   async ({ data: url }: { data: string }, args, task) => {
 *     const response = await fetch(url, { signal: task.signal });
 *     task.count("pages");
 *     return (await response.text()).length;
 *   },
 *   { retries: 2, taskTimeout: 10_000 },
 * );
 * ```
 *
 * Call it where the program runs in the master and in every worker, like the function itself. In a
 * pool all stages get the third parameter, with or without this.
 *
 * @param fn The function. Throws a `TypeError` if it is not a function.
 * @param options See {@link StageOptions}.
 * @returns A function that does the same.
 */
export declare function stage<Event = { data: any }, Args = any, Out = unknown>(
  fn: (event: Event, args: Args, task: Task) => Out,
  options?: StageOptions,
): (event: Event, args: Args) => Out;

/**
 * How to run the events of a {@link stage}. Options of a call take precedence, and the options of a
 * pool are the defaults. In a pipeline `retries` and `taskTimeout` of one stage hold for all of
 * them, so two stages must not have different values of an option. Only their `tags` may differ.
 */
export interface StageOptions {
  /** The name of the function, in errors and stacks. Default: the function's own. */
  name?: string;
  /** See {@link RunOptions.retries}. */
  retries?: number | RetryOptions;
  /** See {@link RunOptions.taskTimeout}. */
  taskTimeout?: number;
  /**
   * The workers that may run the stage: see {@link RouteOptions.tags}. Default: `[]`.
   *
   * The stages of a pipeline may have different tags, also in {@link MapReduce} and {@link stream}.
   * Neighbours with the same tags run in one worker. Where the tags change, the event moves on to a
   * worker with the tags of the next stage, and what the previous stage returned crosses as values
   * do. It stays one event, with one result. `retries` and `taskTimeout` hold for each of these
   * parts of the pipeline: if a worker dies, only the part that it was running is retried. A
   * pipeline may change tags 62 times.
   *
   * `tags` of a call hold for all stages, which then run in one worker. `tags` of a {@link Map}
   * choose the worker of the first part only.
   */
  tags?: string[];
  /**
   * Returns the {@link RouteOptions.key} of an event with this data. Runs in the master, when the event
   * is handed over; the call or `Map` rejects with what it throws. Only the first stage of a pipeline
   * may have it, and no stage of a worker file: use {@link RouteOptions.key} there. The event gives up
   * its key where the tags of a pipeline change. Events that a stage emits have no key. Default: none.
   */
  key?: (data: any) => string | number;
  /**
   * How many events of the stage a worker runs at once: at most the {@link PoolOptions.concurrency} of
   * its pool, whose other stages may run beside them. In a {@link MapReduce} and a {@link stream} it is
   * the option of the call. Default: that of the pool or the call.
   */
  concurrency?: number;
}

/** The stages of a {@link Pool} by name. Each is a {@link StageFn} or a {@link flow}. */
export type Stages = Record<string, PlainStage | AnyFunction | Flow>;

/**
 * How to run a {@link Pool}. Only own properties count. A property that is `undefined` counts as
 * absent. An unknown property is a `TypeError`. All times are in milliseconds.
 *
 * @typeParam Via The type of `serialization`.
 */
export interface PoolOptions<Via extends "json" | "advanced" = "json" | "advanced"> {
  /**
   * A name that distinguishes this pool from the program's other pools and calls: see
   * {@link RunOptions.name}. Default: none.
   */
  name?: string;

  /**
   * The number of workers: an integer from 1 to 4094. Default: one per processor that this process may use, as its
   * affinity and the quotas of its control groups say (rounded down, at least 1).
   */
  numWorkers?: number;

  /** How many events a worker runs at once: see {@link RunOptions.concurrency}. Default: 1. */
  concurrency?: number;

  /** Workers that differ, in groups: see {@link RunOptions.workers}. Default: all are alike. */
  workers?: WorkerGroup[];

  /**
   * How values are encoded between processes: see {@link RunOptions.serialization}. Write it as a
   * literal, because the types of results depend on it. Without the option they are those of
   * `"json"`. Default: the value set with `cluster.setupPrimary`, otherwise `"json"`.
   */
  serialization?: Via;

  /**
   * The folder for what flows write to files: see {@link RunOptions.spillDir}. Default:
   * `os.tmpdir()`.
   */
  spillDir?: string;

  /** With `cluster`: all hosts share that folder. See {@link RunOptions.sharedSpill}. Default: false. */
  sharedSpill?: boolean;

  /**
   * Replaces a worker after this many events: see {@link RunOptions.maxTasksPerWorker}. Default:
   * workers are not replaced.
   */
  maxTasksPerWorker?: number;

  /**
   * Replaces a worker that uses more bytes of memory than this: see
   * {@link RunOptions.maxWorkerMemory}. Default: no limit.
   */
  maxWorkerMemory?: number;

  /**
   * How long a released worker may take to exit before it is killed with all its descendants: 0 to
   * 2147483647 ms, or `Infinity`. Default: 5000.
   */
  shutdownGrace?: number;

  /**
   * How long an event that was aborted or timed out may keep its worker while other events run
   * there: see {@link RunOptions.concurrency}. 0 to 2147483647 ms. Default: 1000.
   */
  abortGrace?: number;

  /**
   * How long a worker may send no heartbeat before it counts as stalled: see
   * {@link RunOptions.heartbeatTimeout}. Default: 60000.
   */
  heartbeatTimeout?: number;

  /**
   * How many calls of {@link Pool.call} may wait for a worker. Calls beyond it reject with the code
   * `"ERR_SONIC_QUEUE_FULL"`. An integer of at least 1. Default: no limit.
   */
  maxQueue?: number;

  /**
   * `true` runs the stages in this process, without workers: for debuggers and test runners. The
   * environment variable `SONIC_IN_PROCESS=1` does the same for pools without this option. Default:
   * `false`.
   *
   * Calls behave as with workers: values cross as copies in the same encoding, up to `numWorkers`
   * events run at once, and errors, retries and limits are the same. But an event cannot be ended:
   * after its `taskTimeout`, or if it is aborted, its call rejects, and the event goes on unseen.
   * `maxTasksPerWorker`, `maxWorkerMemory` and `progress` throw, because they need workers.
   */
  inProcess?: boolean;

  /**
   * Error classes of the program: an error of such a class in a stage is one in the master too.
   *
   * ```ts part
   * class NotFound extends Error {}
   * const pool = await createPool({ load }, { errors: [NotFound] });
   * const photo = await pool.call(load, path).catch((error) => {
   *   if (error instanceof NotFound) return undefined;
   *   throw error;
   * });
   * ```
   *
   * A class is found by its name, so each needs a different one. An error of a subclass that is not
   * listed becomes one of its nearest listed class. The error is made without its constructor: it
   * has the properties that {@link Pool} lists. Default: none, so that such an error is an `Error`.
   */
  errors?: ErrorClass[];

  /**
   * Opens the pool to other programs of the same user on this machine, which use it with
   * {@link connectPool}: the path of a socket.
   *
   * ```ts part
   * const pool = await createPool({ resize }, { listen: "/run/user/1000/jobs" });
   * ```
   *
   * The socket and the file beside it, whose name ends with `.token`, are for this user alone (mode
   * 0600). The file has a secret that each client must know. Both are removed when the pool is
   * closed. A socket that a killed program left behind is replaced. Put them into a folder that only
   * this user can write to. On Windows it is a named pipe. Its name is made of the path, and the
   * secret is in the folder `os.tmpdir()`.
   *
   * A pool with this option keeps the process alive until {@link Pool.close}. This finishes the calls
   * of clients too, and then ends the connections.
   *
   * {@link createPool} rejects with the code `"ERR_SONIC_LISTEN"` if a program listens there already,
   * if there is another file, or if the folder cannot be written to; and with a `RangeError` with the
   * code `"ERR_SONIC_INVALID_ARGUMENT"` if the absolute path has more than 107 bytes (103 on macOS).
   * Default: none.
   */
  listen?: string;

  /** A page that shows the pool while it works: see {@link RunOptions.dashboard}. Default: `false`. */
  dashboard?: boolean | number | DashboardOptions;

  /** The {@link CallOptions.taskTimeout} of calls without one. Default: `Infinity`. */
  taskTimeout?: number;

  /** The {@link CallOptions.retries} of calls without any. Default: 0. */
  retries?: number | RetryOptions;

  /**
   * Ends the pool when the signal is aborted: whatever it has to do rejects with the signal's reason,
   * workers that run something are killed, and later calls reject with the code
   * `"ERR_SONIC_POOL_CLOSED"`. Before the pool is there, {@link createPool} rejects with the reason.
   * Default: none.
   */
  signal?: AbortSignalLike;

  /**
   * How many events per worker may wait or run before a run of the pool takes no more: see
   * {@link RunOptions.maxEventsPerWorker}. Default: 512.
   */
  maxEventsPerWorker?: number;

  /**
   * The most encoded bytes of events that wait or run in a run of the pool: see
   * {@link RunOptions.maxBytesWaiting}. Default: 4194304 (4 MiB).
   */
  maxBytesWaiting?: number;

  /**
   * Shows the progress of each {@link Pool.run}, {@link Pool.stream} and {@link Pool.map} on stderr:
   * see {@link RunOptions.progress}. A `map` or `stream` of an array, or of anything else with a
   * `length` or `size`, knows how many events there will be. With {@link PoolOptions.inProcess} it is
   * a `TypeError`. Default: the environment variable `SONIC_PROGRESS`, otherwise `false`.
   */
  progress?: boolean | "workers" | ProgressStyle;

  /** What people are to call an event: see {@link RunOptions.label}. Default: they show the beginning of the data. */
  label?: (data: any) => string;

  /**
   * Called with what {@link Pool.statistics} returns, at most ten times a second, when it has
   * changed, and once more when the pool is closed. If it throws, or returns a promise that rejects,
   * the pool ends: whatever it has to do, and {@link Pool.close}, reject with that error. Default:
   * none.
   */
  onProgress?: (statistics: RunStatistics) => any;

  /**
   * Called once with the statistics of the pool, when it is closed. If it throws, {@link Pool.close}
   * rejects with that error. Default: none.
   */
  onStats?: (statistics: RunStatistics) => any;

  /**
   * Runs the events on several machines: the URL of a broker, or {@link ClusterOptions}. On each further
   * machine `npx sonic-distribute host program.js` starts workers of the same program. With it
   * `numWorkers` may be 0: this process only coordinates. The variable `SONIC_CLUSTER` has the same
   * effect. Needs the packages `bullmq`, and `ioredis` or `pg`. See `docs/cluster.md`.
   * Default: none.
   */
  cluster?: string | ClusterOptions;
}

/** A class of errors, whatever its constructor takes. */
export type ErrorClass = abstract new (...args: any) => Error;

/**
 * How to run a call of a {@link Pool}. Only own properties count. A property that is `undefined`
 * counts as absent. An unknown property is a `TypeError`.
 *
 * @typeParam Args The `args` that the stages need, without `workerID`.
 */
export interface CallOptions<Args = object> extends RouteOptions {
  /**
   * What the stages need in addition to the data: an object. It is encoded like data, but sent once
   * per run and worker and not with each event. Each stage gets a copy, with `workerID` added. A
   * function in it is a `TypeError`: make it a stage. Default: `{}`.
   */
  args?: Args;

  /**
   * Aborts the call when the signal is aborted: it rejects at once with the signal's reason, see
   * {@link RunOptions.signal}. No further event of it starts. A worker that runs an event of it is
   * killed with all its descendants, and replaced. No other call is affected. Default: none.
   */
  signal?: AbortSignalLike;

  /**
   * How long an event may run, in milliseconds: see {@link RunOptions.taskTimeout}. An event that
   * runs longer fails with the code `"ERR_SONIC_TASK_TIMEOUT"`. Default: the option of the pool.
   */
  taskTimeout?: number;

  /**
   * How often a failed event is retried: see {@link RunOptions.retries}. Default: the option of the
   * pool.
   */
  retries?: number | RetryOptions;

  /**
   * The share of the workers that the call gets while other calls with the same
   * {@link RouteOptions.priority} have events waiting: with the weights 3 and 1, three quarters of
   * the workers' time and one quarter. Single calls with the same options have one share together.
   * A call that starts later, or had nothing to do for a while, neither makes up for that time nor
   * pays for it. No effect with {@link PoolOptions.inProcess}. A number from 0.001 to 1000.
   * Default: 1.
   */
  weight?: number;
}

/**
 * Which workers may run an event, and before which others: the third parameter of {@link Map}, and
 * options of a pool's calls.
 */
export interface RouteOptions {
  /**
   * The event runs only in workers that have all of these tags: see {@link WorkerGroup.tags}. If no
   * worker has them, the call rejects at once with the code `"ERR_SONIC_NO_WORKER"`. If the last
   * such worker is given up, waiting events fail with this code. Default: `[]`, any worker that is
   * not exclusive.
   */
  tags?: string[];

  /**
   * Events with the same key run one at a time, in the order in which they were handed over, and in
   * the same worker, among those that have the tags. A retried event holds its key until it has
   * ended. A key moves to another worker only if its worker is given up. The keys `1` and `"1"` are
   * the same. A string or a finite number. Default: none.
   */
  key?: string | number;

  /**
   * `true` runs events of this `key` in any worker and several at once, in no order: for a key that
   * has become too hot for one worker. Default: `false`.
   */
  spread?: boolean;

  /**
   * How urgent the event is: an integer from -2147483647 to 2147483647. A worker that is free takes
   * the waiting event with the highest priority, and of these the first; a running event is not
   * interrupted. Events with the same `key` stay in order whatever their priorities. A `Map` waits
   * for room among the events with the same priority. Default: 0.
   */
  priority?: number;
}

/** Workers of a pool that are alike: see {@link RunOptions.workers}. */
export interface WorkerGroup {
  /** What events may ask for with {@link RouteOptions.tags}. Default: `[]`. */
  tags?: string[];

  /** The number of workers in the group: an integer of at least 1. Default: 1. */
  count?: number;

  /** `true` keeps the workers free for events that ask for their tags. Default: `false`. */
  exclusive?: boolean;

  /**
   * Environment variables that are added to those of all workers. The package's own variables stay
   * as they are. Default: none.
   */
  env?: Record<string, string>;

  /**
   * Options of Node, for example `["--max-old-space-size=4096"]`. They come after those that all
   * workers get, so that they win. Default: `[]`.
   */
  execArgv?: string[];

  /** The {@link RunOptions.concurrency} of the group. Default: that of the pool. */
  concurrency?: number;

  /** The {@link RunOptions.maxTasksPerWorker} of the group. Default: that of the pool. */
  maxTasksPerWorker?: number;

  /** The {@link RunOptions.maxWorkerMemory} of the group. Default: that of the pool. */
  maxWorkerMemory?: number;
}

/** How to run a {@link Pool.map}. */
export interface PoolMapOptions<Args = object, Settled extends boolean = boolean>
  extends CallOptions<Args> {
  /**
   * Whether to run all items, also after a failure. The results are then those of
   * {@link PoolSettled}. Default: `false`.
   */
  settled?: Settled;

  /** Shows the progress of the call: see {@link PoolOptions.progress}. Default: the option of the pool. */
  progress?: boolean | "workers" | ProgressStyle;

  /** The number of items, for `progress`. Default: the `length` or `size` of the iterable. */
  total?: number;

  /**
   * A file in which the call writes its answers down, to go on after a crash: see
   * {@link RunOptions.checkpoint}. Only in the program that has the pool. Default: none.
   */
  checkpoint?: string | CheckpointOptions;
}

/**
 * How to run a {@link Pool.run}. In a pool with {@link PoolOptions.inProcess}, and in one of
 * {@link connectPool}, `progress`, `trace` and `report` are a `TypeError`.
 */
export interface PoolRunOptions<Args = object> extends CallOptions<Args> {
  /** Shows the progress of the run: see {@link PoolOptions.progress}. Default: the option of the pool. */
  progress?: boolean | "workers" | ProgressStyle;

  /** What people are to call an event: see {@link RunOptions.label}. Default: the option of the pool. */
  label?: (data: any) => string;

  /**
   * The number of events, for `progress`: an integer of at least 0. Default: what is known of it, see
   * {@link PoolOptions.progress}.
   */
  total?: number;

  /** The file for a trace of the run: see {@link RunOptions.trace}. Default: `SONIC_TRACE`. */
  trace?: string;

  /** The file for a page that shows the run: see {@link RunOptions.report}. Default: `SONIC_REPORT`. */
  report?: string;

  /**
   * A file in which the call writes its answers down, to go on after a crash: see
   * {@link RunOptions.checkpoint}. Only in the program that has the pool. Default: none.
   */
  checkpoint?: string | CheckpointOptions;
}

/** How to run a {@link Pool.each}. */
export interface EachOptions<Args = object, Keep extends boolean = boolean> {
  /** What the stages need in addition to the data: see {@link CallOptions.args}. Default: `{}`. */
  args?: Args;

  /**
   * How long the work may run in each worker: see {@link CallOptions.taskTimeout}. Default: the
   * option of the pool.
   */
  taskTimeout?: number;

  /**
   * Only workers with all of these tags run the work. If there is none, the call rejects with the
   * code `"ERR_SONIC_NO_WORKER"`. Default: `[]`, all workers.
   */
  tags?: string[];

  /** Whether workers that start later run the work first. Default: `false`. */
  keep?: Keep;
}

/** Work that workers which start later run first: see {@link Pool.each}. */
export interface KeptWork<R> {
  /** What the work returned in the workers of the pool. */
  results: R[];
  /** Ends that: no further worker runs it. May be called more than once. */
  dispose(): void;
}

/** How to run a {@link Pool.stream}. */
export interface PoolStreamOptions<Args = object> extends PoolRunOptions<Args> {
  /**
   * `"abort"` ends the stream at the first failure, with that error: see {@link RunOptions.onError}.
   * Default: `"collect"`.
   */
  onError?: "collect" | "abort";

  /** The order of the entries: see {@link StreamOptions.order}. Default: `"completion"`. */
  order?: "completion" | "submission";

  /**
   * How many entries may be unread before no further event is taken: see
   * {@link StreamOptions.maxResultsWaiting}. An integer from 1 to 1048576. Default: 1024.
   */
  maxResultsWaiting?: number;
}

/** A result of {@link Pool.map} with `settled: true`. */
export type PoolSettled<Out> =
  | { status: "fulfilled"; value: Out }
  | { status: "rejected"; reason: Error };

/** An entry of {@link Pool.stream}. Its property `failed` tells which one it is. */
export type PoolEntry<In, Out> = PoolResult<In, Out> | PoolFailure<In>;

/** An entry of {@link Pool.stream}: an event that all stages processed without an error. */
export interface PoolResult<In, Out> {
  /** The number of the worker that answered. */
  id: number;
  /** The event's data. */
  data: In;
  /** What the last stage returned, also if that is `undefined` or `null`. */
  response: Out;
  /** Absent. Distinguishes the entry from a {@link PoolFailure}. */
  failed?: undefined;
  /** Absent. */
  error?: undefined;
}

/** An entry of {@link Pool.stream}: an event that failed. */
export interface PoolFailure<In> {
  /** The number of the worker that ran the event. */
  id: number;
  /** The event's data. */
  data: In;
  /** Distinguishes the entry from a {@link PoolResult}. */
  failed: true;
  /** Why the event failed. */
  error: MapError;
  /** Absent. */
  response?: undefined;
}

/**
 * The type of a result that crosses as JSON. `T` is what the stage returns, awaited.
 *
 * - A type that JSON keeps stays the same: `Json<string>` is `string`.
 * - A `Date` is a `string`. So is everything whose `toJSON()` returns one.
 * - Properties that are functions, symbols or `undefined` are dropped. In arrays they are `null`.
 * - A `Map`, a `Set` and a `RegExp` are empty objects. A `bigint` is `never`: it cannot be encoded.
 * - A `Buffer` and a typed array keep their types if they are the result itself. Inside of it they
 *   are what JSON makes of them.
 *
 * @typeParam T The type of the value.
 */
export type Json<T> =
  IsAny<T> extends true
    ? T
    : T extends TypedArray
      ? T
      : T extends Dropped
        ? undefined
        : JsonOrSame<T>;

// ---------------------------------------------------------------------------------------------
// Flows
// ---------------------------------------------------------------------------------------------

/**
 * Makes a flow: stages that are connected to a graph. Use it in place of the worker functions of
 * {@link MapReduce} and {@link stream}, and as a member of the stages of {@link createPool}, for
 * {@link Pool.run} and {@link Pool.stream}. {@link Pool.call}, {@link Pool.map} and {@link Pool.each}
 * take no flow, because an event of a flow has no single result.
 *
 * ```ts part
 * const words = flow((source: FlowNode<string>) =>
 *   source
 *     .flatMap(({ data: file }) => readFileSync(file, "utf8").split(/\s+/))
 *     .map(({ data: word }) => [word.toLowerCase(), 1])
 *     .reduceByKey((a, b) => a + b),
 * );
 * for await (const { response, failed } of stream(sendFiles, words)) {
 *   if (!failed) console.log(response[0], response[1]);
 * }
 * ```
 *
 * `build` runs once, at once, and only connects nodes. Like the functions of a stage it runs in the
 * master and in every worker, so it must make the same graph in each of them. The functions of the
 * nodes run in the workers, and are never sent.
 *
 * Neighbours with the same `tags` and `retries`, and without limits of their own, run one after the
 * other in one worker event. Otherwise an item moves on to another event, through the memory of the
 * core and not through JavaScript of the master. Items cross between nodes as values do between
 * processes: see {@link Json}.
 *
 * A node whose function throws, or whose worker dies, fails one item and no others. That is an entry
 * with the name of the node, unless another node reads {@link FlowNode.errors}.
 *
 * Throws a `TypeError` or `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"` that names the
 * method and the argument. A flow has at most 63 nodes, without those of {@link FlowNode.merge}, and
 * at most 90 ways from one worker event to other nodes and sinks. New in 2.0.0.
 *
 * @param build Gets the source, and returns the node whose items are the results: the **sink**. Or it
 *   returns an object of several, by name: then each result says in `sink` which one it is of. Declare
 *   the type of its parameter: the types of all nodes are inferred from it.
 * @returns The flow. It may be used in several calls.
 * @typeParam In The data of the events. Inferred from the parameter of `build`.
 * @typeParam O The sinks. Inferred.
 * @typeParam Via How values cross. Inferred: `"json"`, or `"advanced"` for a parameter of the type
 *   `FlowNode<In, "advanced">`.
 */
export declare function flow<
  In,
  O extends FlowNode<any, any> | Record<string, FlowNode<any, any>>,
  Via extends "json" | "advanced" = "json",
>(build: (source: FlowNode<In, Via>) => O): Flow<In, O>;

/**
 * What {@link flow} returns.
 *
 * @typeParam In The data of the events.
 * @typeParam O The sinks: a {@link FlowNode}, or an object of those.
 */
export interface Flow<In = any, O = any> {
  /** Only for types: it has no value. */
  readonly "made by flow": (data: In) => O;
}

/**
 * A node of a {@link flow}: items on their way. Its methods add a node behind it, and return that. A
 * node may be used any number of times: each node behind it gets all of its items.
 *
 * All methods may be called only inside of the function that `flow` gets. They throw a `TypeError` or
 * `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"` that names the invalid argument or option.
 *
 * Functions of nodes get `args` of the call with `workerID` added, as stages do. They may be sync or
 * async, but for `combine` of `reduceByKey` and the functions that return keys. A function may be a
 * {@link stage}: then its options are those of the node, unless the node has its own.
 *
 * @typeParam T The items.
 * @typeParam Via How values cross.
 */
export interface FlowNode<T = any, Via extends "json" | "advanced" = "json"> {
  /**
   * One item for each item.
   *
   * ```ts part
   * source.map(({ data: url }) => load(url), { retries: 2, tags: ["net"] });
   * ```
   *
   * @param fn A function of `({ data }, args, task)`: see {@link StageFn}. What it returns is an item,
   *   also if that is `undefined` or `null`.
   * @param options See {@link FlowNodeOptions}.
   */
  map<Out, Args = FlowArgs>(
    fn: (event: { data: T }, args: Args, task: Task) => Out | Hint,
    options?: FlowNodeOptions,
  ): FlowNode<FlowItem<Out, Via>, Via>;

  /**
   * Any number of items for each item.
   *
   * ```ts part
   * source.flatMap(function* ({ data: text }) {
   *   for (const [word] of text.matchAll(/\w+/g)) yield word;
   * });
   * ```
   *
   * @param fn A function of `({ data }, args, task)` that returns an iterable or async iterable, or a
   *   promise of one, or a generator function. A string is no iterable here. If the function or the
   *   iterable throws, the item fails and none of its outputs count.
   * @param options See {@link FlowNodeOptions}.
   */
  flatMap<Out, Args = FlowArgs>(
    fn: (event: { data: T }, args: Args, task: Task) => Items<Out> | PromiseLike<Items<Out>>,
    options?: FlowNodeOptions,
  ): FlowNode<FlowItem<Out, Via>, Via>;

  /**
   * The items that the type guard accepts: behind it they have its type.
   *
   * ```ts part
   * source.filter((event: { data: Row }): event is { data: Order } => event.data.type === "order");
   * ```
   *
   * @param fn A type guard of the event.
   * @param options See {@link FlowNodeOptions}.
   */
  filter<Kept extends T, Args = FlowArgs>(
    fn: (event: { data: T }, args: Args, task: Task) => event is { data: Kept },
    options?: FlowNodeOptions,
  ): FlowNode<Kept, Via>;

  /**
   * The items for which the function returns something truthy.
   *
   * ```ts part
   * source.filter(({ data: order }) => order.total > 100);
   * ```
   *
   * @param fn A function of `({ data }, args, task)`.
   * @param options See {@link FlowNodeOptions}.
   */
  filter<Args = FlowArgs>(
    fn: (event: { data: T }, args: Args, task: Task) => unknown,
    options?: FlowNodeOptions,
  ): FlowNode<T, Via>;

  /**
   * Sends each item to one of several branches.
   *
   * ```ts part
   * const { small, large } = source.split(({ data }) => (data.size < 1e6 ? "small" : "large"), [
   *   "small",
   *   "large",
   * ]);
   * ```
   *
   * @param fn A function of `({ data }, args, task)` that returns the name of a branch. If it returns
   *   anything else, the item fails.
   * @param branches The names: different strings of 1 to 200 characters, not `"out"` or `"errors"`.
   * @param options See {@link FlowNodeOptions}.
   * @returns A node for each branch, by its name. All have the same {@link FlowNode.errors}.
   */
  split<Branch extends string, Args = FlowArgs>(
    fn: (event: { data: T }, args: Args, task: Task) => Given<Branch> | PromiseLike<Given<Branch>>,
    branches: readonly Branch[],
    options?: FlowNodeOptions,
  ): { [Name in Extract<Branch, string>]: FlowNode<T, Via> };

  /**
   * The same, where you say the items of each branch.
   *
   * ```ts part
   * const { order, customer } = source.split<{ order: Order; customer: Customer }>(
   *   ({ data }) => data.type,
   *   ["order", "customer"],
   * );
   * ```
   *
   * @param fn A function of `({ data }, args, task)` that returns the name of a branch.
   * @param branches Their names.
   * @param options See {@link FlowNodeOptions}.
   * @typeParam Branches The items by the names of the branches.
   */
  split<Branches extends { [Name in keyof Branches]: T }, Args = FlowArgs>(
    fn: (
      event: { data: T },
      args: Args,
      task: Task,
    ) => Given<BranchOf<Branches>> | PromiseLike<Given<BranchOf<Branches>>>,
    branches: readonly BranchOf<Branches>[],
    options?: FlowNodeOptions,
  ): { [Name in BranchOf<Branches>]: FlowNode<Branches[Name], Via> };

  /**
   * The items of this node and of others, in no order. A node that is given twice contributes its
   * items twice.
   *
   * ```ts part
   * const all = uploads.merge(emails, calls);
   * ```
   *
   * @param nodes Nodes of the same flow.
   */
  merge<Others extends readonly FlowNode<any, Via>[]>(
    ...nodes: Others
  ): FlowNode<T | ItemOf<Others[number]>, Via>;

  /**
   * Collects items in arrays. The last array has the items that are left at the end.
   *
   * ```ts part
   * rows.batch({ count: 500, ms: 1000 }).map(({ data: rows }) => insert(rows));
   * ```
   *
   * @param options When a batch is full: see {@link FlowBatchOptions}.
   */
  batch(options: FlowBatchOptions): FlowNode<T[], Via>;

  /**
   * One item made of all items. It waits until every item before it has arrived or failed. Without
   * items the function gets an empty array.
   *
   * ```ts part
   * sizes.reduce((items) => Math.max(0, ...items));
   * ```
   *
   * @param fn A function of `(items, args)`. The items are in no order, unless they come from
   *   {@link FlowNode.sortBy}. If it throws, that is one failure, whose data are the items.
   * @param options See {@link FlowReduceOptions}.
   */
  reduce<Out, Args = FlowArgs>(
    fn: (items: T[], args: Args) => Out | Hint,
    options?: FlowReduceOptions,
  ): FlowNode<FlowItem<Out, Via>, Via>;

  /**
   * Combines the values of each key to one. The items must be `[key, value]` pairs, with {@link FlowKey}s.
   * The results are pairs too, one for each key.
   *
   * ```ts part
   * words.map(({ data: word }) => [word, 1]).reduceByKey((a, b) => a + b);
   * ```
   *
   * Values are combined where they are made and again where they meet: see {@link FlowShuffleOptions}.
   *
   * @param combine A sync function of two values that returns one. It is called in any order and
   *   with any grouping, so it must be associative and commutative. A key with one value is not passed
   *   to it.
   * @param options See {@link FlowShuffleOptions}.
   */
  reduceByKey(combine: Combine<T>, options?: FlowShuffleOptions): FlowNode<PairOf<T>, Via>;

  /**
   * One item for each key, made of all of its values. The items must be `[key, value]` pairs, with
   * {@link FlowKey}s.
   *
   * ```ts part
   * visits
   *   .map(({ data }) => [data.user, data.page])
   *   .groupByKey(({ key, values }) => ({ user: key, pages: new Set(values).size }));
   * ```
   *
   * @param fn A function of `({ key, values }, args)`: see {@link FlowGroup}. If it throws, the group
   *   is one failure.
   * @param options See {@link FlowShuffleOptions}.
   */
  groupByKey<Out, Args = FlowArgs>(
    fn: Grouping<T, Args, Out | Hint>,
    options?: FlowShuffleOptions,
  ): FlowNode<FlowItem<Out, Via>, Via>;

  /**
   * Joins the items of this node and of another whose keys are equal: one item for each pair of them.
   *
   * ```ts part
   * orders.join(customers, { on: [(order) => order.customer, (customer) => customer.id], kind: "left" });
   * ```
   *
   * @param other A node of the same flow, whose items are `right`.
   * @param options The keys, and what happens to items without a partner: see {@link FlowJoinOptions}.
   * @returns Items with `key`, `left` and `right`: see {@link FlowJoined}.
   */
  join<R, Key extends FlowKey, Kind extends "inner" | "left" | "outer" = "inner">(
    other: FlowNode<R, Via>,
    options: FlowJoinOptions<T, R, Key, Kind>,
  ): FlowNode<FlowJoined<Key, T, R, Kind>, Via>;

  /**
   * The same items in the order of their keys: `null`, `false`, `true`, numbers, and then strings by
   * their code points. A sink right behind it gets the items in order. Other nodes behind it run in
   * parallel, so their results are in no order.
   *
   * ```ts part
   * orders.sortBy((order) => -order.total);
   * ```
   *
   * @param key A sync function of an item that returns its key. If it throws, or returns something that
   *   is no key, the item fails.
   * @param options See {@link FlowShuffleOptions}.
   */
  sortBy(key: (data: T) => FlowKey, options?: FlowShuffleOptions): FlowNode<T, Via>;

  /**
   * The failures of this node, as items. They are then not in the failed queue, unless the node that
   * handles them fails too. After {@link FlowNode.split} it has the failures of all branches. The
   * source, `merge` and `errors` have no failures: reading it there throws a `TypeError`.
   *
   * ```ts part
   * const pages = source.map(load, { retries: 2 });
   * return { pages, broken: pages.errors.map(({ data: { data: url, error } }) => [url, error.message]) };
   * ```
   */
  readonly errors: FlowNode<FlowFailure, Via>;
}

/** What a function of a {@link flow} gets as `args`, if it does not declare a type. */
export type FlowArgs = WorkerIdentity & Record<string, unknown>;

/** A key of items in a {@link flow}. Keys of different types are never equal, and no number is `NaN` or infinite. */
export type FlowKey = string | number | boolean | null;

/**
 * The options of a {@link FlowNode}. Only own properties count. A property that is `undefined` counts as
 * absent. An unknown property is a `TypeError`.
 */
export interface FlowHoldOptions {
  /**
   * The name of the node, in failures and statistics: a string of 1 to 200 characters. Default: the name
   * of the function, or else of the method. If it is taken, a number is added.
   */
  name?: string;

  /** The workers that may run the node: see {@link RouteOptions.tags}. Default: `[]`. */
  tags?: string[];

  /**
   * How many events of the node a worker runs at once: an integer from 1 to 1024. See
   * {@link RunOptions.concurrency}. Default: that of the call or pool.
   */
  concurrency?: number;

  /**
   * How often an item that failed in this node is retried: see {@link RunOptions.retries}. What earlier
   * nodes did is not repeated. Default: the option of the call or pool.
   */
  retries?: number | RetryOptions;

  /**
   * How long the node may run for an item, in milliseconds: see {@link RunOptions.taskTimeout}. Default:
   * the option of the call or pool.
   */
  taskTimeout?: number;
}

/** The options of `map`, `flatMap`, `filter` and `split` of a {@link FlowNode}. */
export interface FlowNodeOptions extends FlowHoldOptions {
  /**
   * How many items may wait for the node before those before it pause: an integer from 1 to 1048576.
   * Default: 1024. A single event that makes many more items than usual may exceed the limit.
   */
  maxWaiting?: number;
}

/** The options of {@link FlowNode.reduce}. */
export interface FlowReduceOptions extends FlowHoldOptions {
  /**
   * Where the function runs. `"master"` is for what only the master has, such as an open database; the
   * only other option is then `name`. Default: `"worker"`.
   */
  in?: "master" | "worker";
}

/**
 * The options of `reduceByKey`, `groupByKey`, `join` and `sortBy` of a {@link FlowNode}. These nodes
 * take all items before they emit any. The workers write them to files, sorted by key, and each worker
 * reads a part of the keys.
 */
export interface FlowShuffleOptions extends FlowHoldOptions {
  /**
   * How many bytes of items an event collects for the node before it writes them to a file: an integer
   * of at least 1. Default: 67108864 (64 MiB). An event that has collected less writes when it ends.
   * Also how many bytes of left items of one key a `join` keeps.
   */
  memory?: number;
}

/** The options of {@link FlowNode.batch}: at least one of `count`, `ms` and `bytes`. */
export interface FlowBatchOptions {
  /** The name of the node: see {@link FlowHoldOptions.name}. Default: `"batch"`. */
  name?: string;
  /** The number of items in a full batch: an integer from 1 to 1048576. Default: no limit. */
  count?: number;
  /**
   * How long (ms) after its first item a batch is passed on, full or not: more than 0, at most
   * 2147483647. Default: no limit.
   */
  ms?: number;
  /** The encoded bytes at which a batch is full: an integer of at least 1. Default: no limit. */
  bytes?: number;
}

/** The options of {@link FlowNode.join}. */
export interface FlowJoinOptions<
  L,
  R,
  Key extends FlowKey = FlowKey,
  Kind extends "inner" | "left" | "outer" = "inner" | "left" | "outer",
> extends FlowShuffleOptions {
  /**
   * Two sync functions that return the key of a left and of a right item. If one throws, or returns
   * something that is no key, the item fails.
   */
  on: readonly [left: (data: L) => Key, right: (data: R) => Key];
  /**
   * What happens to items without a partner: `"inner"` drops them, `"left"` keeps those of the left
   * side, `"outer"` keeps all. Default: `"inner"`.
   */
  kind?: Kind;
}

/** An item of {@link FlowNode.join}. A side without a partner is absent. */
export type FlowJoined<Key, L, R, Kind = "inner" | "left" | "outer"> = Kind extends "inner"
  ? { key: Key; left: L; right: R }
  : Kind extends "left"
    ? { key: Key; left: L; right?: R }
    : { key: Key; left?: L; right?: R };

/** What a function of {@link FlowNode.groupByKey} gets. */
export interface FlowGroup<Key, Value> {
  /** The key. */
  key: Key;
  /**
   * The values, in no order. They are read while you iterate, so a key may have more of them than fit
   * into memory. You can iterate once.
   */
  values: Iterable<Value>;
}

/** An item that failed in a node of a {@link flow}: an entry of the failed queue, or an item of {@link FlowNode.errors}. */
export interface FlowFailure extends FailedResult<unknown> {
  /** The name of the node. */
  node: string;
  /** The item as it entered that node. */
  data: unknown;
  /** Why it failed. */
  error: MapError;
}

/** An item of the only sink of a {@link flow}. */
export interface FlowResult<Out> {
  /** The number of the worker that answered. */
  id: number;
  /** The item. */
  response: Out;
  /** Absent. */
  sink?: undefined;
  /** Absent. Distinguishes the entry from a failure. */
  failed?: undefined;
  /** Absent. */
  error?: undefined;
}

/** An item of a sink with a name. */
export interface FlowSinkResult<Sink, Out> {
  /** The number of the worker that answered. */
  id: number;
  /** The item. */
  response: Out;
  /** The name of the sink. The type of `response` depends on it. */
  sink: Sink;
  /** Absent. Distinguishes the entry from a failure. */
  failed?: undefined;
  /** Absent. */
  error?: undefined;
}

/**
 * The results of a {@link flow}: a {@link FlowResult}, or a {@link FlowSinkResult} for each of its sinks.
 *
 * @typeParam F The type of the flow.
 */
export type FlowResults<F> = F extends Flow<infer _, infer O> ? ResultsOfSinks<O> : never;

/**
 * An entry of a {@link stream} or {@link Pool.stream} of a {@link flow}. Its properties `failed` and
 * `sink` tell which one it is.
 *
 * @typeParam F The type of the flow.
 */
export type FlowEntry<F> =
  | FlowResults<F>
  | (FlowFailure & { response?: undefined; sink?: undefined });

// ---------------------------------------------------------------------------------------------
// Locks and shared state
// ---------------------------------------------------------------------------------------------

/**
 * Locks between all processes of the program: see {@link LockManager}.
 *
 * ```ts part
 * const number = await locks.request("invoices", async () => {
 *   const last = Number(await readFile("last", "utf8"));
 *   await writeFile("last", String(last + 1));
 *   return last + 1;
 * });
 * ```
 *
 * The names are those of one program: the process that you start, and all workers of all its pools and
 * runs. The locks may be used everywhere in it: when a module is loaded, in stages, in `masterFn` and
 * `reduceFn`. They end with the program. The locks of the program of another pool are
 * {@link Pool.locks}.
 *
 * They are for the main thread of a process. In other threads (`worker_threads`) all functions of
 * `locks` and {@link sync} fail with the code `"ERR_SONIC_THREAD"`. Two versions of this package in one
 * program have locks of their own in the master; in a worker both have those of its pool. New in 2.0.0.
 */
export declare const locks: LockManager;

/**
 * What processes of the program share beside locks: see {@link Sync}.
 *
 * ```ts part
 * const done = sync.counter("done");
 * done.add();
 * const settings = await sync.once("settings", () => load());
 * ```
 *
 * The names are those of one program, as for {@link locks}. Names of different kinds of things never
 * collide. New in 2.0.0.
 */
export declare const sync: Sync;

/**
 * The `LockManager` of the [Web Locks](https://w3c.github.io/web-locks/) specification
 * (`navigator.locks`), between processes, with what is marked as new here.
 *
 * **A lock is freed when its holder's callback ends, or when its process is dead**, whatever ended it:
 * an error, a signal, a crash. The next request is then granted. There is no lease: a busy process
 * keeps its lock.
 *
 * **Requests are granted in order** (FIFO). Shared requests hold the lock together, but never overtake an
 * earlier exclusive request.
 *
 * **Deadlocks.** If requests wait for each other in a circle for a second, the youngest rejects with
 * the code `"ERR_SONIC_DEADLOCK"`. Its message names the workers, locks and events in the circle. A
 * request belongs to the lock callback that it is made in, also after an `await` there.
 *
 * **Retries.** A lock that an event held is free when its worker dies, and the next attempt asks for it
 * again.
 *
 * All functions may be called without their object.
 */
export interface LockManager {
  /**
   * Asks for a lock, and holds it while the callback runs: until it returns or throws, or until the
   * promise that it returns settles.
   *
   * ```ts part
   * await locks.request("report.pdf", () => write(report));
   * await locks.request("api", { limit: 5 }, () => fetch(url)); // five at a time, in all processes
   * ```
   *
   * If this process held the lock last and no other process wants it, it is granted without a message
   * to another process.
   *
   * The callback never runs before `request` has returned. The lock is free for the next request when the
   * promise settles.
   *
   * The promise rejects with
   *
   * - what the callback throws;
   * - the reason of {@link LockOptions.signal}, if it is aborted before the lock is granted;
   * - a `TypeError` or `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"` that names the invalid
   *   argument or option. Unlike in a browser, an unknown option is an error, and `ifAvailable` and
   *   `steal` must be booleans;
   * - a `NotSupportedError` if the name begins with `-`, or if options exclude each other. This is a
   *   `DOMException` where Node has that (17 and later), otherwise an `Error` of the same name;
   * - an `AbortError` (the same) if another request steals the lock, or if the event that made the
   *   request is aborted while it waits: see {@link Task.signal};
   * - an `Error` with the code `"ERR_SONIC_DEADLOCK"`: see above;
   * - a `RangeError` with the code `"ERR_SONIC_LOCK_LIMIT"`, if others hold the lock or wait for it with
   *   another {@link LockOptions.limit}.
   *
   * @param name The name of the lock: a string of at most 1024 characters, also the empty one.
   * @param callback Gets the lock. Sync or async.
   * @returns A promise of what the callback returned, awaited.
   */
  request<T>(name: string, callback: (lock: Lock) => T | PromiseLike<T>): Promise<T>;

  /**
   * The same with options: see {@link LockOptions}.
   *
   * @param name The name of the lock.
   * @param options How to ask for it.
   * @param callback Gets the lock; with `ifAvailable` it gets `null` if the lock is not free.
   * @returns A promise of what the callback returned, awaited.
   */
  request<T>(
    name: string,
    options: (LockOptions & { ifAvailable?: false }) | null | undefined,
    callback: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T>;

  /** The same with `ifAvailable`: the callback gets `null` if the lock is not free. */
  request<T>(
    name: string,
    options: LockOptions,
    callback: (lock: Lock | null) => T | PromiseLike<T>,
  ): Promise<T>;

  /**
   * Returns which locks are held, and which requests wait, at one moment and in all processes.
   *
   * ```ts part
   * for (const { name, worker, pid } of (await locks.query()).held) console.log(name, worker, pid);
   * ```
   *
   * The locks of {@link SyncStore.update} are among them. Their names begin with `-`.
   */
  query(): Promise<LockSnapshot>;
}

/** How to ask for a lock. Only own properties count. A property that is `undefined` counts as absent. */
export interface LockOptions {
  /** `"shared"`: any number of requests hold the lock together, if all of them share it. Default: `"exclusive"`. */
  mode?: "exclusive" | "shared";

  /**
   * New: how many requests may hold the lock at once (a semaphore): an integer from 1 to 4294967295. All
   * requests that hold it or wait for it must have the same limit. Not together with `mode: "shared"` or `steal`.
   * Default: 1.
   */
  limit?: number;

  /** Grants the lock at once or not at all: then the callback gets `null`. Not together with `signal`. Default: `false`. */
  ifAvailable?: boolean;

  /**
   * Takes the lock from its holders, ahead of requests that wait. The callbacks of the former holders
   * continue; their requests reject with an `AbortError`, and their {@link Lock.signal} is
   * aborted. Only with the mode `"exclusive"`, and not together with `ifAvailable`, `limit` or `signal`.
   * Default: `false`.
   */
  steal?: boolean;

  /** Withdraws the request when it is aborted before the lock is granted. Default: none. */
  signal?: AbortSignalLike;
}

/** A lock that is held. */
export interface Lock {
  /** Its name. */
  readonly name: string;

  /** How it is held. */
  readonly mode: "exclusive" | "shared";

  /**
   * New: a number that grows with every grant of any lock of the program (a fencing token). A service
   * that remembers the largest token it has seen can refuse a holder that has lost its lock.
   */
  readonly token: number;

  /**
   * New: is aborted when the holder should stop: the lock was stolen, or the event that holds it is
   * aborted. The reason is an `AbortError`. Created on first use. Node 14 has no
   * `AbortSignal`: there it is an object with the same methods and properties.
   */
  readonly signal: NodeAbortSignal;
}

/** What {@link LockManager.query} returns. */
export interface LockSnapshot {
  /** The locks that are held, one entry for each holder. */
  held: LockInfo[];
  /** The requests that wait: those for one name in their order. */
  pending: LockInfo[];
}

/** A lock that is held, or a request for one. */
export interface LockInfo {
  /** The name of the lock. */
  name: string;
  /** How it is held or asked for. */
  mode: "exclusive" | "shared";
  /** A string that identifies the process. */
  clientId: string;
  /** New: the number of the worker. Absent if the process is not a worker. */
  worker?: number;
  /** New: the process id. For a client of {@link connectPool} it is the pool's process. */
  pid: number;
  /** New: the number of the event in its run. Absent if it belongs to no event, or if that is not known. */
  event?: number;
}

/** The option of everything that waits. */
export interface WaitOptions {
  /** Ends the wait when it is aborted: the promise rejects with its reason. Default: none. */
  signal?: AbortSignalLike;
}

/**
 * What processes of one program share beside locks. All names are strings of at most 1024 characters.
 *
 * Each function throws a `TypeError` or `RangeError` with the code `"ERR_SONIC_INVALID_ARGUMENT"` that
 * names the invalid argument or option, and so do the objects' own functions: those that return a
 * promise reject with it. If an event is aborted, what it waits for rejects with an `AbortError`.
 */
export interface Sync {
  /**
   * A counter in shared memory: see {@link SyncCounter}.
   *
   * ```ts part
   * sync.counter("rows").add(rows.length); // in any process
   * console.log(sync.counter("rows").load()); // in any other one
   * ```
   *
   * A program has at most 65,536 names of counters, which are never freed: then it throws a `RangeError`
   * with the code `"ERR_SONIC_COUNTERS"`. A client of {@link connectPool} shares no memory with the
   * pool's program: there it throws an `Error` with the code `"ERR_SONIC_COUNTER_REMOTE"`.
   *
   * @param name The name. A new counter is 0.
   */
  counter(name: string): SyncCounter;

  /**
   * A point where parties wait until all of them have arrived: see {@link SyncBarrier}.
   *
   * ```ts part
   * await sync.barrier("step", 4).wait(); // in each of four events that run at once
   * ```
   *
   * @param name The name.
   * @param parties The number of parties: an integer from 1 to 4294967295.
   */
  barrier(name: string, parties: number): SyncBarrier;

  /**
   * A count that goes down to 0 once: see {@link SyncLatch}.
   *
   * ```ts part
   * await sync.latch("loaded", 4).countDown(); // in each of four events
   * await sync.latch("loaded", 4).wait(); // wherever all four are needed
   * ```
   *
   * @param name The name.
   * @param count Where it starts: an integer from 0 to 4294967295.
   */
  latch(name: string, count: number): SyncLatch;

  /**
   * Does work once in the whole program. The first call runs `fn`, the others wait, and all get the
   * value. It stays for the life of the program.
   *
   * ```ts part
   * await sync.once("schema", () => migrate(database));
   * ```
   *
   * If `fn` throws, its own call rejects with that, and the next one that waits runs its own `fn`. The
   * same happens if the process dies, or if the event ends, before `fn` has.
   *
   * The value crosses by structured clone (`v8.serialize`): at most 64 MiB. Each call gets its own
   * copy. Rejects with a `TypeError` if it cannot be cloned, and with a `RangeError` with the code
   * `"ERR_SONIC_TOO_LARGE"`.
   *
   * @param name The name of the work.
   * @param fn The work. Sync or async.
   * @param options See {@link WaitOptions}. The signal does not end `fn`.
   * @returns A promise of the value.
   */
  once<T>(name: string, fn: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T>;

  /**
   * Limits how often something is done, in all processes together: see {@link SyncLimiter}.
   *
   * ```ts part
   * await sync.limiter("api", { tokens: 10, per: 1000 }).take(); // at most 10 a second, in all workers
   * ```
   *
   * @param name The name.
   * @param options The rate: see {@link LimiterOptions}.
   */
  limiter(name: string, options: LimiterOptions): SyncLimiter;

  /**
   * Values by their keys: see {@link SyncStore}.
   *
   * ```ts part
   * const seen = sync.store<number>("seen");
   * await seen.set("page", 1);
   * const { value, version } = (await seen.get("page"))!;
   * ```
   *
   * @param name The name.
   * @typeParam V The type of the values, not checked.
   */
  store<V = any>(name: string): SyncStore<V>;
}

/**
 * An integer that all processes share, from -(2 ** 53 - 1) to 2 ** 53 - 1. Its functions return at once,
 * and return what those of `Atomics` do. If the counter would leave these bounds, they throw a
 * `RangeError` with the code `"ERR_OUT_OF_RANGE"` and change nothing.
 *
 * What an event did to a counter stays if the event is tried again. {@link Task.count} counts exactly.
 */
export interface SyncCounter {
  /** Returns the value. */
  load(): number;
  /** Sets the value, and returns it. */
  store(value: number): number;
  /** Adds to it, and returns what it was before. @param n An integer. Default: 1. */
  add(n?: number): number;
  /** Sets the value, and returns what it was before. */
  exchange(value: number): number;
  /** Sets the value if it is as expected. Returns what it was before. */
  compareExchange(expected: number, value: number): number;
}

/**
 * A point where parties wait until all of them have arrived, again and again.
 *
 * ```ts part
 * const barrier = sync.barrier("step", 4);
 * for (let step = 0; step < 100; step++) {
 *   compute(step);
 *   await barrier.wait();
 * }
 * ```
 *
 * A party is an event, or a process outside of events. The parties must be able to run at the same
 * time: it takes as many workers, or as much {@link PoolOptions.concurrency}.
 */
export interface SyncBarrier {
  /**
   * Waits until all parties have arrived.
   *
   * A party that fails or dies while it waits no longer counts. If one fails or dies **after** it has
   * passed, the others cannot rely on its work. So the barrier is broken: the parties that wait reject,
   * and so do those that passed with it when they arrive again. The event is not tried again. When the
   * events of all those parties have ended, the barrier can be used again.
   *
   * Rejects with an `Error` with the code `"ERR_SONIC_BARRIER_BROKEN"`, with a `RangeError` with the
   * code `"ERR_SONIC_BARRIER_PARTIES"` if others wait for another number of parties, with the code
   * `"ERR_SONIC_DEADLOCK"` if it waits inside a lock's callback and the missing parties can never come
   * (a process outside of events is taken for one from its first wait on), or with the reason of the
   * signal.
   *
   * @returns A promise of the place in which this party came: 0 for the first.
   */
  wait(options?: WaitOptions): Promise<number>;
}

/** A count that goes down to 0 once, and stays there for the life of the program. */
export interface SyncLatch {
  /**
   * Counts down. An event that is tried again counts no more than once.
   *
   * Rejects with a `RangeError` with the code `"ERR_SONIC_LATCH_COUNT"` if the latch was made with
   * another count.
   *
   * @param n By how much: an integer from 1 to 4294967295. Default: 1.
   * @returns A promise of what is left, at least 0.
   */
  countDown(n?: number): Promise<number>;

  /** Waits until it is 0. Rejects as `countDown` does, or with the reason of the signal. */
  wait(options?: WaitOptions): Promise<void>;
}

/** A rate (a token bucket). Only own properties count. */
export interface LimiterOptions {
  /** How many tokens are added in the time `per`: a number above 0. */
  tokens: number;
  /** The time in which `tokens` are added, in milliseconds: a number above 0. */
  per: number;
  /** The number of tokens at the start, which is also the most there can be. Default: `tokens`. */
  burst?: number;
}

/**
 * Limits how often something is done, in all processes together.
 *
 * ```ts part
 * const limiter = sync.limiter("api", { tokens: 100, per: 1000 });
 * await limiter.take();
 * await fetch(url);
 * ```
 */
export interface SyncLimiter {
  /**
   * Waits until there are enough tokens, and takes them. Requests are served in order.
   *
   * Rejects with a `RangeError` if `n` is more than the burst, with the code
   * `"ERR_SONIC_LIMITER_OPTIONS"` if others use the limiter with another rate, or with the reason of the
   * signal. What was taken is not given back if an event is tried again.
   *
   * @param n How many tokens: a number above 0. Default: 1.
   */
  take(n?: number, options?: WaitOptions): Promise<void>;
}

/**
 * Values by their keys, in the memory of the master's process. Keys are strings of at most 1024
 * characters.
 *
 * A value crosses by structured clone (`v8.serialize`): at most 64 MiB. Rejects with a `TypeError` if it
 * cannot be cloned, and with a `RangeError` with the code `"ERR_SONIC_TOO_LARGE"`.
 *
 * @typeParam V The type of the values.
 */
export interface SyncStore<V = any> {
  /** Returns the value of a key and its version, or `undefined` if there is none. */
  get(key: string, options?: WaitOptions): Promise<{ value: V; version: number } | undefined>;

  /**
   * Sets a value.
   *
   * @param options `ifVersion`: only if the key has this version; 0: only if it has no value.
   * @returns A promise of the new version, which is greater than every version of the store before; or of
   *   `undefined`, with nothing done, if the key has another version.
   */
  set(key: string, value: V, options?: { ifVersion?: undefined } & WaitOptions): Promise<number>;
  /** The same, if the key has a certain version. */
  set(
    key: string,
    value: V,
    options: { ifVersion?: number } & WaitOptions,
  ): Promise<number | undefined>;

  /**
   * Changes a value. Updates of a key run one at a time.
   *
   * ```ts part
   * await sync.store<string[]>("seen").update("pages", (pages = []) => [...pages, page]);
   * ```
   *
   * @param fn Gets the value, or `undefined` if there is none, and returns the new one. Sync or async. It
   *   runs again if the key was set or deleted in the meantime.
   * @returns A promise of the new value.
   */
  update(
    key: string,
    fn: (value: V | undefined) => V | PromiseLike<V>,
    options?: WaitOptions,
  ): Promise<V>;

  /** Deletes a key. Returns whether it had a value. */
  delete(key: string, options?: WaitOptions): Promise<boolean>;
}

// ---------------------------------------------------------------------------------------------
// The functions that a program writes
// ---------------------------------------------------------------------------------------------

/**
 * Sends the events, with {@link Map}. Runs once, in the master.
 *
 * `workerQueue` holds the ids of the free workers. Most programs only pass it to {@link Map}. The
 * return value is awaited and otherwise ignored.
 *
 * @typeParam Args The `args` of the call.
 */
export type MasterFn<Args = any> = (workerQueue: Queue, args: Args) => any;

/**
 * One stage. Runs once per event, in a worker. A worker runs one event at a time.
 *
 * In the first stage `event.data` is the event's data, in every further stage it is what the
 * previous stage returned. Each call gets its own copy of `args`. If the stage throws or rejects,
 * the event is in the failed queue.
 *
 * @typeParam Args The `args` of the call, without `workerID`.
 * @typeParam In The type of `event.data` in this stage.
 * @typeParam Out What the stage returns or resolves to.
 */
export type WorkerFn<Args = any, In = any, Out = any> = (
  event: DataEvent<In>,
  args: Args & WorkerIdentity,
) => Out | PromiseLike<Out>;

/**
 * Turns the queues into the result of the call. Runs once, in the master, when every event is
 * answered and the workers are released.
 *
 * The entries of both queues are in completion order. In the plain `ReduceFn` they are `any`; with
 * type arguments they are {@link MapResult} and {@link FailedResult}.
 *
 * @typeParam In The data of an event.
 * @typeParam Out The response.
 * @typeParam R What the function returns or resolves to.
 */
export type ReduceFn<In = any, Out = any, R = any> = (
  resultQueue: Queue<Entry<In, Out, MapResult<In, Out>>>,
  failedQueue: Queue<Entry<In, Out, FailedResult<In>>>,
) => R | PromiseLike<R>;

/**
 * The stages of a {@link MapReduce}. The first stage takes an event's data; values between stages
 * are `any`. An empty list is valid: then the response is the data.
 *
 * @typeParam Args The `args` of the call, without `workerID`.
 * @typeParam In The data of an event.
 */
export type Pipeline<Args = any, In = any> = [
  first?: WorkerFn<Args, In>,
  ...further: WorkerFn<Args>[],
];

/** How {@link RunOptions.progress} shows a run. */
export interface ProgressStyle {
  /** Whether there is a line for each worker. Default: `false`. */
  workers?: boolean;
  /** What the run is called: it stands before the counts. Default: nothing. */
  label?: string;
  /** What its events are called, in the plural: `"files"`. Default: `"done"`. */
  unit?: string;
}

/** The part of `args` that the call itself reads. */
export interface MapReduceOptions {
  /**
   * The number of workers: an integer from 1 to 4094. Default: one per processor that this process may use, as its
   * affinity and the quotas of its control groups say (rounded down, at least 1).
   */
  numWorkers?: number;
}

/**
 * How to run a {@link MapReduce}. Only own properties count. A property that is `undefined` counts
 * as absent. An unknown property is a `TypeError`. All times are in milliseconds.
 */
export interface RunOptions {
  /**
   * A name that distinguishes this call from the program's other calls: a string of 1 to 200
   * characters, unique among the calls. A worker runs the program again and finds its call by name,
   * or, without a name, by the call's functions, position in the program and arguments. Calls that
   * differ only in their closures need a name, for example `step-${n}` in a loop. Default: none.
   */
  name?: string;
  /**
   * The number of workers: an integer from 1 to 4094. Takes precedence over `args.numWorkers`,
   * which is the default.
   */
  numWorkers?: number;

  /**
   * Workers that differ: 1 to 31 groups, each with a number of workers, and with tags, environment,
   * options of Node and limits of its own. Events ask for a group by its tags: see
   * {@link RouteOptions.tags}. An event without tags runs in any worker that is not exclusive, and
   * prefers the one with the fewest tags. `numWorkers` must be left out, or be the sum of all
   * `count`s. Default: all workers are alike.
   */
  workers?: WorkerGroup[];

  /**
   * How values are encoded between processes, as in `cluster.setupPrimary`: `"json"`, or
   * `"advanced"` for V8's structured clone, which keeps `Date`, `Map`, `Set`, `BigInt`, `RegExp`,
   * `Error`, `Buffer`, typed arrays and cycles. Values that cannot be cloned, such as functions,
   * are a failure; JSON drops them. Default: the value set with `cluster.setupPrimary`, otherwise
   * `"json"`.
   */
  serialization?: "json" | "advanced";

  /**
   * The folder in which a {@link flow} writes what its `reduceByKey`, `groupByKey`, `join` and `sortBy`
   * hold. It is made if it is not there. Only processes of this machine may use it. In it is a folder
   * for each call or pool that writes, which is removed when that ends. Default: `os.tmpdir()`.
   */
  spillDir?: string;

  /**
   * With `cluster`: the master and all hosts have the folder {@link RunOptions.spillDir}, on a file system
   * that they share, and hosts are started with `--spill-dir`. Without it a {@link flow} with
   * `reduceByKey`, `groupByKey`, `join` or `sortBy` rejects over a cluster, with `"ERR_SONIC_CLUSTER"`.
   * Default: false.
   */
  sharedSpill?: boolean;

  /**
   * How many events a worker runs at once, for stages that wait: for responses, files, timers. An
   * integer from 1 to 1024. Default: 1.
   *
   * A worker that dies costs all events that it was running, and no other. If they are tried again
   * (`retries`), each of them runs alone, so that the one that crashes its worker costs no other
   * twice.
   *
   * An event that is aborted, or runs longer than `taskTimeout`, ends at once. If it ran alone, its
   * worker is killed, as without this option. Otherwise its {@link Task.signal} is aborted, and the
   * worker starts no further events until the stage has returned. If that takes longer than
   * `abortGrace`, the worker is killed when the other events there have ended. A worker whose event
   * loop is blocked by an event that timed out is killed within a second, with all that it runs.
   */
  concurrency?: number;

  /**
   * How many events per worker may wait or run before {@link Map} stays pending. This limits how
   * far a loop of short events runs ahead. As long as events take a millisecond or more, the limit
   * is {@link RunOptions.concurrency}, whatever this option says. An integer from 1 to 1048576. Default: 512.
   */
  maxEventsPerWorker?: number;

  /**
   * While the events that wait or run hold more encoded bytes than this, {@link Map} accepts only
   * one event per worker, however short events are. An integer of at least 1. Default: 4194304 (4
   * MiB).
   */
  maxBytesWaiting?: number;

  /**
   * How long an event may run, counted from its start in the worker: more than 0, at most
   * 2147483647 ms, or `Infinity`. An event that runs longer, for example in an endless loop, fails
   * with the code `"ERR_SONIC_TASK_TIMEOUT"`. Its worker is killed with all its descendants, and
   * replaced. No other event is affected, except events that the program itself sent to that worker
   * to run at the same time. An event that has already answered does not time out, even if the
   * master notices its answer late. Default: `Infinity`.
   */
  taskTimeout?: number;

  /**
   * Replaces a worker after this many events, under the same id. Use it for programs or libraries
   * that leak memory. The worker is released between two events, as with `worker.disconnect()`, and
   * exits with code 0. The new worker starts when the old one has exited. If something keeps its
   * event loop alive (a connection, a timer), close it on the process's `"disconnect"` event, or
   * set `shutdownGrace`. If the program sends events to a worker while others run there, the worker
   * may run a few more. An integer from 1 to 2147483647. Default: workers are not replaced.
   */
  maxTasksPerWorker?: number;

  /**
   * Replaces a worker that uses more bytes of memory than this, after its current event, in the
   * same way as `maxTasksPerWorker`. The memory is the resident set of the process, which includes
   * buffers and native memory. It is measured four times a second, so a worker may exceed the limit
   * for a short time. A worker runs at least one event. An integer of at least 1. Default: no
   * limit.
   */
  maxWorkerMemory?: number;

  /**
   * How long a released worker may take to exit before it is killed with all its descendants: 0 to
   * 2147483647 ms, or `Infinity`. Workers are released at the end of the run, when they are
   * replaced, and when the program disconnects them. If a killed worker was still running an event,
   * the event fails. Default: `Infinity`, as in 1.0.3: a worker exits when its event loop is empty,
   * and the program exits after its workers.
   */
  shutdownGrace?: number;

  /**
   * How long a worker may send no heartbeat before it counts as stalled: more than 0, at most
   * 2147483647 ms; 0 or `Infinity` turn this off. A worker stalls when it is stopped with
   * `SIGSTOP`, when its container is frozen, or when a debugger holds all its threads. It is killed
   * with all its descendants and replaced, and the event it was running fails with the code
   * `"ERR_SONIC_WORKER_STALLED"`. A thread that runs no JavaScript sends the heartbeats, so endless
   * loops and inspector breakpoints do not count. Time in which the master itself was stopped does
   * not count either. Default: 60000.
   */
  heartbeatTimeout?: number;

  /**
   * A file in which the run writes down what its events were answered. If the program dies, run it
   * again: events whose answers are in the file get them from there, in their place in the queues, and
   * do not run. Everything else runs, also what had failed.
   *
   * ```ts part
   * MapReduce(masterFn, [convert], reduceFn, args, { checkpoint: "convert.state" });
   * ```
   *
   * An event is recognized by its place in the order in which events are handed over, and by its data.
   * The run rejects with the code `"ERR_SONIC_CHECKPOINT_CHANGED"` if an event has other data than
   * before, if the source of a worker function or one of `args` (but `numWorkers`) has changed, or
   * `name` or `serialization`; with `"ERR_SONIC_CHECKPOINT_BUSY"` if another run has the file open;
   * and with `"ERR_SONIC_CHECKPOINT"` if the file cannot be read or written, or is something else.
   *
   * The file stays when the run has ended well: the next run has all its answers from there. Remove
   * it to begin anew. With a {@link flow} only if that is a chain of `map`, `flatMap` and `filter`. Not with
   * {@link Task.emit} and {@link PoolOptions.inProcess}, nor in clients of {@link connectPool}. The path is
   * relative to the current directory of the master. Default: none.
   */
  checkpoint?: string | CheckpointOptions;

  /**
   * How often a failed event is retried: the number of attempts after the first, for failures of
   * any kind, or {@link RetryOptions}. Each attempt starts with the data that was handed over,
   * whatever a stage has done to it. Only the last attempt leaves an entry in a queue. The error of
   * a failed entry lists all attempts: see {@link MapError.attempts}.
   *
   * A retried event goes to the next free worker, ahead of new events. If the program chose the
   * worker (also through {@link Map}, once the program has read the queue of free workers), the
   * event stays with that worker, which is not free until the event has finished.
   *
   * With retries an event may run more than once. A failed attempt may have done part of its work,
   * and an attempt whose worker was killed right after the last stage may have done all of it.
   *
   * Default: 0. No event runs twice.
   */
  retries?: number | RetryOptions;

  /**
   * Aborts the run when the signal is aborted. The call, and every pending or later {@link Map},
   * reject at once with the signal's reason. (Before Node 17.2, which has no reasons, they reject
   * with an `AbortError` with the code `"ABORT_ERR"`.) No further event starts. Running events may
   * finish within `abortGrace`; their answers are dropped. Each worker is released when it is idle,
   * and killed when `abortGrace` is over. The process lives until all workers are gone, unless it
   * calls `process.exit()`, which also ends the busy workers at once.
   *
   * If the signal is already aborted, the call rejects and starts nothing. After the call the
   * signal has no effect. Any object with the methods of an `AbortSignal` works. Default: none.
   */
  signal?: AbortSignalLike;

  /**
   * What to do when an event fails. `"collect"` continues, and `reduceFn` finds the failure in the
   * failed queue, as in 1.0.3. `"abort"` ends the run at the first failure, as `signal` does, and
   * the call rejects with an {@link EventFailure}. Default: `"collect"`.
   */
  onError?: "collect" | "abort";

  /**
   * How long workers may take after an abort before they are killed: 0 to 2147483647 ms. Default:
   * 1000.
   */
  abortGrace?: number;

  /**
   * Called in the master with each entry of either queue as it arrives, before `reduceFn` finds it
   * there. If it throws, or returns a promise that rejects, the run is aborted with that error.
   * `reduceFn` runs after all its promises are settled. A call costs a few microseconds, so do not
   * use it with millions of short events. Default: none.
   */
  onResult?: (entry: any) => any;

  /**
   * Shows the progress of the run on stderr: how many events are done, failed and in flight, the
   * rate, the elapsed time, and the remaining time if `total` is set or `masterFn` is done.
   * `"workers"` adds a line for each worker. On a terminal this is a bar, and the output of the
   * program and its workers appears above it. Elsewhere it is a line every five seconds. The last
   * line stays and shows the result of the run. If the option is absent, the environment variable
   * `SONIC_PROGRESS` decides: `1`, `workers` or `0`. Default: `false`.
   */
  progress?: boolean | "workers" | ProgressStyle;

  /**
   * Returns the name of an event, for people. Called in the master with the data of each event that
   * `Map` is given, before a worker gets it. Reports, traces, `progress: "workers"` and hints show its
   * first 256 characters. If it throws, or returns something other than a string, that `Map` rejects.
   * Default: they show the beginning of the data.
   *
   * ```ts part
   * MapReduce(masterFn, [dump], reduceFn, args, { label: ({ table }) => table, report: "dump.html" });
   * ```
   */
  label?: (data: any) => string;

  /**
   * The number of events of the run, for `progress`: an integer of at least 0. Default: known when
   * `masterFn` is done.
   */
  total?: number;

  /**
   * Called in the master with the statistics so far, at most ten times a second, when they have
   * changed, and once more when the workers are released. If it throws, or returns a promise that
   * rejects, the run is aborted with that error. The run does not wait for the promise. Default:
   * none.
   */
  onProgress?: (statistics: RunStatistics) => any;

  /**
   * Runs the events on several machines: the URL of a broker, or {@link ClusterOptions}. On each further
   * machine `npx sonic-distribute host program.js` starts workers of the same program. With it
   * `numWorkers` may be 0: this process only coordinates. The variable `SONIC_CLUSTER` has the same
   * effect. Needs the packages `bullmq`, and `ioredis` or `pg`. See `docs/cluster.md`.
   * Default: none.
   */
  cluster?: string | ClusterOptions;

  /**
   * Records how long events waited and ran, for {@link RunStatistics.wait} and
   * {@link RunStatistics.run}. `onStats`, `trace` and `report` turn this on too. Default: `false`.
   */
  statistics?: boolean;

  /**
   * Called once in the master with the statistics of the run, when every event is answered and the
   * workers are released: before `reduceFn`, and also if the run fails. If it throws, the call
   * rejects with that error. Default: none.
   */
  onStats?: (statistics: RunStatistics) => any;

  /**
   * The path of a file for a trace of the run, in the Chrome trace format. Open it in
   * https://ui.perfetto.dev. It has a track for each worker, an entry for each event (at most
   * 1,048,576), what events waited for and held (locks, barriers and the like; at most 262,144
   * entries), and what happened to the workers. The file is complete when the last worker has
   * exited. If the file cannot be written, the call fails before anything starts
   * (`ERR_SONIC_OUTPUT`). If the disk fills up later, only the trace is lost. If the option is
   * absent, the environment variable `SONIC_TRACE` names the file; further runs of the same process
   * add `-2`, `-3` and so on to the name. Default: none.
   */
  trace?: string;

  /**
   * The path of a file for a page that shows the run: the workers over time, throughput, how long
   * events waited and ran, failures and crashes. The page needs no network. It is written when the
   * workers are released. Errors and limits are those of `trace`; the environment variable is
   * `SONIC_REPORT`. Default: none.
   */
  report?: string;

  /**
   * A page that shows all pools and runs of the program while they go on: `true`, a port, or
   * {@link DashboardOptions}. The address is written to stderr. The first pool or run with a dashboard
   * says where it is. If the port is in use, the dashboard gets another one. If the option is absent, the
   * environment variable `SONIC_DASHBOARD` decides: `1`, a port or `host:port`. Default: `false`.
   */
  dashboard?: boolean | number | DashboardOptions;
}

/** Where {@link RunOptions.dashboard} is, and who may see it. */
export interface DashboardOptions {
  /**
   * The address to listen at. One that other machines may reach needs a `token`. Default:
   * `"127.0.0.1"`.
   */
  host?: string;
  /** The port: an integer from 0 to 65535. 0 takes any that is free. Default: 9000. */
  port?: number;
  /**
   * What a browser must know: at least 16 letters, digits, `-` and `_`. Open the page with
   * `?token=…`. Default: none.
   */
  token?: string;
}

/**
 * The statistics of a run, or of a pool: see {@link lastRun}, {@link RunOptions.onStats} and
 * {@link Pool.statistics}. All times are in milliseconds.
 */
export interface RunStatistics {
  /** When the run started, in milliseconds since the epoch. */
  startedAt: number;
  /** The time from the start of the workers until they were released. */
  elapsed: number;
  /**
   * Events that were handed to {@link Map}: the sum of `answered`, `nothing`, `failed` and
   * `unfinished`.
   */
  handedOver: number;
  /** Events that were answered, without those in `nothing`. */
  answered: number;
  /** Events whose response was `undefined` or `null`. They leave no entry. */
  nothing: number;
  /** Events that failed. */
  failed: number;
  /**
   * The failed events by cause: a stage threw, the worker exited, the event timed out, or the run
   * ended first.
   */
  failures: { error: number; crash: number; timeout: number; aborted: number };
  /** Events that had no result when the run failed. */
  unfinished: number;
  /** How many retries there were. */
  retried: number;
  /**
   * How many of the events needed no worker, because their answers were in the file of
   * {@link RunOptions.checkpoint}.
   */
  resumed: number;
  /** What the stages counted, by name: see {@link Task.count}. */
  counts: Record<string, number>;
  /**
   * Worker processes that exited before they were released, without those that exited with code 0
   * while they ran nothing.
   */
  crashes: number;
  /** Worker processes that were started to replace others. */
  restarts: number;
  /** Bytes of the data of all events, encoded. */
  bytesIn: number;
  /** Bytes of all responses and errors, encoded. */
  bytesOut: number;
  /**
   * How long events waited for a worker, from `Map` to their start. Needs `statistics`, `onStats`,
   * `trace` or `report`.
   */
  wait?: Percentiles;
  /** How long events ran. Needs the same options as `wait`. */
  run?: Percentiles;
  /**
   * Each worker with all its processes. `tasks` counts the events it ran, `busy` is the time in
   * which it ran events, and `share` is `busy` divided by `elapsed`.
   */
  workers: { id: number; pids: number[]; tasks: number; busy: number; share: number }[];
  /**
   * How the locks of the program were used since its start, by all its processes, sorted by name. If
   * there are many: the 100 with the longest waits, and those in use. Absent until a lock is used.
   */
  locks?: LockStatistics[];
  /**
   * The nodes of the {@link flow} of the run, each after the nodes that it gets items from. Absent in
   * runs without a flow, and in the statistics of a {@link Pool}. New in 2.0.0.
   */
  nodes?: NodeStatistics[];
}

/**
 * The progress of a node of a {@link flow}. Times are in milliseconds. New in 2.0.0.
 *
 * A node works on events. An event has one item; in {@link FlowNode.batch} it has one batch; in nodes that
 * wait for all items it has all of them, or a part of what was written to disk.
 */
export interface NodeStatistics {
  /** The name of the node, as in {@link FlowFailure.node}. */
  name: string;
  /**
   * The method that made the node; `"identity"` for a node that only passes items on, which is inserted
   * where one is needed.
   */
  kind:
    | "map"
    | "flatMap"
    | "filter"
    | "split"
    | "batch"
    | "reduce"
    | "reduceByKey"
    | "groupByKey"
    | "join"
    | "sortBy"
    | "identity";
  /** The tags of the workers that may run it. */
  tags: string[];
  /**
   * The name of the node in whose events this one runs: nodes with the same options that follow each
   * other directly run as one. That node has the counts and times of both. This one counts only the
   * items that failed here: each is an event, and may be tried again.
   */
  partOf?: string;
  /** Events that have reached the node: the sum of `answered`, `failed`, `waiting` and `running`. */
  events: number;
  /** Events that succeeded. */
  answered: number;
  /** Events that failed, after all their retries. */
  failed: number;
  /** How many retries there were. */
  retried: number;
  /** Events that wait for a worker now. If the run failed: events without a result. */
  waiting: number;
  /** Events that run now. */
  running: number;
  /**
   * Items that the node has passed on to other nodes, to sinks and to disk, each counted once. Values
   * that are combined before they are written count as one.
   */
  made: number;
  /**
   * `"open"`: more items may arrive. `"draining"`: no more will arrive, and the node processes what it
   * has collected. `"closed"`: it has finished.
   */
  state: "open" | "draining" | "closed";
  /** How long its events ran, in total. */
  busy: number;
  /** How long an event ran on average. */
  mean: number;
  /** How long the longest event ran. */
  longest: number;
  /**
   * How long nodes before it, or {@link Map}, could not go on because too many items waited for this one:
   * see {@link FlowNodeOptions.maxWaiting}. A node with much of it is what the others wait for.
   */
  heldUp: number;
  /**
   * How long its events waited, in total. Needs `statistics`, `onStats`, `trace` or `report`. The node with
   * the largest value is the bottleneck of the flow.
   */
  waited?: number;
  /**
   * For `batch` and `reduce`: how many items have arrived in total (`came`), and how many items and bytes
   * are in memory now.
   */
  held?: { came: number; items: number; bytes: number };
  /**
   * For `reduceByKey`, `groupByKey`, `join` and `sortBy`: how many records workers have written for the
   * node, and how many bytes in how many sorted pieces (`extents`). Pieces that had to be merged count
   * again in bytes and extents.
   */
  spilled?: { records: number; bytes: number; extents: number };
}

/** How a lock of {@link locks} was used. Times are in milliseconds. */
export interface LockStatistics {
  /** The name of the lock. */
  name: string;
  /** How many requests were granted. */
  granted: number;
  /** How many of them had to wait. */
  waited: number;
  /** How long requests waited that had to ask the master. A request that finds the lock free need not ask. */
  wait: { p50: number; p99: number; max: number };
  /** How long it was held, the sum over all holders. */
  held: number;
}

/**
 * A distribution of times, in milliseconds with three decimals. Half of the times are at most
 * `p50`, and nine of ten are at most `p90`.
 */
export interface Percentiles {
  /** How many times were recorded. */
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/**
 * Returns the statistics of the last finished run in this process. Returns `undefined` before the
 * first run, and in a worker.
 *
 * ```ts part
 * const { answered, failed, elapsed } = lastRun()!;
 * ```
 */
export declare function lastRun(): RunStatistics | undefined;

/**
 * How to run a {@link stream}: the {@link RunOptions} without `onResult`, and two more. Under
 * `onError: "abort"` the run ends when the first failed entry is read.
 */
export interface StreamOptions extends Omit<RunOptions, "onResult"> {
  /**
   * The order of the entries: `"completion"`, or `"submission"` for the order in which their events
   * were handed over. With `"submission"`, entries that arrive early are held back and count as
   * unread. A {@link flow} can have it if it is a chain of `map`, `flatMap` and `filter`: all entries
   * of an event come together then. Default: `"completion"`.
   */
  order?: "completion" | "submission";

  /**
   * How many entries may be unread before {@link Map} stays pending. `Map` also stays pending if
   * the unread entries hold more bytes than `maxBytesWaiting`. An integer from 1 to 1048576.
   * Default: 1024.
   */
  maxResultsWaiting?: number;
}

/** Why an attempt failed: its worker exited, it timed out, or a stage threw. */
export type FailureCause = "crash" | "timeout" | "error";

/** Where a run writes its answers down: see {@link RunOptions.checkpoint}. */
export interface CheckpointOptions {
  /** The path of the file. It is made if it is not there; its folder must exist. */
  file: string;

  /**
   * What survives if the whole machine stops, and not just the program. `false`: what the system has
   * written to the disk by itself, which takes up to half a minute. `true`: each answer, before the
   * program hears of it. A number: what is older than so many milliseconds, from 1 to 2147483647.
   * Default: `false`.
   */
  fsync?: boolean | number;
}

/**
 * Which failed events are retried, and when. As in {@link RunOptions}, only own properties count,
 * and an unknown property is a `TypeError`.
 */
export interface RetryOptions {
  /** The number of attempts after the first: an integer from 0 to 1000. Required. */
  limit: number;
  /**
   * The pause before the second attempt: 0 to 2147483647 ms. An event that is backing off blocks no
   * worker, unless the program chose the worker for the event. Default: 0.
   */
  backoff?: number;
  /**
   * How many times longer each pause is than the one before: a number of at least 1. Default: 2.
   */
  factor?: number;
  /** The longest pause: 0 to 2147483647 ms. Default: 30000. */
  maxDelay?: number;
  /**
   * Which failures are retried. If errors thrown by your stages come from the data, a retry fails
   * again: use `["crash", "timeout"]`. `"host"` is a lost host, with the option `cluster`. Default: all.
   */
  on?: (FailureCause | "host")[];
}

/**
 * Many machines: a broker that all of them reach. See `docs/cluster.md`.
 *
 * ```ts part
 * const pool = await createPool({ resize }, { cluster: { url: "redis://broker:6379" } });
 * ```
 */
export interface ClusterOptions {
  /**
   * Where the broker is: Redis 6.2 or newer, or Valkey, `redis://user:password@host:port/database`, or
   * `rediss://…` with TLS; or PostgreSQL 14 or newer, `postgres://user:password@host:port/database`.
   * Required.
   */
  url: string;
  /**
   * How long the broker may be away: above 0 ms. Events wait meanwhile. Then the call rejects with
   * `"ERR_SONIC_BROKER"`. Also how long events wait for the first host where this process has no
   * workers; then the code is `"ERR_SONIC_NO_HOST"`. Default: 60000.
   */
  timeout?: number;
  /**
   * How long a host may be silent before it is given up: at least 1000 ms. Its events fail with
   * `"ERR_SONIC_HOST_LOST"` if it may have begun them, or run again where {@link RetryOptions.on}
   * allows. Hosts take it for the master: give both sides the same. Default: 10000.
   */
  lease?: number;
  /** What all keys at the broker begin with: 1 to 100 letters, digits, `_`, `.` and `-`. Default: `"sonic"`. */
  prefix?: string;
  /** Options for `tls.connect`, with a `rediss:` or `postgres:` URL: an own `ca`, for example. */
  tls?: object;
}

/** The part of an `AbortSignal` that a run uses. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * What a call rejects with under `onError: "abort"`: an `Error` with the name, message, stack, code
 * and own properties of the event's error. Nested errors are `Error`s too.
 */
export interface EventFailure {
  name: string;
  message: string;
  stack?: string;
  /** The code of the event's error, or `"ERR_SONIC_EVENT_FAILED"` if it has none. */
  code: string | number;
  /** The entry that would have been in the failed queue. */
  cause: FailedResult;
}

/** What a stage gets in `args` in addition to the program's own properties. */
export interface WorkerIdentity {
  /**
   * The number of the worker that runs the stage, the same as `require("cluster").worker.id` there.
   * The workers of the first call are 1 to `numWorkers`; later calls continue from there. A worker
   * that replaces another takes over its number.
   */
  workerID: number;
}

// ---------------------------------------------------------------------------------------------
// What passes between the processes
// ---------------------------------------------------------------------------------------------

/**
 * An event for a worker, or a worker's answer to one.
 *
 * A worker can also send answers itself, with `process.send({ response })` or
 * `process.send({ failed: true })`. Each adds an extra entry to its queue and does not mark the
 * worker as free. So one event can have many results.
 */
export interface MapReduceEvent {
  /** The data: any value that can be encoded as JSON. */
  data: any;
  /** In an answer: what the last stage returned. */
  response?: any;
  /** In an answer: `true` if the event failed. */
  failed?: boolean;

  /** In an answer: the number of the worker. Set by the package. */
  id?: number;
  /** Part of the handshake of 1.0.3. Kept for programs that use the name. */
  SYN?: boolean;
  /** Part of the handshake of 1.0.3. Kept for programs that use the name. */
  ACK?: boolean;
  /** Part of the handshake of 1.0.3. Kept for programs that use the name. */
  SYN_ACK?: boolean;
}

/** A {@link MapReduceEvent} with data of a known type: what a {@link WorkerFn} gets. */
export interface DataEvent<In = any> extends MapReduceEvent {
  /** In the first stage the event's data, in the others what the previous stage returned. */
  data: In;
}

/**
 * An entry of the result queue: an event that all stages processed without an error.
 *
 * A response that is `undefined`, or `null` after JSON encoding, adds no entry; `0`, `""` and
 * `false` do. An entry that a worker sent itself has only what was sent.
 */
export interface MapResult<In = any, Out = any> {
  /** The number of the worker that answered. */
  id: number;
  /** The event's data as the worker left it, including changes that a stage made in place. */
  data: In;
  /** What the last stage returned. */
  response: Out;
}

/**
 * An entry of the failed queue: an event for which a stage threw, whose response cannot be encoded,
 * or whose worker died while it ran.
 *
 * An entry that a worker sent itself has only what was sent.
 */
export interface FailedResult<In = any> {
  /** The number of the worker that ran the event. */
  id: number;
  /** The event's data as the worker left it. If the worker died, the data that was handed over. */
  data: In;
  /** Distinguishes the entry from a {@link MapResult}. */
  failed: true;
  /** Why the event failed. Absent in an entry that a worker sent itself. New in 2.0.0. */
  error?: MapError;
}

/**
 * Why an event failed: what the stage threw, with the properties that the program gave it. A plain
 * object, not an `Error`; nested errors are plain objects of the same shape.
 *
 * It takes at most 256 KB as JSON. Truncated parts are marked `[cut: …]`, and a reference to a
 * containing object is `"[circular]"`. Stacks leave out the frames of this package and of Node's
 * internals.
 */
export interface MapError {
  /** The error's name, for example `"TypeError"`. */
  name: string;
  /** The error's message. If the thrown value is not an error, its text. */
  message: string;
  /** The stack trace in the worker, if there is one. */
  stack?: string;
  /** The error's own code, for example `"ENOENT"`, or a code of the package: `"ERR_SONIC_…"`. */
  code?: string | number;
  /** The error's `cause`. If it is an error, it has the same shape. */
  cause?: any;
  /** The errors of an `AggregateError`, in the same shape. */
  errors?: any;
  /**
   * The number of the worker, if the worker exited (code `"ERR_SONIC_WORKER_EXIT"`), stalled
   * (`"ERR_SONIC_WORKER_STALLED"`), or was killed because the event timed out
   * (`"ERR_SONIC_TASK_TIMEOUT"`). If an uncaught error ended the worker, the message ends with that
   * error.
   */
  worker?: number;
  /** The process id of that worker. */
  pid?: number;
  /** The exit code of that worker, or `null` if a signal ended it. */
  exitCode?: number | null;
  /** The signal that ended that worker, or `null` if it exited by itself. */
  signal?: string | null;
  /**
   * Which memory ran out, if that ended the worker: `"heap"` for the V8 heap, as limited by
   * `--max-old-space-size`; `"system"` for the memory of the machine or the control group, if the
   * control group counts the processes that the system kills (cgroups v1 and v2). Absent if memory
   * did not run out, or if this cannot be known.
   */
  outOfMemory?: "heap" | "system";
  /**
   * The last 4096 bytes or less, in whole lines, that the worker's program wrote with
   * `process.stderr` (also through `console.error` and `console.warn`). Absent if it wrote nothing.
   * What Node itself prints when it dies is not included.
   */
  stderr?: string;
  /**
   * With {@link RunOptions.retries}: all attempts, in order. Replaces a property of the same name
   * that the program put on its error.
   */
  attempts?: FailedAttempt[];
  /**
   * `true` if the event was retried and every attempt cost its worker. The event is not tried any
   * more and needs to be investigated.
   */
  quarantined?: true;
  /** Any other property that the program put on the error. */
  [property: string]: any;
}

/** One attempt of an event that failed in the end. */
export interface FailedAttempt {
  /** The number of the worker that ran the attempt. */
  worker: number;
  /** The process id of that worker. */
  pid: number;
  /**
   * How long the attempt ran, in milliseconds. If it ended with its worker: until the master
   * noticed.
   */
  duration: number;
  /** The name of its error: see {@link MapError}. */
  name?: string;
  /** The message of its error, at most 1024 bytes. */
  message?: string;
  /** The code of its error. */
  code?: string | number;
  /** The exit code of the worker, if it exited; otherwise `null`. */
  exitCode?: number | null;
  /** The signal that ended the worker, if one did; otherwise `null`. */
  signal?: string | null;
  /** Which memory ran out, if that ended the worker. */
  outOfMemory?: "heap" | "system";
}

/**
 * A first-in, first-out queue. Interchangeable with `Queue` of `@tiemma/sonic-core` 1.0.12.
 *
 * `elements` is the live array: if you sort it or push to it, `dequeue()` sees the change.
 * `JSON.stringify(queue)` gives `{"elements":[…]}`.
 *
 * ```ts part
 * while (!results.isEmpty()) total += results.dequeue().response;
 * ```
 */
export declare class Queue<T = any> {
  /** The elements, first one first: the live array, not a copy. */
  elements: T[];

  /** Returns the same array as {@link Queue.elements}. */
  getElements(): T[];

  /** Adds an element at the end. */
  enqueue(node: T): void;

  /** Removes the first element and returns it. Returns `undefined` if the queue is empty. */
  dequeue(): T;

  /** Returns whether the queue is empty. */
  isEmpty(): boolean;
}

// ---------------------------------------------------------------------------------------------
// Which process this is
// ---------------------------------------------------------------------------------------------

/**
 * Returns `false` in a worker, also in one of another `cluster`, and `true` everywhere else.
 * Correct from the first line of the program.
 *
 * ```ts part
 * if (isMaster()) console.log(await result);
 * ```
 */
export declare const isMaster: () => boolean;

/**
 * Returns the name of this process.
 *
 * ```ts part
 * console.log(getWorkerName()); // "MASTER", or "WORKER-1" in the first worker
 * ```
 */
export declare const getWorkerName: () => string;

/** The number of processors of the machine: `os.cpus().length`. */
export declare const NUM_CPUS: number;

// ---------------------------------------------------------------------------------------------
// The parts of a run, to combine by hand
// ---------------------------------------------------------------------------------------------

/**
 * Starts workers, and resolves when all of them are ready. Call it in the master.
 *
 * ```ts part
 * if (isMaster()) {
 *   const { workerQueue, processOrder } = await initMaster(2);
 *   await Map(workerQueue, { data: 7 });
 *   // When the answers are there:
 *   await shutdown(2);
 * } else {
 *   await initWorkers([({ data }) => data * data], {});
 * }
 * ```
 *
 * Rejects like {@link MapReduce} if the number is invalid or the workers cannot start. Release the
 * workers with {@link shutdown}.
 *
 * @param numWorkers The number of workers: an integer from 1 to 4094.
 * @returns `workerQueue` with the ids of the free workers, `processOrder` for the results and
 *   `failedOrder` for the failures, both in completion order.
 */
export declare const initMaster: (numWorkers: number) => Promise<{
  workerQueue: Queue<any>;
  processOrder: Queue<any>;
  failedOrder: Queue<any>;
}>;

/** The same as {@link initMaster}, without its two log lines. */
export declare const configureWorkers: (numWorkers: number) => Promise<{
  workerQueue: Queue<any>;
  processOrder: Queue<any>;
  failedOrder: Queue<any>;
}>;

/**
 * Registers the stages of a worker. They are called with `args` and `workerID`. Call it in a
 * worker: see the example of {@link initMaster}.
 *
 * @param workerFns The stages, as for {@link MapReduce}. Rejects with a `TypeError` if this is not
 *   an array of functions.
 * @param args The `args` of the stages, as for {@link MapReduce}.
 */
export declare const initWorkers: (workerFns: WorkerFn[], args: any) => Promise<void>;

/**
 * Releases the workers that {@link initMaster} started. Each worker exits with code 0 when its
 * event loop is empty. Call it in the master.
 *
 * @param numWorkers How many workers were started.
 */
export declare const shutdown: (numWorkers: number) => Promise<void>;

/**
 * Waits for a free worker and takes its id out of the queue. The program can then send an event to
 * this worker itself. Call it in the master.
 *
 * ```ts part
 * const id = await getWorkerID(workerQueue);
 * cluster.workers[id].send({ data });
 * ```
 *
 * @param workerQueue The queue of {@link initMaster}, or of `masterFn`.
 * @returns The id, a number.
 */
export declare const getWorkerID: (workerQueue: Queue) => Promise<any>;

// ---------------------------------------------------------------------------------------------
// Small tools
// ---------------------------------------------------------------------------------------------

/**
 * Returns a function that prints `<date>: <loggerID>: <message>` with `console.log`, or nothing
 * while the environment variable `QUIET` is set. The package prints its own log lines in this way.
 *
 * ```ts part
 * const log = getLogger(getWorkerName());
 * log("ready"); // 2026-01-31T12:00:00.000Z: WORKER-1: ready
 * ```
 *
 * @param loggerID The name at the start of each line, for example {@link getWorkerName}`()`.
 * @returns A function that takes the message and, optionally, the date to print (default: now, in
 *   ISO 8601 format).
 */
export declare const getLogger: (loggerID: string) => (message: any, date?: string) => void;

/**
 * Resolves after a time.
 *
 * ```ts part
 * await Delay(100);
 * ```
 *
 * @param time Milliseconds. Default: a random time below 50 ms.
 */
export declare const Delay: (time?: number) => Promise<unknown>;

/** The names of two events of Node's `cluster`: `"message"` and `"disconnect"`. */
export declare const clusterEvents: {
  MESSAGE: string;
  DISCONNECT: string;
};

/** `any` for a program without type arguments, `Typed` for one with them. */
type Entry<In, Out, Typed> =
  IsAny<In> extends true ? (IsAny<Out> extends true ? any : Typed) : Typed;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** `T` as given between angle brackets, never inferred. (`NoInfer` came with TypeScript 5.4.) */
type Given<T> = [T][T extends any ? 0 : never];

// ---------------------------------------------------------------------------------------------
// How the types of a pool's calls are inferred
// ---------------------------------------------------------------------------------------------

/** Gives the parameters of a stage their types where the program does not. */
type PlainStage = (
  event: { data: unknown },
  args: WorkerIdentity & Record<string, unknown>,
  task: Task,
) => unknown;

/** Any function. It has no call signature, so only `PlainStage` types parameters. */
interface AnyFunction {
  apply: unknown;
  bind: unknown;
  call: unknown;
}

/** The stages that a module exports: its functions, which are known by name alone. */
type StagesOfFile<M> = M extends AnyFunction
  ? { default: M & KnownByName }
  : {
      [Name in keyof M as M[Name] extends AnyFunction ? Name : never]: M[Name] & KnownByName;
    };

interface KnownByName {
  "a stage of a worker file is given by its name": never;
}

/** `unknown` if the function can be called as a stage, or is a flow. */
type SoundStage<F> = F extends Flow
  ? unknown
  : F extends (event: infer Event, args: infer Args, task: Task) => unknown
    ? [{ data: never }, Args] extends [Event, unknown extends Args ? unknown : object | undefined]
      ? unknown
      : NotAStage
    : NotAStage;

/** Its property is the message of a compile error, as in the interfaces below. */
interface NotAStage {
  "a stage is a function of ({ data }, args, task)": never;
}

/** What a call may name as its work. */
type Work<S> = OneStage<S> | readonly [OneStage<S>, ...OneStage<S>[]];

type OneStage<S> = (keyof S & string) | S[keyof S];

/** `unknown` if the stages are those of the pool, and each takes what the previous one returns. */
type SoundWork<S, W> = W extends readonly unknown[] ? SoundPipeline<S, W> : KnownStage<S, W>;

type SoundPipeline<S, W extends readonly unknown[]> = W extends readonly [infer Only]
  ? KnownStage<S, Only>
  : W extends readonly [infer First, infer Second, ...infer Rest]
    ? [OutputOfStage<S, First>] extends [InputOfStage<S, Second>]
      ? KnownStage<S, First> & SoundPipeline<S, [Second, ...Rest]>
      : NotAPipeline<Second, OutputOfStage<S, First>>
    : NotATuple;

interface NotAPipeline<Stage, Value> {
  "this stage does not take what the previous one returns": [Stage, Value];
}

interface NotATuple {
  "a pipeline must be written as a literal or `as const`": never;
}

/** `unknown` for a name, and for a function with the very type of one of the stages. */
type KnownStage<S, W> = [FlowOf<S, W>] extends [never]
  ? [UnknownStage<S, W>] extends [never]
    ? unknown
    : NotOfThisPool
  : NotForFlows;

type UnknownStage<S, W> = W extends keyof S
  ? never
  : W extends unknown
    ? [Matching<W, S[keyof S]>] extends [never]
      ? W
      : never
    : never;

/** The members of the union `F` that are assignable to `W` and the other way round. */
type Matching<W, F> = F extends W ? ([W] extends [F] ? F : never) : never;

interface NotOfThisPool {
  "the function is not one of the pool's stages": never;
}

/** The function of a stage that is given by name, or the function itself. */
type StageOf<S, W> = W extends keyof S ? S[W] : W;

type FirstOf<W> = W extends readonly [infer First, ...unknown[]] ? First : W;

type LastOf<W> = W extends readonly [...unknown[], infer Last] ? Last : W;

type EachOf<W> = W extends readonly unknown[] ? W[number] : W;

/** The data of a call. */
type DataOf<S, W> = InputOfStage<S, FirstOf<W>>;

/** The result of a call. */
type ResultOf<S, W, Via> = Via extends "advanced"
  ? OutputOfStage<S, LastOf<W>>
  : Json<OutputOfStage<S, LastOf<W>>>;

/** The same without what leaves no entry in a queue. */
type SomeResultOf<S, W, Via> = Exclude<ResultOf<S, W, Via>, null | Nothing>;

/** What a stage takes. If `W` is one of several stages: what all of them take. */
type InputOfStage<S, W> = (
  W extends unknown
    ? (data: InputOf<StageOf<S, W>>) => void
    : never
) extends (data: infer In) => void
  ? In
  : never;

type InputOf<F> =
  IsAny<F> extends true
    ? F
    : F extends (event: infer Event, ...rest: infer _) => unknown
      ? IsAny<Event> extends true
        ? Event
        : Exclude<Event, undefined> extends { data?: infer In }
          ? In
          : unknown
      : F extends Flow<infer In, infer _>
        ? In
        : unknown;

/** What a stage returns, awaited. */
type OutputOfStage<S, W> = W extends unknown ? OutputOf<StageOf<S, W>> : never;

type OutputOf<F> =
  IsAny<F> extends true
    ? F
    : F extends (...parameters: infer _) => infer Out
      ? Unwrapped<Out>
      : unknown;

/** `Awaited` came with TypeScript 4.5. */
type Unwrapped<T> =
  IsAny<T> extends true ? T : T extends PromiseLike<infer Value> ? Unwrapped<Value> : T;

/**
 * What the stages of a call need as `args`, all together. If `work` is wrong, `W` is all that it
 * may be: then nothing is needed, and the error is about `work`.
 */
type ArgsOf<S, W> = [Work<S>] extends [W] ? object : ArgsOfAll<S, EachOf<W>>;

type ArgsOfAll<S, W> = (
  W extends unknown
    ? (args: ArgsOfStage<StageOf<S, W>>) => void
    : never
) extends (args: infer Args) => void
  ? Args
  : never;

type ArgsOfStage<F> = F extends (event: infer _, args: infer Args, task: Task) => unknown
  ? IsAny<Args> extends true
    ? Args
    : unknown extends Args
      ? object
      : { [Name in keyof Args as Exclude<Name, keyof WorkerIdentity>]: Args[Name] }
  : object;

/** The last parameter of a call. It may be left out if the stages need no `args`. */
type OptionsFor<Options, Args> =
  Record<never, never> extends Args ? [options?: Options] : [options: Options & { args: Args }];

/** The last parameters of `each`. */
type EachArguments<In, Args, Keep extends boolean> =
  Record<never, never> extends Args
    ? undefined extends In
      ? [data?: In, options?: EachOptions<Args, Keep>]
      : [data: In, options?: EachOptions<Args, Keep>]
    : [data: In, options: EachOptions<Args, Keep> & { args: Args }];

/** The last parameters of `run`. */
type RunArguments<Args> =
  Record<never, never> extends Args
    ? [args?: Args, options?: Omit<PoolRunOptions, "args">]
    : [args: Args, options?: Omit<PoolRunOptions, "args">];

/** Iterables, without strings. */
type Items<In> = (Iterable<In> | AsyncIterable<In>) & object;

/** Where the data of a stream comes from. */
type Source<In, Args, Returned> = SoundSource<In, Returned> &
  (Items<In> | ((workerQueue: Queue<never>, args: Args) => Returned));

/** `unknown` if a function that returns an iterable returns one of `In`. */
type SoundSource<In, Returned> =
  IsAny<Returned> extends true
    ? unknown
    : Returned extends string
      ? unknown
      : Returned extends Iterable<infer Item> | AsyncIterable<infer Item>
        ? [Item] extends [In]
          ? unknown
          : () => Items<In>
        : unknown;

// ---------------------------------------------------------------------------------------------
// How the types of a flow are inferred
// ---------------------------------------------------------------------------------------------

/** What a function of a node returns, as the next node gets it. */
type FlowItem<Out, Via> = Via extends "advanced" ? Unwrapped<Out> : Json<Unwrapped<Out>>;

/** Has the compiler take `[a, b]` for a pair, and not for an array of both. */
type Hint = [unknown, unknown] | PromiseLike<[unknown, unknown]>;

type ItemOf<Node> = Node extends FlowNode<infer T, infer _> ? T : never;

type BranchOf<Branches> = Extract<keyof Branches, string>;

/** The type of `[key, value]` pairs. */
type AnyPair = readonly [FlowKey, unknown];

type PairOf<T> =
  IsAny<T> extends true ? T : T extends readonly [infer Key, infer Value] ? [Key, Value] : never;

type Combine<T> =
  IsAny<T> extends true
    ? (a: any, b: any) => any
    : [T] extends [AnyPair]
      ? (a: T[1], b: T[1]) => T[1]
      : NotPairs;

type Grouping<T, Args, Out> =
  IsAny<T> extends true
    ? (group: FlowGroup<any, any>, args: Args) => Out
    : [T] extends [AnyPair]
      ? (group: FlowGroup<T[0], T[1]>, args: Args) => Out
      : NotPairs;

interface NotPairs {
  "the items before this node must be [key, value] pairs": never;
}

type ResultsOfSinks<O> =
  IsAny<O> extends true
    ? any
    : O extends FlowNode<infer T, infer _>
      ? FlowResult<T>
      : { [Name in keyof O]: FlowSinkResult<Name, ItemOf<O[Name]>> }[keyof O];

/** What the result queue of a call has: of a flow, or of worker functions. */
type ResultOfWork<Sinks, In, Out> = [Sinks] extends [never]
  ? Entry<In, Out, MapResult<In, Out>>
  : ResultsOfSinks<Sinks>;

/** The same of its failed queue. */
type FailureOfWork<Sinks, In, Out> = [Sinks] extends [never]
  ? Entry<In, Out, FailedResult<In>>
  : FlowFailure;

/** A flow, but not `any`: that stands for functions, as ever. */
type NotAny<T> = IsAny<T> extends true ? never : unknown;

/** The flow that the work of a call is, or `never`. */
type FlowOf<S, W> =
  IsAny<StageOf<S, W>> extends true
    ? never
    : [StageOf<S, W>] extends [Flow]
      ? StageOf<S, W>
      : never;

/** What `run` and `stream` may have as their work: `call`, `map` and `each` have no flows. */
type SoundRun<S, W> = [FlowOf<S, W>] extends [never] ? SoundWork<S, W> : unknown;

interface NotForFlows {
  "a flow has no single result: use `run` or `stream`": never;
}

/** The entries of `stream`, and of the queues of `run`. */
type EntryOf<S, W, Via> = [FlowOf<S, W>] extends [never]
  ? PoolEntry<DataOf<S, W>, ResultOf<S, W, Via>>
  : FlowEntry<FlowOf<S, W>>;

type RunResultOf<S, W, Via> = [FlowOf<S, W>] extends [never]
  ? MapResult<DataOf<S, W>, SomeResultOf<S, W, Via>>
  : FlowResults<FlowOf<S, W>>;

type RunFailureOf<S, W> = [FlowOf<S, W>] extends [never] ? FailedResult<DataOf<S, W>> : FlowFailure;

// ---------------------------------------------------------------------------------------------
// What JSON makes of a type
// ---------------------------------------------------------------------------------------------

/** A type that JSON keeps stays itself, with its name. */
type JsonOrSame<T> = T extends Primitive ? T : Same<T, JsonOf<T>> extends true ? T : JsonOf<T>;

type JsonOf<T> = unknown extends T
  ? T
  : T extends { toJSON(key: string): infer Value }
    ? JsonOfPlain<Value>
    : JsonOfPlain<T>;

type JsonOfPlain<T> = unknown extends T
  ? T
  : T extends Primitive
    ? T
    : T extends bigint
      ? never
      : T extends readonly unknown[]
        ? JsonOfArray<T>
        : T extends TypedArray
          ? { [index: number]: number }
          : T extends EmptyInJson
            ? Record<never, never>
            : { [Name in keyof T as JsonName<T, Name>]: JsonOfProperty<T[Name]> };

/** A mapped type is only for tuples: of arrays that contain themselves it would not end. */
type JsonOfArray<T extends readonly unknown[]> = number extends T["length"]
  ? T extends OpenTuple
    ? JsonOfTuple<T>
    : T extends unknown[]
      ? JsonOfItem<T[number]>[]
      : readonly JsonOfItem<T[number]>[]
  : JsonOfTuple<T>;

type JsonOfTuple<T extends readonly unknown[]> = { [Index in keyof T]: JsonOfItem<T[Index]> };

type OpenTuple = readonly [unknown, ...unknown[]] | readonly [...unknown[], unknown];

type JsonOfItem<T> = unknown extends T ? T : T extends Dropped | Nothing ? null : JsonOf<T>;

type JsonOfProperty<T> = unknown extends T ? T : T extends Dropped ? undefined : JsonOf<T>;

/** The name of a property that JSON keeps, or `never`. An optional `undefined` may stay. */
type JsonName<T, Name extends keyof T> = Name extends symbol
  ? never
  : unknown extends T[Name]
    ? Name
    : [T[Name]] extends [Dropped | undefined]
      ? [T[Name]] extends [undefined]
        ? Record<never, never> extends Pick<T, Name>
          ? Name
          : never
        : never
      : Name;

type Primitive = string | number | boolean | null | Nothing;

/** `void`, to which `undefined` belongs. */
type Nothing = ReturnType<() => void>;

type Dropped = AnyFunction | symbol;

type EmptyInJson = ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | RegExp | ArrayBuffer;

interface TypedArray {
  readonly BYTES_PER_ELEMENT: number;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly length: number;
}

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

declare global {
  interface SymbolConstructor {
    /** The same as in `esnext.disposable` of TypeScript and in `@types/node`. */
    readonly asyncDispose: unique symbol;
  }
}

// Only what says `export` is exported.
export {};
