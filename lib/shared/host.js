"use strict";
// What this process runs in. Workers re-run the program with Node; under a host where that cannot work, the call rejects at once
// with the host's name and a way out. A new host is a new entry in a table here.

const { readFileSync, realpathSync } = require("fs");
const { coded } = require("./errors");
const { load } = require("./home");
const { native } = require("./native");
const { variable } = require("./own");

const EXEC =
  "Put the call into a program and name it before the call: " +
  'require("cluster").setupPrimary({ exec: "./the-program.js" })';

const FORK =
  'Put the call into a program and start that with require("child_process").fork("./the-program.js")';

/** @typedef {{ name: string, is: () => boolean, way: string }} Foreign */

/** Hosts that cannot start workers, whatever program these would run. @type {Foreign[]} */
const NO_NODE = [
  { name: "Bun", is: () => "bun" in process.versions, way: "Run the program with node" },
  { name: "Deno", is: () => "deno" in process.versions, way: "Run the program with node" },
  {
    name: "Electron",
    is: () => "electron" in process.versions && variable("ELECTRON_RUN_AS_NODE") === undefined,
    way: `${FORK}, which runs it as Node does`,
  },
  {
    name: "a single executable",
    is: () => "pkg" in process || process.argv[1] === process.execPath,
    way: "Put the call into a program and start that with node",
  },
];

/**
 * A host, recognised by the script that its process or thread was started with, or otherwise.
 * @typedef {object} Host
 * @property {string} name
 * @property {RegExp} [script]
 * @property {() => boolean} [is]
 * @property {string} [does] why it cannot be re-run
 * @property {string} [way] an easier way out than a program of its own
 */

const ENDS = "ends its process when its tests have run, and so it does in workers";

