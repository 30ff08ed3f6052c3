"use strict";
/**
 * Starts a server and waits for the line that says where it listens. It owns the whole tree of processes: all of them must be
 * gone soon after the server has exited.
 */
const { spawn } = require("child_process");
const crypto = require("crypto");
const { once } = require("events");
const readline = require("readline");

const { carrying } = require("./processes");

/** Every descendant inherits this variable: so it is found even when its parent is gone. */
const MARK = "SERVER_UNDER_TEST";
const DEADLINE_MS = 60_000;

class RunningServer {
  /**
   * @param {string[]} args of node
   * @param {{ cwd: string }} options
   * @returns {Promise<RunningServer>} when it has printed `listening on URL`
   */
  static async start(args, { cwd }) {
    const server = new RunningServer(args, cwd);
    try {
      for await (const line of readline.createInterface(server.child.stdout)) {
        server.url = /^listening on (\S+)$/.exec(line)?.[1];
        if (server.url !== undefined) return server;
      }
      throw new Error(`the server does not listen: ${server.stderr}`);
    } catch (error) {
      server.kill();
      throw error;
    }
  }

  constructor(args, cwd) {
    const mark = crypto.randomBytes(8).toString("hex");
    this.mark = `${MARK}=${mark}`;
    this.url = undefined;
    this.stderr = "";
    const { NODE_TEST_CONTEXT, NODE_OPTIONS, ...env } = process.env;
    this.child = spawn(process.execPath, args, {
      cwd,
      env: { ...env, [MARK]: mark },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stderr.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.exit = once(this.child, "exit");
    this.deadline = setTimeout(() => this.kill(), DEADLINE_MS);
  }

  /** Sends a signal to the server alone. @param {NodeJS.Signals} signal */
  signal(signal) {
    this.child.kill(signal);
  }

  /** Sends a signal to the server and its workers, as Ctrl-C in a terminal does. @param {NodeJS.Signals} signal */
  signalAll(signal) {
    for (const { pid } of carrying(this.mark)) send(pid, signal);
  }

  /** @returns {Promise<{ code: number | null, signal: string | null, left: number }>} `left`: processes that are still there */
  async end() {
    const [code, signal] = await this.exit;
    clearTimeout(this.deadline);
    const left = this.kill();
    return { code, signal, left };
  }

  /** Kills all that is left of it, and returns how many that were. */
  kill() {
    const left = carrying(this.mark);
    for (const { pid } of left) send(pid, "SIGKILL");
    return left.length;
  }
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // Ended meanwhile.
  }
}

module.exports = { RunningServer };
