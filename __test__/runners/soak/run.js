"use strict";
/**
 * The soak: a program that runs MapReduce, flows and pools again and again, whose workers and clients are killed and stopped at
 * random moments, and a checker that reads what everybody has written down. Prints what it has seen, and for a failure how to
 * see it again.
 *
 *   node __test__/runners/soak/run.js [--minutes N] [--seed S] [--from ROUND]
 */
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");
const { parseArgs } = require("node:util");

const { check, checkFlatness } = require("./check");
const { childrenOf } = require("./children");
const { eventOf, groupsOf, killsOf } = require("./loads");
const { checkPool } = require("./pool-check");
const { checkFlow } = require("./flow-check");
const { flowOf } = require("./flow-loads");
const { poolOf } = require("./pool-loads");

/** A round takes a few seconds, and is left in peace after these: a slow machine must get somewhere too. */
const KILLING = 30_000;

/** One that takes so long hangs. */
const ROUND_DEADLINE = 150_000;

/** A worker that ends three times in a row without having run an event ends its run, rightly: two of a round may. */
const UNPROVEN_KILLS = 2;

/** What failed events are counted as. */
const FAILURES = { ERR_SONIC_WORKER_EXIT: "crashed", ERR_SONIC_TASK_TIMEOUT: "late" };

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

