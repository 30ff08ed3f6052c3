/// <reference lib="es2018.asyncgenerator" />

/**
 * MapReduce over a pool of Node.js processes.
 *
 * One program, two roles. The process that you start is the **master**. There,
 * `MapReduce(masterFn, workerFns, reduceFn, args)` starts `args.numWorkers` child processes and
 * resolves to what `reduceFn` returns. Each child is a **worker**: it runs the same program again.
 * There, the same call registers `workerFns` and resolves to `undefined` at once. So code after the
 * call runs in the workers too. Put code that uses the result behind `if (isMaster())`.
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
 * Functions and `args` are never sent: each process has its own.
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
 * programs written for 1.0.3 compile unchanged. With type arguments the functions are checked:
 *
 * ```ts part
 * const total = await MapReduce<{ files: string[] }, string, WordCount, number>(…);
 * ```
 *
 * @param masterFn Sends the events, with {@link Map}. Sync or async.
 * @param workerFns The stages, in order. The first stage gets the event's data, each further stage
 *   gets what the previous one returned, and what the last stage returns is the response. Sync or
 *   async.
 * @param reduceFn Turns the two queues into the result. Sync or async.
 * @param args Passed unchanged to `masterFn`, and to every stage as a shallow copy with `workerID`
 *   added. `args.numWorkers` is the number of workers: an integer from 1 to 4094, by default
 *   {@link NUM_CPUS}. Default: `{}`.
 * @param options How to run, separate from the program's own `args`: see {@link RunOptions}. Used
 *   only in the master. New in 2.0.0.
 * @returns In the master what `reduceFn` returned (awaited), in a worker `undefined`.
 * @typeParam Args The type of `args`. It need not include `numWorkers`.
 * @typeParam In The data of an event, after JSON.
 * @typeParam Out What the last stage returns, after JSON: the `response` that `reduceFn` reads. (A
 *   stage is checked against it only if it is declared as a {@link WorkerFn}`<Args, In, Out>`.)
 * @typeParam R What `reduceFn` returns. The call's result is `R | undefined`, because it is
 *   `undefined` in a worker.
 */
export declare function MapReduce<Args = any, In = any, Out = any, R = any>(
  masterFn: MasterFn<Given<Args>>,
  workerFns: Pipeline<Given<Args>, Given<In>>,
  reduceFn: ReduceFn<Given<In>, Given<Out>, Given<R>>,
  args?: Given<Args> & MapReduceOptions,
  options?: RunOptions,
): Promise<Given<R> | undefined>;

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
 * unread, {@link Map} stays pending, so a slow reader slows `masterFn` down. When every event is
 * answered, the workers are released. When every entry is read, the iteration ends. Leaving the
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
 * - the abort reason, if the run was aborted. This rejection does not end a program that does not
 *   await it.
 *
 * @param workerQueue The queue that `masterFn` got, or any queue of worker ids (also one of
 *   `@tiemma/sonic-core`). In the latter case the event goes to a worker whose id is taken from the
 *   queue.
 * @param event `{ data }`. The data is encoded before the call returns, so you may change it right
 *   afterwards. Without `data`, the event's data is `undefined`.
 * @returns A promise of nothing.
 */
export declare const Map: (workerQueue: Queue, event: MapReduceEvent) => Promise<void>;

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

/** The part of `args` that the call itself reads. */
export interface MapReduceOptions {
  /** The number of workers: an integer from 1 to 4094. Default: {@link NUM_CPUS}. */
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
   * How values are encoded between processes, as in `cluster.setupPrimary`: `"json"`, or
   * `"advanced"` for V8's structured clone, which keeps `Date`, `Map`, `Set`, `BigInt`, `RegExp`,
   * `Error`, `Buffer`, typed arrays and cycles. Values that cannot be cloned, such as functions,
   * are a failure; JSON drops them. Default: the value set with `cluster.setupPrimary`, otherwise
   * `"json"`.
   */
  serialization?: "json" | "advanced";

  /**
   * How many events per worker may wait or run before {@link Map} stays pending. This limits how
   * far a loop of short events runs ahead. As long as events take a millisecond or more, the limit
   * is one, whatever this option says. An integer from 1 to 1048576. Default: 512.
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
  progress?: boolean | "workers";

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
   * 1,048,576), and what happened to the workers. The file is complete when the last worker has
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
}

/**
 * The statistics of a run: see {@link lastRun} and {@link RunOptions.onStats}. All times are in
 * milliseconds.
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
  /** Worker processes that exited before they were released. */
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
}

/**
 * A distribution of times, in milliseconds with three decimals. Half of the times are at most
 * `p50`, nine of ten at most `p90`.
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
   * unread. Default: `"completion"`.
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
   * again: use `["crash", "timeout"]`. Default: all three.
   */
  on?: FailureCause[];
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
 */
export declare const isMaster: () => boolean;

/** Returns `"MASTER"`, or `"WORKER-"` and the worker's number. */
export declare const getWorkerName: () => string;

/** The number of processors (`os.cpus().length`), and the default of `numWorkers`. */
export declare const NUM_CPUS: number;

// ---------------------------------------------------------------------------------------------
// The parts of a run, to combine by hand
// ---------------------------------------------------------------------------------------------

/**
 * Starts workers, and resolves when all of them are ready. Call it in the master.
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
 * worker.
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
 * this worker itself, with `require("cluster").workers[id].send({ data })`. Call it in the master.
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
 * @param loggerID The name at the start of each line, for example {@link getWorkerName}`()`.
 * @returns A function that takes the message and, optionally, the date to print (default: now, in
 *   ISO 8601 format).
 */
export declare const getLogger: (loggerID: string) => (message: any, date?: string) => void;

/**
 * Resolves after a time.
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

// Only what says `export` is exported.
export {};
