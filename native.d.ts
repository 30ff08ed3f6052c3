export interface PoolHandle { readonly pool: unique symbol }

export interface WorkerHandle { readonly worker: unique symbol }

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

/** An answer of any length, or one whose data has changed. */
export interface Answer {
  index: number
  flags: number
  started: number
  finished: number
}

/** An event or a message for this worker alone. */
export interface Arrived {
  /** Kind and flags. */
  kind: number
  index: number
  /** In the format that the flags say: a string, or a Buffer if it is binary. */
  text: any
}

/** Where everything is in the memory that a run's workers share; see `Common` and `Board`. */
export interface BacklogPlace {
  published: number
  claimed: number
  ringAt: number
  looks: number
  sleepers: number
  places: number
  entry: number
  read: number
  table: number
  bytes: number
  size: number
  longest: number
  boardOverflows: number
  boardFirst: number
  boardHead: number
  boardPublished: number
  boardTail: number
}

/** Milliseconds of the system's monotonic clock, the same in every process. */
export declare function clock(): number

/** What a program that looks at the free workers sees at its first look. */
export interface ExactState {
  /** The ids of the workers with nothing to do. */
  idle: Array<number>
  /** What was observed before, each as `poolTake` gives it. */
  observed: Array<string | LongPiece>
}

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
  /** The workers' ids. */
  workers: Array<number>
  run: number
  call: number
  /** `json` or `advanced`. */
  serialization: string
  /** Milliseconds from a worker's start to the program's call. */
  deadline: number
  /** The most events there is room for a worker, running and waiting. */
  maxEventsPerWorker?: number
  /** Bytes of events that wait or run, beyond which there is room for one event a worker. */
  maxBytesWaiting?: number
}

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

/** The events that wait for a worker: memory that all workers share. */
export declare function poolBacklog(pool: ExternalObject<PoolHandle>): ArrayBuffer

/** The pool's board: words that JavaScript and the pool share. */
export declare function poolBoard(pool: ExternalObject<PoolHandle>): ArrayBuffer

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

/** From now on the program hands events to workers itself, and answers go to the observed queue. */
export declare function poolExact(pool: ExternalObject<PoolHandle>): ExactState

/** Wakes workers for what is in the backlog, and takes in what is answered. */
export declare function poolFlush(pool: ExternalObject<PoolHandle>): void

/** The ids of the workers with nothing to do. */
export declare function poolFree(pool: ExternalObject<PoolHandle>): Array<number>

/** Whether the pool keeps the event loop alive. */
export declare function poolHold(pool: ExternalObject<PoolHandle>, hold: boolean): void

/** Whether a worker has nothing to do. */
export declare function poolIsFree(pool: ExternalObject<PoolHandle>, worker: number): boolean

/** Looks for room for the event of this number, for a moment. True if there is. */
export declare function poolLookForRoom(pool: ExternalObject<PoolHandle>, number: number): boolean

/** Sends a message to one worker's program. False if it is gone. */
export declare function poolMessage(pool: ExternalObject<PoolHandle>, worker: number, text: string): boolean

/** What happened, as a JSON array; null if nothing did. */
export declare function poolNotes(pool: ExternalObject<PoolHandle>): string | null

/** Whether answers go to the observed queue as they come. */
export declare function poolObserve(pool: ExternalObject<PoolHandle>, observing: boolean): void

/** Lets every worker go. */
export declare function poolRelease(pool: ExternalObject<PoolHandle>): void

/** Sends a signal, by number, to one worker. False if it is gone. */
export declare function poolSignal(pool: ExternalObject<PoolHandle>, worker: number, signal: number): boolean

/** Starts the process of one of the pool's places (0 is the first worker). */
export declare function poolSpawn(pool: ExternalObject<PoolHandle>, place: number): StartedWorker

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
 * The oldest piece of a queue (0 results, 1 failures, 2 observed): one JSON array of four values an
 * entry, or an entry with long texts; null if the queue is empty.
 */
export declare function poolTake(pool: ExternalObject<PoolHandle>, queue: number): string | LongPiece | null

