export interface PoolHandle { readonly pool: unique symbol }

export interface WorkerHandle { readonly worker: unique symbol }

export interface TraceHandle { readonly trace: unique symbol }

export declare class ExternalObject<T> {
  readonly '': {
    readonly '': unique symbol
    [K: symbol]: T
  }
}

/**
 * Which binding artifact the generated loader actually loaded: `'native'` for
 * a native addon, otherwise the `platformArchABI` of the WASI flavor. Every
 * flavor napi-rs can build is listed, because `NAPI_RS_NATIVE_LIBRARY_PATH`
 * can point the loader at a WASI artifact this package does not build itself.
 */
export declare const __napiBindingTarget: 'native' | 'wasm32-wasi' | 'wasm32-wasip1'

/** An event or a message for this worker alone. */
export interface Arrived {
  /** Kind and flags. */
  kind: number
  index: number
  /** In the format that the flags say: a string, or a Buffer if it is binary. */
  text: any
}

/** Milliseconds of the system's monotonic clock, the same in every process. */
export declare function clock(): number

/** What a program that looks at the free workers sees at its first look. */
export interface ExactState {
  /** The ids of the workers with nothing to do. */
  idle: Array<number>
  /** What was observed before, each as `poolTake` gives it. */
  observed: Array<string | Int32Array | LongPiece>
}

/** A hash of bytes: other bytes have another, but for a chance that nobody meets. */
export declare function hash(bytes: Uint8Array): string

/** Whether this process is a worker, in whichever thread that is asked. */
export declare function isWorkerProcess(): boolean

/** What a run's workers are made of. */
export interface LaunchOptions {
  /** The Node to run, and its arguments after those of `nodeArgs`: program and program arguments. */
  program: string
  args: Array<string>
  /** For each worker, what goes before `args`. */
  nodeArgs: Array<Array<string>>
  /** The whole environment: name, value, name, value, … */
  env: Array<string>
  cwd?: string
  /** For each descriptor from 0 on: -1 inherit, -2 ignore, -3 pipe, or a descriptor's number. */
  stdio: Array<number>
  uid?: number
  gid?: number
  /** On Windows no console window is to be seen. */
  windowsHide?: boolean
  /** The workers' ids. */
  workers: Array<number>
  run: number
  /** Which call of the program the workers serve, for their JavaScript, and how texts name it. */
  call: string
  title: string
  /** `json` or `advanced`. */
  serialization: string
  /** Milliseconds from a worker's start to the program's call. */
  deadline: number
  /** The most events there is room for a worker, running and waiting. */
  maxEventsPerWorker?: number
  /** Bytes of events that wait or run, beyond which there is room for one event a worker. */
  maxBytesWaiting?: number
  /** `completion` or `submission`: the order in which entries are read while the run goes on. */
  stream?: string
  /** Which events that failed are tried again, and how. */
  retries?: RetryOptions
  /** Whether the first event that fails stops the run. */
  stopOnFailure: boolean
  /** Milliseconds from the stop of a run until its workers are killed. */
  stopGrace?: number
  /** Whole milliseconds that an event may run. */
  taskTimeout?: number
  /** Milliseconds that a worker's I/O thread may give no sign of life. */
  heartbeatTimeout?: number
  /** Milliseconds that a worker may take to end when it was let go. */
  shutdownGrace?: number
  /** How many events a worker runs before it is replaced. */
  maxTasksPerWorker?: number
  /** Bytes that a worker may have in memory before it is replaced. */
  maxWorkerMemory?: number
  /** Whole milliseconds after which the program is told of an event that still runs. */
  hintAfter?: number
  /**
   * What is kept of the run for people to look at: by default what costs nothing; `times` also how long
   * events waited and ran, `events` also each of them.
   */
  record?: 'times' | 'events'
  /** Whether it is shown what the workers do while they do it. */
  showsWorkers: boolean
  /** Whether this process draws on the terminal that the workers may write to. */
  sharesTerminal: boolean
  /** Milliseconds of the epoch when the run begins. */
  epoch: number
}

/**
 * Has the pool's own log shown on the error stream from now on: `filter` is a level (`debug`), or several as
 * `tracing` has them. What is wrong with it, if it is none.
 */
export declare function logShow(filter: string): string | null

