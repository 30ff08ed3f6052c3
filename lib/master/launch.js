"use strict";
// What the core is told to start a pool and a run: program, options of Node, environment and streams, taken from this process and
// from what the program set with `cluster.setupPrimary`. Starts nothing itself.

const { dirname, resolve } = require("path");
const { spillFolderOf, sweepFor } = require("./spill");
const cluster = require("../shared/cluster");
const compiled = require("../shared/compiled");
const { checkFlowOptions, toldPlan } = require("./flow");
const { launchGroups } = require("./groups");
const { retriesOf, wholeMilliseconds } = require("./limits");
const { shared, tellCopy } = require("../shared/copies");
const { coded, invalidType } = require("../shared/errors");
const { checkHost, isThread } = require("../shared/host");
const { tell } = require("../shared/native");
const { ownOf, variable } = require("../shared/own");
const { checkChildren, restrictions } = require("../shared/permission");
const { JSON, Set, now } = require("../shared/primordials");

/** @typedef {import("cluster").ClusterSettings} ClusterSettings */

/** The shortest limit (ms) for a worker's way from its start to the call. */
const SHORTEST_DEADLINE = 60e3;

/** A worker may take this many times as long as this process took for the same. */
const DEADLINE_FACTOR = 10;

/** Milliseconds without a heartbeat from a worker's I/O thread: only a stopped process is silent for so long. */
const HEARTBEAT_TIMEOUT = 60e3;

/** Milliseconds after which the log mentions an event that still runs: longer than most, and soon enough for somebody who
 * wonders why nothing happens. */
const HINT_AFTER = 60e3;

/** The core subtracts milliseconds in 31 bits. */
const LONGEST_HINT = 2 ** 31 - 1;

/** The largest file descriptor. */
const MAX_DESCRIPTOR = 2 ** 31 - 1;

const INHERIT = -1;
const IGNORE = -2;
const PIPE = -3;

/**
 * Variables of Node's test runner and `--watch` for one process alone: a worker must not report its tests as the file's, nor
 * its modules to the watcher.
 */
const NOT_IN_WORKERS = ["NODE_TEST_CONTEXT", "NODE_BENCH_CONTEXT", "WATCH_REPORT_DEPENDENCIES"];

/** The runners' own options, some followed by a value. */
const OF_RUNNERS = /^--(test|bench|watch)(-|$)/;

/** Other options of Node that do not start the program, followed by a value. */
const WITH_VALUE = new Set([
  ...["-e", "--eval", "-p", "--print", "-pe", "--run"],
  ...["--build-snapshot-config", "--build-sea", "--experimental-sea-config"],
]);

/** The same without a value. */
const WITHOUT_VALUE = new Set(["-i", "--interactive", "-c", "--check", "--build-snapshot"]);

/** The options of Node itself that workers get too. @param {string[]} args */
function nodeOptions(args) {
  const kept = [];
  for (let at = 0; at < args.length; at++) {
    const [spelt, value] = args[at].split("=", 2);
    // Node takes either.
    const name = spelt.startsWith("--") ? spelt.replace(/_/g, "-") : spelt;
    if (OF_RUNNERS.test(name)) {
      // A word that is not an option is the value of the one before it.
      if (value === undefined && at + 1 < args.length && !args[at + 1].startsWith("-")) at++;
    } else if (WITH_VALUE.has(name)) {
      if (value === undefined) at++;
    } else if (!WITHOUT_VALUE.has(name)) {
      kept.push(args[at]);
    }
  }
  return kept;
}

/**
 * A worker's inspector port, where this process is inspected: what the program set, or the next one, as node's cluster has it. Where
 * this process was to take any free port (0), its workers do too: the next one may be another program's.
 * @param {string[]} execArgv
 * @param {ClusterSettings} settings
 * @returns {string[]}
 */
function inspectorPort(execArgv, settings) {
  const flags = [variable("NODE_OPTIONS"), ...execArgv].join(" ");
  if (!/--inspect|--debug-port/.test(flags)) return [];
  if ("inspectPort" in settings) {
    const { inspectPort } = settings;
    const port = typeof inspectPort === "function" ? inspectPort() : inspectPort;
    return port === null || port === undefined ? [] : [`--inspect-port=${port}`];
  }
  const takesAny = /--(?:inspect\S*|debug-port)[= ](?:\S*:)?0(?:\s|$)/.test(flags);
  const port = takesAny ? 0 : process.debugPort + ++shared().inspectorPorts;
  return [`--inspect-port=${port > 65535 ? 1024 + (port - 65536) : port}`];
}

/** A number that the core would not cut to another descriptor's. @param {any} fd */
const isDescriptor = (fd) => Number.isInteger(fd) && fd >= 0 && fd <= MAX_DESCRIPTOR;