/** Hosts that cannot be re-run, but can have workers that run another program. @type {Host[]} */
const NO_RERUN = [
  // Jest gives every module a `jest`; vitest marks the global object of what it runs.
  // @ts-expect-error
  // biome-ignore lint/correctness/noUndeclaredVariables: typeof asks whether it is declared
  { name: "jest", is: () => typeof jest !== "undefined" },
  {
    name: "vitest",
    // biome-ignore lint/style/noRestrictedGlobals: nobody replaces the object itself
    is: () => typeof (/** @type {any} */ (globalThis).__vitest_worker__) !== "undefined",
  },
  {
    name: "node --test without isolation",
    is: () => process.execArgv.includes("--test") && variable("NODE_TEST_CONTEXT") === undefined,
    does: "runs all test files in the process of the runner",
    way: "Leave out --test-isolation=none, or: ",
  },
  {
    name: "tap",
    is: () => process.execArgv.some((arg) => /@tapjs[\\/+]processinfo/.test(arg)),
    does: "reads the output of a test, which workers would write to as well",
  },
  { name: "ava", script: /\/ava\/lib\/worker\// },
  {
    name: "mocha --parallel",
    script: /\/mocha\/lib\/nodejs\/worker\.c?js$/,
    way: "Leave out --parallel, or: ",
  },
  { name: "jasmine", script: /\/jasmine\/bin\/jasmine(?:\.js)?$/, does: ENDS },
  { name: "lab", script: /\/lab\/bin\/lab$/, does: ENDS },
  { name: "Playwright Test", script: /\/playwright\/lib\/(?:worker|common|runner)\// },
  { name: "vite-node", script: /\/vite-node\/(?:dist\/cli|vite-node)\.mjs$/ },
  {
    name: "jiti",
    script: /\/jiti\/(?:lib\/jiti-cli\.mjs|bin\/jiti\.js)$/,
    way: "Run it with node --import jiti/register (or -r jiti/register), or: ",
  },
  {
    name: "jest-worker",
    script: /\/jest-worker\/build\/(?:workers\/)?(?:process|thread)Child\.js$/,
  },
  { name: "tinypool", script: /\/tinypool\/dist\/(?:esm\/|entry\/)?(?:process|worker)\.js$/ },
  { name: "Piscina", script: /\/piscina\/dist\/(?:src\/)?worker\.js$/ },
  { name: "workerpool", script: /\/workerpool\/(?:src|dist)\/worker(?:\.min)?\.js$/ },
];

/** Hosts whose processes are workers of their own cluster. @type {Host[]} */
const OWN_CLUSTER = [{ name: "jasmine --parallel", script: /\/jasmine\/bin\/worker\.js$/ }];

/** Runners whose own exit ends workers too: their files, and what to do. @type {[RegExp, string][]} */
const EXITS = [[/\/mocha\/(?:lib|bin)\//, "leave out mocha's --exit"]];

/** @param {string} message */
const unfit = (message) => coded(Error, "ERR_SONIC_RUNNER", message);

/**
 * Throws where no workers can be started.
 * @param {boolean} isRerun whether they re-run this process's program
 */
function checkHost(isRerun) {
  const foreign = NO_NODE.find(({ is }) => is());
  if (foreign !== undefined) {
    const { name, way } = foreign;
    throw unfit(`MapReduce starts its workers with node, which does not work in ${name}. ${way}`);
  }
  // It would be started again in each of the workers that it starts.
  if (isThread() && isInWorker()) {
    throw unfit(
      "MapReduce was called in a thread of a worker, which re-runs the program: the workers' program has to reach " +
        "the call in its main thread. Start the thread in the master alone, with the call in its own file, or: " +
        EXEC,
    );
  }
  const host = isRerun ? knownBy(NO_RERUN) : undefined;
  if (host === undefined) return;
  const { name, does = "runs its files inside a process or thread of its own", way = "" } = host;
  throw unfit(
    `MapReduce workers re-run the program, and under ${name} there is no program to re-run: ${name} ${does}. ${way}${EXEC}`,
  );
}

/** Hosts that re-run their files in workers, but whose own deadlines, reports and ends go on behind a pool. @type {Host[]} */
const NO_PARKING = [
  {
    name: "mocha",
    script: /\/mocha\/(?:bin|lib)\//,
    does: "a test that waits for a pool in a worker is late there, and fails",
  },
];

/** Throws where no worker can find stages that are functions of the program: a worker file is found everywhere. */
function checkStagesHost() {
  const host = knownBy([...NO_RERUN, ...NO_PARKING]);
  if (host === undefined) return;
  const { name, does = "there is no program to re-run" } = host;
  throw unfit(
    `createPool: with functions as its stages, workers re-run the program, but under ${name} ${does}. Put the stages into a file, ` +
      'which exports them, and pass its path: createPool("./stages.js"). Or run them in this process: the option inProcess: true',
  );
}

let hasWarned = false;

/**
 * Passes by a call in a worker that this package did not start, which can neither make nor serve it. 1.0.3 silently does
 * nothing there; here a warning says why. Throws where a runner would take that for a test that passes.
 */
function passForeign() {
  const host = knownBy(OWN_CLUSTER);
  if (host !== undefined) {
    throw unfit(
      `MapReduce starts workers of its own, and a process of ${host.name}, which is a worker itself, cannot. ${FORK}`,
    );
  }
  if (hasWarned) return;
  hasWarned = true;
  // PM2 tells the programs that it starts who they are.
  const isOfPm2 = variable("pm_id") !== undefined && variable("PM2_HOME") !== undefined;
  const [whose, way] = isOfPm2
    ? ["PM2 in cluster mode", "Run the program in a process of its own (PM2: exec_mode fork)"]
    : [
        "started by cluster.fork(), and not by a call of this package",
        "Make the call in the process that forks, or in a program that child_process.fork() starts",
      ];
  console.error(
    `@tiemma/sonic-distribute: this process is a worker of another cluster (${whose}), so it is not a ` +
      `master and MapReduce does nothing here. ${way}.`,
  );
}

/** Whether this process is a worker: its main thread has joined a master, or will. */
const isInWorker = () =>
  variable("SONIC_DISTRIBUTE_WORKER") !== undefined || native().isWorkerProcess();

/** @param {Host[]} hosts @returns {Host | undefined} */
function knownBy(hosts) {
  const scripts = scriptsHere();
  return hosts.find(
    ({ is, script }) => is?.() || (script && scripts.some((name) => script.test(name))),
  );
}

/** The script that this process or thread was started with, and the one that `process.argv` names. */
function scriptsHere() {
  const names = [process.argv[1]];
  // Some hosts put the program's name there. A CommonJS program has a main module, and is what it says.
  if (load.main === undefined && !isThread()) names.push(startedScript());
  return names
    .filter((name) => name !== undefined)
    .map((name) => realPath(name).replace(/\\/g, "/"));
}

/** The script in this process's command line, where it is cheap to read or likely to differ. */
function startedScript() {
  const at = 1 + process.execArgv.length;
  try {
    if (process.platform === "linux") {
      return readFileSync("/proc/self/cmdline", "utf8").split("\0")[at];
    }
    if (!/\.[cm]?[jt]sx?$/.test(process.argv[1]) || /\.[cm]?js$/.test(process.argv[1]))
      return undefined;
    const { header } = /** @type {any} */ (process.report.getReport());
    return header.commandLine[at];
  } catch (_) {
    return undefined;
  }
}

/** @param {string} name */
function realPath(name) {
  try {
    return realpathSync(name);
  } catch (_) {
    return name;
  }
}

/** Whether this is not the main thread. Does not load `worker_threads`. */
const isThread = () => Reflect.get(process.chdir, "disabled") === true;

/** What to do where a runner's own file ended the process. @param {string} file */
function reasonToExit(file) {
  const known = EXITS.find(([files]) => files.test(file.replace(/\\/g, "/")));
  return known === undefined ? "" : ` (${known[1]})`;
}

/** A hint for an error about workers that did not start, where a thread made the call. */
const hintForThread = () =>
  isThread()
    ? "the call is in a thread, whose file the workers run as a program, with no parentPort and no workerData; "
    : "";

module.exports = { checkHost, checkStagesHost, hintForThread, isThread, passForeign, reasonToExit };
