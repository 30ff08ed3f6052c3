"use strict";
// What a worker process is started with: the program and everything about it, from this process as
// it is now and from what the program set with `cluster.setupPrimary`. Also the programs and runners
// that cannot be re-run, each with its way out.

const { dirname } = require("path");
const cluster = require("./cluster");
const { coded, invalidType } = require("./errors");
const { tell } = require("./native");
const { variable } = require("./own");

/** @typedef {import("cluster").ClusterSettings} ClusterSettings */

/** Milliseconds that a worker may take at least from its start to the call. */
const SHORTEST_DEADLINE = 60e3;

/** A worker may take this many times as long as this process took, which did the same. */
const DEADLINE_FACTOR = 10;

/** Milliseconds without a sign of life from a worker's I/O thread: nothing but a stop lasts so long. */
const HEARTBEAT_TIMEOUT = 60e3;

/** Milliseconds after which the log has a line of an event that still runs: longer than most, and soon enough
 * for somebody who looks why nothing happens. */
const HINT_AFTER = 60e3;

/** The core counts milliseconds in 32 bits, and in half of those it takes differences. */
const LONGEST_HINT = 2 ** 31 - 1;

/** The largest number that a descriptor can have. */
const MAX_DESCRIPTOR = 2 ** 31 - 1;

const INHERIT = -1;
const IGNORE = -2;
const PIPE = -3;

/**
 * Options of Node that start something else than the program, and how many values follow each.
 * @type {Map<string, number>}
 */
const NOT_FOR_WORKERS = new globalThis.Map([
  ["-e", 1],
  ["--eval", 1],
  ["-p", 1],
  ["--print", 1],
  ["-pe", 1],
  ["-i", 0],
  ["--interactive", 0],
  ["-c", 0],
  ["--check", 0],
  ["--test", 0],
  ["--watch", 0],
  ["--watch-path", 1],
  ["--watch-preserve-output", 0],
]);

/**
 * The options of Node itself that workers get too.
 * @param {string[]} args
 */
function nodeOptions(args) {
  const kept = [];
  for (let at = 0; at < args.length; at++) {
    const [name, value] = args[at].split("=", 2);
    const values = NOT_FOR_WORKERS.get(name);
    if (values === undefined) {
      if (!name.startsWith("--test-")) kept.push(args[at]);
    } else if (value === undefined) {
      at += values;
    }
  }
  return kept;
}

/** How far the inspector's port is from this process's, as `cluster.fork` counts. */
let portOffset = 1;

/**
 * A worker's inspector port, where this process is inspected: the next one, or what the program set.
 * @param {string[]} execArgv
 * @param {ClusterSettings} settings
 * @returns {string[]}
 */
function inspectorPort(execArgv, settings) {
  const inspect = /--inspect(?:-brk|-port)?|--debug-port/;
  if (!execArgv.some((arg) => inspect.test(arg)) && !inspect.test(variable("NODE_OPTIONS") || "")) {
    return [];
  }
  if ("inspectPort" in settings) {
    const { inspectPort } = settings;
    const port = typeof inspectPort === "function" ? inspectPort() : inspectPort;
    return port === null || port === undefined ? [] : [`--inspect-port=${port}`];
  }
  const port = process.debugPort === 0 ? 0 : process.debugPort + portOffset++;
  return [`--inspect-port=${port > 65535 ? 1024 + (port - 65536) : port}`];
}

/** What the core takes for a descriptor: not what it would cut to another's number. @param {any} fd */
const isDescriptor = (fd) => Number.isInteger(fd) && fd >= 0 && fd <= MAX_DESCRIPTOR;

/**
 * One place of `stdio`, as the native core takes it.
 * @param {any} stream
 * @returns {number}
 */
function stdioPlace(stream) {
  if (stream === "inherit" || stream === undefined || stream === null) return INHERIT;
  if (stream === "ignore") return IGNORE;
  if (stream === "pipe" || stream === "overlapped") return PIPE;
  // A stream that is closed has -1.
  const fd = [stream, stream.fd, stream._handle?.fd].find(isDescriptor);
  if (fd !== undefined) return fd;
  throw invalidType("cluster.setupPrimary: a place of stdio is none that a worker can be given");
}

/**
 * @param {ClusterSettings} settings
 * @returns {number[]}
 */
function stdioPlaces(settings) {
  const { stdio, silent } = settings;
  // The channel has a descriptor of its own, behind these: its place stays, so that the others do.
  if (Array.isArray(stdio)) return stdio.map((at) => (at === "ipc" ? IGNORE : stdioPlace(at)));
  return Array(3).fill(stdio === undefined && silent ? PIPE : stdioPlace(stdio));
}

/** The environment of a worker: this process's, less what is meant for this process alone. */
function environment() {
  const env = { ...process.env };
  // A worker of a test file under `node --test` must not report its tests as the file's.
  delete env.NODE_TEST_CONTEXT;
  shareCompileCache(env);
  const pairs = [];
  for (const name of Object.keys(env)) pairs.push(name, String(env[name]));
  return pairs;
}

/**
 * Workers use the program's compile cache, also where it called `module.enableCompileCache`, which
 * children do not inherit as they do `NODE_COMPILE_CACHE`.
 * @param {NodeJS.ProcessEnv} env
 */
function shareCompileCache(env) {
  if (env.NODE_COMPILE_CACHE !== undefined) return;
  /** @type {any} Since Node 22.8 there is `getCompileCacheDir`. */
  const { getCompileCacheDir } = require("module");
  const folder = getCompileCacheDir ? getCompileCacheDir() : undefined;
  // The cache of this version of Node, within the one that was asked for.
  if (folder !== undefined) env.NODE_COMPILE_CACHE = dirname(folder);
}

