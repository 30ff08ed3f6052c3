"use strict";
/**
 * Promise: a pool that stays shows the progress of its runs, streams and maps, tells its statistics, keeps a report and a trace of a run,
 * and ends by its signal. An option of `MapReduce` that a pool cannot have says where it belongs.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { run } = require("../support/run");
const { seen } = require("../support/screen");

const TERMINAL = { rows: 24, columns: 100 };
const ended = async (...args) => {
  const program = await run("pool/seen.js", { args });
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};
const reported = async (...args) => (await ended(...args)).result;

describe("progress of a pool", () => {
  it("has a bar for a list, whose length says how many events there will be", async () => {
    const args = ["draws", '{"progress":true}'];
    const { stdout } = await run("pool/seen.js", { args, terminal: TERMINAL });
    const { drawings } = await seen(stdout, TERMINAL);
    const bars = drawings.map(([line]) => line).filter((line) => / \d+\/30 done, /.test(line));
    assert.ok(bars.length > 0, JSON.stringify(drawings));
    assert.match(bars[0], /^ *\d+% \[=*>? *\] [0-2]?\d\/30 done, 0 failed, \d+ in flight, /);
  });

  it("leaves a summary of each run, stream and map, and none of a call or of a map without it", async () => {
    const { stderr } = await ended("draws", '{"progress":true}');
    const lines = stderr.split("\n").filter((line) => line.startsWith("sonic-distribute: "));
    assert.equal(lines.length, 3, stderr);
    for (const line of lines) assert.match(line, /^sonic-distribute: 30 done, 0 failed, /);
  });

  it("is off by default", async () => assert.equal((await ended("draws")).stderr, ""));
});

describe("what a pool tells", () => {
  it("is how far it is, and its statistics once, when it is closed", async () => {
    const { before, early, last, told } = await reported("tells");
    assert.ok(before > 0);
    assert.deepEqual([early, last, told], [0, 30, [[30, 0]]]);
  });

  it("is the same in this process, where there is nothing to draw or record", async () => {
    const { early, told, wrong, total } = await reported("tells in this process");
    assert.deepEqual([early, told, total], [0, [60], 30]);
    assert.match(wrong[0].error.message, /^options\.progress needs workers of this process/);
    assert.match(wrong[1].error.message, /^options\.report needs workers of this process/);
  });

  it("ends it by what onProgress throws", async () => {
    const { mapped, closed } = await reported("throws", "onProgress");
    assert.deepEqual([mapped.error.message, closed.error.message], ["on purpose", "on purpose"]);
  });

  it("is lost work to nobody if onStats throws: only close rejects", async () => {
    const { mapped, closed } = await reported("throws", "onStats");
    assert.deepEqual([mapped.value.length, closed.error.message], [30, "on purpose"]);
  });
});

describe("a record of a run of a pool", () => {
  it("has every event, in the report and in the trace", async () => {
    const program = await ended("records");
    assert.deepEqual(program.result, { ran: [30, 0], came: 30 });
    for (const file of ["run.html", "stream.html"])
      assert.match(program.files[file], /"count":30\b/, file);
    const { traceEvents } = JSON.parse(program.files["run.json"]);
    assert.equal(traceEvents.filter(({ cat }) => cat === "answered").length, 30);
  });
});

describe("the signal of a pool", () => {
  it("ends it: its calls and maps reject with the reason, and later ones because it is closed", async () => {
    const { called, mapped, later, listeners } = await reported("aborts");
    assert.deepEqual([called.error.message, mapped.error.message], ["enough", "enough"]);
    assert.deepEqual([later.error.code, listeners], ["ERR_SONIC_POOL_CLOSED", 0]);
  });

  it("ends its start, and keeps another from starting", async () => {
    const { start, again } = await reported("aborts its start");
    assert.deepEqual([start.error.message, again.error.message], ["enough", "enough"]);
  });
});

it("an option that a pool cannot have says where it belongs", async () => {
  const [trace, report, total, statistics, onError, onResult, unknown, inProcess] =
    await reported("refuses");
  for (const [error, pattern] of [
    [trace, /^options\.trace is not possible here: .*give it to run or stream$/],
    [report, /^options\.report is not possible here: .*give it to run or stream$/],
    [total, /^options\.total is not possible here: .*give it to run, stream or map$/],
    [statistics, /^options\.statistics is not possible here: .*pool\.statistics\(\)$/],
    [onError, /^options\.onError is not possible here: give it to stream/],
    [onResult, /^options\.onResult is not possible here: read the entries of stream/],
    [unknown, /^options\.progres is not an option: did you mean progress\?$/],
    [inProcess, /^options\.progress needs workers, and with inProcess/],
  ]) {
    assert.equal(error.code, "ERR_SONIC_INVALID_ARGUMENT");
    assert.match(error.message, pattern);
  }
});
