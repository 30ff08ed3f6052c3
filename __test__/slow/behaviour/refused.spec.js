"use strict";
/**
 * Promise: Where the system refuses what a run needs (shared memory, a process, a folder), the call rejects at once,
 * its error says what was tried, what was refused and what to do, and the program goes on. Where workers exit before
 * they load the package, the error has their last lines of stderr. A worker that starts normally has the master's own
 * stderr; what any other writes arrives there too.
 */
const assert = require("node:assert/strict");
const { execFileSync, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { describe, it } = require("node:test");
const { runCommand } = require("../../support/command");
const { FIXTURES, NODE, run } = require("../../support/run");

const FIXTURE = path.join(FIXTURES, "start", "refused.js");
const REFUSE = path.join(__dirname, "..", "..", "support", "refuse.py");

async function refusal(...args) {
  const { value, error } = (await run("start/refused.js", { args })).result;
  assert.equal(value, undefined);
  return error;
}

/** What a program reports that another starts. */
async function reportOf(command, args) {
  const { stdout, output } = await runCommand(command, args, {
    env: { QUIET: "1" },
    cwd: fs.realpathSync(require("node:os").tmpdir()),
  });
  const line = stdout.split("\n").find((line) => line.startsWith("RESULT "));
  assert.ok(line, output);
  return JSON.parse(line.slice("RESULT ".length));
}

/** Why the system refuses nothing for a test here, if it does not. */
function cannotRefuse() {
  const { stdout, error } = spawnSync("python3", [REFUSE, "memfd_create", "EPERM", "true"], {
    encoding: "utf8",
  });
  if (error) return `no python3: ${error.message}`;
  return stdout.startsWith("UNABLE ") ? stdout.slice("UNABLE ".length).trim() : false;
}

describe("a security policy that refuses a system call", { skip: cannotRefuse() }, () => {
  const calls = {
    memfd_create: /creating shared memory \(memfd_create\): /,
    socketpair: /creating a pair of sockets \(socketpair\): /,
  };
  for (const [call, tried] of Object.entries(calls)) {
    for (const number of ["EPERM", "ENOSYS"]) {
      it(`is named, with the call: ${call}, ${number}`, async () => {
        const { error } = await reportOf("python3", [
          REFUSE,
          call,
          number,
          NODE,
          FIXTURE,
          "nothing",
        ]);
        assert.match(error.code, /^ERR_SONIC_(POOL|WORKER_START)$/);
        assert.match(error.message, tried);
        assert.match(
          error.message,
          new RegExp(`\\(a security policy refuses it, .*: allow ${call} there\\)$`),
        );
      });
    }
  }
});

const LINUX =
  process.platform === "linux" ? false : "it is Linux that counts shared memory as files";
describe("a limit of the size of files", { skip: LINUX }, () => {
  it("is named, and does not end the program", async () => {
    const { error } = (await run("start/refused.js", { args: ["nothing"], ulimit: "-f 100" }))
      .result;
    assert.equal(error.code, "ERR_SONIC_POOL");
    assert.match(error.message, /creating \d+ bytes of shared memory \(ftruncate\): .*ulimit -f/);
  });
});

describe("a run that finds no memory when its pool has", () => {
  it("rejects, and the program ends", async () => {
    assert.equal((await refusal("run")).message, "no memory for a run");
  });
});

/** Why there is always a `/proc` here. */
function cannotUnmount() {
  if (process.platform !== "linux") return "only Linux has /proc";
  const { status, stderr, error } = spawnSync("unshare", ["-m", "umount", "-l", "/proc"], {
    encoding: "utf8",
  });
  return status === 0
    ? false
    : `/proc cannot be taken away: ${error ? error.message : stderr.trim()}`;
}

describe("a system without /proc", { skip: cannotUnmount() }, () => {
  const without = (what) =>
    reportOf("unshare", [
      "-m",
      "sh",
      "-c",
      'umount -l /proc && exec "$@"',
      "sh",
      NODE,
      FIXTURE,
      what,
    ]);

  it("runs the program", async () => {
    assert.deepEqual(await without("nothing"), { value: 1 });
  });

  it("is named where a limit of memory cannot be watched", async () => {
    const { error } = await without("memory");
    assert.match(error.message, /options\.maxWorkerMemory: .*\/proc/);
  });
});

const WINDOWS = process.platform === "win32" ? "it has other words" : false;
describe("a worker that the system does not start", { skip: WINDOWS }, () => {
  const cases = {
    folder: /changing to \S+nowhere \(chdir\): .*cluster\.setupPrimary\(\{ cwd \}\)/,
    absent:
      /worker 1 could not be started from \S+nowhere: starting the process .*No such file .*process\.execPath/,
    "not executable": /starting the process .*[Pp]ermission denied .*noexec/,
    "too long": /starting the process .*rgument list too long .*arguments and environment/,
  };
  for (const [what, message] of Object.entries(cases)) {
    it(`has an error that says what was tried, and what to do: ${what}`, async () => {
      const error = await refusal(what);
      assert.equal(error.code, "ERR_SONIC_WORKER_START");
      assert.match(error.message, message);
    });
  }
});

describe("workers that end before the package is loaded", () => {
  const cases = [
    ["a syntax error", ["exec", "syntax.js"], /SyntaxError: /],
    ["a module that is not there", ["exec", "missing.js"], /Cannot find module '\.\/nowhere\.js'/],
    ["no script", ["exec", "nowhere.js"], /Cannot find module '\S+nowhere\.js'/],
    ["an option that Node does not know", ["execArgv", '["--nonsense"]'], /bad option: --nonsense/],
    [
      "a preload that is not there",
      ["execArgv", '["--require", "./nowhere.js"]'],
      /Cannot find module '\.\/nowhere\.js'/,
    ],
  ];
  for (const [what, args, said] of /** @type {[string, string[], RegExp][]} */ (cases)) {
    it(`are told of by what they wrote: ${what}`, async () => {
      const prepare = (dir) => {
        fs.writeFileSync(path.join(dir, "syntax.js"), "let x = ;\n");
        fs.writeFileSync(path.join(dir, "missing.js"), 'require("./nowhere.js");\n');
      };
      const program = await run("start/refused.js", { args, prepare });
      const { error } = program.result;
      assert.equal(error.code, "ERR_SONIC_WORKER_START");
      assert.match(
        error.message,
        /^worker [12] exited with code \d+ without reaching the call at refused\.js:\d+:\d+ \(3 attempts\)/,
      );
      assert.match(error.message, said);
      const stderr = JSON.parse(
        program.lines.find((line) => line.startsWith("STDERR ")).slice("STDERR ".length),
      );
      assert.match(stderr, said);
      assert.ok(stderr.length <= 4096);
      // It is on the program's own stream too, once for each worker that wrote it.
      const count = program.stderr.split("\n").filter((line) => said.test(line)).length;
      assert.ok(count >= 3, program.stderr);
    });
  }

  it("and come up at the next try write to the program's stream", async () => {
    const program = await run("start/relayed.js");
    assert.equal(program.result, 4);
    const lines = program.stderr.split("\n").filter((line) => line.startsWith("line "));
    assert.equal(new Set(lines).size, 4 * 3000);
    assert.equal(lines.length, 4 * 3000);
  });

  const python = (() => {
    try {
      return execFileSync("python3", ["-c", "import pty"]) && process.platform !== "win32"
        ? false
        : "no terminal";
    } catch (error) {
      return `no python3: ${error.message}`;
    }
  })();
  it("had the program's own terminal", { skip: python }, async () => {
    const program = await run("start/relayed.js", { terminal: { rows: 50, columns: 100 } });
    for (const id of [1, 2])
      assert.ok(program.stdout.includes(`first of ${id}, true`), program.transcript);
  });
});
