"use strict";
/**
 * Starts one fixture program as its user would (`node fixture.js`), collects what it prints and reports, and sees to it
 * that it ends in time and that no process of it stays alive. It judges nothing else: promises are the specs' part.
 */
const { execFileSync, spawn } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { carrying } = require("./processes");

const SCREEN = path.join(__dirname, "screen.py");
const FIXTURES = path.join(__dirname, "..", "fixtures");
const NODE = process.env.SONIC_TEST_NODE || process.execPath;
const NODE_MAJOR = Number(
  execFileSync(NODE, ["-p", "process.versions.node"], { encoding: "utf8" }).split(".")[0],
);

/** A program that needs longer hangs: the slowest fixture takes some three seconds, and twenty times that on a busy machine. */
const DEADLINE = 90_000;
/** What outlives by more than this a program that was killed or called `process.exit()` does not end by itself. */
const GRACE = 10_000;
const POLL = 5;

/** Not the program's business: what `node --test` and the caller's shell told the spec's own process. */
const HIDDEN = [
  "NODE_TEST_CONTEXT",
  "NODE_OPTIONS",
  "NODE_UNIQUE_ID",
  "NODE_CHANNEL_FD",
  "QUIET",
  "SONIC_TEST_NODE",
  "SONIC_PROGRESS",
  "SONIC_HINT_AFTER",
];

/**
 * @typedef {object} Options
 * @property {string[]} [args] the program's arguments
 * @property {string[]} [nodeArgs] node's own arguments
 * @property {Record<string, string | undefined>} [env] added to the environment; `undefined` takes a variable out
 * @property {number} [deadline] milliseconds until the program must have ended
 * @property {string} [endMark] a file made in its directory once it has ended itself: a barrier for what it leaves behind
 * @property {string | null} [stdin] text on its standard input; null: a pipe that stays open; default: none
 * @property {string} [output] a file that its standard output and error go to, instead of here
 * @property {string} [ulimit] what the shell is to limit, `-n 100` for example
 * @property {{ rows: number, columns: number }} [terminal] it runs in one of this size, and what it writes there is its output
 * @property {boolean} [detached] in a process group of its own, as a shell starts a job
 * @property {(dir: string) => void} [prepare] puts files where the program will run
 */

/** Runs a fixture to its end. @param {string | null} fixture @param {Options} [options] */
async function run(fixture, options) {
  return start(fixture, options).ended;
}

/** Starts a fixture in a directory of its own, which is its cwd. @param {string | null} fixture @param {Options} [options] */
function start(fixture, options = {}) {
  return new Program(fixture, options);
}

class Program {
  constructor(fixture, options) {
    this.name = fixture || "node";
    this.options = options;
    this.tag = `SONIC_TEST_TAG=${randomBytes(12).toString("hex")}`;
    this.root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sonic-spec-")));
    this.dir = path.join(this.root, "cwd");
    this.tmp = path.join(this.root, "tmp");
    fs.mkdirSync(this.dir);
    fs.mkdirSync(this.tmp);
    if (options.prepare) options.prepare(this.dir);
    this.stdout = "";
    this.stderr = "";
    this.child = this.spawn(fixture, options);
    this.pid = this.child.pid;
    this.ended = this.end();
    this.ended.catch(() => {}); // a spec that awaits something else first still meets it at `await ended`
  }

  spawn(
    fixture,
    { args = [], nodeArgs = [], env = {}, stdin, output, ulimit, terminal, detached = false },
  ) {
    const environment = { ...process.env, QUIET: "1", TMPDIR: this.tmp };
    for (const name of HIDDEN) if (name !== "QUIET") delete environment[name];
    Object.assign(environment, env);
    environment[this.tag.split("=")[0]] = this.tag.split("=")[1];
    const file = output === undefined ? undefined : fs.openSync(output, "w");
    const command = [
      NODE,
      ...nodeArgs,
      ...(fixture ? [path.join(FIXTURES, fixture)] : []),
      ...args,
    ];
    if (ulimit !== undefined) command.unshift("sh", "-c", `ulimit ${ulimit}; exec "$@"`, "sh");
    if (terminal !== undefined)
      command.unshift("python3", SCREEN, String(terminal.rows), String(terminal.columns));
    const child = spawn(command[0], command.slice(1), {
      cwd: this.dir,
      env: environment,
      stdio: [
        stdin === undefined ? "ignore" : "pipe",
        ...Array(2).fill(file === undefined ? "pipe" : file),
      ],
      detached,
    });
    if (file !== undefined) fs.closeSync(file);
    else {
      child.stdout.setEncoding("utf8").on("data", (text) => (this.stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text) => (this.stderr += text));
    }
    if (typeof stdin === "string") child.stdin.end(stdin);
    if (child.stdin) child.stdin.on("error", () => {}); // the program may end without reading
    return child;
  }

