/// <reference lib="es2018.asyncgenerator" />

/**
 * MapReduce over a pool of Node.js processes.
 *
 * One program, two roles. Where it is started, `MapReduce(masterFn, workerFns, reduceFn, args)` is
 * the **master's** call: it starts `args.numWorkers` child processes, each of which runs the same
 * program again, and resolves to what `reduceFn` returns. In such a child, the **worker**, the same
 * call registers `workerFns` and resolves to `undefined` at once. So the code after the call runs
 * in the workers too, and belongs into `if (isMaster()) { … }` when it is about the result.
 *
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { isMaster, Map, MapReduce } from "@tiemma/sonic-distribute";
 *
 * const files = [process.argv[1]]; // for instance
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
 * Whatever passes between the processes (events, responses, entries of the queues) passes as JSON:
 * a `Date` arrives as its ISO string, `undefined` and functions are dropped, `NaN` arrives as
 * `null`, `toJSON()` is honoured. Functions and `args` are never sent: each process has its own.
 *
 * These types need neither `@types/node` nor any other package. Whatever 1.0.3 exported has 1.0.3's
 * type, word for word; `MapReduce`, `Queue` and the types of the result entries are new in 2.0.0.
 *
 * @packageDocumentation
 */

// ---------------------------------------------------------------------------------------------
// Running
// ---------------------------------------------------------------------------------------------

/**
 * Runs a map-reduce: the name that 1.0.3 exports, with 1.0.3's type. The same function as
 * {@link MapReduce}, which describes it; only its types are wider.
 */
export declare const sonicDistribute: (
  masterFn: MasterFn,
  workerFns: WorkerFn[],
  reduceFn: ReduceFn,
  args: any,
) => Promise<any>;

/**
 * Runs a map-reduce: the name that 1.0.3's README documents.
 *
 * **In the master** it starts the workers, runs `masterFn`, waits until every event that was handed
 * out has been answered, releases the workers and runs `reduceFn`. The workers end when their own
 * event loop is empty; the promise does not wait for that, the process does.
 *
 * **In a worker** it registers `workerFns`, to be called with this process's own `args`, and
 * resolves to `undefined` at once. Each worker is started for one call of the program and skips the
 * others.
 *
 * Each process looks only at the arguments of its role: `masterFn` and `reduceFn` may be anything
 * in a worker, `workerFns` may be anything in the master.
 *
 * @param masterFn Sends the events, with {@link Map}. Sync or async.
 * @param workerFns The stages, in order: the first gets the event's data, each further one what the
 *   one before returned; what the last returns is the response. Sync or async.
 * @param reduceFn Makes the result out of the two queues. Sync or async.
 * @param args Passed to `masterFn` as it is, and to every stage as a fresh shallow copy that also
 *   has `workerID`. `args.numWorkers` is the number of workers: a whole number from 1 up, by default
 *   {@link NUM_CPUS}. Left out, it is `{}`.
 * @param options How the run is run, apart from the program's own `args`: see {@link RunOptions}. New in
 *   2.0.0. Only the master looks at it.
 * @returns What `reduceFn` returned (awaited), in the master; `undefined` in a worker.
 *
 * Rejects
 * - with a `TypeError` or `RangeError` that names the argument, when one that this role uses is not
 *   what it must be;
 * - with the reason of `options.signal` when that is aborted, and with the first event's failure under
 *   `onError: "abort"`;
 * - with the very error that `masterFn` or `reduceFn` threw (the workers are released first);
 * - with an `Error` that names the worker and the reason, when the program ends, throws or hangs
 *   in the workers before it reaches the call;
 * - with an `Error` that names the runner and the way out, under jest and vitest, whose test code
 *   cannot be run again as a worker.
 *
 * Otherwise it does **not** reject when a stage throws or a worker dies: that event, and only that one,
 * is then an entry of the failed queue. See {@link FailedResult}.
 *
 * **Types.** Without type arguments everything is `any`, as in 1.0.3: nothing is inferred, so that no
 * program written for 1.0.3 is held to more than it was. With them the functions are checked:
 *
 * ```ts part
 * const total = await MapReduce<{ files: string[] }, string, WordCount, number>(…);
 * ```
 *
 * @typeParam Args The argument object; `numWorkers` need not be part of it.
 * @typeParam In The data of an event, as JSON leaves it.
 * @typeParam Out What the last stage returns, as JSON leaves it: what `reduceFn` finds as `response`. (A
 *   stage is held to it where it is declared as a {@link WorkerFn}`<Args, In, Out>`.)
 * @typeParam R What `reduceFn` returns. The call's result is `R | undefined`: it is `undefined` in a
 *   worker.
 */
