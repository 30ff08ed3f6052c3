"use strict";
/**
 * Promise: If a program ends its own worker, with process.exit() or otherwise, the error says so, where that happened,
 * and what to do instead. The functions that end a process work as usual.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");
const { run } = require("../support/run");

const FILE = path.join(__dirname, "..", "fixtures", "ends", "program.js");
/** The line and column of each end in the fixture are not repeated here. */
const AT = `${FILE.replace(/[.\\]/g, "\\$&")}:\\d+:\\d+`;

const ADVICE =
  "; workers run the program too, what comes after the call included, and the call resolves to undefined there: " +
  "exit only if isMaster\\(\\), or set process.exitCode instead$";

const behind = async (how) =>
  (await run("ends/program.js", { args: [how, "behind the call"] })).result.error;
const inEvent = async (how) =>
  (await run("ends/program.js", { args: [how, "in an event"] })).result.value;

describe("a program that ends its workers behind the call", () => {
  const cases = {
    "process.exit(0)": `exited with code 0 .*: it called process\\.exit\\(0\\) at ${AT}`,
    "process.exit(3)": `exited with code 3 .*: it called process\\.exit\\(3\\) at ${AT}`,
    "exit as a callback": "exited with code 0 .*: it called process\\.exit\\(0\\)",
    "a listener for exit": `exited with code 4 .*: it called process\\.exit\\(4\\) at ${AT}`,
    "process.abort()": `was killed by SIGABRT .*: it called process\\.abort\\(\\) at ${AT}`,
    SIGTERM: `was killed by SIGTERM .*: it called process\\.kill\\(process\\.pid, "SIGTERM"\\) at ${AT}`,
    "a caught error": `exited with code 5 .*: Error: caught; then it called process\\.exit\\(5\\) at ${AT}`,
  };
  for (const [how, said] of Object.entries(cases)) {
    it(`is told where: ${how}`, async () => {
      const { message, code } = await behind(how);
      assert.equal(code, "ERR_SONIC_WORKER_START");
      assert.match(message, new RegExp(`^worker 1 ${said}${ADVICE}`));
    });
  }
});

describe("a program that ends a worker in an event", () => {
  const cases = {
    "process.exit(3)": `exited with code 3 while it ran this event: it called process\\.exit\\(3\\) at ${AT}`,
    "a signal's number": `was killed by SIGTERM while it ran this event: it called process\\.kill\\(process\\.pid, "SIGTERM"\\) at ${AT}`,
  };
  for (const [how, said] of Object.entries(cases)) {
    it(`is told where, in the event's error: ${how}`, async () => {
      const messages = await inEvent(how);
      assert.equal(messages.length, 5);
      for (const message of messages) assert.match(message, new RegExp(`^worker 1 ${said}$`));
    });
  }
});

it("the functions that end a process look and work as ever in a worker", async () => {
  const { result } = await run("ends/functions.js");
  const response = {
    isSame: true,
    said: ["ERR_UNKNOWN_SIGNAL", "ERR_INVALID_ARG_TYPE", true],
    stackTraceLimit: 10,
  };
  assert.deepEqual(result, [[{ id: 1, response }], []]);
});
