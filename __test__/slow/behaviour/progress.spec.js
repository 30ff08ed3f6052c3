"use strict";
/**
 * Promised: `progress` and `SONIC_PROGRESS` show on the error stream how far a run has come, and never draw over what the program
 * and its workers write. On a terminal (a real one, whose bytes are shown as a terminal shows them) it is a bar; anywhere else
 * a line now and then. A summary stays. `onProgress` tells the program.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");
const { run, start, FIXTURES, NODE, SCREEN } = require("../../support/run");
const { seen } = require("../../support/screen");

const TERMINAL = { rows: 24, columns: 100 };
const EVENTS = 30;

/**
 * A job in a terminal, and what was seen there.
 * @param {string} how
 * @param {object} [options]
 * @param {{ env?: Record<string, string>, rows?: number, columns?: number }} [setting]
 */
async function watched(how, options = { progress: true }, { env = {}, ...terminal } = {}) {
  const size = { ...TERMINAL, ...terminal };
  const outcome = await run("progress/job.js", {
    args: [how, JSON.stringify(options)],
    terminal: size,
    env,
  });
  return { ...(await seen(outcome.stdout, size)), outcome };
}

/** The same where the error stream is a pipe. */
const piped = (how, options = {}, env = {}) =>
  run("progress/job.js", { args: [how, JSON.stringify(options)], env });

const SUMMARY = /^sonic-distribute: 30 done, 0 failed, [\d.,]+\/s, [\d.]+s$/;
const isBar = (line) =>
  /^ *\d+% \[=*>? *\] \d+\/30 done, \d+ failed, \d+ in flight, [\d.,]+\/s, \d+s, ETA \d+s$/.test(
    line,
  );

