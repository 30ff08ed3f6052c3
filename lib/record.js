"use strict";
// What a run leaves for people to look at: statistics, a trace, a report, what subscribers of
// `diagnostics_channel` hear. The core keeps it; here it is asked for, and brought to where it belongs. Only a master has any of it:
// workers re-run the program with the same options, and have no runs.

const { writeFileSync } = require("fs");
const { basename, extname, resolve } = require("path");
const { isAsked } = require("./ancestor");
const { areTasksWanted, publish } = require("./diagnostics");
const { coded } = require("./errors");
const { native } = require("./native");
const { variable } = require("./own");
const { isAllowed } = require("./permission");
const { JSON, Map, clearInterval, now, setInterval } = require("./primordials");
const { Progress } = require("./progress");
const { pageOf } = require("./report");
const { describe } = require("./thrown");

/** Milliseconds between two looks at what has ended, for those who want to hear of each event. */
const LOOK = 100;

/** @typedef {InstanceType<typeof import("./run").Run>} Run */
/** @typedef {import("../index").RunStatistics} RunStatistics */
/** @typedef {ReturnType<typeof native>} Native */

/** @type {RunStatistics | undefined} */
let last;

/** The statistics of the last run that has ended in this process. */
const lastRun = () => last;

/** How many runs have been written to the file that each variable of the environment names.
 * @type {Map<string, number>} */
const written = new Map();

/**
 * Where a run's file goes that an option or the environment asks for. The environment names one for all runs of
 * the program: the second one's has `-2` before its ending, and so on; and for all that the program starts: those
 * have their pid there.
 * @param {string | undefined} option
 * @param {string} name of the variable
 * @returns {{ path: string, by: string } | undefined}
 */
function fileOf(option, name) {
  if (option !== undefined) return { path: option, by: "options" };
  const path = variable(name);
  if (path === undefined || path === "") return undefined;
  const count = (written.get(name) || 0) + 1;
  written.set(name, count);
  const ending = extname(path);
  const stem = path.slice(0, path.length - ending.length);
  const whose = isAsked() ? `-${process.pid}` : "";
  const which = count === 1 ? "" : `-${count}`;
  return { path: `${stem}${whose}${which}${ending}`, by: name };
}

/** The name of the program, as a file shows it. */
const programName = () => basename(process.argv[1] || "node");

let isLogShown = false;

/** Has the core's log shown that `SONIC_LOG` asks for. */
function showLog() {
  const filter = variable("SONIC_LOG");
  if (isLogShown || filter === undefined || filter === "") return;
  isLogShown = true;
  const wrong = native().logShow(filter);
  if (wrong !== null) {
    console.error(`@tiemma/sonic-distribute: SONIC_LOG=${filter} is no filter: ${wrong}`);
  }
}

/** The record of one run. */
class Recording {
  /**
   * Before anything is started: throws if a file cannot be written.
   * @param {import("./options").Options} options
   */
  constructor(options) {
    showLog();
    this.epoch = now();
    this.progress = new Progress(options);
    this.onStats = options.onStats;
    this.hasSubscriber = areTasksWanted();
    this.trace = traceOf(options.trace);
    this.report = reportOf(options.report);
    /** How many events their subscribers have heard of. */
    this.told = 0;
    const listsEvents = this.trace !== null || this.report !== null || this.hasSubscriber;
    const hasTimes = options.statistics === true || options.onStats !== undefined;
    /** How much the core is to keep.
     * @type {"events" | "times" | undefined} */
    this.level = listsEvents ? "events" : hasTimes ? "times" : undefined;
  }

  /** @param {Run} run whose pool is there */
  begin(run) {
    publish("runStart", () => ({ run: run.number, workers: run.ids, startedAt: this.epoch }));
    this.progress.begin(run);
    if (this.hasSubscriber) {
      this.look = setInterval(() => this.tellTasks(run), LOOK);
      this.look.unref();
    }
    if (this.trace === null && this.report === null) return;
    // Should the program end before its run does.
    this.atExit = () => {
      this.write(run);
      this.draw(this.recorded(run));
    };
    process.on("exit", this.atExit);
  }