export declare function MapReduce<Args = any, In = any, Out = any, R = any>(
  masterFn: MasterFn<Given<Args>>,
  workerFns: Pipeline<Given<Args>, Given<In>>,
  reduceFn: ReduceFn<Given<In>, Given<Out>, Given<R>>,
  args?: Given<Args> & MapReduceOptions,
  options?: RunOptions,
): Promise<Given<R> | undefined>;

/**
 * A map-reduce whose results are read while it goes on, and only as fast as they are read: there is no
 * `reduceFn`, and no queue that grows.
 *
 * ```ts part
 * for await (const { data, response, failed, error } of stream(masterFn, [countWords], { files })) {
 *   if (failed) console.error(`${data}: ${error.message}`);
 *   else console.log(`${data}: ${response}`);
 * }
 * ```
 *
 * **In the master** the first step of the iteration starts the workers and `masterFn`. Each further one is
 * the next entry, of either queue. While {@link StreamOptions.maxResultsWaiting} entries are not read,
 * {@link Map} stays pending: a slow reader slows `masterFn` down. When every event is answered the workers
 * are released, and when every entry is read the iteration ends. Leaving it before that (`break`, `return`, an exception in
 * the loop) ends the run as an abort does: see {@link RunOptions.abortGrace}.
 *
 * **In a worker** it registers `workerFns`, and the iteration is over at once.
 *
 * Parameters, types and failures are those of {@link MapReduce}: what that rejects with the iteration throws;
 * invalid `masterFn`, `args.numWorkers` and `options` are thrown by the call itself. New in 2.0.0.
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
 * Hands one event to a free worker. For `masterFn`.
 *
 * Resolves at **hand-over**, not when the event has been answered, and stays pending while no worker
 * has room: `await` it, and a loop that sends never runs ahead of the workers. A call that is not
 * awaited is still answered before `reduceFn` runs.
 *
 * @param workerQueue The queue that `masterFn` was given, or any queue of worker ids (one of
 *   `@tiemma/sonic-core` too): the event then goes to a worker whose id is taken out of it.
 * @param event `{ data }`: the data is encoded before the call returns, so that it may be changed
 *   right afterwards. An event without `data` is an event whose data is `undefined`.
 *
 * Rejects with a `TypeError` when the event is `undefined` or `null`, or when its data cannot be
 * written as JSON (a `BigInt`, a cycle). The run goes on then. In a run that was aborted it rejects with
 * the reason; a program that does not await it is not ended by that.
 */
export declare const Map: (workerQueue: Queue, event: MapReduceEvent) => Promise<void>;

// ---------------------------------------------------------------------------------------------
// The functions a program writes
// ---------------------------------------------------------------------------------------------

/**
 * Sends the events. Runs once, in the master.
 *
 * `workerQueue` holds the ids of the free workers; most programs only pass it on to {@link Map}. Its
 * return value is awaited and otherwise ignored.
 *
 * @typeParam Args The argument object, as it was given to the call.
 */
export type MasterFn<Args = any> = (workerQueue: Queue, args: Args) => any;

/**
 * One stage. Runs once for every event, in a worker; one event at a time runs in a worker.
 *
 * `event.data` is the event's data in the first stage, and in every further one what the stage
 * before returned. `args` is a copy of its own for each call. What it throws, or rejects with, puts
 * the event into the failed queue.
 *
 * @typeParam Args The argument object, without `workerID`.
 * @typeParam In What the stage is given as `event.data`.
 * @typeParam Out What the stage returns, or resolves to.
 */
