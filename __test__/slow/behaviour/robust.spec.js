"use strict";
/**
 * Promise: Output that nobody reads, a full disk, a socket or ring that is never drained, and oversized messages do no
 * harm: the package's own log lines end no program, every event is accounted for, and the program exits.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");
const { FIXTURES, NODE, run, start } = require("../../support/run");

const LOGS = { QUIET: undefined };
const range = Array.from({ length: 500 }, (_, i) => i);
const isBad = (data) => data % 100 === 99;

const checkJob = (outcome) => {
  assert.equal(outcome.code, 0, outcome.transcript);
  const [done, failed] = JSON.parse(outcome.files["report.log"]);
  const sorted = (numbers) => numbers.sort((a, b) => a - b);
  assert.deepEqual(
    sorted(done),
    range.filter((data) => !isBad(data)),
  );
  assert.deepEqual(sorted(failed), range.filter(isBad));
};

describe("a job whose output", () => {
  for (const how of ["quiet", "write"]) {
    it(`nobody reads runs to its end: ${how}`, async () => {
      const program = start("robust/job.js", { args: [how], env: LOGS });
      await program.prints("MASTER");
      program.child.stdout.destroy();
      program.child.stderr.destroy();
      await program.makes("ready");
      program.mark("go");
      checkJob(await program.ended);
    });

    it(`goes to a full disk runs to its end: ${how}`, async () => {
      const program = start("robust/job.js", { args: [how], env: LOGS, output: "/dev/full" });
      program.mark("go");
      checkJob(await program.ended);
    });

    it(`is closed from the beginning runs to its end: ${how}`, async () => {
      const job = path.join(FIXTURES, "robust/job.js");
      const shell = `exec ${NODE} ${job} ${how} >&- 2>&-`;
      const program = start(null, {
        nodeArgs: [
          "-e",
          `require("child_process").spawnSync("sh", ["-c", ${JSON.stringify(shell)}])`,
        ],
        env: LOGS,
      });
      program.mark("go");
      checkJob(await program.ended);
    });
  }
});

it("a folder for files that takes none is not missed", async () => {
  const nodeArgs = ["--require", require.resolve("ts-node/register/transpile-only")];
  for (const TMPDIR of ["/dev/null/nowhere", "/dev/full"]) {
    const { result, stderr } = await run("robust/typed.ts", { nodeArgs, env: { TMPDIR } });
    assert.deepEqual([TMPDIR, result, stderr], [TMPDIR, 42, ""]);
  }
});

describe("what there is no room for waits, and nothing is lost", () => {
  it("when the master does not run while a worker sends", async () => {
    const program = start("robust/flood.js");
    await program.makes("ready");
    process.kill(program.pid, "SIGSTOP");
    program.mark("stopped");
    await program.makes("flooding");
    process.kill(program.pid, "SIGCONT");
    assert.deepEqual((await program.ended).result, [true, "done"]);
  });

  it("when a worker does not run while the master sends", async () => {
    assert.deepEqual((await run("robust/stopped-worker.js")).result, [6_000_000, true, 0]);
  });
});

describe("words longer than a control frame", () => {
  it("are cut where a worker dies of an error", async () => {
    const [[code, length, isThere]] = (await run("robust/long-words.js", { args: ["uncaught"] }))
      .result;
    assert.deepEqual([code, isThere], ["ERR_SONIC_WORKER_EXIT", true]);
    assert.ok(length < 10_000, `${length} characters`);
  });

  it("are cut where a worker turns its call down", async () => {
    const [name, code, length, begin] = (await run("robust/long-words.js", { args: ["refused"] }))
      .result;
    assert.deepEqual(
      [name, code, begin],
      ["TypeError", "ERR_SONIC_INVALID_ARGUMENT", "workerFns must be an array of "],
    );
    assert.ok(length < 10_000, `${length} characters`);
  });
});
