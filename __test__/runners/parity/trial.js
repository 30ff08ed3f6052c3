"use strict";
// One run of one program, as a process group of its own: starts it, watches its output, ends it when it hangs, and sees to
// it that nothing of it outlives the run. Knows nothing of what the program should do.

const { execFileSync, spawn } = require("child_process");
const fs = require("fs");
const path = require("path");

/** A program that prints nothing for this long is stuck: twice what 1.0.3 takes, at worst, to start its workers here. */
const SILENCE_MS = 12000;
/** Nothing here runs longer, whatever it prints. */
const DEADLINE_MS = 60000;
/** How long what is left of a group may take to end after its master has (released workers drain). */
const LINGER_MS = 3000;

const INHERITED_ENV = ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "SystemRoot"];

/** The living processes of a group. A zombie is dead, only not yet collected by whoever adopted it. */
function livingMembers(pgid) {
  try {
    process.kill(-pgid, 0);
  } catch {
    return [];
  }
  const table = execFileSync("ps", ["-A", "-o", "pgid=,stat=,args="], { encoding: "utf8" });
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([group, stat]) => Number(group) === pgid && !stat.startsWith("Z"))
    .map(([, , ...command]) => command.join(" "));
}

/** The groups under way: whatever ends this process ends them. */
const underWay = new Set();
process.on("exit", () => {
  for (const pgid of underWay) killGroup(pgid);
});

function killGroup(pgid, signal = "SIGKILL") {
  try {
    process.kill(-pgid, signal);
  } catch {
    // All of it is gone already.
  }
}

async function emptied(pgid, within) {
  const end = Date.now() + within;
  while (livingMembers(pgid).length > 0 && Date.now() < end)
    await new Promise((done) => setTimeout(done, 50));
  return livingMembers(pgid);
}

function environment(trial, scratch) {
  const env = { PARITY_SCRATCH: scratch, NO_COLOR: "1", ...trial.env };
  for (const name of INHERITED_ENV)
    if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

/** Calls `stuck` once the program has been silent for too long; every piece of output puts that off. */
function watchSilence(silence, stuck) {
  const deadline = setTimeout(stuck, DEADLINE_MS);
  let timer = setTimeout(stuck, silence);
  return {
    heard() {
      clearTimeout(timer);
      timer = setTimeout(stuck, silence);
    },
    stop() {
      clearTimeout(timer);
      clearTimeout(deadline);
    },
  };
}

/**
 * @param {{ project: string, command: string[], env?: object, stdin?: string, silence?: number,
 *   interrupt?: { when: RegExp, signal: string, whom: "group" | "master" } }} trial
 */
async function run(trial) {
  const scratch = fs.mkdtempSync(path.join(trial.project, "scratch-"));
  const child = spawn(process.execPath, trial.command, {
    cwd: trial.project,
    env: environment(trial, scratch),
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const pgid = child.pid;
  underWay.add(pgid);
  const seen = {
    pid: pgid,
    project: trial.project,
    stdout: "",
    stderr: "",
    hung: false,
    code: null,
    signal: null,
  };
  const silence = watchSilence(trial.silence || SILENCE_MS, () => {
    seen.hung = true;
    killGroup(pgid);
  });
  let interrupted = false;
  const listen = (name) => (chunk) => {
    seen[name] += chunk;
    silence.heard();
    const { interrupt } = trial;
    if (!interrupt || interrupted || !interrupt.when.test(seen.stdout)) return;
    interrupted = true;
    if (interrupt.whom === "group") killGroup(pgid, interrupt.signal);
    else process.kill(pgid, interrupt.signal);
  };
  child.stdout.setEncoding("utf8").on("data", listen("stdout"));
  child.stderr.setEncoding("utf8").on("data", listen("stderr"));
  child.stdin.on("error", () => {}); // a program that does not read it may be gone first
  child.stdin.end(trial.stdin || "");
  const closed = new Promise((done) => child.on("close", done));
  [seen.code, seen.signal] = await new Promise((done) => child.on("exit", (...how) => done(how)));
  seen.survivors = await emptied(pgid, LINGER_MS);
  killGroup(pgid);
  await closed;
  silence.stop();
  const immortal = await emptied(pgid, LINGER_MS);
  underWay.delete(pgid);
  if (immortal.length > 0) throw new Error(`could not be killed: ${immortal.join("; ")}`);
  return seen;
}

module.exports = { run };