export type WorkerFn<Args = any, In = any, Out = any> = (
  event: DataEvent<In>,
  args: Args & WorkerIdentity,
) => Out | PromiseLike<Out>;

/**
 * Makes the result out of what the workers answered. Runs once, in the master, when everything has
 * been answered and the workers have been released.
 *
 * Both queues are in order of completion. In the plain `ReduceFn` their entries are `any`; with type
 * arguments they are {@link MapResult} and {@link FailedResult}.
 *
 * @typeParam In The data of an event.
 * @typeParam Out The response.
 * @typeParam R What is returned, or resolved to.
 */
export type ReduceFn<In = any, Out = any, R = any> = (
  resultQueue: Queue<Entry<In, Out, MapResult<In, Out>>>,
  failedQueue: Queue<Entry<In, Out, FailedResult<In>>>,
) => R | PromiseLike<R>;

/**
 * The stages of a {@link MapReduce}: the first takes an event's data, what passes between them is
 * `any`. None at all is a pipeline too: the response is then the data.
 *
 * @typeParam Args The argument object, without `workerID`.
 * @typeParam In The data of an event.
 */
export type Pipeline<Args = any, In = any> = [
  first?: WorkerFn<Args, In>,
  ...further: WorkerFn<Args>[],
];

/** What the call itself reads out of `args`. */
export interface MapReduceOptions {
  /** How many workers to start: a whole number from 1 up. Default: {@link NUM_CPUS}. */
  numWorkers?: number;
}

/**
 * How a run is run. Only own properties count, and one that is `undefined` counts as left out; a name
 * that is none of these is a `TypeError`.
 */
export interface RunOptions {
  /**
   * What tells this call from the program's other calls, where nothing else does: a string of 1 to 200 characters that no
   * other call has. A worker re-runs the program and finds its call by name; without one by its functions, its place in the
   * program and its arguments. Calls that only their closures tell apart need one, in a loop `step-${n}` for example.
   * Default: none.
   */
  name?: string;
  /** How many workers to start. Comes before `args.numWorkers`, which is the default. */
  numWorkers?: number;

  /**
   * How values pass between the processes, as `cluster.setupPrimary` names it: `"json"`, or
   * `"advanced"`, V8's structured clone, which keeps `Date`, `Map`, `Set`, `BigInt`, `RegExp`, `Error`,
   * `Buffer`, typed arrays and cycles. What it cannot clone (functions, for instance) is a failure where
   * JSON drops it. Default: what `cluster.setupPrimary` was given, else `"json"`.
   */
  serialization?: "json" | "advanced";

  /**
   * The most events that there is room for, for each worker, running and waiting: {@link Map} stays
   * pending beyond. It is one as long as events take a millisecond or more, whatever is given here; this
   * limits how far a loop of short ones runs ahead. A whole number from 1 up. Default: 512.
   */
  maxEventsPerWorker?: number;

  /**
   * While events of more bytes than this wait or run, encoded, there is room for one a worker, however
   * short they are. A whole number from 1 up. Default: 4194304, 4 MiB.
   */
  maxBytesWaiting?: number;

  /**
   * How long an event may run, in milliseconds, counted from its start in the worker: above 0, up to
   * 2147483647, or `Infinity`. One that runs longer, in an endless loop for example, is an entry of the failed
   * queue whose `error.code` is `"ERR_SONIC_TASK_TIMEOUT"`; its worker is killed with all processes that it
   * has started, and they have, and is replaced. No other event is touched, but for those that the program
   * itself had sent to that worker to be run at the same time. An event that has answered is in time, however
   * late that is seen. Default: `Infinity`, events run as long as they like.
   */
  taskTimeout?: number;

  /**
   * After so many events each worker is replaced, under its id: for programs, or libraries of theirs, that
   * leak. It is let go between events, as by `worker.disconnect()`, and ends with code 0; its successor is
   * started when it has ended: where something keeps its event loop alive (a connection, a timer), close that
   * on the process's `"disconnect"`, or give `shutdownGrace`. A whole number from 1 up. (Events that the program sends to a worker while
   * others run there may be more.) Default: workers stay as long as the run.
   */
  maxTasksPerWorker?: number;

