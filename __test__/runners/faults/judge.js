"use strict";
/** Holds what the program of a cell came to against what is expected of it. It runs nothing. */
const assert = require("node:assert/strict");

const EVENTS = 12;
const FATAL = 5;
const range = (n) => Array.from({ length: n }, (_, i) => i);

/** @param {any} cell @param {any} program */
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

module.exports = { judge, judgeError };