/** Where a ring lies: indices of its position words, offset and number of its bytes. */
export interface RingPlace {
  tail: number
  head: number
  bytes: number
  size: number
}

/** A worker process that was started. */
export interface StartedWorker {
  worker: number
  pid: number
  /** The worker's descriptor, this process's end of the pipe, … */
  pipes: Array<number>
}

/** The wire's numbers. */
export declare function wire(): Wire

/** Names for the numbers that JavaScript needs to use the shared memory; see `protocol` and `ring`. */
export interface Wire {
  variable: string
  header: number
  task: number
  message: number
  answer: number
  hole: number
  direct: number
  failed: number
  response: number
  data: number
  dataHole: number
  whole: number
  long: number
  ascii: number
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
  allowed: number
  called: number
  waiting: number
  waitingFor: number
  started: number
  waits: number
  held: number
  ringAlways: number
  tasks: RingPlace
  answers: RingPlace
  backlog: BacklogPlace
}

/** Sets the word if it is `expected`; returns what it was. */
export declare function wordCompareExchange(memory: ArrayBuffer, index: number, expected: number, value: number): number

/** The word's value. */
export declare function wordLoad(memory: ArrayBuffer, index: number): number

/** Sets the word. */
export declare function wordStore(memory: ArrayBuffer, index: number, value: number): void

/**
 * Writes an answer, waiting for room if need be. `data` is the event's data if the worker function
 * changed it; null if not, or, with the flag for it, if it is undefined now. Either is JSON, or what its
 * format in the flags says. False, with nothing done, if one is said to be a string as it is and has to
 * be JSON.
 */
export declare function workerAnswer(worker: ExternalObject<WorkerHandle>, answer: Answer, response: string | Uint8Array, data?: string | Uint8Array | null): boolean

/** What all workers of the run share: the events that wait. */
export declare function workerBacklog(worker: ExternalObject<WorkerHandle>): ArrayBuffer

/** The number of the call that the worker serves; 0 is the program's first. */
export declare function workerCall(worker: ExternalObject<WorkerHandle>): number

/** Whether anything has arrived that was not taken. */
export declare function workerHasArrived(worker: ExternalObject<WorkerHandle>): boolean

/** Whether the worker keeps the event loop alive. */
export declare function workerHold(worker: ExternalObject<WorkerHandle>, hold: boolean): void

/**
 * Joins the master that `invitation` (the variable's value) names; null if it is for another
 * process, whose child this one is. `call` is told 1 when something has arrived and 2 when the
 * master lets the worker go; it does not keep the event loop alive until `workerHold(worker, true)`.
 */
export declare function workerJoin(invitation: string, call: (arg: number) => void): ExternalObject<WorkerHandle> | null

/** Looks for events, from the backlog's number `next` on, for a moment. */
export declare function workerLookForEvents(worker: ExternalObject<WorkerHandle>, next: number): void

/** The memory that the worker shares with its master. */
export declare function workerMemory(worker: ExternalObject<WorkerHandle>): ArrayBuffer

/** Sends a message of the user's to the master, in order with the answers. */
export declare function workerMessage(worker: ExternalObject<WorkerHandle>, flags: number, text: string, finished: number): void

/** The worker's place in the run, from 0 on. */
export declare function workerPlace(worker: ExternalObject<WorkerHandle>): number

/** Tells the master that the program reached its call with arguments that cannot serve. */
export declare function workerRefuse(worker: ExternalObject<WorkerHandle>, name: string, code: string, message: string): void

/** Tells the master that the program reached its call. */
export declare function workerRegister(worker: ExternalObject<WorkerHandle>): void

/** Rings the master: there are answers. */
export declare function workerRing(worker: ExternalObject<WorkerHandle>): void

/** How values are encoded in this run. */
export declare function workerSerialization(worker: ExternalObject<WorkerHandle>): 'json' | 'advanced'

/** Everything that has arrived for this worker alone. */
export declare function workerTake(worker: ExternalObject<WorkerHandle>): Array<Arrived>

/** Tells the master what is about to end this process. */
export declare function workerUncaught(worker: ExternalObject<WorkerHandle>, words: string): void