  /**
   * When a worker has more bytes than this in memory (its resident set, as the system sees it: buffers and
   * native memory too), it is replaced when it has ended its event, in the way of `maxTasksPerWorker`. Looked
   * at four times a second, so that a worker may have more for a while; one runs at least one event. A whole
   * number from 1 up. Default: no limit.
   */
  maxWorkerMemory?: number;

  /**
   * How long a worker may take to end that was let go, in milliseconds: at the end of the run, when it is
   * replaced, or when the program disconnects it. After that it is killed with all its descendants, and so is
   * an event that it still ran. 0 to 2147483647, or `Infinity`. Default: `Infinity`, as in 1.0.3: a worker
   * ends when its event loop is empty, and the program when its workers have.
   */
  shutdownGrace?: number;

  /**
   * How long a worker process may give no sign of life, in milliseconds, before it is taken for stopped (by
   * `SIGSTOP`, a frozen container, a debugger that holds all its threads): it is killed with all its
   * descendants and replaced, and the event that it ran fails with the code `"ERR_SONIC_WORKER_STALLED"`. A
   * thread that runs no JavaScript gives the signs, so neither an endless loop nor a breakpoint of the
   * inspector counts; nor does the time in which the master was stopped itself. Above 0, up to 2147483647;
   * 0 or `Infinity` for never. Default: 60000.
   */
  heartbeatTimeout?: number;

  /**
   * How often an event that failed is tried again: how many attempts follow the first, whatever that
   * failed by; or a {@link RetryOptions}. Each attempt starts from the data that was handed over, whatever
   * a stage has made of it. Only the last one leaves an entry in a queue; the failed entry's error lists
   * them all, see {@link MapError.attempts}.
   *
   * An event that is tried again goes to the next worker that is free, before events that were never
   * tried. One that the program sent to a worker of its choice (also by {@link Map}, once it has looked at
   * the free workers) stays that worker's, which is not free before the event has ended.
   *
   * Whoever asks for retries says that an event may run more than once: an attempt may have done half its
   * work, and one whose worker was killed right after the last stage may have done all of it.
   *
   * Default: 0, no event runs twice.
   */
  retries?: number | RetryOptions;

  /**
   * Aborts the run. The call rejects with the signal's reason at once (with an `AbortError` of code
   * `"ABORT_ERR"` where Node knows no reason, before 17.2), as does every {@link Map} that is pending or
   * called later. No event starts any more; those that run may end within `abortGrace`, their answers
   * are dropped, and each worker is let go when it has ended its own; what is left is killed then. The
   * process lives until they are gone, unless it calls `process.exit()`, which ends the workers that run
   * something at once.
   *
   * If it is aborted already, the call rejects and starts nothing. After the call it is not listened to
   * any more. Anything will do that has what an `AbortSignal` has. Default: none.
   */
  signal?: AbortSignalLike;

  /**
   * What becomes of the run when an event fails. `"collect"` goes on, and `reduceFn` finds it in the failed
   * queue, as in 1.0.3. `"abort"` ends the run with the first entry of the failed queue, in the way in
   * which `signal` does: the call rejects with an {@link EventFailure}. Default: `"collect"`.
   */
  onError?: "collect" | "abort";

  /**
   * How long after an abort, in milliseconds, workers may take to end before they are killed: 0 to
   * 2147483647. Default: 1000.
   */
  abortGrace?: number;

  /**
   * Called in the master with each entry of either queue as it comes, before `reduceFn` finds it there: for
   * progress, or to keep what is there already. When it throws, or what it returns rejects, the run is
   * aborted with that. `reduceFn` is called when all of its promises are settled. Costs some
   * microseconds an entry, so it is not for millions of short events. Default: none.
   */
  onResult?: (entry: any) => any;

