"use strict";
/**
 * Promise: what a run with a checkpoint has answered is written down before the program hears of it. The program run again, whatever
 * ended it, has the same results, in the same order; what was written down does not run again, and what had failed does. Another
 * program, other data, or a file in use is refused, and says why.
 */
const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const { after, before, describe, it } = require("node:test");
const os = require("node:os");
const path = require("node:path");
const { read, written } = require("../../support/checkpoint");
const { run, start } = require("../../support/run");

const FLOWS = ["flow", "flowInOrder", "flowOfPool"];
const CALLS = [
  "MapReduce",
  "stream",
  "submission",
  "map",
  "settled",
  "run",
  "poolStream",
  ...FLOWS,
];
const COUNT = 100;

/** A folder that outlives the programs. */
let folder;
before(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sonic-checkpoint-spec-")));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = () => path.join(folder, `job ${++files}.state`);
const argsOf = (call, how) => ({ args: [call, JSON.stringify(how)] });

async function job(call, how) {
  const program = await run("checkpoint/job.js", argsOf(call, how));
  const { result } = program;
  assert.deepEqual([program.stderr, program.alive], ["", []], program.transcript);
  return { ...result, ran: program.log("ran").map(Number) };
}

/** A job whose master is killed once some of its events wait, and others are written down. Returns those. */
async function killed(call, how, least) {
  const file = how.checkpoint.file || how.checkpoint;
  const program = start("checkpoint/job.js", argsOf(call, how));
  await program.until(() => written(file).length >= least, `written ${least} answers`);
  process.kill(program.pid, "SIGKILL");
  assert.equal((await program.ended).signal, "SIGKILL");
  return written(file);
}

/** What each call gives that nothing happens to, by its name. */
const undisturbed = new Map();
const expectedOf = (call, count = COUNT) => {
  const name = `${call} ${count}`;
  if (!undisturbed.has(name)) undisturbed.set(name, job(call, { count }));
  return undisturbed.get(name);
};

const refusedWith = (came, code, text) => {
  assert.equal(came.error?.code, code, JSON.stringify(came));
  assert.match(came.error.message, text);
};

describe("a run with a checkpoint", () => {
  for (const call of CALLS) {
    it(`is whole after its master was killed: ${call}`, async () => {
      const expected = await expectedOf(call);
      assert.equal(expected.ran.length, COUNT);
      const checkpoint = newFile();
      const before = await killed(call, { checkpoint, count: COUNT, stopsAt: 60 }, 40);
      const came = await job(call, { checkpoint, count: COUNT });
      assert.deepEqual(came.value, expected.value);
      assert.equal(came.resumed, before.length);
      assert.deepEqual(
        [...came.ran, ...before].sort((a, b) => a - b),
        [...Array(COUNT).keys()],
      );
      // Once more: nothing is left to run.
      const again = await job(call, { checkpoint, count: COUNT });
      assert.deepEqual(again.value, expected.value);
      assert.deepEqual([again.ran, again.resumed], [[], COUNT]);
    });
  }

  it("runs what had failed again, and nothing else", async () => {
    const checkpoint = newFile();
    const fails = [3, 50, 99];
    const first = await job("MapReduce", { checkpoint, count: COUNT, fails });
    assert.equal(first.value.failures.length, 3);
    const mended = await job("MapReduce", { checkpoint, count: COUNT });
    assert.deepEqual(mended.value, (await expectedOf("MapReduce")).value);
    assert.deepEqual(
      mended.ran.sort((a, b) => a - b),
      fails,
    );
  });

  for (const call of FLOWS)
    it(`runs what had failed in a flow again, with all that comes of it: ${call}`, async () => {
      const checkpoint = newFile();
      const fails = [3, 50, 99];
      const first = await job(call, { checkpoint, count: COUNT, fails });
      assert.deepEqual(
        first.value.failures,
        fails.map((number) => `event ${number} fails`),
      );
      const mended = await job(call, { checkpoint, count: COUNT });
      assert.deepEqual(mended.value, (await expectedOf(call)).value);
      assert.deepEqual(
        mended.ran.sort((a, b) => a - b),
        fails,
      );
    });

  it("is the same with keys and priorities, and with another number of workers", async () => {
    const expected = await expectedOf("MapReduce");
    const checkpoint = newFile();
    const args = { factor: 1, numWorkers: 2 };
    await killed("MapReduce", { checkpoint, args, count: COUNT, routed: true, stopsAt: 40 }, 20);
    const more = { ...args, numWorkers: 3 };
    const came = await job("MapReduce", { checkpoint, args: more, count: COUNT, workers: 3 });
    assert.deepEqual(came.value, expected.value);
    assert.ok(came.resumed >= 20);
  });

  it("is the same where stages run in workers of their own", async () => {
    const args = [newFile()];
    const first = (await run("checkpoint/chains.js", { args })).result;
    assert.deepEqual([first.results, first.resumed], [[2, 4, 6, 8, 10], 0]);
    const again = await run("checkpoint/chains.js", { args });
    assert.deepEqual(again.result, { ...first, resumed: 5 });
    assert.deepEqual(again.log("ran"), []);
  });

  for (const fsync of [true, 20]) {
    it(`may have each answer on the disk: fsync: ${fsync}`, async () => {
      const checkpoint = { file: newFile(), fsync };
      const before = await killed("map", { checkpoint, count: COUNT, stopsAt: 60 }, 40);
      const came = await job("map", { checkpoint, count: COUNT });
      assert.deepEqual(came.value, (await expectedOf("map")).value);
      assert.equal(came.resumed, before.length);
    });
  }

  it('keeps values of serialization: "advanced" too', async () => {
    const how = { checkpoint: newFile(), count: COUNT, options: { serialization: "advanced" } };
    const first = await job("MapReduce", how);
    assert.deepEqual((await job("MapReduce", how)).value, first.value);
    const other = await job("MapReduce", { ...how, options: {} });
    refusedWith(other, "ERR_SONIC_CHECKPOINT_CHANGED", /options.serialization was "advanced/);
  });

  it("waits where too much of a stream is unread, whatever is answered from the file", async () => {
    const { most, all } = (await run("checkpoint/unread.js", { args: [newFile()] })).result;
    assert.equal(all, 2000);
    assert.ok(most <= 20, `${most}`);
  });

  it("shows each answer to onResult, and in the statistics of the run", async () => {
    const program = await run("checkpoint/seen.js", { args: [newFile()] });
    const { messages, shown, statistics, lengths } = program.result;
    // No worker has said any of it.
    assert.equal(messages, 0);
    assert.deepEqual(
      shown,
      [...Array(COUNT).keys()].filter((number) => number % 10 !== 9),
    );
    assert.deepEqual(lengths, [true, true]);
    const { handedOver, answered, nothing, resumed, unfinished } = statistics;
    assert.deepEqual(
      [handedOver, answered + nothing, resumed, unfinished],
      [COUNT, COUNT, COUNT, 0],
    );
  });
});

describe("a file of answers", () => {
  it("is as good with a torn last record", async () => {
    const expected = await expectedOf("MapReduce", 20);
    const whole = newFile();
    await job("MapReduce", { checkpoint: whole, count: 20 });
    const { at, end } = read(whole).records[12];
    // A record with no answer ends after its head.
    for (const more of [1, 7, 39, 40].filter((bytes) => at + bytes < end)) {
      const checkpoint = newFile();
      const bytes = fs.readFileSync(whole);
      fs.writeFileSync(checkpoint, bytes.subarray(0, at + more));
      const came = await job("MapReduce", { checkpoint, count: 20 });
      assert.deepEqual(came.value, expected.value);
      assert.equal(came.resumed, 12);
      assert.equal(written(checkpoint).length, 20);
    }
  });

  it("is refused if it is something else, and left alone", async () => {
    const checkpoint = newFile();
    fs.writeFileSync(checkpoint, "my thesis");
    for (const call of ["MapReduce", "map", "stream"]) {
      refusedWith(await job(call, { checkpoint }), "ERR_SONIC_CHECKPOINT", /is no checkpoint/);
    }
    assert.equal(fs.readFileSync(checkpoint, "utf8"), "my thesis");
    for (const [file, why] of [
      [folder, /could not be opened/],
      [path.join(folder, "none", "job.state"), /the folder that it is to be in must exist/],
    ])
      refusedWith(await job("run", { checkpoint: file }), "ERR_SONIC_CHECKPOINT", why);
  });

  for (const call of CALLS) {
    it(`is refused with other data, or by another function or args, which are named: ${call}`, async () => {
      const how = { checkpoint: newFile(), count: COUNT };
      const first = await job(call, how);
      /** @type {[object, RegExp][]} */
      const refusals = [
        [{ changed: 42 }, /event 42 has other data/],
        [{ isChanged: true }, /another program's: (answers?|the flow) has changed\./],
      ];
      // The events of a run have no args.
      if (call !== "run")
        refusals.push([{ args: { factor: 2 } }, /another program's: args.factor has changed\./]);
      for (const [other, text] of refusals) {
        const came = await job(call, { ...how, ...other });
        refusedWith(came, "ERR_SONIC_CHECKPOINT_CHANGED", text);
        assert.deepEqual(came.ran, []);
      }
      // It is what it was.
      assert.deepEqual((await job(call, how)).value, first.value);
    });
  }

  it("is one run's at a time", async () => {
    const checkpoint = newFile();
    const how = { checkpoint, count: 10 };
    const first = start("checkpoint/job.js", argsOf("MapReduce", { ...how, stopsAt: 0 }));
    await first.makes("stopped");
    for (const call of ["MapReduce", "map"])
      refusedWith(await job(call, how), "ERR_SONIC_CHECKPOINT_BUSY", /in use by another run/);
    first.mark("go");
    assert.equal((await first.ended).result.value.results.length, 10);
    assert.equal((await job("MapReduce", how)).resumed, 10);
  });

  it("is free again once a run has ended, well or not", async () => {
    const { result } = await run("checkpoint/again.js", { args: [newFile()] });
    assert.deepEqual(result, ["first fails", "first fails", "ERR_SONIC_CHECKPOINT_BUSY", 2]);
  });

  it("on a full disk fails the run, and is whole as far as it goes", async (test) => {
    const dir = path.join(folder, "full");
    fs.mkdirSync(dir);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", dir], { stdio: "ignore" });
    } catch {
      test.skip("only root may make a small file system");
      return;
    }
    try {
      const moved = newFile();
      for (const call of ["stream", "map"]) {
        const checkpoint = path.join(dir, "job.state");
        const came = await job(call, { checkpoint, count: 2000 });
        refusedWith(came, "ERR_SONIC_CHECKPOINT", /could not be written: No space left/);
        fs.copyFileSync(checkpoint, moved);
        fs.rmSync(checkpoint);
        const answered = written(moved);
        assert.ok(answered.length > 10);
        const { value, resumed } = await job(call, { checkpoint: moved, count: 2000 });
        assert.equal(resumed, answered.length);
        assert.equal((value.results || value).length > 1000, true);
      }
    } finally {
      execFileSync("umount", ["-l", dir]);
    }
  });
});

describe("a checkpoint is refused", () => {
  it("for events that others emit", async () => {
    const came = await job("poolStream", { checkpoint: newFile(), count: 12, emits: true });
    const [first, ...others] = came.value.results;
    assert.equal(first.error.code, "ERR_SONIC_EMIT");
    assert.match(first.error.message, /the run has a checkpoint/);
    assert.deepEqual(
      others.filter(({ failed }) => failed),
      [],
    );
  });

  it("for flows that are no chains, in process and by clients, with the reason", async () => {
    const { result } = await run("checkpoint/refused.js", { args: [newFile()] });
    assert.match(
      result.flow,
      /options.checkpoint is possible with a flow that is a chain .* the node reduce is a reduce/,
    );
    for (const name of ["inProcess", "connected"])
      assert.match(result[name], /options.checkpoint needs a pool with workers of this process/);
    const { manual } = (await run("checkpoint/refused.js", { args: [newFile(), "ids"] })).result;
    assert.match(manual, /has no worker ids/);
  });
});