/** An entry of a queue that is a piece of its own. */
export interface LongPiece {
  kind: number
  worker: number
  /**
   * The data and the response, each in its format: JSON or a string itself is a string, what is
   * binary a Buffer; null if there is none.
   */
  data?: string | Buffer | null
  dataFormat: number
  response?: string | Buffer | null
  responseFormat: number
}

/** Has JavaScript called when there is room for the event of this number; null: for none. */
export declare function poolAwaitRoom(pool: ExternalObject<PoolHandle>, number?: number | undefined | null): void

/** How many entries a queue has. */
export declare function poolCount(pool: ExternalObject<PoolHandle>, queue: number): number

/**
 * Makes a pool without processes. `call` is called on this thread when there is something to look
 * at; until `poolHold(pool, false)` it keeps the event loop alive.
 */
export declare function poolCreate(options: LaunchOptions, call: (arg: number) => void): ExternalObject<PoolHandle>

/** Lets one worker go. False if it is gone. */
export declare function poolDisconnect(pool: ExternalObject<PoolHandle>, worker: number): boolean

/** True if every event is answered; otherwise a note says when. */
export declare function poolDrained(pool: ExternalObject<PoolHandle>): boolean

/**
 * Some of the events that have ended after the first `from`, as a JSON array, where each is listed; null if there are
 * none.
 */
export declare function poolEnded(pool: ExternalObject<PoolHandle>, from: number): string | null

/** From now on the program hands events to workers itself, and answers go to the observed queue. */
export declare function poolExact(pool: ExternalObject<PoolHandle>): ExactState

/** Wakes workers for what is in the backlog, and takes in what is answered. */
export declare function poolFlush(pool: ExternalObject<PoolHandle>): void

/** The ids of the workers with nothing to do. */
export declare function poolFree(pool: ExternalObject<PoolHandle>): Array<number>

/** Whether there is room for the event of this number. */
export declare function poolHasRoom(pool: ExternalObject<PoolHandle>, number: number): boolean

/** Whether the pool keeps the event loop alive. */
export declare function poolHold(pool: ExternalObject<PoolHandle>, hold: boolean): void

/** Whether a worker has nothing to do. */
export declare function poolIsFree(pool: ExternalObject<PoolHandle>, worker: number): boolean

/** Whether a stream's reader has so many entries, or so many bytes of them, still to take. */
export declare function poolIsFull(pool: ExternalObject<PoolHandle>, entries: number, bytes: number): boolean

/** Looks for room for the event of this number, for a moment. True if there is. */
export declare function poolLookForRoom(pool: ExternalObject<PoolHandle>, number: number): boolean

/** Sends a message to one worker's program. False if it is gone. */
export declare function poolMessage(pool: ExternalObject<PoolHandle>, worker: number, text: string): boolean

/**
 * What happened, as a JSON array; null if nothing did. JavaScript, which was called, has come: what
 * happens from now on calls it again.
 */
export declare function poolNotes(pool: ExternalObject<PoolHandle>): string | null

/** Whether answers go to the observed queue as they come. */
export declare function poolObserve(pool: ExternalObject<PoolHandle>, observing: boolean): void

/**
 * The function that puts events in: `(value, flags, number)`. `value` is the data if it is a number, or
 * with the flag for it a string; else the text of its JSON, or bytes where the format is binary. `flags`
 * are those of the ring. It returns the sum of 1 if that was done, 2 if there is room for the event of
 * this `number`, 4 if `poolFlush` is to be called now, 8 if the event loop is to turn first. Without the
 * 1 nothing is done: the event has to go through `poolSubmit`, or a number that is not whole has to be
 * given as its JSON, as does a string that is not ASCII.
 */
export declare function poolPutter(pool: ExternalObject<PoolHandle>): (value: number | string | Uint8Array, flags: number, number: number) => number

/** Has JavaScript called when there is an entry for a stream's reader, or not any more. */
export declare function poolRead(pool: ExternalObject<PoolHandle>, reads: boolean): void

/** Lets every worker go. */
export declare function poolRelease(pool: ExternalObject<PoolHandle>): void

/**
 * The whole record of the run as the JSON of an object. `head` is the JSON of an object with what the core does
 * not know, which comes first.
 */
export declare function poolReport(pool: ExternalObject<PoolHandle>, head: string): string

/** Sends a signal, by number, to one worker. False if it is gone. */
export declare function poolSignal(pool: ExternalObject<PoolHandle>, worker: number, signal: number): boolean