class Soak {
  constructor({ seed, from, minutes }) {
    this.seed = seed;
    this.minutes = minutes;
    this.round = from;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-soak-"));
    this.end = Date.now() + minutes * 60_000;
    /** What has gone wrong, and the round in which it first did.
     * @type {string[]} */
    this.problems = [];
    this.wrongRound = from;
    this.samples = [];
    /** The processes that were killed. */
    this.killed = new Set();
    this.counts = {
      runs: 0,
      flows: 0,
      pools: 0,
      jobs: 0,
      clients: 0,
      events: 0,
      answered: 0,
      thrown: 0,
      crashed: 0,
      late: 0,
      aborted: 0,
      kills: 0,
      stops: 0,
    };
    this.child = spawn(
      process.execPath,
      ["--expose-gc", path.join(__dirname, "program.js"), seed, `${from}`, this.folder],
      {
        env: { ...process.env, QUIET: "1", NODE_OPTIONS: "" },
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    this.exit = new Promise((resolve) =>
      this.child.once("exit", (code, signal) => resolve(signal || code)),
    );
    readline.createInterface({ input: this.child.stdout }).on("line", (line) => this.hear(line));
  }

  wrong(...problems) {
    if (this.problems.length === 0) this.wrongRound = this.round;
    this.problems.push(...problems);
  }

  async run() {
    const killing = this.killOn();
    const how = await this.exit;
    this.isOver = true;
    clearTimeout(this.timer);
    await killing;
    if (how !== 0) this.wrong(`the master ended with ${how}`);
    const { wrong, windows } = checkFlatness(this.samples);
    this.wrong(...wrong);
    this.windows = windows;
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  hear(line) {
    const [what, name] = line.split(" ");
    if (what === "RUN") this.checkRun(name);
    else if (what === "FLOW") this.checkFlow(name);
    else if (what === "POOL") this.checkPool(name);
    else if (what === "QUIET") this.endRound();
    else this.wrong(`the master said ${line}`);
  }

  checkRun(name) {
    const folder = path.join(this.folder, name);
    const run = groupsOf(this.seed, this.round)
      .flat()
      .find((other) => other.name === name);
    const { outcome, logs } = read(folder);
    const wrong = check(run, (n) => eventOf(this.seed, run, n).does, logs, outcome);
    this.wrong(...wrong.map((words) => `run ${name}: ${words}`));
    this.counts.runs++;
    this.counts.events += run.count;
    this.counts.answered += outcome.answered?.length ?? 0;
    for (const { error } of outcome.failed ?? []) this.counts[FAILURES[error.code] ?? "thrown"]++;
  }

  checkFlow(name) {
    const { outcome, logs } = read(path.join(this.folder, name));
    const flow = flowOf(this.seed, this.round);
    const wrong = checkFlow(this.seed, flow, logs, outcome);
    this.wrong(...wrong.map((words) => `flow ${name}: ${words}`));
    const { results = [], failed = [] } = outcome;
    this.counts.flows++;
    this.counts.events += results.length + failed.length;
    this.counts.answered += results.length;
    for (const { error } of failed) this.counts[FAILURES[error.code] ?? "thrown"]++;
  }

  checkPool(name) {
    const { outcome, logs } = read(path.join(this.folder, name));
    const pool = poolOf(this.seed, this.round);
    const wrong = checkPool(this.seed, pool, logs, outcome, this.killed);
    this.wrong(...wrong.map((words) => `pool ${name}: ${words}`));
    const lives = outcome.lives ?? [];
    const jobs = [...(outcome.jobs ?? []), ...lives.flatMap((life) => life.jobs ?? [])];
    const ends = jobs.flatMap((job) => job.ends ?? []);
    this.counts.pools++;
    this.counts.clients += lives.length;
    this.counts.jobs += pool.jobs.length;
    this.counts.events += ends.length;
    this.counts.answered += ends.filter(({ error }) => error === undefined).length;
    for (const { error } of ends.filter((end) => end.error !== undefined))
      this.counts[error.name === undefined ? "aborted" : (FAILURES[error.code] ?? "thrown")]++;
  }

  /** All that has a folder in this round. */
  names() {
    const runs = groupsOf(this.seed, this.round).flat();
    const others = [flowOf(this.seed, this.round), poolOf(this.seed, this.round)];
    return [...runs, ...others].map(({ name }) => name);
  }

  /** Nothing runs: what the master holds now, it holds for good. */
  endRound() {
    const of = (name) => fs.readdirSync(`/proc/${this.child.pid}/${name}`).length;
    const rss =
      Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${this.child.pid}/status`, "utf8"))[1]) *
      1024;
    this.samples.push({
      at: Date.now(),
      rss,
      fds: of("fd"),
      threads: of("task"),
      processes: this.workers().length,
    });
    for (const name of this.names()) {
      fs.rmSync(path.join(this.folder, name), { recursive: true });
    }
    this.round++;
    this.watch();
    const isOver = Date.now() > this.end || this.problems.length > 0;
    this.child.stdin.write(isOver ? "stop\n" : "go\n");
  }

  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.wrong(
        `round ${this.round} did not end within ${ROUND_DEADLINE / 1000} s: ${this.describe()}`,
      );
      for (const pid of [...this.workers(), this.child.pid]) kill(pid, "SIGKILL");
    }, ROUND_DEADLINE);
  }

  /** What has not ended, for whoever looks into it. */
  describe() {
    const runs = this.names().map((name) => {
      const folder = path.join(this.folder, name);
      return `run ${name}: ${fs.existsSync(folder) ? fs.readdirSync(folder).join(" ") : "not begun"}`;
    });
    return [...runs, ...this.workers().map((pid) => `worker ${pid}: ${stateOf(pid)}`)].join("\n  ");
  }

  workers() {
    return childrenOf(this.child.pid);
  }

  async killOn() {
    this.watch();
    while (!this.isOver) {
      const { round } = this;
      const end = Date.now() + KILLING;
      let unproven = 0;
      for (const { pause, signal, stop, kills, pick } of killsOf(this.seed, round)) {
        await sleep(pause);
        if (this.isOver || this.round !== round) break;
        const workers = this.workers();
        const pid = workers[Math.floor(pick * workers.length)];
        if (pid === undefined || Date.now() > end) continue;
        const isDeadly = signal !== "SIGSTOP" || kills;
        if (isDeadly && !this.isProven(pid) && ++unproven > UNPROVEN_KILLS) continue;
        if (isDeadly) this.killed.add(pid);
        await this.strike(pid, { signal, stop, kills });
      }
    }
  }

  isProven(pid) {
    return this.names().some((name) => fs.existsSync(path.join(this.folder, name, `${pid}.log`)));
  }

  async strike(pid, { signal, stop, kills }) {
    kill(pid, signal);
    this.counts[signal === "SIGSTOP" ? "stops" : "kills"]++;
    if (signal !== "SIGSTOP") return;
    await sleep(stop);
    kill(pid, kills ? "SIGKILL" : "SIGCONT");
  }
}

/** What a run or a pool has come to, and what its workers have written down. */
function read(folder) {
  const logs = {};
  for (const file of fs.readdirSync(folder).filter((file) => file.endsWith(".log"))) {
    logs[path.parse(file).name] = fs.readFileSync(path.join(folder, file), "utf8");
  }
  const outcome = JSON.parse(fs.readFileSync(path.join(folder, "outcome.json"), "utf8"));
  return { outcome, logs };
}

function stateOf(pid) {
  try {
    return /State:\s+(.*)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1];
  } catch {
    return "gone";
  }
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {} // it has just ended
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: `${Date.now() % 1_000_000}` },
      from: { type: "string", default: "0" },
    },
  });
  const [minutes, from] = [Number(values.minutes), Number(values.from)];
  console.log(`soak of ${minutes} min, seed ${values.seed}`);
  const soak = new Soak({ minutes, seed: values.seed, from });
  await soak.run();
  const { counts, windows, problems, round, wrongRound } = soak;
  console.log(
    `${round - from} rounds: ${Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", ")}`,
  );
  for (const [name, [before, after]] of Object.entries(windows))
    console.log(`${name}: ${before} in the first minute, ${after} in the last`);
  for (const problem of problems.slice(0, 20)) console.log(`WRONG ${problem}`);
  if (problems.length > 0)
    console.log(`To see it again: npm run test:soak -- --seed ${values.seed} --from ${wrongRound}`);
  process.exitCode = problems.length > 0 || counts.runs === 0 ? 1 : 0;
}

main();
