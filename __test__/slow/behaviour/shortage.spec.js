"use strict";
/**
 * Promise: Without a free descriptor for a worker, its start is retried for some seconds; then the run goes on with the
 * workers it has, says so on stderr, and loses nothing. Without any worker the call rejects. Both messages name the
 * limit. Where the user has hardly a process or thread left, and Node itself gives up, the call settles: every event is
 * answered, or the error says how a worker exited. Nothing is left behind.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, describe, it } = require("node:test");
const { runCommand } = require("../../support/command");
const { FIXTURES, NODE, run } = require("../../support/run");

const shortage = (...args) =>
  run("start/shortage.js", { args: args.map(String), ulimit: "-n 200" });
const ADVICE =
  "(this process has reached its limit of open files: raise `ulimit -n`, or start fewer workers)";

/** What the system has to say, in glibc's words and in musl's. */
const SHORT = /(Too many open files|No file descriptors available) \(os error 24\) /;

function assertToldOf(program, count) {
  const lines = program.stderr.split("\n").filter(Boolean);
  assert.equal(lines.length, count, program.stderr);
  for (const line of lines) {
    assert.match(
      line,
      /^@tiemma\/sonic-distribute: goes on without worker (\d+): worker \1 could not be started from \S+: /,
    );
    assert.match(line, SHORT);
    assert.ok(line.endsWith(ADVICE), line);
  }
}

describe("a run for whose workers there are too few descriptors", () => {
  it("goes on with those that could be started", async () => {
    const program = await shortage(40, "always", 14);
    const { workers, value } = program.result;
    assert.deepEqual(value, [50, 0]);
    assert.ok(workers >= 1 && workers < 14, `${workers} workers`);
    assertToldOf(program, 14 - workers);
  });

  it("has all of them if there are enough a little later", async () => {
    const program = await shortage(40, "later", 14);
    assert.deepEqual(program.result, { workers: 14, value: [50, 0] });
    assertToldOf(program, 0);
  });

  it("rejects if not one could be started, and says what to do", async () => {
    for (const left of [0, 5]) {
      const { error } = (await shortage(left, "always", 3)).result;
      assert.equal(error.name, "Error");
      assert.match(error.code, /^ERR_SONIC_(POOL|WORKER_START)$/);
      assert.match(error.message, SHORT);
      assert.ok(error.message.endsWith(ADVICE), error.message);
    }
  });

  it("goes on without a worker that ended and cannot be replaced", async () => {
    const program = await shortage(0, "restart", 3);
    assert.deepEqual(program.result, { workers: 2, value: [50, 0] });
    assertToldOf(program, 1);
  });
});

// The system holds no superuser to that limit: the program is another user's, who has no other processes.
const skip = process.getuid() === 0 ? false : "only the superuser can run it as another user";
describe("a run whose user may have hardly a process more", { skip }, () => {
  const user = String(50_000 + (process.pid % 10_000));
  const root = path.join(__dirname, "..", "..", "..");
  let folder;
  before(() => {
    // What that user can read, wherever this package lies.
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-user-"));
    const files = fs
      .readdirSync(root)
      .filter((name) => /^(index\.js|native\.js|package\.json|lib|.*\.node)$/.test(name));
    for (const name of files)
      fs.cpSync(path.join(root, name), path.join(folder, "package", name), { recursive: true });
    fs.copyFileSync(path.join(FIXTURES, "start/few-processes.js"), path.join(folder, "job.js"));
    fs.chmodSync(folder, 0o755);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const limit of [16, 20, 26, 34, 42]) {
    it(`settles, and leaves nothing: ${limit} processes and threads`, async () => {
      const limited = [
        "--reuid",
        user,
        "--regid",
        user,
        "--clear-groups",
        "prlimit",
        `--nproc=${limit}`,
      ];
      const job = [NODE, path.join(folder, "job.js"), path.join(folder, "package"), "4"];
      // Node may stand still for ever where it gets no thread.
      const env = { QUIET: "1", SONIC_DISTRIBUTE_START_TIMEOUT: "4000" };
      const { code, stdout, output } = await runCommand("setpriv", [...limited, ...job], {
        cwd: folder,
        env,
        deadline: 60_000,
      });
      const reports = stdout.split("\n").filter((line) => line.startsWith("RESULT "));
      assert.deepEqual([code, reports.length], [0, 1], output);
      const report = JSON.parse(reports[0].slice("RESULT ".length));
      if (report.value) assert.deepEqual(report.value, [50, 0]);
      else assert.match(report.code, /^ERR_SONIC_(POOL|WORKER_START)$/, report.message);
      assert.ok(report.forks <= 4 * 3, `${report.forks} starts`);
    });
  }
});
