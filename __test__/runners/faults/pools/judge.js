"use strict";
/** Reads what the program of a pool's cell has left, and has it checked. */
const assert = require("node:assert/strict");
const { problemsOf } = require("./check");

/** @param {any} cell @param {any} program */
function judgePool({ expected, ...cell }, program) {
  assert.ok("struck" in program.files, `the fault has not struck\n${program.transcript}`);
  assert.deepEqual(program.tmp, [], "files it left behind");
  if (expected.orphans) {
    assert.equal(program.signal, "SIGKILL", "what ended the master");
    return;
  }
  const log = program.log("events.log");
  const problems = problemsOf({ expected, ...cell }, log, program.result);
  const told = [...problems, "--- what the workers wrote", ...log, program.transcript];
  assert.ok(problems.length === 0, told.join("\n"));
}

module.exports = { judgePool };
