"use strict";
// What a run leaves for people: statistics, a trace, a report, messages on `diagnostics_channel`. The core keeps the
// record; this file reads it and writes the files. Only a master does: workers re-run the program with the same
// options, and have no runs.

const { writeFileSync } = require("fs");
const { basename, extname, resolve } = require("path");
const { isAsked } = require("./ancestor");
const { hasDashboard } = require("./dashboard");
const { areTasksWanted, publish } = require("./diagnostics");
const { coded } = require("../shared/errors");
const { native } = require("../shared/native");
const { variable } = require("../shared/own");
const { isAllowed } = require("../shared/permission");
const { JSON, Map, clearInterval, now, setInterval } = require("../shared/primordials");
const { Listener } = require("./listener");
const { lockStatistics } = require("./lock-statistics");
const { statisticsOf } = require("./nodes");
const { Progress } = require("./progress");
const { describe } = require("../shared/describe");

/** How often subscribers hear of events that ended, in milliseconds. */
const INTERVAL = 100;

/** How often a report looks at the memory of the workers, in milliseconds. */
const MEMORY_INTERVAL = 500;

/** A run, or what stands in for it: `native` has the functions that show what is kept of it. @typedef {any} Run */
/** @typedef {import("../../index").RunStatistics} RunStatistics */
/** @typedef {ReturnType<typeof native>} Native */

/** @type {RunStatistics | undefined} */
let last;

/** The statistics of the last run of this process that ended. */
const lastRun = () => last;

/** How many runs each variable of the environment has named a file for.
 * @type {Map<string, number>} */
const written = new Map();

/**
 * The file for a run that an option or the environment asks for. The environment names one file for all runs: the second
 * run's has `-2` before its extension, and so on; a child program's has its pid there.
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

/** The name of the program, as the files show it. */
const programName = () => basename(process.argv[1] || "node");

/** The record of one run. */
class Recording {
  /**
   * Called before any process starts: throws if a file cannot be written.
   * @param {import("../shared/options").Options} options
   */
  constructor(options) {
    this.epoch = now();
    this.progress = new Progress(options);
    this.listener = new Listener(options);
    this.onStats = options.onStats;
    this.label = options.label;
    this.hasSubscriber = areTasksWanted();
    this.trace = traceOf(options.trace);
    this.report = reportOf(options.report);
    /** The most memory that was seen of each process, by its worker and its pid. @type {Map<string, number>} */
    this.memory = new Map();
    /** Loaded now, because programs may replace the file system before it is needed. */
    this.pageOf = this.report === null ? undefined : require("./report").pageOf;
    /** How many events subscribers have heard of. */
    this.told = 0;
    const listsEvents = this.report !== null || this.hasSubscriber;
    /** Whether a dashboard shows it. */
    this.isWatched = hasDashboard(options);
    const hasTimes = options.statistics === true || options.onStats !== undefined || this.isWatched;
    /** How much the core records. @type {"trace" | "events" | "times" | undefined} */
    this.level =
      this.trace !== null ? "trace" : listsEvents ? "events" : hasTimes ? "times" : undefined;
  }

  /** @param {Run} run that begins */
  begin(run) {
    publish("runStart", () => ({ run: run.number, workers: run.pool.ids, startedAt: this.epoch }));
    this.progress.show(run);
    this.listener.begin(run);
    if (this.hasSubscriber) {
      this.timer = setInterval(() => this.tellTasks(run), INTERVAL);
      this.timer.unref();
    }
    if (this.trace === null && this.report === null) return;
    if (this.report !== null) {
      this.memoryTimer = setInterval(() => this.lookAtMemory(run), MEMORY_INTERVAL);
      this.memoryTimer.unref();
    }
    // The program may exit before its run ends.
    this.atExit = () => {
      this.write(run);
      this.draw(this.recorded(run));
    };
    process.on("exit", this.atExit);
  }