  /**
   * Whether the progress of the run is shown on the error stream: how many events are done, failed and in flight, how
   * many a second, for how long, and for how long still, where the `total` is known or `masterFn` has ended.
   * `"workers"`: also a line for each worker with what it does. On a terminal that is a bar, and what the program and
   * its workers write with Node's streams comes above it; anywhere else a line every five seconds. A line that says
   * what came of the run stays. Without this option the environment's `SONIC_PROGRESS` decides: `1`, `workers`, or `0`.
   * Default: false.
   */
  progress?: boolean | "workers";

  /** How many events there will be, for `progress`. Default: it is known when `masterFn` has ended. */
  total?: number;

  /**
   * Called in the master with the statistics of the run so far, ten times a second at most, when they have changed, and
   * once when the workers are let go. When it throws, or its promise rejects, the run is
   * aborted with that; nobody waits for the promise. Default: none.
   */
  onProgress?: (statistics: RunStatistics) => any;

  /**
   * Whether it is kept how long events waited and ran: {@link RunStatistics.wait} and {@link RunStatistics.run}.
   * `onStats`, `trace` and `report` do so too. Default: false.
   */
  statistics?: boolean;

  /**
   * Called once in the master, with the statistics of the run, when everything is answered and the workers are
   * let go: before `reduceFn`, and also when the run fails. If it throws, the call rejects with that. Default: none.
   */
  onStats?: (statistics: RunStatistics) => any;

  /**
   * A file that the run is written to in the Chrome trace format, which https://ui.perfetto.dev opens: a track for each
   * worker, an entry for each event, and what happened to the workers. It is whole when the last worker has ended. A
   * file that cannot be written is an error (`ERR_SONIC_OUTPUT`) before anything is started; a disk that is full
   * later costs the trace, and nothing else. At most 1,048,576 events are listed. Without this option the
   * environment's `SONIC_TRACE` names the file; later runs of the same process get `-2`, `-3` … before its ending.
   * Default: none.
   */
  trace?: string;

  /**
   * A file for a page that shows the run: its workers' time, throughput, how long events waited and ran, failures and
   * crashes. It needs no network, and is written when the workers are let go. Errors, limits and the environment's
   * `SONIC_REPORT` as with `trace`. Default: none.
   */
  report?: string;
}

/** What became of a run: {@link lastRun}, {@link RunOptions.onStats}. Times are milliseconds. */
export interface RunStatistics {
  /** When it began, in milliseconds of the epoch. */
  startedAt: number;
  /** From the start of the workers until they were let go. */
  elapsed: number;
  /** Events that were handed to {@link Map}: those answered, failed and unfinished together. */
  handedOver: number;
  /** Events that were answered, `nothing` among them not. */
  answered: number;
  /** Events whose response was `undefined` or `null`: they leave no entry. */
  nothing: number;
  /** Events that failed. */
  failed: number;
  /** The same by cause: a stage threw, the worker ended, it ran too long, the run was over before. */
  failures: { error: number; crash: number; timeout: number; aborted: number };
  /** Events that a run which failed has left without an end. */
  unfinished: number;
  /** How many times an event was tried again. */
  retried: number;
  /** Worker processes that ended before they were let go. */
  crashes: number;
  /** Worker processes that were started in place of others. */
  restarts: number;
  /** Bytes of the events' data, and of their responses and errors, as they were sent. */
  bytesIn: number;
  bytesOut: number;
  /** How long events waited for a worker, from `Map` on. Without one of the options that ask for it: undefined. */
  wait?: Percentiles;
  /** How long events ran. The same. */
  run?: Percentiles;
  /** Each worker with all its processes; `busy` is how long it ran events, `share` that part of `elapsed`. */
  workers: { id: number; pids: number[]; tasks: number; busy: number; share: number }[];
}

/** Milliseconds, to three digits; half of all were as fast as `p50` or faster. */
export interface Percentiles {
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/**
 * The statistics of the last run that has ended in this process; undefined before, and in a worker.
 */
export declare function lastRun(): RunStatistics | undefined;

/**
 * How a {@link stream} is run: as {@link RunOptions}, without `onResult`. Under `onError: "abort"` the run ends
 * when the first failed entry is read.
 */
export interface StreamOptions extends Omit<RunOptions, "onResult"> {
  /**
   * The order of the entries: `"completion"`, as they come, or `"submission"`, as their events were handed
   * over. For the latter what comes early is held back, and counts as not read. Default: `"completion"`.
   */
  order?: "completion" | "submission";

