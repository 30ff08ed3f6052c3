export interface PoolHandle { readonly pool: unique symbol }

export interface RunHandle { readonly run: unique symbol }

export interface WorkerHandle { readonly worker: unique symbol }

export interface TraceHandle { readonly trace: unique symbol }

export interface CheckpointHandle { readonly checkpoint: unique symbol }

export interface RecordHandle { readonly record: unique symbol }

export interface SpillFile { readonly spillFile: unique symbol }

export interface Merge { readonly merge: unique symbol }

export interface SpillNumbers { readonly spillNumbers: unique symbol }

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
  /** Of an event: the number of its run. (That of what is about a run is its index.) */
  run: number
  /** In the format that the flags say: a string, or a Buffer if it is binary. */
  text: any
  /** What is behind the text, if it is of locks and the like: the bytes of a value. */
  value?: Buffer
}

/** Lets go of a file that no run has got. */
export declare function checkpointClose(file: ExternalObject<CheckpointHandle>): void

/**
 * Opens a file, or creates it as one of `program`'s. `fsync`: 0 before each answer is told, so many milliseconds after it at
 * most, or negative for when the system likes.
 */
export declare function checkpointOpen(path: string, program: string, fsync: number): ExternalObject<CheckpointHandle>

/** Whose answers are in the file, as it was said when that was created; none if it is new. */
export declare function checkpointProgram(file: ExternalObject<CheckpointHandle>): string | null

/** Keys in order, each with its values: those of side 0 before those of side 1. */
export interface Chunk {
  /** An array, as JSON. */
  keys: string
  /** How many values each key has here. */
  counts: Uint32Array
  /** Which side each value is of, unless all are of side 0. */
  sides: Uint8Array | null
  /** An array, as JSON, if all are JSON. */
  values: string | null
  /** Else these three, as `spillWriteBytes` takes them. */
  bytes: Buffer | null
  ends: Uint32Array | null
  formats: Uint8Array | null
  /** There are more values of the last key. */
  isPartial: boolean
  /** The first key is the last one of the chunk before. */
  continues: boolean
}

/** Milliseconds of the system's monotonic clock, the same in every process. */
export declare function clock(): number

/** What it was before; so does each that follows. */
export declare function counterAdd(index: number, more: number): number

export declare function counterCompareExchange(index: number, expected: number, value: number): number

export declare function counterExchange(index: number, value: number): number

/** The index of a counter of this name. */
export declare function counterIndex(name: string): number

export declare function counterLoad(index: number): number

export declare function counterStore(index: number, value: number): void

/** What a worker runs, by what was heard of it last. */
export interface DoingElsewhere {
  worker: number
  /** As `recordHandOver` has counted it; none if it is not known. */
  event?: number
  /** For how long it has run. */
  milliseconds: number
  /** The beginning of its data as it crosses, and whether that is text. */
  data: string
  isText: boolean
}

/** How an event has ended that ran elsewhere. */
export interface EndedElsewhere {
  /** As `recordHandOver` has counted it. */
  event: number
  /** The worker and its process; 0 if no worker had it. */
  worker: number
  pid: number
  /** When it ended, by the clock of this process, and the milliseconds that it ran. */
  finished: number
  duration: number
  /** The index of its outcome. */
  outcome: number
  /** Its data as it crosses, and whether that is text. */
  data: string
  isText: boolean
  bytesOut: number
  /** The JSON of its error. */
  error?: string
  /** The JSON of what it adds to the program's counters. */
  counts?: string
  attempts: number
}

/** Workers that are alike. */
export interface GroupOptions {
  tags: Array<string>
  /** Whether they run nothing that does not name them. */
  exclusive: boolean
  /** Variables of their environment beside those of all: name, value, … */
  env: Array<string>
  /** How many events each runs at once, if not as many as those of other groups. */
  concurrency?: number
  /** Their limits in the place of the pool's. */
  maxTasksPerWorker?: number
  maxWorkerMemory?: number
}

/** A hash of bytes: other bytes have another, but for a chance that nobody meets. */
export declare function hash(bytes: Uint8Array): string

