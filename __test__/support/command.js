"use strict";
/**
 * Runs any command (a runner, npm, a compiler) to its end and says how it ended and what it printed.
 * It owns the whole tree of processes that the command starts: all of them must be gone when it is,
 * or the run fails and they are killed. `run.js` does the same for fixture programs.
 */
const { spawn } = require("child_process");
const crypto = require("crypto");

const { carrying } = require("./processes");

/** Every descendant inherits this variable: so it is found even when its parent is gone. */
const MARK = "COMMAND_UNDER_TEST";

/** Far above what any command here needs on two busy cores; only a hang reaches it. */
const DEADLINE_MS = 180_000;

/** Milliseconds that a test may take inside a test runner: the runners' own limits are too short for a busy machine. */
const RUNNER_LIMIT = 60_000;

/**
 * What runners and npm set for the processes they start: a spec runs under `node --test`, often under
 * `npm test`, and what it starts must not take itself for a part of either.
 */
const INHERITED = /^(NODE_TEST_CONTEXT|NODE_UNIQUE_ID|NODE_CHANNEL_FD|NODE_OPTIONS|QUIET|npm_.*)$/;

/**
 * @typedef {object} Options
 * @property {string} [cwd]
 * @property {Record<string, string>} [env] Added to the environment.
 * @property {number} [deadline] Milliseconds.
 *
 * @typedef {object} End
 * @property {number | null} code
 * @property {string | null} signal
 * @property {string} stdout
 * @property {string} stderr
 * @property {string} output Both, in the order in which they came.
 * @property {number} seconds Until the command itself ended.
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Options} [options]
 * @returns {Promise<End>}
 */
async function runCommand(command, args, { cwd, env = {}, deadline = DEADLINE_MS } = {}) {
  const mark = crypto.randomBytes(8).toString("hex");
  const started = process.hrtime.bigint();
  const child = spawn(command, args, {
    cwd,
    env: { ...ownEnvironment(), ...env, [MARK]: mark },
    stdio: ["ignore", "pipe", "pipe"],
  });

  const chunks = { stdout: [], stderr: [], output: [] };
  for (const stream of ["stdout", "stderr"]) {
    child[stream].on("data", (chunk) => {
      chunks[stream].push(chunk);
      chunks.output.push(chunk);
    });
  }

  let exit;
  const closed = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      exit = { code, signal, seconds: Number(process.hrtime.bigint() - started) / 1e9 };
    });
    // "close" comes when the last holder of the output has ended, and workers inherit it.
    child.once("close", resolve);
  });

  const inTime = await withDeadline(closed, deadline);
  const left = carrying(`${MARK}=${mark}`);
  for (const { pid } of left) kill(pid);
  if (!inTime) await closed;

  const text = (stream) => Buffer.concat(chunks[stream]).toString("utf8");
  if (!inTime || left.length > 0) {
    const what = inTime ? "left processes behind" : `did not end in ${deadline} ms`;
    const list = left.map(({ pid, line }) => `  ${pid} ${line}`).join("\n");
    throw new Error(`${command} ${args.join(" ")} ${what}:\n${list}\n${text("output")}`);
  }
  return { ...exit, stdout: text("stdout"), stderr: text("stderr"), output: text("output") };
}

/**
 * As {@link runCommand}, but the command must end with code 0.
 * @param {string} command
 * @param {string[]} args
 * @param {Options} [options]
 */
async function runToSuccess(command, args, options) {
  const end = await runCommand(command, args, options);
  if (end.code !== 0) {
    const how = end.signal ?? `code ${end.code}`;
    throw new Error(`${command} ${args.join(" ")} ended with ${how}:\n${end.output}`);
  }
  return end;
}

function ownEnvironment() {
  const names = Object.keys(process.env).filter((name) => !INHERITED.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

function withDeadline(promise, milliseconds) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  return Promise.race([promise.then(() => true), late]).finally(() => clearTimeout(timer));
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Ended meanwhile.
  }
}

module.exports = { RUNNER_LIMIT, runCommand, runToSuccess };