  /**
   * How many entries may wait to be read before {@link Map} stays pending; it does so too when they have
   * more bytes than `maxBytesWaiting`. A whole number from 1 up. Default: 1024.
   */
  maxResultsWaiting?: number;
}

/** Why an attempt at an event failed: its worker ended, it took longer than allowed, or a stage threw. */
export type FailureCause = "crash" | "timeout" | "error";

/**
 * Which events that failed are tried again, and when. As for {@link RunOptions}, only own properties count,
 * and a name that is none of these is a `TypeError`.
 */
export interface RetryOptions {
  /** How many attempts follow the first: a whole number from 0 to 1000. Has to be given. */
  limit: number;
  /**
   * The pause before the second attempt, in milliseconds: 0 to 2147483647. It holds no worker up, other
   * than one that the program chose for the event. Default: 0.
   */
  backoff?: number;
  /** How many times as long each pause is as the one before: a number of at least 1. Default: 2. */
  factor?: number;
  /** The longest pause, in milliseconds: 0 to 2147483647. Default: 30000. */
  maxDelay?: number;
  /**
   * What is tried again. An error that a stage throws is often the data's, and comes again; who knows
   * that gives `["crash", "timeout"]`. Default: all three.
   */
  on?: FailureCause[];
}

/** What a run uses of an `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: any;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * What a call rejects with under `onError: "abort"`: an `Error` with the name, message, stack, code and own
 * properties of the event's. Errors among those properties are `Error`s too.
 */
export interface EventFailure {
  name: string;
  message: string;
  stack?: string;
  /** The event's code, or `"ERR_SONIC_EVENT_FAILED"` where it has none. */
  code: string | number;
  /** The entry that the failed queue would have had. */
  cause: FailedResult;
}

/** What a stage finds in its `args` besides the program's own. */
export interface WorkerIdentity {
  /**
   * The number of the worker that runs the stage: the same as `require("cluster").worker.id` there.
   * The first call's workers are 1 to `numWorkers`, later calls' go on from there, and a worker that
   * replaces a dead one takes over its number.
   */
  workerID: number;
}

// ---------------------------------------------------------------------------------------------
// What passes between the processes
// ---------------------------------------------------------------------------------------------

/**
 * An event for a worker (`data`), and in the other direction a worker's answer to one.
 *
 * A worker may also send answers itself, with `process.send({ response })` or
 * `process.send({ failed: true })`: each adds an entry of its own to the queue it belongs to, and
 * frees no worker. So one event can have many results.
 */
export interface MapReduceEvent {
  /** The data: any value that JSON can hold. */
  data: any;
  /** In an answer: what the last stage returned. */
  response?: any;
  /** In an answer: `true` when the event failed. */
  failed?: boolean;