/** Whether this process is a worker, in whichever thread that is asked. */
export declare function isWorkerProcess(): boolean

/** Ends a grant. False, with nothing done, if the hub must be told. */
export declare function lockEnd(place: number, generation: number, token: number): boolean

/**
 * Takes a lock that is free: the token of the grant; or 0, with nothing done: then the hub must be asked. `event`: see
 * `syncEvent`; -1: none.
 */
export declare function lockTry(place: number, generation: number, event: number): number

/**
 * Shows the pool's log on the error stream from now on. `filter` is a level (`debug`) or several targets, as `tracing`
 * defines them. Returns what is wrong with it, if anything.
 */
export declare function logShow(filter: string): string | null

/** What a program that dispatches events itself sees at its first look. */
export interface ManualState {
  /** The ids of the workers with nothing to do. */
  free: Array<number>
  /** What was observed before, each as `runTake` gives it. */
  observed: Array<string | Int32Array | any[]>
}

/** A slot for one more worker. */
export interface NewWorker {
  id: number
  nodeArgs: Array<string>
}

/**
 * Makes a pool without processes. `call` is called on this thread when there is something to look at; until
 * `poolHold(pool, false)` it keeps the event loop alive.
 */
export declare function poolCreate(options: PoolOptions, call: (arg: number) => void): ExternalObject<PoolHandle>

/** Releases one worker. False if it is gone. */
export declare function poolDisconnect(pool: ExternalObject<PoolHandle>, worker: number): boolean

/** Wakes workers for what is in the lanes, and takes in what is answered. */
export declare function poolFlush(pool: ExternalObject<PoolHandle>): void

/** The ids of the workers with nothing to do. */
export declare function poolFree(pool: ExternalObject<PoolHandle>): Array<number>

/** Whether the pool keeps the event loop alive. */
export declare function poolHold(pool: ExternalObject<PoolHandle>, hold: boolean): void

/** Whether a worker has nothing to do. */
export declare function poolIsFree(pool: ExternalObject<PoolHandle>, worker: number): boolean

/**
 * Waits up to so many milliseconds for entries of numbered runs, on JavaScript's thread, which takes all of them then. False
 * if there are none: then it is called when there are.
 */
export declare function poolListen(pool: ExternalObject<PoolHandle>, milliseconds: number): boolean

/**
 * Sends a message to one worker's program: see `runSubmit`, of whose flags this needs the format. False if the worker is
 * gone.
 */
export declare function poolMessage(pool: ExternalObject<PoolHandle>, worker: number, message: string | Uint8Array, flags: number): boolean

/**
 * What happened, as a JSON array; null if nothing did. JavaScript, which was called, has come: what happens from now on
 * calls it again.
 */
export declare function poolNotes(pool: ExternalObject<PoolHandle>): string | null

/** What a pool's workers are made of, and what they are allowed. */
export interface PoolOptions {
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
  /** The groups of workers, and the group of each worker. */
  groups: Array<GroupOptions>
  groupOf: Array<number>
  /** The pool's number in this process. */
  number: number
  /** Which call of the program the workers serve, for their JavaScript, and how texts name it. */
  call: string
  title: string
  /** `json` or `advanced`. */
  serialization: string
  /** The folder where workers write what is too large for memory, if they may have to. */
  spillFolder?: string
  /** Milliseconds from a worker's start to the program's call. */
  deadline: number
  /** The most events there is credit for a worker, running and waiting. */
  maxEventsPerWorker?: number
  /** How many events a worker runs at once. */
  concurrency: number
  /** Milliseconds that a worker's I/O thread may give no sign of life. */
  heartbeatTimeout?: number
  /** Milliseconds that a released worker may take to exit. */
  shutdownGrace?: number
  /** Milliseconds that an event which was aborted, or ran too long, may hold its worker while others run there. */
  abortGrace?: number
  /** How many events a worker runs before it is replaced. */
  maxTasksPerWorker?: number
  /** Bytes that a worker may have in memory before it is replaced. */
  maxWorkerMemory?: number
  /** Milliseconds after which a start is slow; none if the program is told nothing. */
  hintAfter?: number
  /** Whether workers note when each event starts, because some run wants to know. */
  notesTimes: boolean
  /** Whether the pool serves any number of runs. */
  stays?: boolean
}