describe("on a terminal", () => {
  it("a bar shows what is done, failed and in flight, and the time to go; a summary stays", async () => {
    const { drawings, end } = await watched("quiet", { progress: true, total: EVENTS });
    assert.ok(drawings.length > 3, `${drawings.length} drawings`);
    for (const [line, ...others] of drawings.slice(1)) {
      assert.ok(isBar(line), line);
      assert.deepEqual(others, []);
    }
    const counts = drawings.map(([line]) => Number(/(\d+)\/30 done/.exec(line)[1]));
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
    );
    assert.ok(
      counts.some((count) => count > 0 && count < EVENTS),
      `${counts}`,
    );
    assert.match(end[0], SUMMARY);
    assert.deepEqual(end.slice(1), ["the end: 30"]);
  });

  it("nothing that the program and its workers write is drawn over", async () => {
    const { end, drawings } = await watched("speaks", { progress: "workers" });
    const numbers = (remainder, of) =>
      Array.from({ length: EVENTS }, (_, n) => n).filter((n) => n % of === remainder);
    const expected = [
      ...numbers(0, 3).map((n) => `the master's line ${n}`),
      ...numbers(1, 3).map((n) => `the master's error ${n}`),
      ...numbers(0, 5).map((n) => `a worker's line ${n}`),
      ...numbers(1, 5).map((n) => `a worker's error ${n}`),
      "the master's bytes",
      "the master's base64",
      "the end: 30",
    ];
    const missing = expected.filter((text) => !end.some((line) => line.startsWith(text)));
    assert.deepEqual(missing, [], end.join("\n"));
    assert.equal(end.filter((line) => SUMMARY.test(line)).length, 1);
    assert.ok(
      drawings.some((lines) => lines.some((line) => line.startsWith("worker 1:"))),
      "and the workers were shown",
    );
  });

  it("each worker has a line that says what it does", async () => {
    const { drawings, end } = await watched("quiet", { progress: "workers" });
    const lines = drawings.flat();
    for (const worker of [1, 2]) {
      assert.ok(
        lines.some((line) =>
          new RegExp(`^worker ${worker}: +\\d+ done, event \\d+ for 0\\.\\ds \\d+$`).test(line),
        ),
        lines.join("\n"),
      );
    }
    assert.ok(drawings.every((drawing) => drawing.length <= 3));
    assert.equal(end.length, 2, "only while the run is on");
  });

  it("it goes on while the program blocks the thread", async () => {
    const { drawings } = await watched("blocks");
    const blocked = drawings.filter(([line]) => / 10 done, 0 failed, 0 in flight/.test(line));
    assert.ok(blocked.length >= 3, `${blocked.length} drawings`);
  });

  it("the total is known when masterFn returned", async () => {
    const { drawings } = await watched("quiet", { progress: true, maxEventsPerWorker: 1 });
    const shown = drawings.map(([line]) => line);
    assert.ok(
      shown.some((line) => /^\S \d+ done, /.test(line)),
      shown.join("\n"),
    );
    assert.ok(
      shown.every((line) => !/ETA/.test(line) || / (28|29|30)\/30 done/.test(line)),
      shown.join("\n"),
    );
  });

  it("a line that is alone between two drawings has its row for itself", async () => {
    const { end } = await watched("rarely");
    for (const n of [5, 15, 25]) assert.ok(end.includes(`line ${n}`), end.join("\n"));
    assert.ok(!end.some((line) => / in flight, /.test(line)), end.join("\n"));
  });

  it("half a line is not drawn over, whoever wrote it", async () => {
    const opened = await watched("opened");
    assert.equal(opened.end[0].trimEnd(), "before the run,");
    const halves = await watched("halves");
    const text = halves.end.join("\n");
    for (const n of [3, 10, 17, 24]) assert.ok(text.includes(`half of ${n},`), text);
    assert.equal(text.match(/and the rest/g).length, 4, text);
    assert.equal(halves.end.filter((line) => SUMMARY.test(line)).length, 1, text);
  });

  it("a signal ends the program as ever", async () => {
    const { drawings, outcome } = await watched("interrupted", { progress: "workers" });
    assert.ok(drawings.length > 1);
    assert.equal(outcome.code, 128 + 2);
  });

  it("a line that is wider than computed stays in its row", async () => {
    const { end, drawings } = await watched("wide", { progress: "workers" }, { columns: 70 });
    assert.ok(
      drawings.flat().some((line) => line.includes("\u{1f468}")),
      "and it was there",
    );
    assert.equal(end.length, 2, end.join("\n"));
  });

  it("failures are counted", async () => {
    const { end } = await watched("fails");
    assert.match(
      end.find((line) => line.startsWith("sonic")),
      /: 30 done, 2 failed, /,
    );
  });

  it("no line is wider than the terminal, whatever is in the data", async () => {
    for (const columns of [30, 60, 90]) {
      const { drawings, end } = await watched(
        "long",
        { progress: "workers", total: EVENTS },
        { rows: 5, columns },
      );
      assert.ok(
        drawings.every((lines) => lines.length <= 3),
        `${columns} columns: a line for each`,
      );
      assert.equal(end.at(-1), "the end: 30");
    }
  });

  it("two runs at once are both shown", async () => {
    const { drawings, end } = await watched("twice");
    assert.ok(
      drawings.some((lines) => lines.filter((line) => / in flight, /.test(line)).length === 2),
    );
    assert.equal(end.filter((line) => SUMMARY.test(line)).length, 2);
  });

  it("a run that fails says so, however it fails", async () => {
    const summary =
      /^sonic-distribute: \d+ done, 0 failed, (\d+ not finished, )?[\d.]+\/s, [\d.]+s: stopped$/;
    const thrown = await watched("throws");
    assert.equal(thrown.outcome.code, 1);
    assert.ok(thrown.end.includes("Error: nobody catches this"), thrown.end.join("\n"));
    assert.equal(thrown.end.filter((line) => summary.test(line)).length, 1);
    const left = await watched("exits");
    assert.equal(left.outcome.code, 3);
    assert.match(left.end.at(-1), summary);
    const rejected = await watched("rejects");
    assert.match(rejected.end.at(-2), summary);
    assert.equal(rejected.end.at(-1), "the end: masterFn gives up");
  });

  it("nothing is left in the process", async () => {
    for (const { end } of [
      await watched("tidy", { progress: true }, { columns: 300 }),
      await watched("overlaps", { progress: true }, { columns: 300 }),
    ]) {
      const { before, after } = JSON.parse(
        end.find((line) => line.startsWith("RESULT")).slice("RESULT ".length),
      );
      assert.deepEqual(after, before);
    }
  });

  it("a terminal that cannot move its cursor gets lines", async () => {
    const { drawings, end } = await watched("quiet", { progress: true }, { env: { TERM: "dumb" } });
    assert.deepEqual(drawings, []);
    assert.match(end[0], SUMMARY);
  });

  it("a job in the background draws nothing", async () => {
    const fixture = path.join(FIXTURES, "progress/job.js");
    const inBackground = `set -m; "${NODE}" "${fixture}" quiet '{"progress":true}' & wait`;
    const program = start(null, {
      nodeArgs: [
        "-e",
        `
      const { spawnSync } = require("child_process");
      const { stdout } = spawnSync("python3", ${JSON.stringify([SCREEN, "24", "100", "bash", "-c", inBackground])}, { encoding: "utf8" });
      console.log(stdout);
    `,
      ],
    });
    const { drawings, end } = await seen((await program.ended).stdout, TERMINAL);
    assert.deepEqual(drawings, []);
    assert.equal(end.filter((line) => SUMMARY.test(line)).length, 1, end.join("\n"));
  });
});

