"use strict";
/**
 * Promise: What the README says of Windows. On Windows the programs run on the Node that runs this, or on
 * `SONIC_TEST_NODE`; elsewhere on a Node for Windows under wine, of the line `SONIC_WINDOWS_LINE`. Only what programs
 * print and leave is compared: another system's process list is never read.
 */
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");

const { nodeOfLine } = require("../support/node-lines");
const wine = require("./wine");

const IS_WINDOWS = process.platform === "win32";
const LINE = Number(process.env.SONIC_WINDOWS_LINE || 20);
const PROGRAMS = path.join(__dirname, "programs.js");
const DOCTOR = path.join(__dirname, "..", "..", "bin", "sonic-distribute.js");

/** A program that needs longer hangs. */
const DEADLINE = 120_000;

/** What ends with somebody else does so within this. */
const GRACE = 10_000;

describe("on Windows", { timeout: 30 * 60_000 }, () => {
  let node = process.env.SONIC_TEST_NODE || process.execPath;
  /** @type {NodeJS.ProcessEnv} */
  let environment = { ...process.env, QUIET: "1" };
  delete environment.NODE_TEST_CONTEXT;
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-windows-"));
  let runs = 0;

  before(async () => {
    if (IS_WINDOWS) return;
    wine.prepare();
    node = await nodeOfLine(LINE, "win32");
    environment = { ...environment, ...wine.environment() };
  });

  after(() => fs.rmSync(root, { recursive: true, force: true, maxRetries: 10 }));

  /** Runs a program to its end; what it writes goes to files, because wine's Node knows no pipes of another system. */
  async function run(file, args = [], env = {}) {
    const cwd = path.join(root, String(++runs));
    fs.mkdirSync(cwd);
    const outputs = ["out", "err"].map((name) => fs.openSync(path.join(cwd, name), "w"));
    const command = IS_WINDOWS ? [node, file] : ["wine", node, wine.named(file)];
    const child = spawn(command[0], [...command.slice(1), ...args], {
      cwd,
      env: { ...environment, ...env },
      stdio: ["ignore", ...outputs],
    });
    outputs.forEach(fs.closeSync);
    const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE);
    const [code] = await once(child, "exit");
    clearTimeout(timer);
    const read = (name) => {
      const where = path.join(cwd, name);
      return fs.existsSync(where) ? fs.readFileSync(where, "utf8") : "";
    };
    const files = (name) => fs.readdirSync(cwd).filter((file) => file.startsWith(`${name}.`));
    const lines = (name) =>
      files(name).flatMap((file) => read(file).split(/\r?\n/).filter(Boolean));
    return { code, lines, out: read("out"), err: read("err") };
  }

  /** What a program prints that ends well. */
  async function result(name, args = [], env) {
    const { code, out, err } = await run(PROGRAMS, [name, ...args], env);
    assert.equal(code, 0, `${name}: ${out}${err}`);
    return JSON.parse(out.trim().split("\n").pop());
  }

  /** Which of these processes there are after a while. */
  async function alive(pids) {
    let left = pids;
    for (const end = Date.now() + GRACE; left.length > 0 && Date.now() < end; )
      left = await result("alive", left);
    return left;
  }

  const onlyFailure = ({ failed }) => {
    assert.equal(failed.length, 1, JSON.stringify(failed));
    return failed[0].error;
  };

  it("two workers answer 1,000 events, and 100,000", async () => {
    for (const count of [1000, 100_000]) {
      assert.deepEqual(await result("events", [count]), {
        answered: count,
        sum: count * (count - 1),
        failed: [],
      });
    }
  });

  it("a worker that exits in an event costs that event", async () => {
    const outcome = await result("exits");
    const { code, exitCode, signal } = onlyFailure(outcome);
    assert.deepEqual([outcome.answered, outcome.sum], [9, 41]);
    assert.deepEqual([code, exitCode, signal], ["ERR_SONIC_WORKER_EXIT", 3, null]);
  });

  it("so does one that aborts", async () => {
    const outcome = await result("aborts");
    assert.equal(outcome.answered, 9);
    assert.equal(onlyFailure(outcome).exitCode, 134);
  });

  it("so does one that runs out of memory, and its error says so", async () => {
    const outcome = await result("runs out of memory");
    assert.equal(outcome.answered, 1);
    assert.equal(onlyFailure(outcome).outOfMemory, "heap");
  });

  it("so does one that somebody else ends", async () => {
    const outcome = await result("killed");
    const { exitCode, signal } = onlyFailure(outcome);
    assert.deepEqual([outcome.answered, exitCode, signal], [9, 1, null]);
  });

  it("locks, barriers and counters work, and a lock is free when its holder exits", async () => {
    const outcome = await result("locks");
    assert.equal(onlyFailure(outcome).exitCode, 3);
    const { failed, ...rest } = outcome;
    assert.deepEqual(rest, { answered: 99, sum: 4910, number: 100, counted: 100 });
  });

  it("worker.kill ends a worker by the signals that Node knows here, and its exit names the signal", async () => {
    for (const signal of ["SIGTERM", "SIGKILL", "SIGINT"]) {
      const { said, exits, failed } = await result("signalled", [signal]);
      assert.deepEqual(said, [true, true]);
      assert.deepEqual(exits[0], [1, null, signal]);
      assert.deepEqual(
        failed.map(({ code, signal, exitCode }) => [code, signal, exitCode]),
        [["ERR_SONIC_WORKER_EXIT", signal, null]],
      );
    }
  });

  it("worker.kill does nothing by another", async () => {
    const { said, failed } = await result("signalled", ["SIGHUP"]);
    assert.deepEqual([said, failed], [[true, false], []]);
  });

  it("process.send works both ways", async () => {
    const { said, back } = await result("sends");
    assert.equal(said.length, 2);
    assert.deepEqual(back.sort(), said.map(String).sort());
  });

  it("process.send works both ways before a worker has loaded the package, whatever the length", async () => {
    for (const length of [10, 100_000, 3_000_000]) {
      assert.deepEqual(await result("early", [length]), { said: [length, length], length });
    }
  });

  it("a master that ends takes its workers with it, one in an endless loop too", async () => {
    for (const how of ["exits", "is killed"]) {
      const { lines } = await run(PROGRAMS, ["dies", how]);
      const pids = lines("pids");
      assert.equal(pids.length, 2, how);
      assert.deepEqual(await alive(pids), [], how);
    }
  });

  it("a master that ends takes its workers with it that never load the package", async () => {
    const { lines } = await run(PROGRAMS, ["never loads"]);
    const pids = lines("pids");
    assert.equal(pids.length, 2);
    assert.deepEqual(await alive(pids), []);
  });

  it("a released worker drains", async () => {
    assert.deepEqual(await result("drains"), {
      exits: [
        [0, null],
        [0, null],
      ],
    });
  });

  it("a released worker drains when its master is gone by then", async () => {
    const { lines } = await run(PROGRAMS, ["drains", "alone"]);
    const pids = lines("pids");
    assert.equal(pids.length, 2);
    assert.deepEqual(await alive(pids), []);
    assert.deepEqual(lines("drained").sort(), pids.sort());
  });

  it("long strings and Buffers pass whole", async () => {
    assert.deepEqual(
      (await result("large")).sort(),
      [0, 1, 2, 3].map((n) => [2_500_001, `${n}!`]),
    );
    const binary = await result("binary");
    assert.deepEqual(
      binary.sort(),
      [0, 1, 2, 3].map((n) => [n, true, 5_000_001]),
    );
  });

  it("a worker whose event takes too long is killed with what it has started", async () => {
    const { code, out, lines } = await run(PROGRAMS, ["late"]);
    assert.equal(code, 0);
    assert.equal(onlyFailure(JSON.parse(out)).code, "ERR_SONIC_TASK_TIMEOUT");
    const pids = lines("pids");
    assert.equal(pids.length, 1);
    assert.deepEqual(await alive(pids), []);
  });

  it("a worker that has grown is replaced", async () => {
    assert.equal(await result("grows"), 2);
  });

  it("the streams of a silent worker are Node's", async () => {
    assert.deepEqual(await result("piped"), ["an error", "began", "began"]);
  });

  it("a worker writes into the files that it is given as descriptors", async () => {
    const { code, out, err, lines } = await run(PROGRAMS, ["writes into files"]);
    assert.deepEqual([code, out.trim()], [0, "2"], err);
    assert.ok(lines("said").includes("began"));
    assert.deepEqual(lines("complained"), ["an error"]);
  });

  it("other workers write where the program does", async () => {
    const { out } = await run(PROGRAMS, ["inherits"]);
    assert.deepEqual(out.trim().split(/\r?\n/).sort(), ["2", "worker 1", "worker 2"]);
  });

  it("a worker has the program's arguments, environment and directory, whatever is in them", async () => {
    const args = ['a "b" c', "", "\\", 'x\\"', "C:\\a b\\", "ü€😀", "%PATH%", "a\tb"];
    const text = 'ü "€" 😀 = %PATH%';
    // Wine is given its own command line by another system, which cannot have all of that.
    const given = IS_WINDOWS ? args : args.filter((arg) => !/[€😀ü]/u.test(arg));
    const env = { SONIC_TEXT: IS_WINDOWS ? text : "a = %PATH%" };
    assert.deepEqual(await result("surroundings", given, env), [
      env.SONIC_TEXT,
      ["surroundings", ...given],
      true,
      [],
    ]);
  });

  it("a server listens in its worker alone", async () => {
    assert.deepEqual(await result("listens"), { told: 2, results: 2 });
  });

  it("uid and gid are refused", async () => {
    const { code, message } = await result("as another user");
    assert.equal(code, "ERR_SONIC_WORKER_START");
    assert.match(message, /uid and gid are not supported on Windows/);
  });

  it("an ES module is re-run", async () => {
    const { code, out, err } = await run(path.join(__dirname, "program.mjs"));
    assert.deepEqual([code, out.trim()], [0, "285"], err);
  });

  it("the tests of the core pass", { skip: IS_WINDOWS && "cargo test runs them" }, () =>
    wine.testCore(),
  );

  it("the doctor finds everything well", async () => {
    const { code, out, err } = await run(DOCTOR, ["doctor"]);
    assert.equal(code, 0, out + err);
    assert.match(out, /^ok +platform +win32 x64$/m);
    assert.match(out, /^ok +self-test /m);
  });
});
