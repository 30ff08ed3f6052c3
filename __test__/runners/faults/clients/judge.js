"use strict";
/** Reads what the processes of a cell with clients have left, and has it checked. */
const assert = require("node:assert/strict");
const { problemsOfClients } = require("./check");

/** @param {any} cell @param {any} program */
function judgeClients(cell, program) {
  const { files, transcript } = program;
  const read = (name) => (name in files ? JSON.parse(files[name]) : undefined);
  const { ofPool, expected } = cell;
  assert.ok("struck" in files, `the fault has not struck\n${transcript}`);
  assert.deepEqual(program.tmp, [], "files it left behind");
  const reports = { other: read("other.json"), victim: read("victim.json") };
  if (ofPool) {
    assert.equal(program.code, expected.code ?? null, `the exit code of the pool\n${transcript}`);
    assert.match(`${program.signal}`, new RegExp(expected.signal ?? "^null$"), transcript);
    const isExit = expected.code !== undefined;
    assert.equal("socket.token" in files, !isExit, "whether the token's file is left");
  }
  const log = program.log("events.log");
  const own = ofPool ? undefined : program.result;
  const problems = problemsOfClients(cell, log, { own, ...reports });
  const told = [...problems, "--- what the workers wrote", ...log, transcript];
  assert.ok(problems.length === 0, told.join("\n"));
}

module.exports = { judgeClients };