  /** In an answer: the number of the worker. Set by the package. */
  id?: number;
  /** Part of 1.0.3's handshake; kept for programs that name it. */
  SYN?: boolean;
  /** Part of 1.0.3's handshake; kept for programs that name it. */
  ACK?: boolean;
  /** Part of 1.0.3's handshake; kept for programs that name it. */
  SYN_ACK?: boolean;
}

/** A {@link MapReduceEvent} whose data is known: what a {@link WorkerFn} is given. */
export interface DataEvent<In = any> extends MapReduceEvent {
  /** The event's data in the first stage; what the stage before returned in the others. */
  data: In;
}

/**
 * An entry of the result queue: an event whose stages all succeeded.
 *
 * A response that is `undefined`, or `null` once it is JSON, adds no entry; `0`, `""` and `false` do.
 * An entry that a worker sent itself has only what was sent.
 */
export interface MapResult<In = any, Out = any> {
  /** The number of the worker that answered. */
  id: number;
  /** The event's data as the worker left it: changes that a stage made in place are seen here. */
  data: In;
  /** What the last stage returned. */
  response: Out;
}

/**
 * An entry of the failed queue: an event one of whose stages threw, whose response cannot be written
 * as JSON, or whose worker died while it ran.
 *
 * An entry that a worker sent itself has only what was sent.
 */
export interface FailedResult<In = any> {
  /** The number of the worker that ran the event. */
  id: number;
  /** The event's data as the worker left it, when the worker still could tell. */
  data: In;
  /** Tells the entry from a {@link MapResult}. */
  failed: true;
  /** Why it failed. New in 2.0.0; absent in an entry that a worker sent itself. */
  error?: MapError;
}

/**
 * Why an event failed: what the stage threw, with the own properties that the program gave it. A plain object, not an
 * `Error`; errors in it are plain objects of the same shape.
 *
 * It takes at most 256 KB as JSON. What is cut is marked `[cut: …]`, and a reference to an object that contains it is
 * `"[circular]"`. The frames of this package and of Node's internals are left out of stacks.
 */
export interface MapError {
  /** The error's name, for instance `"TypeError"`. */
  name: string;
  /** Its message; of something that is no error, its text. */
  message: string;
  /** The stack trace in the worker, if there is one. */
  stack?: string;
  /** The error's own code (`"ENOENT"`), or `"ERR_SONIC_…"` when the package says why. */
  code?: string | number;
  /** The error's `cause`; if that is an error, in the same shape. */
  cause?: any;
  /** The errors of an `AggregateError`, in the same shape. */
  errors?: any;
  /**
   * Of an event whose worker ended (code `"ERR_SONIC_WORKER_EXIT"`), gave no sign of life
   * (`"ERR_SONIC_WORKER_STALLED"`), or was killed because it ran too long (`"ERR_SONIC_TASK_TIMEOUT"`): the
   * worker's number and process, and its exit code or the signal that ended it. If an uncaught error did, the message ends with that.
   */
  worker?: number;
  pid?: number;
  exitCode?: number | null;
  signal?: string | null;
  /**
   * Whose memory was used up, if that is why the worker ended: `"heap"`, that of V8's heap, as
   * `--max-old-space-size` sets it; `"system"`, the machine's or the control group's, where the group counts
   * whom the system kills (cgroups v1 and v2). Absent if it was neither, or cannot be known.
   */
  outOfMemory?: "heap" | "system";
  /**
   * What the worker's program had last written with `process.stderr` (`console.error` and `console.warn`
   * too): at most 4096 bytes, from the beginning of a line on. Absent if that was nothing. What Node itself
   * prints as it dies is not in it.
   */
  stderr?: string;
  /**
   * Under {@link RunOptions.retries}: every attempt, first one first. (A property of this name that the
   * program put on its error gives way to it.)
   */
  attempts?: FailedAttempt[];
  /**
   * `true` if the event was tried more than once, and cost its worker each time: it is left alone now, for
   * somebody to look at.
   */
  quarantined?: true;
  /** Whatever else the program put on the error. */
  [property: string]: any;
}

/** One attempt at an event that failed in the end. */
export interface FailedAttempt {
  /** The number of the worker that ran it, and its process. */
  worker: number;
  pid: number;
  /** How long it ran, in milliseconds; of one that ended with its worker, until that was seen. */
  duration: number;
  /** Its error's name, message (the first 1024 bytes) and code; see {@link MapError}. */
  name?: string;
  message?: string;
  code?: string | number;
  /** How the worker ended, if it did: the exit code, or the signal's name. */
  exitCode?: number | null;
  signal?: string | null;
  outOfMemory?: "heap" | "system";
}

/**
 * A first-in, first-out queue. Interchangeable with `Queue` of `@tiemma/sonic-core` 1.0.12.
 *
 * `elements` is the live array: sorting it, or pushing on it, changes what `dequeue()` yields.
 * `JSON.stringify(queue)` is `{"elements":[…]}`.
 */
export declare class Queue<T = any> {
  /** The elements, first one first. The array itself, no copy. */
  elements: T[];

  /** The same array as {@link Queue.elements}. */
  getElements(): T[];