  /**
   * The workers are released, and the outcome of the run is known.
   * @param {Run} run
   * @param {{ error: unknown } | null} failure
   */
  end(run, failure) {
    // Read once, so that the page and `lastRun` agree.
    const recorded = this.recorded(run);
    /** @type {RunStatistics} */
    const statistics = recorded?.statistics || run.statistics();
    last = statistics;
    this.progress.hide(failure === null ? "" : ": stopped");
    this.listener.end(run, statistics);
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

  /** The last worker exited. @param {Run} run */
  close(run) {
    this.write(run);
    this.tellTasks(run);
    this.trace = null;
    if (this.timer) clearInterval(this.timer);
    if (this.memoryTimer) clearInterval(this.memoryTimer);
    if (this.atExit) process.removeListener("exit", this.atExit);
  }

  /** Writes what is new to the trace. A full disk costs the trace, and nothing else. @param {Run} run */
  write(run) {
    if (this.trace === null) return;
    const { file, path } = this.trace;
    try {
      run.native.traceAppend(file, run.handle);
    } catch (error) {
      this.trace = null;
      console.error(
        `@tiemma/sonic-distribute: the trace ${path} is incomplete: ${messageOf(error)}`,
      );
    }
  }

  /** Notes how much memory each process has, as the report shows the most. @param {Run} run */
  lookAtMemory(run) {
    for (const { id, pid, memory } of run.native.poolWorkers(run.pool.handle)) {
      const worker = `${id} ${pid}`;
      this.memory.set(worker, Math.max(memory, this.memory.get(worker) || 0));
    }
  }

  /**
   * The whole record, if a report is wanted. A failure costs the report, and nothing else.
   * @param {Run} run
   * @returns {any}
   */
  recorded(run) {
    if (this.report === null) return null;
    try {
      return this.readRecord(run);
    } catch (error) {
      // The JSON may exceed the longest string.
      this.giveUp(error);
      return null;
    }
  }

  /** @param {unknown} error why there is no report */
  giveUp(error) {
    console.error(
      `@tiemma/sonic-distribute: cannot write the report ${this.report}: ${messageOf(error)}`,
    );
    this.report = null;
  }

  /** @param {Run} run */
  readRecord(run) {
    const head = {
      package: require("../../package.json").version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      program: programName(),
      pid: process.pid,
    };
    const record = JSON.parse(run.native.runReport(run.handle, JSON.stringify(head)));
    const { statistics, graph } = statisticsOf(record.statistics, run.flow?.plan);
    this.lookAtMemory(run);
    for (const worker of record.workers)
      worker.memory = this.memory.get(`${worker.id} ${worker.pid}`);
    return { ...record, statistics: { ...statistics, ...lockStatistics() }, graph };
  }

  /** Writes the report, once. @param {any} recorded null if there is none */
  draw(recorded) {
    if (recorded === null || this.report === null || this.pageOf === undefined) return;
    try {
      writeFileSync(this.report, this.pageOf(recorded));
      this.report = null;
    } catch (error) {
      this.giveUp(error);
    }
  }

  /** @param {Run} run */
  tellTasks(run) {
    if (!this.hasSubscriber) return;
    for (;;) {
      const ended = run.native.runEnded(run.handle, this.told);
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
    // The core writes it: Node's permission model does not see that.
    if (!isAllowed("fs.write", resolve(path))) throw new Error("--allow-fs-write does not name it");
    return { file: native().traceCreate(path, programName()), path };
  } catch (error) {
    throw unwritable("trace", wanted, error);
  }
}

/** @param {string | undefined} option @returns {string | null} */
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

/** @param {string} option @param {{ path: string, by: string }} file @param {unknown} error */
function unwritable(option, { path, by }, error) {
  const what = by === "options" ? `options.${option}` : by;
  const message = `${what}: ${path} cannot be written: ${messageOf(error)}`;
  return coded(Error, "ERR_SONIC_OUTPUT", message);
}

/** @param {unknown} error */
const messageOf = (error) => describe(error instanceof Error ? error.message : error);

module.exports = { Recording, fileOf, lastRun };