/** One entry of `stdio`, as the native core takes it. @param {any} stream @returns {number} */
function stdioPlace(stream) {
  if (stream === "inherit" || stream === undefined || stream === null) return INHERIT;
  if (stream === "ignore") return IGNORE;
  if (stream === "pipe" || stream === "overlapped") return PIPE;
  // A stream that is closed has -1.
  const fd = [stream, stream.fd, stream._handle?.fd].find(isDescriptor);
  if (fd !== undefined) return fd;
  throw invalidType("cluster.setupPrimary: stdio has an entry that a worker cannot inherit");
}

/** @param {ClusterSettings} settings @returns {number[]} */
function stdioPlaces(settings) {
  const { stdio, silent } = settings;
  // The channel has a descriptor of its own; its entry stays, so that the others keep theirs.
  if (Array.isArray(stdio)) return stdio.map((at) => (at === "ipc" ? IGNORE : stdioPlace(at)));
  return Array(3).fill(stdio === undefined && silent ? PIPE : stdioPlace(stdio));
}

/** A worker's environment: this process's, without what is meant for this process alone. */
function environment() {
  const env = { ...process.env };
  for (const name of NOT_IN_WORKERS) delete env[name];
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

/** What the program has set with `cluster.setupPrimary`. @returns {ClusterSettings} */
const settingsOf = () => Object.assign(Object.create(null), cluster.settings);

/** Whether workers run another program than this process does. */
function runsElsewhere() {
  const { exec } = settingsOf();
  return exec !== undefined && resolve(String(exec)) !== process.argv[1];
}

/** How many runs there have been. */
let runs = 0;

/** The number of a new run, by which diagnostics channels name it. */
const nextRun = () => ++runs;

/**
 * What the core is told of a run.
 * @param {import("../shared/options").Options} options
 * @param {Pick<InstanceType<typeof import("./record").Recording>, "level" | "epoch" | "isWatched"> & { progress: { showsWorkers: boolean } }}
 *   recording
 */
function runSettings(options, { level, progress, epoch, isWatched }) {
  const own = ownOf(options);
  const { flow } = own;
  if (flow) {
    checkFlowOptions(own);
    sweepFor(own);
  }
  // The tags of the call are those of all stages.
  const chains = own.tags === undefined ? own.chains?.map(tagsOf) : undefined;
  return {
    __proto__: null,
    run: ++runs,
    maxBytesWaiting: own.maxBytesWaiting,
    // In a flow each node has its own.
    retries: flow ? undefined : retriesOf(own.retries),
    stream: own.order,
    // A stream's reader finds the failure among the results.
    stopOnFailure: own.onError === "abort" && own.order === undefined,
    stopGrace: own.abortGrace,
    taskTimeout: flow ? undefined : wholeMilliseconds(own.taskTimeout),
    chains,
    flow: flow && toldPlan(flow.plan, options),
    /** What `Map`'s events enter: the first chain, if there are several, or a node of the flow. */
    entry: flow ? flow.plan.entry : chains && 1,
    weight: own.weight,
    checkpoint: own.checkpoint && { ...own.checkpoint, program: own.program },
    hintAfter: hintAfter(),
    record: level,
    isWatched,
    showsWorkers: progress.showsWorkers,
    epoch,
  };
}

/** @param {import("../shared/stage").Chain} chain */
const tagsOf = ({ tags }) => tags;

/**
 * @typedef {Pick<ReturnType<typeof runSettings>, "run" | "hintAfter"> & Partial<ReturnType<typeof runSettings>> & {
 *   stays?: boolean }} PoolSettings
 */

/** Milliseconds that the workers of a pool that stays have to exit. */
const POOL_GRACE = 5000;

/** The same of a pool that stays: any run may want to know when its events start. @returns {PoolSettings} */
const poolSettings = () => ({
  __proto__: null,
  run: ++runs,
  hintAfter: hintAfter(),
  record: "times",
  stays: true,
});

/**
 * The same of a run of such a pool.
 * @param {import("../shared/options").Options} options
 * @param {string} about what workers are told of it
 * @param {boolean} isNumbered
 * @param {Parameters<typeof runSettings>[1]} [recording]
 */
const settingsInPool = (options, about, isNumbered, recording = unrecorded()) =>
  ownOf(runSettings(options, recording), { about, isNumbered });

/** Nobody asks for more of a run than the pool counts. */
const unrecorded = () => ({
  level: undefined,
  progress: { showsWorkers: false },
  epoch: now(),
  isWatched: false,
});

/** @typedef {ReturnType<typeof runSettings> & { about?: string, isNumbered?: boolean }} RunSettings */

/** Few programs have such a pool. @param {string} file its worker file */
const scriptsFor = (file) => require("./worker-file").scriptsOf(file);

/**
 * What a pool's workers are started with.
 * @param {number[]} workers their ids
 * @param {InstanceType<typeof import("./calls").Call>} call which call of the program they serve
 * @param {import("../shared/options").Options} options
 * @param {PoolSettings} run those of its run
 */
function launchOptions(workers, call, options, run) {
  const settings = settingsOf();
  const { file } = call.identity;
  checkHost(settings.exec === undefined && file === undefined);
  checkChildren();
  const program = file || (settings.exec === undefined ? scriptOf() : settings.exec);
  const args = settings.args === undefined ? process.argv.slice(2) : settings.args;
  // setupPrimary fills in this process's own options where the program names none.
  const { execArgv: set } = settings;
  const own = set === undefined || set === process.execArgv;
  const execArgv = own ? nodeOptions(process.execArgv) : set;
  const stdio = stdioPlaces(settings);
  const isSame = own && program === process.argv[1] && settings.cwd === undefined;
  const preload = isSame && runsUnderTsNode() ? compiled.preload() : undefined;
  const given = execArgv.map(String);
  const told = [
    ...tell(),
    // Another program may have this package from elsewhere.
    ...(own && program === process.argv[1] ? tellCopy() : []),
    ...(preload ? preload.env : []),
  ];
  const groups = launchGroups(options, workers.length, told);
  const nodeArgsWith = (/** @type {string[]} */ more) => {
    const all = [...given, ...more];
    const before = [...(preload ? preload.nodeArgs : []), ...restrictions(all)];
    return [...before, ...all, ...inspectorPort([...execArgv, ...more], settings)];
  };
  return {
    program: process.execPath,
    args: [...(file === undefined ? [program] : scriptsFor(file)), ...args].map(String),
    nodeArgs: groups.execArgv.map(nodeArgsWith),
    /** Of one more worker. */
    argsOfNode: () => nodeArgsWith(groups.execArgv[0]),
    env: [...environment(), ...told],
    groups: groups.groups,
    groupOf: groups.groupOf,
    preload,
    cwd: settings.cwd === undefined ? undefined : String(settings.cwd),
    stdio,
    uid: settings.uid,
    gid: settings.gid,
    windowsHide: Boolean(settings.windowsHide),
    workers,
    number: run.run,
    spillFolder: run.flow || run.stays ? spillFolderOf(options, run.run) : undefined,
    call: JSON.stringify(call.wanted(runsElsewhere())),
    title: call.title,
    serialization: run.stays ? poolEncoding(options) : encodingOf(options),
    concurrency: options.concurrency || 1,
    maxEventsPerWorker: options.maxEventsPerWorker,
    abortGrace: options.abortGrace,
    maxTasksPerWorker: options.maxTasksPerWorker,
    maxWorkerMemory: options.maxWorkerMemory,
    shutdownGrace: wholeMilliseconds(
      options.shutdownGrace === undefined && run.stays ? POOL_GRACE : options.shutdownGrace,
    ),
    heartbeatTimeout: heartbeatTimeout(options.heartbeatTimeout),
    deadline: startDeadline(),
    hintAfter: run.hintAfter,
    notesTimes: [run.taskTimeout, run.retries, run.flow, run.record, run.showsWorkers].some(
      Boolean,
    ),
    stays: run.stays,
  };
}

/** @param {import("../shared/options").Options} options */
const encodingOf = ({ serialization = serializationOf(settingsOf()) }) => serialization;

/** In a pool that stays, bytes at the top are never JSON. @param {import("../shared/options").Options} options */
const poolEncoding = (options) => (encodingOf(options) === "json" ? "bytes" : encodingOf(options));

/** How long a worker may give no heartbeat, if there is a limit. @param {number | undefined} time */
const heartbeatTimeout = (time = HEARTBEAT_TIMEOUT) =>
  time === 0 ? undefined : wholeMilliseconds(time);

/** Milliseconds after which the log mentions an event that still runs; undefined: never. */
function hintAfter() {
  const set = variable("SONIC_HINT_AFTER");
  const time = set === undefined || set.trim() === "" ? HINT_AFTER : Number(set);
  return time >= 1 ? Math.min(Math.ceil(time), LONGEST_HINT) : undefined;
}

// Where ts-node leaves its service.
const runsUnderTsNode = () =>
  /** @type {any} */ (process)[Symbol.for("ts-node.register.instance")] !== undefined;

/** @param {any} settings */
const serializationOf = (settings) => (settings.serialization === "advanced" ? "advanced" : "json");

/** The script that workers re-run. */
function scriptOf() {
  const script = process.argv[1];
  // @ts-expect-error: set by Node under -e and -p, and by nothing else
  const evaluated = process._eval;
  const isNone = script === undefined || script === "-" || evaluated !== undefined;
  if (isNone || script === "[worker eval]") {
    const why = isThread()
      ? "a thread that was made of text or of a data: URL"
      : "node -e, -p, the REPL or a script on stdin";
    throw coded(
      Error,
      "ERR_SONIC_NO_SCRIPT",
      `MapReduce workers re-run the program's script, and this program has none (${why}). Put the program into a file, ` +
        'or name one before the call: require("cluster").setupPrimary({ exec: "./the-program.js" })',
    );
  }
  return script;
}

module.exports = {
  launchOptions,
  nextRun,
  poolEncoding,
  poolSettings,
  runSettings,
  runsElsewhere,
  settingsInPool,
};