/** The same of all runs of a pool. */
export declare function poolRecent(pool: ExternalObject<PoolHandle>): string | null

/** Releases every worker. */
export declare function poolRelease(pool: ExternalObject<PoolHandle>): void

/**
 * There are to be so many workers. `more` are slots for those that there is none for yet: each with the id of its workers, and what
 * goes before `args`.
 */
export declare function poolResize(pool: ExternalObject<PoolHandle>, count: number, more: Array<NewWorker>): void

/** The ids of the workers that come or go by now: a note tells of each when it has. */
export declare function poolResizing(pool: ExternalObject<PoolHandle>): Array<number>

/** Sends a signal, by number, to one worker. False if it is gone. */
export declare function poolSignal(pool: ExternalObject<PoolHandle>, worker: number, signal: number): boolean

/**
 * Starts the process of one of the pool's slots (0 is the first worker). Null if the machine has none to spare now: it is
 * tried again, and a note reports the result.
 */
export declare function poolSpawn(pool: ExternalObject<PoolHandle>, slot: number): StartedWorker | null

/** The same of all runs of a pool, since it began. `startedAt` is 0. */
export declare function poolStatistics(pool: ExternalObject<PoolHandle>): string

/** The workers that are ready. */
export declare function poolWorkers(pool: ExternalObject<PoolHandle>): Array<ReadyWorker>

/** Shows the progress of a run until `progressEnd`. */
export declare function progressBegin(run: ExternalObject<RunHandle>, style: ProgressStyle): ExternalObject<unknown>

/** The run gets no more events. */
export declare function progressComplete(progress: ExternalObject<unknown>): void

/** Shows the run no longer, and writes a summary that ends with `note`. */
export declare function progressEnd(progress: ExternalObject<unknown>, note: string): void

/** How the progress of a run is shown. */
export interface ProgressStyle {
  /** How many events there will be, or 0. */
  total: number
  /** Whether there is a line for each worker. */
  workers: boolean
  /** What the run is called, if it is. */
  label?: string
  /** What its events are called, in the plural. */
  unit?: string
}

/** A worker that is ready. */
export interface ReadyWorker {
  id: number
  pid: number
  /** How many events it runs. */
  running: number
  /** Bytes that it has in memory; 0 where the system does not tell. */
  memory: number
}

/** The workers that run anything: all others wait. */
export declare function recordDoing(record: ExternalObject<RecordHandle>, all: Array<DoingElsewhere>): void

/** An event has ended. */
export declare function recordEnded(record: ExternalObject<RecordHandle>, ended: EndedElsewhere): void

/** As `runEnded`. */
export declare function recordEndedSince(record: ExternalObject<RecordHandle>, from: number): string | null

/** A worker's process has ended. `crash` says how, if nobody has told it to. */
export declare function recordExited(record: ExternalObject<RecordHandle>, worker: number, code?: number | undefined | null, signal?: string | undefined | null, crash?: string | undefined | null): void

/** An event is handed over, which the program calls so: its number. */
export declare function recordHandOver(record: ExternalObject<RecordHandle>, label?: string | undefined | null): number

/** Begins the record of a run elsewhere. `level`, `epoch` and `isWatched` are as in `runOpen`. */
export declare function recordOpen(level: string | undefined | null, epoch: number, isWatched: boolean): ExternalObject<RecordHandle>

/** Its statistics end. */
export declare function recordOver(record: ExternalObject<RecordHandle>): void

/** As `progressBegin`. */
export declare function recordProgress(record: ExternalObject<RecordHandle>, style: ProgressStyle): ExternalObject<unknown>

/** As `runRecent`. */
export declare function recordRecent(record: ExternalObject<RecordHandle>): string | null

/** As `runReport`. */
export declare function recordReport(record: ExternalObject<RecordHandle>, head: string): string

/** As `runStatistics`. */
export declare function recordStatistics(record: ExternalObject<RecordHandle>): string

/** As `traceAppend`. */
export declare function recordTrace(trace: ExternalObject<TraceHandle>, record: ExternalObject<RecordHandle>): void