  /** Adds at the end. */
  enqueue(node: T): void;

  /** Takes the first element out; `undefined` when there is none. */
  dequeue(): T;

  /** Whether there is nothing to dequeue. */
  isEmpty(): boolean;
}

// ---------------------------------------------------------------------------------------------
// Who am I
// ---------------------------------------------------------------------------------------------

/**
 * Whether this process is no worker: `true` where the program was started, `false` in what a call
 * started. Right from the first line of the program on.
 */
export declare const isMaster: () => boolean;

/** `"MASTER"`, or `"WORKER-"` and the worker's number. */
export declare const getWorkerName: () => string;

/** The number of processors, and the default of `numWorkers`: `os.cpus().length`. */
export declare const NUM_CPUS: number;

// ---------------------------------------------------------------------------------------------
// The parts of a run, to compose by hand
// ---------------------------------------------------------------------------------------------

/**
 * For the master: starts workers and resolves when all of them are ready.
 *
 * @param numWorkers How many: a whole number from 1 up.
 * @returns `workerQueue` with the ids of the free workers, `processOrder` which receives the results
 *   and `failedOrder` which receives the failures, both in order of completion.
 *
 * Rejects like {@link MapReduce} when the number is invalid or the workers cannot be started.
 * Release the workers with {@link shutdown}.
 */
export declare const initMaster: (numWorkers: number) => Promise<{
  workerQueue: Queue<any>;
  processOrder: Queue<any>;
  failedOrder: Queue<any>;
}>;

/** The part of {@link initMaster} that starts the workers, without its two log lines. */
export declare const configureWorkers: (numWorkers: number) => Promise<{
  workerQueue: Queue<any>;
  processOrder: Queue<any>;
  failedOrder: Queue<any>;
}>;

/**
 * For a worker: registers its stages, which are then called with `args` and `workerID`.
 *
 * @param workerFns The stages, as for {@link MapReduce}. Anything else rejects with a `TypeError`.
 * @param args The argument object, as for {@link MapReduce}.
 */
export declare const initWorkers: (workerFns: WorkerFn[], args: any) => Promise<void>;

/**
 * For the master: releases the workers that {@link initMaster} started. Each ends, with code 0, when
 * its own event loop is empty.
 *
 * @param numWorkers How many were started.
 */
export declare const shutdown: (numWorkers: number) => Promise<void>;

/**
 * For the master: waits for a free worker and takes its id out of the queue, for a program that then
 * sends to it itself, with `require("cluster").workers[id].send({ data })`.
 *
 * @param workerQueue The queue of {@link initMaster}, or of `masterFn`.
 * @returns The id: a number.
 */
export declare const getWorkerID: (workerQueue: Queue) => Promise<any>;

// ---------------------------------------------------------------------------------------------
// Small things
// ---------------------------------------------------------------------------------------------

/**
 * Makes a function that prints `<date>: <loggerID>: <message>` with `console.log`, and nothing at all
 * while the environment variable `QUIET` is set. The package's own lines are printed so.
 *
 * @param loggerID Who speaks, for instance {@link getWorkerName}`()`.
 * @returns A function of the message and, optionally, the date to print (default: now, as ISO 8601).
 */
export declare const getLogger: (loggerID: string) => (message: any, date?: string) => void;

/**
 * Resolves after a while.
 *
 * @param time Milliseconds. Default: a random time below 50 ms.
 */
export declare const Delay: (time?: number) => Promise<unknown>;

/** The names of two events of Node's `cluster`: `"message"` and `"disconnect"`. */
export declare const clusterEvents: {
  MESSAGE: string;
  DISCONNECT: string;
};

/** `any` for a program that says nothing of its data, `Typed` for one that does. */
type Entry<In, Out, Typed> =
  IsAny<In> extends true ? (IsAny<Out> extends true ? any : Typed) : Typed;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** `T` as it was given between angle brackets, never inferred. (`NoInfer` came with TypeScript 5.4.) */
type Given<T> = [T][T extends any ? 0 : never];

// Nothing is exported but what says so.
export {};