  async end() {
    const { deadline = DEADLINE, endMark } = this.options;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.killAll();
    }, deadline);
    try {
      const [code, signal] = await once(this.child, "exit");
      const alive = this.alive();
      if (endMark) this.mark(endMark);
      if (late)
        throw new Error(`${this.name} did not end within ${deadline} ms\n${this.transcript()}`);
      const left = await this.gone(GRACE);
      if (left.length > 0)
        throw new Error(`${this.name} left behind ${left.join("; ")}\n${this.transcript()}`);
      await this.closed();
      return new Outcome(this, { code, signal, alive });
    } finally {
      clearTimeout(timer);
      this.killAll();
      fs.rmSync(this.root, { recursive: true, force: true });
    }
  }

  /** Waits for the end of its output, which its processes, all gone, no longer hold open. */
  async closed() {
    const streams = [this.child.stdout, this.child.stderr].filter(
      (stream) => stream && !stream.readableEnded && !stream.destroyed,
    );
    await Promise.all(streams.map((stream) => once(stream, "end")));
  }

  /** Waits until the program has printed `text`. */
  async prints(text) {
    await this.until(() => this.stdout.includes(text), `printed ${JSON.stringify(text)}`);
  }

  /** Waits until the program has made the file `name` in its directory. */
  async makes(name) {
    await this.until(() => fs.existsSync(path.join(this.dir, name)), `made ${name}`);
  }

  /** What is in a file of its directory; nothing if it is not there. */
  read(name) {
    const file = path.join(this.dir, name);
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  }

  /** Makes the file `name` in the program's directory: a barrier that its processes wait at. */
  mark(name) {
    fs.writeFileSync(path.join(this.dir, name), "");
  }

  async until(condition, what, deadline = DEADLINE) {
    const end = Date.now() + deadline;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`${this.name} has not ${what}\n${this.transcript()}`);
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }

  /** Waits for all its processes to be gone; resolves to those that are not. */
  async gone(deadline) {
    const end = Date.now() + deadline;
    let left = this.living();
    while (left.length > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, POLL));
      left = this.living();
    }
    return left.map(({ pid, line }) => `${pid} (${line})`);
  }

  living() {
    return carrying(this.tag);
  }

  /** The pids of its processes, itself included; the dead that nobody has waited for do not count. */
  alive() {
    return this.living().map(({ pid }) => pid);
  }

  killAll() {
    for (const pid of this.alive()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {} // it has just ended
    }
  }

  transcript() {
    return `--- stdout\n${this.stdout.slice(-4000)}\n--- stderr\n${this.stderr.slice(-4000)}\n---`;
  }
}

/** What a program that has ended left to look at. */
class Outcome {
  constructor(program, { code, signal, alive }) {
    this.code = code;
    this.signal = signal;
    /** The pids of its processes that were alive when it ended. */
    this.alive = alive;
    this.stdout = program.stdout;
    this.stderr = program.stderr;
    this.lines = program.stdout.split("\n").filter(Boolean);
    this.files = Object.fromEntries(
      fs
        .readdirSync(program.dir)
        .filter((name) => fs.statSync(path.join(program.dir, name)).isFile())
        .map((name) => [name, fs.readFileSync(path.join(program.dir, name), "utf8")]),
    );
    this.tmp = fs.readdirSync(program.tmp);
    this.transcript = program.transcript();
  }

  /** What the program reported; it must have done so exactly once and have ended well. */
  get result() {
    const reports = this.lines.filter((line) => line.startsWith("RESULT "));
    if (reports.length !== 1 || this.code !== 0) {
      throw new Error(
        `expected one report and exit code 0, got ${reports.length} and ${this.signal || this.code}\n${this.transcript}`,
      );
    }
    return JSON.parse(reports[0].slice("RESULT ".length));
  }

  /** The lines of a file the program's processes appended to. */
  log(name) {
    return (this.files[name] || "").split("\n").filter(Boolean);
  }
}

module.exports = { run, start, FIXTURES, NODE, NODE_MAJOR, SCREEN };