/**
 * Starts the process of one of the pool's places (0 is the first worker). Null if the machine has none to
 * spare now: it is tried again, and a note says what comes of it.
 */
export declare function poolSpawn(pool: ExternalObject<PoolHandle>, place: number): StartedWorker | null

/** The statistics of the run so far, as the JSON of an object: `RunStatistics` in index.d.ts. */
export declare function poolStatistics(pool: ExternalObject<PoolHandle>): string

/** Starts nothing more, and ends the workers when the run's grace is over. */
export declare function poolStop(pool: ExternalObject<PoolHandle>): void

/**
 * Hands over an event that JavaScript has not put into the backlog itself: `text` is its JSON, or what
 * the format in `flags`, those of the ring, says. False, with nothing done, if it is said to be a
 * string as it is and has to be JSON.
 */
export declare function poolSubmit(pool: ExternalObject<PoolHandle>, text: string | Uint8Array, flags: number): boolean

/**
 * Hands an event to one worker, to start at once; see `poolSubmit`. False if the pool has no such
 * worker.
 */
export declare function poolSubmitTo(pool: ExternalObject<PoolHandle>, worker: number, text: string | Uint8Array, flags: number): boolean

/**
 * The oldest piece of a queue (0 results, 1 failures, 2 observed): four values an entry, as one JSON array
 * or where all are small whole numbers as such; or an entry with long texts; null if the queue is empty.
 */
export declare function poolTake(pool: ExternalObject<PoolHandle>, queue: number): string | Int32Array | LongPiece | null

/** The event loop has turned. */
export declare function poolTurned(pool: ExternalObject<PoolHandle>): void

/**
 * Has a signal that ends or stops this process take what is drawn off the terminal. Again and again while something
 * is, on the main thread alone.
 */
export declare function progressArm(): void

/** Shows the progress of a run on the error stream until `progressEnd`; returns what it is called there. */
export declare function progressBegin(pool: ExternalObject<PoolHandle>, options: ProgressOptions): number

/** No more events come than the run has been handed. */
export declare function progressComplete(progress: number): void

/** Shows the run no more, but for a line that stays and says what came of it: whether it came to its end. */
export declare function progressEnd(progress: number, pool: ExternalObject<PoolHandle>, isWhole: boolean): void

/** It has written there, and the line is ended. */
export declare function progressEndLine(): void

/** The program is about to write to the terminal where progress is drawn, and its line is not ended by that. */
export declare function progressOpenLine(): void

/** How the progress of a run is shown. */
export interface ProgressOptions {
  /** How many events there will be, if that is known. */
  total?: number
  /** Whether there is a line for each worker. */
  workers: boolean
  /** Whether the error stream is a terminal on which the cursor can be moved. */
  isTerminal: boolean
}

/** Which events that failed are tried again, and how. Times are in milliseconds. */
export interface RetryOptions {
  /** How many attempts follow the first. */
  limit: number
  /** Milliseconds before the second attempt; `factor` times as many before each later one, up to `maxDelay`. */
  backoff: number
  factor: number
  maxDelay: number
  /** What is tried again. */
  on: ('crash' | 'timeout' | 'error')[]
}

/** A worker process that was started. */
export interface StartedWorker {
  worker: number
  pid: number
  /** The worker's descriptor, this process's end of the pipe, … */
  pipes: Array<number>
}

/** Writes what has happened in a run since the last time. */
export declare function traceAppend(trace: ExternalObject<TraceHandle>, pool: ExternalObject<PoolHandle>): void

/** Makes the file of a trace, or empties the one that is there. `program` is the name that is shown. */
export declare function traceCreate(path: string, program: string): ExternalObject<TraceHandle>

/** The wire's numbers. */
export declare function wire(): Wire

/** Names for the numbers that JavaScript and the core say to each other; see `ring` and `results`. */
export interface Wire {
  variable: string
  task: number
  message: number
  hole: number
  direct: number
  failed: number
  response: number
  dataHole: number
  whole: number
  giveBack: number
  string: number
  formatAt: number
  dataFormatAt: number
  entryFailed: number
  entryData: number
  entryResponse: number
  entryMessage: number
  entryWhole: number
  entryCrash: number
  entryTaken: number
  entryDataFormatAt: number
  entryResponseFormatAt: number
}