/** A worker is there, as this process. `host` is the machine's name if that is another. */
export declare function recordWorker(record: ExternalObject<RecordHandle>, worker: number, pid: number, host?: string | undefined | null): void

/** A question of a worker, or its end. */
export interface RelayedQuestion {
  /** The number of its process here, as long as that lives. */
  owner: number
  worker?: number
  pid?: number
  /** JSON; none: the process is gone. */
  text?: string
  /** The bytes behind it. */
  value?: Buffer
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

/** Why no worker runs the events of the run's lane, or will: throws that. */
export declare function runCheck(run: ExternalObject<RunHandle>): void

/** Nobody asks for the run any more: its queues go with it. */
export declare function runClose(run: ExternalObject<RunHandle>): void

/** Writes down nothing more: others may open the file. Throws if what was written may not be on the disk. */
export declare function runCloseCheckpoint(run: ExternalObject<RunHandle>): void

/** How many entries a queue has. */
export declare function runCount(run: ExternalObject<RunHandle>, queue: number): number

/** The number of the first event that there is no credit for. `next` waits for that now; none if it is negative. */
export declare function runCredit(run: ExternalObject<RunHandle>, next: number): number

/** The workers that run an event of the run: each with the event's number, and the milliseconds for which it has run. */
export declare function runDoing(run: ExternalObject<RunHandle>): Array<Array<number>>

/** True if every event is answered; otherwise a note says when. */
export declare function runDrained(run: ExternalObject<RunHandle>): boolean

/**
 * Hands an event to every worker with these tags, to start when that runs nothing; see `runSubmit`. With a `title` it is kept:
 * each worker that comes later runs it before it claims anything. The ids of the workers, in the order of the events' numbers.
 * Throws if no worker has the tags.
 */
export declare function runEach(run: ExternalObject<RunHandle>, tags: Array<string>, text: string | Uint8Array, flags: number, title?: string | undefined | null): Array<number>

/** Some of the listed events after the first `from`, as a JSON array; null if there are none. */
export declare function runEnded(run: ExternalObject<RunHandle>, from: number): string | null

/** Whether a stream's reader has so many entries, or so many bytes of them, still to take. */
export declare function runIsFull(run: ExternalObject<RunHandle>, entries: number, bytes: number): boolean

/**
 * Whether its lane is for events with the tags that the settings tell. All others have to go through `runRoute`. If not, it is
 * for events without tags.
 */
export declare function runIsTagged(run: ExternalObject<RunHandle>): boolean

/** What the program calls the next event that it hands over. */
export declare function runLabel(run: ExternalObject<RunHandle>, label: string): void

/**
 * Listens for credit for the event of this number, for which JavaScript is to be called already, for as long as the event
 * loop can wait: 0 if that does not pay, 1 if there is credit, 2 if the event loop is to turn first.
 */
export declare function runListen(run: ExternalObject<RunHandle>, number: number): number

/** From now on the program hands events to workers itself, and answers go to the observed queue. */
export declare function runManual(run: ExternalObject<RunHandle>): ManualState

/** The run's number, by which notes name it. */
export declare function runNumber(run: ExternalObject<RunHandle>): number

/** Whether answers go to the observed queue as they come. */
export declare function runObserve(run: ExternalObject<RunHandle>, observing: boolean): void

/** Begins a run. */
export declare function runOpen(pool: ExternalObject<PoolHandle>, options: RunSettings): ExternalObject<RunHandle>

/**
 * The function that puts events in: `(value, flags)`. `value` is the data if it is a number, or with the flag for it a
 * string; else the text of its JSON, or bytes where the format is binary. `flags` are those of the ring. It returns the
 * sum of 1 if that was done, 2 if there is credit for the event, 4 if the event loop is to turn first. Without the 1
 * nothing is done: the event has to go through `runSubmit`, or a number that is not whole has to be given as its JSON, as
 * does a string that is not ASCII.
 */
export declare function runPutter(run: ExternalObject<RunHandle>): (value: number | string | Uint8Array, flags: number) => number

/** Has JavaScript called when there is an entry for a stream's reader, or not any more. */
export declare function runRead(run: ExternalObject<RunHandle>, reads: boolean): void

/** How long events of the run waited and ran in the last minute, as the JSON of an object; null if no dashboard shows it. */
export declare function runRecent(run: ExternalObject<RunHandle>): string | null

/**
 * What those came to: an item, in the format of the flags, with `hole` among them if it is undefined; or with `failed` the JSON
 * of an error.
 */
export declare function runReduced(run: ExternalObject<RunHandle>, number: number, flags: number, value: string | Uint8Array): void

/** The whole record of the run as the JSON of an object. Its first properties are those of `head`, the JSON of an object. */
export declare function runReport(run: ExternalObject<RunHandle>, head: string): string

/**
 * Ends the next event by what the run's checkpoint says of it: see `runSubmit`. Returns what the putting function would; 0 if
 * nothing is written of the event, and 8 if nor of any behind it. Throws if what is written is an answer to other data.
 */
export declare function runResume(run: ExternalObject<RunHandle>, text: string | Uint8Array, flags: number): number

/**
 * Hands over an event for workers with all of these tags, before all others of a lower priority, and where it has a key behind
 * all others of that: see `runSubmit`.
 * Returns -1 if there is room for it, and -2 if there is and `poolFlush` is to be called soon; otherwise its number, which a note
 * names when there is. Throws if no worker will ever run it.
 */
export declare function runRoute(run: ExternalObject<RunHandle>, tags: Array<string>, key: string | undefined | null, priority: number, text: string | Uint8Array, flags: number): number

/** What a program wants of one run. */
export interface RunSettings {
  /** Bytes of events that wait or run, beyond which there is credit for one event a worker. */
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
  /** Whole milliseconds after which the program is told of an event that still runs. */
  hintAfter?: number
  /**
   * What is kept of the run for people to look at: by default what costs nothing; `times` also how long events waited
   * and ran, `events` also each of them, `trace` also what each waited for and held.
   */
  record?: 'times' | 'events' | 'trace'
  /** Milliseconds of the epoch when the run begins. */
  epoch: number
  /** What workers of a pool that stays are told of the run. */
  about?: string
  /**
   * Whether each event has an entry, which has the event's number in the place of the worker's id, and where it failed
   * that id in the place of the data. JavaScript is called for each.
   */
  isNumbered?: boolean
  /** Whether its events are none in the pool's statistics. */
  isUncounted?: boolean
  /** Whether a dashboard shows it. */
  isWatched?: boolean
  /** The tags that all its events name which name no others, if their tags are all that says where they may run. */
  tags?: Array<string>
  /** The tags of each chain of functions that its events go through one after the other, if there are several. */
  chains?: Array<Array<string>>
  /** The plan of the flow that its events go through, if they go through one: JSON. */
  flow?: string
  /** How large its share of the workers is, beside other runs: by default 1. */
  weight?: number
}

/** The statistics of the run so far, as the JSON of an object: `RunStatistics` in index.d.ts. */
export declare function runStatistics(run: ExternalObject<RunHandle>): string

/** Starts nothing of the run any more, and kills what is left when its grace is over. */
export declare function runStop(run: ExternalObject<RunHandle>): void

/**
 * Hands over an event that JavaScript has not put in itself: `text` is its JSON, or what the format in `flags`, those of
 * the ring, says. False, with nothing done, if it is said to be a string as it is and has to be JSON.
 */
export declare function runSubmit(run: ExternalObject<RunHandle>, text: string | Uint8Array, flags: number): boolean

/** Hands an event to one worker, to start at once; see `runSubmit`. False if the pool has no such worker. */
export declare function runSubmitTo(run: ExternalObject<RunHandle>, worker: number, text: string | Uint8Array, flags: number): boolean

/**
 * The oldest piece of a queue (0 results, 1 failures, 2 observed), null if the queue is empty. `lib/master/decode.js`
 * decodes it.
 */
export declare function runTake(run: ExternalObject<RunHandle>, queue: number): string | Int32Array | any[] | null

/** The items that the note with this number is about; null if the run is over. */
export declare function runToReduce(run: ExternalObject<RunHandle>, number: number): ToReduce | null

/** The event loop has turned. */
export declare function runTurned(run: ExternalObject<RunHandle>): void

/**
 * Waits for credit for the event of this number, for a moment. True if there is some; otherwise JavaScript is called when
 * there is.
 */
export declare function runWait(run: ExternalObject<RunHandle>, number: number): boolean

/** Has the run's answers written down. The file is the run's from now on. */
export declare function runWriteDown(run: ExternalObject<RunHandle>, file: ExternalObject<CheckpointHandle>): void

/** The path of a pool's folder in `dir`. Nothing is created. */
export declare function spillBase(dir: string, number: number): string

/** Nothing more is read of it: gives back its files and memory, which would wait for the garbage collector. */
export declare function spillClose(merge: ExternalObject<Merge>): void

/**
 * Merges extents of `dir` (JSON: `[[file, offset, length], …]`) into one of this partition, at the end of `file`. Returns what was
 * written, as `spillWrite` does.
 */
export declare function spillMerge(file: ExternalObject<SpillFile>, dir: string, extents: string, partition: number): string

/**
 * The next keys with their values, of about so many bytes: to a key's end, but for one with more than four times as many.
 * Null at the end.
 */
export declare function spillNext(merge: ExternalObject<Merge>, bytes: number): Chunk | null

/**
 * Writes into `numbers` which number each key has: the next one if it is new. Keys are strings, one in a line, or an array in JSON.
 * False, with nothing done, if there are other line breaks than these, or anything but ASCII: then they have to be JSON.
 */
export declare function spillNumber(known: ExternalObject<SpillNumbers>, keys: string, isJson: boolean, numbers: Uint32Array): boolean

/** All keys that have a number, in that order, as an array in JSON. */
export declare function spillNumbered(known: ExternalObject<SpillNumbers>): string

/** No keys. */
export declare function spillNumbers(): ExternalObject<SpillNumbers>

/** The file of this name in `dir`, to be written at its end. The first write creates both. */
export declare function spillOpen(dir: string, file: string): ExternalObject<SpillFile>

/** Where this worker writes what is too large for memory. */
export interface SpillPlace {
  /** The folder of the pool, which is there once something was written. */
  folder: string
  /** Into how many parts keys are divided. */
  partitions: number
}

/** Where `spillRead` goes on behind what has been read. Null at the end, and in the middle of a key. */
export declare function spillPosition(merge: ExternalObject<Merge>): string | null

/** Reads extents of `dir` as one, from the start or from a position on. */
export declare function spillRead(dir: string, extents: string, from?: string | null): ExternalObject<Merge>

/**
 * The next values, of about so many bytes, in the order of their keys. Each is a record that begins with the character
 * `prefix`. Null at the end.
 */
export declare function spillRecords(merge: ExternalObject<Merge>, prefix: number, bytes: number): SpillRecords | null

/** Values as an event's answer carries them. */
export interface SpillRecords {
  bytes: Buffer
  /** Lines of text; else each record has its length before it. */
  isText: boolean
}

/** Removes a pool's folder, or one in it, with all that is in it. It may not be there. */
export declare function spillRemove(path: string): void

/** Removes what processes that are gone left in `dir`. Errors are ignored. */
export declare function spillSweep(dir: string): void

/**
 * Writes pairs: an array of scalars in JSON, and one of values that is as long. Returns what was written, as JSON:
 * `{"file": name, "parts": [[partition, offset, length, records], …]}`.
 */
export declare function spillWrite(file: ExternalObject<SpillFile>, partitions: number, side: number, keys: string, values: string): string

/**
 * As `spillWrite`, for values that may be of any format: value i is the bytes from `ends[i - 1]` to `ends[i]`. Formats: 0 JSON, 2 a
 * clone, 3 a buffer; plus 4: there is no value.
 */
export declare function spillWriteBytes(file: ExternalObject<SpillFile>, partitions: number, side: number, keys: string, values: Uint8Array, ends: Uint32Array, formats: Uint8Array): string

/** As `spillWrite`, for keys that have numbers: the values are in that order. */
export declare function spillWriteNumbered(file: ExternalObject<SpillFile>, partitions: number, side: number, keys: ExternalObject<SpillNumbers>, values: string): string

/** A worker process that was started. */
export interface StartedWorker {
  worker: number
  pid: number
  /** The worker's descriptor, this process's end of the pipe, … */
  pipes: Array<number>
}

/** Asks for a client. */
export declare function syncAskAs(owner: number, text: string, value?: Uint8Array | null): void

/** How `lockTry` is told of an event, which an answer names by this index and these flags. */
export declare function syncEvent(index: number, flags: number): number

/** Whether an answer is awaited: then it keeps the event loop alive. */
export declare function syncHold(hold: boolean): void

/**
 * Opens this thread's way to the hub, in the master. `call` is called when there is something to take; it does not keep the event
 * loop alive until `syncHold(true)`.
 */
export declare function syncOpen(call: (arg: number) => void): void

/** A number for a client, for whom this process asks: a worker of another machine has its number and that of its process. */
export declare function syncOwner(worker?: number | undefined | null, pid?: number | undefined | null): number

/** A client is gone: what it held is free. */
export declare function syncOwnerGone(owner: number): void

/** The locks of this process's workers are kept by another process. What is called by `syncOpen` is called for their questions, too. */
export declare function syncRelay(): void

/** Takes what workers have asked, in order. */
export declare function syncRelayed(): Array<RelayedQuestion>

/** Asks the hub, or tells it something: JSON, and the bytes of a value. */
export declare function syncSend(text: string, value?: Uint8Array | null): void

/** How locks were used: the JSON of an array. */
export declare function syncStatistics(): string

/** Takes what the hub has told, in order. */
export declare function syncTake(): Array<Told>

/** What the process that keeps the locks tells a worker; nothing, if that is gone. */
export declare function syncTell(owner: number, text: string, value?: Uint8Array | null): void

/** What the hub has told, on its way to JavaScript. */
export interface Told {
  /** Which client it is for; 0: this process itself. */
  owner: number
  /** JSON. */
  text: string
  /** The bytes behind it. */
  value?: Buffer
}

/** All items that a flow's node is to reduce. */
export interface ToReduce {
  /** `parts` if they are one after the other, each with its length and format. */
  flags: number
  /** The JSON of an array, or a Buffer. */
  items: any
}

/** Writes what happened in a run since the last call. */
export declare function traceAppend(trace: ExternalObject<TraceHandle>, run: ExternalObject<RunHandle>): void

/** Creates or empties the file of a trace. `program` is the name to show. */
export declare function traceCreate(path: string, program: string): ExternalObject<TraceHandle>

/**
 * How many processors this process may use: no more than its affinity and the quotas of its control groups (v1 and v2,
 * rounded down) allow, and at least one.
 */
export declare function usableProcessors(): number

/** The wire's numbers. */
export declare function wire(): Wire

/** Names for the numbers that JavaScript and the core say to each other; see `ring` and `results`. */
export interface Wire {
  variable: string
  task: number
  message: number
  run: number
  abort: number
  sync: number
  alone: number
  hole: number
  direct: number
  lane: number
  /** The bits above these are the number of a chain. */
  chainAt: number
  mostChains: number
  outputs: number
  parts: number
  failure: number
  firstExit: number
  mostExits: number
  turn: number
  failed: number
  response: number
  dataHole: number
  whole: number
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
  entryDataParts: number
  entryDataFailure: number
  entryResponseFailure: number
  entryPlaceAt: number
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

/** How many events this worker runs at once. */
export declare function workerConcurrency(worker: ExternalObject<WorkerHandle>): number

/** The same of counts: the JSON of an object of numbers by their names. */
export declare function workerCount(worker: ExternalObject<WorkerHandle>, counts: string): void

/**
 * Tells the master of what the answer adds that is written next: a further event of the run, with the flags of its data.
 * False, with nothing done, if that is said to be a string as it is and has to be JSON.
 */
export declare function workerEmit(worker: ExternalObject<WorkerHandle>, flags: number, data: string | Uint8Array): boolean

/** Tells the master that the program is about to end this process by a call of its own: which, and where. */
export declare function workerExiting(worker: ExternalObject<WorkerHandle>, words: string): void

/** Says that so many events more are known here to be over. */
export declare function workerHeardAbort(worker: ExternalObject<WorkerHandle>): void

/** Whether the worker keeps the event loop alive. */
export declare function workerHold(worker: ExternalObject<WorkerHandle>, hold: boolean): void

/** Whether there are answers that the master was not notified of. */
export declare function workerIsUnnotified(worker: ExternalObject<WorkerHandle>): boolean

/**
 * Joins the master that `invitation` (the variable's value) names; null if it is for another
 * process, whose child this one is. `call` is told 1 when something has arrived and 2 when the
 * master lets the worker go; it does not keep the event loop alive until `workerHold(worker, true)`.
 */
export declare function workerJoin(invitation: string, call: (arg: number) => void): ExternalObject<WorkerHandle> | null

/** Has the master notify of what it sends to this worker alone; false if there is something. */
export declare function workerListen(worker: ExternalObject<WorkerHandle>): boolean

/** Sends a message of the user's to the master, in order with the answers. It is in the format that the flags say. */
export declare function workerMessage(worker: ExternalObject<WorkerHandle>, flags: number, message: string | Uint8Array): void

/** Has the master know it if this process dies of too small a heap. */
export declare function workerNoteHeapLimit(worker: ExternalObject<WorkerHandle>): void

/** Notifies the master if there are answers that it was not notified of. */
export declare function workerNotify(worker: ExternalObject<WorkerHandle>): void

/** Tells the master that the program reached a call that this worker does not serve: which, and why not. */
export declare function workerPassed(worker: ExternalObject<WorkerHandle>, call: string): void

/** Tells the master that the program reached its call with arguments that cannot serve. */
export declare function workerRefuse(worker: ExternalObject<WorkerHandle>, name: string, code: string, message: string): void

/** Tells the master that the program reached its call. */
export declare function workerRegister(worker: ExternalObject<WorkerHandle>): void

/**
 * Runs events until there is a reason to stop: 0 nothing to do, 1 timers and sockets are to have their
 * turn, 2 no other event is to be claimed before one has ended, 3 something has come for this worker alone, 4 an event
 * was claimed whose text comes for this worker alone. `serve` is called with each event's data (a number, a string, the
 * text of its JSON, a `Buffer` of what is binary, or undefined where there is none), its flags, its index and its run; it
 * returns a number that is the response, true if it has answered, undefined if the event is pending and others may run
 * meanwhile, or false if none may. `isTurn`: timers and sockets have just had their turn. So many events are `running`.
 */
export declare function workerRun(worker: ExternalObject<WorkerHandle>, serve: (value: any, flags: number, index: number, run: number) => number | boolean | undefined, isTurn: boolean, running: number): number

/** How values are encoded in this run. */
export declare function workerSerialization(worker: ExternalObject<WorkerHandle>): 'json' | 'advanced'

/** See `SpillPlace`; null if nothing is to be written. */
export declare function workerSpill(worker: ExternalObject<WorkerHandle>): SpillPlace | null

/**
 * Makes an event that came for this worker alone its own for good. False if the master took it back. `counts`: whether it is one
 * of those after which the worker is replaced.
 */
export declare function workerStart(worker: ExternalObject<WorkerHandle>, index: number, counts: boolean): boolean

/** When the event started that was last claimed in a lane. */
export declare function workerStarted(worker: ExternalObject<WorkerHandle>): number

/** Leaves the events of a run to other workers, or claims them again. */
export declare function workerSuspend(worker: ExternalObject<WorkerHandle>, run: number, isSuspended: boolean): void

/** Everything that has arrived for this worker alone. */
export declare function workerTake(worker: ExternalObject<WorkerHandle>): Array<Arrived>

/** Tells the master what is about to end this process. */
export declare function workerUncaught(worker: ExternalObject<WorkerHandle>, words: string): void

/** Notes the last bytes of what the program writes to its error stream, for the master to find. */
export declare function workerWrote(worker: ExternalObject<WorkerHandle>, bytes: Uint8Array): void
