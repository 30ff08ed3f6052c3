"use strict";
/**
 * The fault matrix: runs every cell of `cells.js` as a program of its own and holds what it came to against what is expected
 * of it. Prints a table, and every cell that came to something else.
 *
 *   node __test__/runners/faults/run.js [--select half|quarter] [--only TEXT] [--at-once N] [--markdown FILE]
 */
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { run } = require("../../support/run");
const { FAULTS, MOMENTS, cells } = require("./cells");

const PROGRAM = path.join("..", "runners", "faults", "program.js");
const EVENTS = 12;
const FATAL = 5;
const range = (n) => Array.from({ length: n }, (_, i) => i);

/**
 * What a worker may take to come up, where a cell is about one that never does; and what it may take where a machine is so
 * busy that it has not come as far as the fault by then.
 */
const START_TIMEOUTS = ["3000", "20000"];

/** Small enough to be used up soon; more than the program needs. */
const HEAP = "--max-old-space-size=48";

/** Every cell, or each fault at each moment with some of its variants: each in its turn. */
const STEPS = { all: 1, half: 2, quarter: 4 };

async function main() {
  const { values } = parseArgs({
    options: {
      select: { type: "string", default: "all" },
      only: { type: "string", default: "" },
      "at-once": { type: "string", default: `${os.cpus().length * 2}` },
      markdown: { type: "string" },
    },
  });
  const selected = cells(STEPS[values.select]).filter((cell) => nameOf(cell).includes(values.only));
  const waiting = [...selected];
  const lane = async () => {
    for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
      const began = Date.now();
      cell.failure = await failureOf(cell);
      cell.seconds = (Date.now() - began) / 1000;
      if (cell.failure)
        console.log(`FAIL ${nameOf(cell)}\n${cell.failure.message.replace(/^/gm, "     ")}`);
    }
  };
  const began = Date.now();
  await Promise.all(range(Number(values["at-once"])).map(lane));

  console.log(table(selected));
  const failed = selected.filter(({ failure }) => failure).length;
  const seconds = Math.round((Date.now() - began) / 1000);
  const sum = `${selected.length - failed} passed, ${failed} failed, in ${seconds} s on ${os.cpus().length} processors`;
  console.log(sum);
  if (values.markdown) write(values.markdown, selected, sum);
  process.exitCode = failed > 0 || selected.length === 0 ? 1 : 0;
}

const nameOf = ({ fault, moment, serialization, retries }) =>
  `${fault} / ${moment} / ${serialization} / retries ${retries}`;

/** Runs a cell. @returns {Promise<Error | undefined>} */
async function failureOf(cell) {
  const timeouts = cell.expected.rejects ? START_TIMEOUTS : [undefined];
  let failure;
  for (const timeout of timeouts) {
    failure = await failureWithin(cell, timeout);
    if (failure === undefined) break;
  }
  return failure;
}

/** That it ends, and leaves no process, is `run`'s to see. */
async function failureWithin(cell, timeout) {
  try {
    const program = await run(PROGRAM, {
      args: [JSON.stringify(cell)],
      nodeArgs: cell.fault === "out of memory" ? [HEAP] : [],
      env: timeout === undefined ? {} : { SONIC_DISTRIBUTE_START_TIMEOUT: timeout },
      deadline: 60_000,
    });
    judge(cell, program);
    return undefined;
  } catch (error) {
    return error;
  }
}

function judge({ retries, expected }, program) {
  const { value, error } = program.result;
  assert.equal(error?.code, expected.rejects, `the call rejects: ${error?.message}`);
  assert.ok("struck" in program.files, "the fault has not struck");
  assert.deepEqual(program.tmp, [], "files it left behind");
  if (expected.rejects) return;
  // Every event in one queue, once.
  const { answered, failed } = value;
  const ended = [...answered, ...failed].map(([n]) => n);
  assert.deepEqual(
    ended.sort((a, b) => a - b),
    range(EVENTS),
    "the events in the queues",
  );
  for (const [n, response] of answered) assert.equal(response, n, `the response to event ${n}`);
  // Only what the fault struck has failed, and says why.
  assert.deepEqual(
    failed.map(([n]) => n),
    expected.fails ? [FATAL] : [],
    "the events that failed",
  );
  if (expected.fails) judgeError(expected.fails, failed[0][1]);
  // Nothing ran twice, but what was retried.
  const ran = program.log("ran.log").map(Number);
  const others = ran.filter((n) => n !== FATAL).sort((a, b) => a - b);
  assert.deepEqual(
    others,
    range(EVENTS).filter((n) => n !== FATAL),
    "the other events, as they ran",
  );
  const times = ran.length - others.length;
  assert.ok(times <= (retries === "on" ? 2 : 1), `event ${FATAL} ran ${times} times`);
  assert.equal(
    program.log("processes.log").length,
    expected.processes,
    "the workers that came to the call",
  );
}

function judgeError({ code, message, exitCode, signal }, error) {
  if (code) assert.equal(error.code, code, error.message);
  if (message) assert.equal(error.message, message);
  if (exitCode !== undefined) assert.equal(error.exitCode, exitCode, error.message);
  if (signal) assert.match(`${error.signal}`, signal, error.message);
}

/** What the variants of a fault at a moment came to, in a few words. */
function wordsOf(list) {
  const words = list.map(({ expected, failure }) => {
    if (failure) return "FAILED";
    if (expected.rejects) return "call rejects";
    return expected.fails ? "fails" : "answered";
  });
  const isReplaced = list.some(({ expected, failure }) => expected.replaces && !failure);
  // Those that fail without retries come first.
  return [...new Set(words)].sort().reverse().join(" / ") + (isReplaced ? ", replaced" : "");
}

function rowsOf(selected) {
  const moments = Object.keys(MOMENTS);
  const of = (fault, moment) =>
    selected.filter((cell) => cell.fault === fault && cell.moment === moment);
  const row = (fault) => [fault, ...moments.map((moment) => wordsOf(of(fault, moment)))];
  return [["", ...moments], ...Object.keys(FAULTS).map(row)];
}

function table(selected) {
  const rows = rowsOf(selected);
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  return rows.map((row) => row.map((text, at) => text.padEnd(widths[at])).join("  ")).join("\n");
}

const [BEGIN, END] = ["<!-- the matrix, as generated -->", "<!-- end of the matrix -->"];

/** Puts the table and the sum in between the marks of a Markdown file. */
function write(file, selected, sum) {
  const [head, ...rows] = rowsOf(selected).map((row) => `| ${row.join(" | ")} |`);
  const ruler = `|${" --- |".repeat(1 + Object.keys(MOMENTS).length)}`;
  const text = fs.readFileSync(file, "utf8");
  const [before, after] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END))];
  fs.writeFileSync(
    file,
    `${before}${[BEGIN, "", head, ruler, ...rows, "", `${sum}.`, ""].join("\n")}\n${after}`,
  );
}

main();