/**
 * Writes an answer of any length, waiting for room if need be. `started` is as in `workerAnswerer`.
 * `data` is the event's data if the worker function changed it; null if not, or, with the flag for it,
 * if it is undefined now. Either is JSON, or what its format in the flags says. False, with nothing
 * done, if one is said to be a string as it is and has to be JSON.
 */
export declare function workerAnswer(worker: ExternalObject<WorkerHandle>, index: number, flags: number, started: number, response: string | Uint8Array, data?: string | Uint8Array | null): boolean

/**
 * The function that answers an event from JavaScript: `(index, flags, started, response)`, where
 * `started` is negative for the event that runs in turn. It returns 1; or 0, with nothing done, if the
 * response has to go through `workerAnswer`: it is very long, or has no room, or is said to be a string
 * as it is and is not ASCII.
 */
export declare function workerAnswerer(worker: ExternalObject<WorkerHandle>): (index: number, flags: number, started: number, response: string | Uint8Array) => number

/** Which call of the program the worker serves: what `LaunchOptions.call` was. */
export declare function workerCall(worker: ExternalObject<WorkerHandle>): string

/** Tells the master that the program is about to end this process by a call of its own: which, and where. */
export declare function workerExiting(worker: ExternalObject<WorkerHandle>, words: string): void

/** Whether the worker keeps the event loop alive. */
export declare function workerHold(worker: ExternalObject<WorkerHandle>, hold: boolean): void

/** Whether there are answers that the master was not rung for. */
export declare function workerIsUnrung(worker: ExternalObject<WorkerHandle>): boolean

/**
 * Joins the master that `invitation` (the variable's value) names; null if it is for another
 * process, whose child this one is. `call` is told 1 when something has arrived and 2 when the
 * master lets the worker go; it does not keep the event loop alive until `workerHold(worker, true)`.
 */
export declare function workerJoin(invitation: string, call: (arg: number) => void): ExternalObject<WorkerHandle> | null

/** Has the master ring for what it sends to this worker alone; false if there is something. */
export declare function workerListen(worker: ExternalObject<WorkerHandle>): boolean

/** Sends a message of the user's to the master, in order with the answers. */
export declare function workerMessage(worker: ExternalObject<WorkerHandle>, flags: number, text: string): void

/** Has the master know it if this process dies of too small a heap. */
export declare function workerNoteHeapLimit(worker: ExternalObject<WorkerHandle>): void

/** Tells the master that the program reached a call that this worker does not serve: which, and why not. */
export declare function workerPassed(worker: ExternalObject<WorkerHandle>, call: string): void

/** Tells the master that the program reached its call with arguments that cannot serve. */
export declare function workerRefuse(worker: ExternalObject<WorkerHandle>, name: string, code: string, message: string): void

/** Tells the master that the program reached its call. */
export declare function workerRegister(worker: ExternalObject<WorkerHandle>): void

/** Rings the master if there are answers that it was not rung for. */
export declare function workerRing(worker: ExternalObject<WorkerHandle>): void

/**
 * Runs events until there is a reason to stop: 0 nothing to do, 1 timers and sockets are to have their
 * turn, 2 an event is pending, 3 something has come for this worker alone. `serve` is called with each
 * event's data (a number, a string, the text of its JSON, a `Buffer` of what is binary, or undefined where
 * there is none), its flags
 * and its index; it returns a number that is the response, true if it has answered, or false if the
 * event is pending. `isTurn`: timers and sockets have just had their turn.
 */
export declare function workerRun(worker: ExternalObject<WorkerHandle>, serve: (value: any, flags: number, index: number) => number | boolean, isTurn: boolean): number

/** How values are encoded in this run. */
export declare function workerSerialization(worker: ExternalObject<WorkerHandle>): 'json' | 'advanced'

/** Whether the master draws on the terminal that both may write to. */
export declare function workerSharesTerminal(worker: ExternalObject<WorkerHandle>): boolean

/** Makes an event that came for this worker alone its own for good. False if the master took it back. */
export declare function workerStart(worker: ExternalObject<WorkerHandle>, index: number): boolean

/** Everything that has arrived for this worker alone. */
export declare function workerTake(worker: ExternalObject<WorkerHandle>): Array<Arrived>

/** Tells the master what is about to end this process. */
export declare function workerUncaught(worker: ExternalObject<WorkerHandle>, words: string): void

/** Notes the last bytes of what the program writes to its error stream, for the master to find. */
export declare function workerWrote(worker: ExternalObject<WorkerHandle>, bytes: Uint8Array): void