describe("where the error stream is no terminal", () => {
  it("nothing is drawn: the output is the program's, and the error stream has the summary", async () => {
    const { stdout, stderr } = await piped("speaks", { progress: true });
    assert.doesNotMatch(stdout + stderr, /\x1b/);
    assert.doesNotMatch(stdout, /sonic-distribute/);
    assert.equal(stderr.split("\n").filter((line) => SUMMARY.test(line)).length, 1);
  });

  it("a line comes every five seconds, with the workers if wanted", async () => {
    const options = { progress: "workers", total: 200 };
    const { stderr } = await run("progress/slow.js", { args: [JSON.stringify(options)] });
    const lines = stderr.trim().split("\n");
    assert.equal(lines.length, 4, stderr);
    assert.match(
      lines[0],
      /^sonic-distribute: \d+ of 200 done \(\d+ %\), 0 failed, \d+ in flight, \d\.\d\/s, [5-9]s, ETA \S+$/,
    );
    assert.match(lines[1], /^sonic-distribute: worker 1: +\d+ done, event \d+ for \d\.\ds \d+$/);
    assert.match(lines[2], /^sonic-distribute: worker 2: +\d+ done, event \d+ for \d\.\ds \d+$/);
    assert.match(lines[3], /^sonic-distribute: 12 done, 0 failed, /);
  });
});

describe("where nobody reads the error stream", () => {
  it("the run goes on and ends", async () => {
    const fixture = path.join(FIXTURES, "progress/job.js");
    // The pipe is full before the run begins, and read when it is over.
    const job = `head -c 65536 /dev/zero >&2; "${NODE}" "${fixture}" quiet '{"progress":"workers"}'; touch over`;
    const unread = `{ ${job}; } 2> >(while [ ! -e over ]; do sleep 0.05; done; wc -c)`;
    const program = start(null, {
      nodeArgs: [
        "-e",
        `
      const { spawnSync } = require("child_process");
      console.log(spawnSync("bash", ["-c", ${JSON.stringify(unread)}], { encoding: "utf8", timeout: 60000 }).stdout);
    `,
      ],
    });
    assert.match((await program.ended).stdout, /the end: 30/);
  });
});

describe("the environment", () => {
  const isShown = async (options, value) => {
    const { stderr } = await piped("quiet", options, { SONIC_PROGRESS: value });
    // On a busy machine it takes longer than the five seconds after which a line comes.
    return SUMMARY.test(stderr.trim().split("\n").pop());
  };

  it("asks for it where the program says nothing", async () => {
    assert.deepEqual(
      await Promise.all(
        ["1", "true", "workers", "0", "false", ""].map((value) => isShown({}, value)),
      ),
      [true, true, true, false, false, false],
    );
  });

  it("gives way to the program", async () => {
    assert.deepEqual(
      [await isShown({ progress: false }, "1"), await isShown({ progress: true }, "0")],
      [false, true],
    );
  });

  it("asks for nothing: nothing is shown", async () => {
    assert.equal((await piped("quiet")).stderr, "");
  });
});

describe("onProgress", () => {
  it("is told how far the run has come, and at the end all of it", async () => {
    const { told, call } = (await run("progress/tells.js")).result;
    assert.deepEqual(call, {});
    const counts = told.map(({ answered }) => answered);
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
    );
    assert.ok(
      counts.some((count) => count > 0 && count < EVENTS),
      `${counts}`,
    );
    assert.equal(counts.at(-1), EVENTS);
    for (const { handedOver, answered, unfinished } of told)
      assert.equal(handedOver, answered + unfinished);
  });

  it("aborts the run when its promise rejects", async () => {
    const { call } = (await run("progress/tells.js", { args: ["rejects"] })).result;
    assert.equal(call.error.message, "enough");
  });

  it("aborts the run when it throws", async () => {
    const { told, call } = (await run("progress/tells.js", { args: ["throws"] })).result;
    assert.equal(call.error.message, "enough");
    assert.ok(told.at(-1).answered < EVENTS, "and not at the end");
  });
});