  /**
   * The workers are let go: what came of the run is known.
   * @param {Run} run
   * @param {{ error: unknown } | null} failure
   */
  end(run, failure) {
    // One look for both, or the page and `lastRun` may differ by what has happened in between.
    const recorded = this.recorded(run);
    /** @type {RunStatistics} */
    const statistics = recorded?.statistics || JSON.parse(native().poolStatistics(run.pool));
    last = statistics;
    this.progress.end(run, statistics, failure === null);
    this.write(run);
    this.draw(recorded);
    this.tellTasks(run);
    if (failure) publish("runError", () => ({ run: run.number, error: failure.error, statistics }));
    else publish("runEnd", () => ({ run: run.number, statistics }));
    if (this.onStats === undefined) return;
    try {
      this.onStats(statistics);
    } catch (error) {
      run.fail(error);
    }
  }

  /**
   * The last worker has ended.
   * @param {Run} run
   */
  close(run) {
    this.write(run);
    this.tellTasks(run);
    this.trace = null;
    if (this.look) clearInterval(this.look);
    if (this.atExit) process.removeListener("exit", this.atExit);
  }

  /**
   * Writes what is new. A disk that is full costs the file, and nothing else.
   * @param {Run} run
   */
  write(run) {
    if (this.trace === null) return;
    const { file, path } = this.trace;
    try {
      native().traceAppend(file, run.pool);
    } catch (error) {
      this.trace = null;
      console.error(
        `@tiemma/sonic-distribute: the trace ${path} is not whole: ${messageOf(error)}`,
      );
    }
  }

  /**
   * All that is kept of the run, if there is to be a report. One that cannot be had costs nothing else.
   * @param {Run} run
   * @returns {any}
   */
  recorded(run) {
    if (this.report === null) return null;
    try {
      return this.readRecord(run);
    } catch (error) {
      // It may be longer than a string can be.
      this.giveUp(error);
      return null;
    }
  }

  /** @param {unknown} error why there is no report */
  giveUp(error) {
    console.error(
      `@tiemma/sonic-distribute: there is no report ${this.report}: ${messageOf(error)}`,
    );
    this.report = null;
  }

  /** @param {Run} run */
  readRecord(run) {
    const head = {
      package: require("../package.json").version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      program: programName(),
      pid: process.pid,
    };
    return JSON.parse(native().poolReport(run.pool, JSON.stringify(head)));
  }

  /**
   * Writes the report, once.
   * @param {any} recorded null if there is to be none
   */
  draw(recorded) {
    if (recorded === null || this.report === null) return;
    try {
      writeFileSync(this.report, pageOf(recorded));
      this.report = null;
    } catch (error) {
      this.giveUp(error);
    }
  }

  /** @param {Run} run */
  tellTasks(run) {
    if (!this.hasSubscriber) return;
    for (;;) {
      const ended = native().poolEnded(run.pool, this.told);
      if (ended === null) return;
      const tasks = JSON.parse(ended);
      this.told += tasks.length;
      for (const task of tasks) {
        const isDone = task.outcome === "answered" || task.outcome === "nothing";
        publish(isDone ? "taskEnd" : "taskFailed", () => ({ run: run.number, ...task }));
      }
    }
  }
}

/**
 * @param {string | undefined} option
 * @returns {{ file: ReturnType<Native["traceCreate"]>, path: string } | null}
 */
function traceOf(option) {
  const wanted = fileOf(option, "SONIC_TRACE");
  if (wanted === undefined) return null;
  const { path } = wanted;
  try {
    // The core writes it, of which Node knows nothing.
    if (!isAllowed("fs.write", resolve(path))) throw new Error("--allow-fs-write does not name it");
    return { file: native().traceCreate(path, programName()), path };
  } catch (error) {
    throw unwritable("trace", wanted, error);
  }
}

/**
 * @param {string | undefined} option
 * @returns {string | null}
 */
function reportOf(option) {
  const wanted = fileOf(option, "SONIC_REPORT");
  if (wanted === undefined) return null;
  try {
    writeFileSync(wanted.path, "");
  } catch (error) {
    throw unwritable("report", wanted, error);
  }
  return wanted.path;
}

/**
 * @param {string} option
 * @param {{ path: string, by: string }} file
 * @param {unknown} error
 */
function unwritable(option, { path, by }, error) {
  const what = by === "options" ? `options.${option}` : by;
  const message = `${what}: ${path} cannot be written: ${messageOf(error)}`;
  return coded(Error, "ERR_SONIC_OUTPUT", message);
}

/** @param {unknown} error */
const messageOf = (error) => describe(error instanceof Error ? error.message : error);

module.exports = { Recording, fileOf, lastRun };
