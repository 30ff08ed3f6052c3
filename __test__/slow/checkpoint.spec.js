"use strict";
/**
 * Promise: a run with a checkpoint that is killed at any moment, its master or its workers, however often, and whose last record is torn
 * by that, comes to the results of a run that nothing happened to. What was written down never runs again. Other moments:
 * `SONIC_CHECKPOINT_SEED`, `SONIC_CHECKPOINT_KILLS`.
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { after, before, describe, it } = require("node:test");
const os = require("node:os");
const path = require("node:path");
const { randomFrom } = require("../../examples/random");
const { read, written } = require("../support/checkpoint");
const { run, start } = require("../support/run");

const SEED = Number(process.env.SONIC_CHECKPOINT_SEED || 1);
const KILLS = Number(process.env.SONIC_CHECKPOINT_KILLS || 50);

/** Events, and milliseconds that each takes: more than are done in all that time. */
const COUNT = KILLS * 80;
const TIME = 2;

/** The longest time from a program's first event to its end. */
const LONGEST = 60;

/** A folder that outlives the programs. */
let folder;
before(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "sonic-checkpoint-slow-")));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const argsOf = (call, how) => ({ args: [call, JSON.stringify(how)] });
const numbers = (text) => text.split("\n").filter(Boolean).map(Number);

/** Kills a program some time after it has begun; returns the events that ran. */
async function kill(call, how, random) {
  const program = start("checkpoint/job.js", argsOf(call, how));
  await program.until(() => program.read("ran") !== "", "begun");
  await new Promise((done) => setTimeout(done, random() * LONGEST));
  const workers = program.alive().filter((pid) => pid !== program.pid);
  // A worker first, every now and then: its event runs again, if it had not answered.
  if (random() < 0.3 && workers.length > 0) {
    process.kill(workers[Math.floor(random() * workers.length)], "SIGKILL");
    await new Promise((done) => setTimeout(done, random() * LONGEST));
  }
  const ran = () => numbers(program.read("ran"));
  process.kill(program.pid, "SIGKILL");
  await program.until(() => program.alive().length === 0, "ended");
  const all = ran();
  await program.ended;
  return all;
}

/** What a crash may do to the end of a file. Returns the events that are written down then. */
function tear(file, random) {
  const { records, length } = read(file);
  const end = records.length > 0 ? records[records.length - 1].end : length;
  if (random() < 0.3 && records.length > 0) {
    const { at } = records[records.length - 1];
    fs.truncateSync(file, at + Math.floor(random() * (end - at)));
  } else if (random() < 0.3) {
    fs.appendFileSync(file, Buffer.from(Array.from({ length: 30 }, () => random() * 256)));
  }
  return written(file);
}

for (const call of ["MapReduce", "submission", "map", "flow"]) {
  describe(`a run with a checkpoint: ${call}`, () => {
    it(`that is killed at ${KILLS} random moments is whole in the end`, async (test) => {
      const random = randomFrom(SEED);
      const checkpoint = path.join(folder, `${call}.state`);
      const how = { checkpoint, count: COUNT, time: TIME, options: { retries: 20 } };
      if (call === "map") how.options = { retries: 20 };
      let known = [];
      for (let at = 0; at < KILLS; at++) {
        const again = (await kill(call, how, random)).filter((number) => known.includes(number));
        assert.deepEqual(again, [], `kill ${at}: these were written down`);
        const now = tear(checkpoint, random);
        assert.ok(now.length + 1 >= known.length);
        assert.equal(new Set(now).size, now.length, "each is written once");
        known = now;
      }
      const last = { ...how, time: 0 };
      const program = await run("checkpoint/job.js", argsOf(call, last));
      const { value, resumed } = program.result;
      assert.equal(resumed, known.length);
      const whole = await run(
        "checkpoint/job.js",
        argsOf(call, { ...last, checkpoint: undefined }),
      );
      assert.deepEqual(value, whole.result.value);
      const ran = program.log("ran").map(Number);
      assert.equal(ran.length, COUNT - known.length);
      test.diagnostic(`${known.length} of ${COUNT} events were written down by then, seed ${SEED}`);
    });
  });
}