/** The time a worker may take to reach the call, in milliseconds. */
function startDeadline() {
  const set = Number(variable("SONIC_DISTRIBUTE_START_TIMEOUT"));
  if (set > 0) return set;
  return Math.max(SHORTEST_DEADLINE, process.uptime() * 1000 * DEADLINE_FACTOR);
}

/**
 * What `workers.length` workers are started with.
 * @param {number[]} workers their ids
 * @param {number} call which call of the program they serve
 * @param {import("./options").Options} options
 * @param {InstanceType<typeof import("./record").Recording>} recording
 */
function launchOptions(workers, call, options, recording) {
  /** @type {ClusterSettings} */
  const settings = Object.assign(Object.create(null), cluster.settings);
  const program = settings.exec === undefined ? scriptOf() : settings.exec;
  const args = settings.args === undefined ? process.argv.slice(2) : settings.args;
  // setupPrimary fills in this process's own options where the program names none.
  const { execArgv: set } = settings;
  const own = set === undefined || set === process.execArgv;
  const execArgv = own ? nodeOptions(process.execArgv) : set;
  const stdio = stdioPlaces(settings);
  const isSame = own && program === process.argv[1] && settings.cwd === undefined;
  const preload = isSame && runsUnderTsNode() ? require("./compiled").preload() : undefined;
  const nodeArgs = [...(preload ? preload.nodeArgs : []), ...execArgv.map(String)];
  return {
    program: process.execPath,
    args: [program, ...args].map(String),
    nodeArgs: workers.map(() => [...nodeArgs, ...inspectorPort(execArgv, settings)]),
    env: [...environment(), ...tell(), ...(preload ? preload.env : [])],
    preload,
    cwd: settings.cwd === undefined ? undefined : String(settings.cwd),
    stdio,
    uid: settings.uid,
    gid: settings.gid,
    windowsHide: Boolean(settings.windowsHide),
    workers,
    run: call,
    call,
    serialization: options.serialization || serializationOf(settings),
    maxEventsPerWorker: options.maxEventsPerWorker,
    maxBytesWaiting: options.maxBytesWaiting,
    retries: options.retries?.limit ? options.retries : undefined,
    stream: options.order,
    // A stream's reader finds the failure among the results.
    stopOnFailure: options.onError === "abort" && options.order === undefined,
    stopGrace: options.abortGrace,
    taskTimeout: wholeMilliseconds(options.taskTimeout),
    maxTasksPerWorker: options.maxTasksPerWorker,
    maxWorkerMemory: options.maxWorkerMemory,
    shutdownGrace: wholeMilliseconds(options.shutdownGrace),
    heartbeatTimeout: heartbeatTimeout(options.heartbeatTimeout),
    deadline: startDeadline(),
    hintAfter: hintAfter(),
    record: recording.level,
    showsWorkers: recording.progress.showsWorkers,
    sharesTerminal: recording.progress.isTerminal,
    epoch: recording.epoch,
  };
}

/**
 * A time for the native core, which has none for one without end.
 * @param {number | undefined} time
 */
const wholeMilliseconds = (time) =>
  time === undefined || time === Infinity ? undefined : Math.ceil(time);

/**
 * How long a worker may give no sign of life, if there is a limit.
 * @param {number | undefined} time
 */
const heartbeatTimeout = (time = HEARTBEAT_TIMEOUT) =>
  time === 0 ? undefined : wholeMilliseconds(time);

/** Milliseconds after which the program's log has a line of an event that still runs; undefined: never. */
function hintAfter() {
  const set = variable("SONIC_HINT_AFTER");
  const time = set === undefined || set.trim() === "" ? HINT_AFTER : Number(set);
  return time >= 1 ? Math.min(Math.ceil(time), LONGEST_HINT) : undefined;
}

// @ts-expect-error: where ts-node leaves its service
const runsUnderTsNode = () => process[Symbol.for("ts-node.register.instance")] !== undefined;

/** @param {any} settings */
const serializationOf = (settings) => (settings.serialization === "advanced" ? "advanced" : "json");

/** The script that workers re-run. */
function scriptOf() {
  const runner = testRunner();
  if (runner !== undefined) {
    throw coded(
      Error,
      "ERR_SONIC_RUNNER",
      `MapReduce workers re-run the program, and under ${runner} there is none to re-run: ${runner} ` +
        "runs test code inside a process of its own. Put the call into a program and name it before " +
        'the call: require("cluster").setupPrimary({ exec: "./the-program.js" })',
    );
  }
  const script = process.argv[1];
  // @ts-expect-error: set by Node under -e and -p, and by nothing else
  const evaluated = process._eval;
  if (script === undefined || script === "-" || evaluated !== undefined) {
    throw coded(
      Error,
      "ERR_SONIC_NO_SCRIPT",
      "MapReduce workers re-run the program's script, and there is none (node -e, -p, the REPL or a " +
        'script on stdin). Put the program into a file, or name one before the call: require("cluster")' +
        '.setupPrimary({ exec: "./the-program.js" })',
    );
  }
  return script;
}

/** The test runner that runs this code in a copy of its own process, if one does. */
function testRunner() {
  // Jest gives every module a `jest`; vitest marks the global object of what it runs.
  // @ts-expect-error
  // biome-ignore lint/correctness/noUndeclaredVariables: typeof asks whether it is declared
  if (typeof jest !== "undefined") return "jest";
  // @ts-expect-error
  if (typeof globalThis.__vitest_worker__ !== "undefined") return "vitest";
  return undefined;
}

module.exports = { launchOptions };
