"use strict";
/**
 * A real broker with a folder of its own, and the processes that use it: masters and hosts, each found by what it inherits. Whoever
 * makes one ends it, and nothing of it is left.
 */
const { spawn } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const net = require("net");
const os = require("os");
const path = require("path");

const { Redis } = require("ioredis");

const { carrying } = require("./processes");

const BIN = path.join(__dirname, "..", "..", "bin", "sonic-distribute.js");
const MARK = "CLUSTER_UNDER_TEST";
/** Only a hang reaches it, however busy the machine is. */
const DEADLINE_MS = 240_000;
const POLL_MS = 20;

/** A port that nobody uses now. @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });

/** @param {() => any} condition @param {string | (() => string)} what */
async function until(condition, what) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`in vain: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

class TestBroker {
  /**
   * @param {string[]} [options] of the server
   * @param {{ server?: string, tls?: any }} [how] which server, and how its own client trusts one that speaks TLS alone
   */
  static async start(options = [], how = {}) {
    const broker = new this(await freePort(), options, how);
    await broker.run();
    return broker;
  }

  /** @param {number} port @param {string[]} options @param {{ server?: string, tls?: any }} how */
  constructor(port, options, { server = "redis-server", tls } = {}) {
    this.port = port;
    this.server = server;
    this.tls = tls;
    this.options = options;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-broker-"));
    this.mark = crypto.randomBytes(8).toString("hex");
    this.programs = [];
    this.url = `${tls === undefined ? "redis" : "rediss"}://127.0.0.1:${port}`;
  }

  /** Where it is found behind another port. @param {number} port @param {string} [user] with a password */
  urlAt(port, user) {
    const url = this.url.replace(/\d+$/, String(port));
    return user === undefined ? url : url.replace("//", `//${user}@`);
  }

  async run() {
    const ports = ["--port", String(this.port)];
    const args = [
      ...(this.tls === undefined ? ports : ["--port", "0", "--tls-port", String(this.port)]),
      "--bind",
      "127.0.0.1",
      "--dir",
      this.folder,
      "--save",
      "",
    ];
    this.child = spawn(this.server, [...args, ...this.options], {
      stdio: "ignore",
      env: { ...process.env, [MARK]: this.mark },
    });
    const missing = new Promise((_, reject) =>
      this.child.once("error", (cause) => {
        // A client that tries again keeps the process of the tests alive.
        this.client.disconnect();
        fs.rmSync(this.folder, { recursive: true, force: true });
        reject(new Error(`${this.server} does not start: install it`, { cause }));
      }),
    );
    const password = this.options[this.options.indexOf("--requirepass") + 1 || Infinity];
    this.client = new Redis({
      host: "127.0.0.1",
      port: this.port,
      password,
      tls: this.tls,
      maxRetriesPerRequest: null,
    });
    this.client.on("error", () => {});
    await Promise.race([missing, this.client.ping()]);
  }

  async kill() {
    this.client.disconnect();
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
  }

  /** Forgets all. */
  async empty() {
    await this.client.flushall();
  }

  /** The keys that are left, but for those of hosts that are there. @param {string} [prefix] */
  async keys(prefix = "sonic") {
    const all = await this.client.keys(`${prefix}:*`);
    return all.filter((key) => key !== `${prefix}:hosts`);
  }

  /** How many masters are there. @returns {Promise<number>} */
  masters() {
    return this.client.zcard("sonic:masters");
  }

  /** How many hosts are there. @returns {Promise<number>} */
  hosts() {
    return this.client.hlen("sonic:hosts");
  }

  /** All that is left, whose ever. @returns {Promise<string[]>} */
  left() {
    return this.client.keys("*");
  }

  /** @param {string} file @param {Record<string, string>} env */
  master(file, env) {
    return this.start([file], env);
  }

  /** @param {string} name @param {string} file @param {Record<string, string>} env @param {string[]} [options] @param {string[]} [through] */
  host(name, file, env, options = [], through = []) {
    const { url, lease, prefix, timeout } = JSON.parse(env.CLUSTER);
    const own = ["--cluster", url, "--name", name, "--workers", "1"];
    if (lease !== undefined) own.push("--lease", String(lease));
    if (prefix !== undefined) own.push("--prefix", prefix);
    if (timeout !== undefined) own.push("--timeout", String(timeout));
    const args = [BIN, "host", ...own, ...options, file];
    return this.start(args, { ...env, HOST: name }, through);
  }

  /** @param {string[]} args @param {Record<string, string>} env @param {string[]} [through] a command that becomes Node */
  start(args, env, through = []) {
    const command = [...through, process.execPath, ...args];
    const program = new TestProgram(command, { ...env, [MARK]: this.mark });
    this.programs.push(program);
    return program;
  }

  /** Ends all, and tells what was left of them that should have ended by itself. */
  async end() {
    for (const program of this.programs) {
      program.kill("SIGCONT");
      program.kill("SIGTERM");
    }
    await Promise.all(this.programs.map(({ ended }) => ended));
    await this.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
    await until(
      () => carrying(`${MARK}=${this.mark}`).length === 0,
      () => `processes are left: ${carrying(`${MARK}=${this.mark}`).map(({ line }) => line)}`,
    );
  }
}

class TestProgram {
  /** @param {string[]} command @param {Record<string, string>} env */
  constructor([file, ...args], env) {
    const { NODE_TEST_CONTEXT: _, ...own } = process.env;
    this.child = spawn(file, args, {
      env: { ...own, QUIET: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.output = "";
    for (const stream of ["stdout", "stderr"]) {
      this.child[stream].on("data", (text) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        this.code = code ?? signal;
        resolve(this.code);
      });
    });
  }

  kill(signal) {
    if (this.code === undefined) this.child.kill(signal);
  }

  /** Resolves when a line has it. @param {RegExp} text */
  says(text) {
    return until(
      () =>
        text.exec(this.output) ||
        (this.code !== undefined && !text.test(this.output) && this.fail(text)),
      () => `${text} in ${this.output}`,
    );
  }

  fail(text) {
    throw new Error(`ended with ${this.code} before it said ${text}: ${this.output}`);
  }

  /** What the program reports. */
  async result() {
    const [, json] = await this.says(/^RESULT (.*)$/m);
    await this.ended;
    return JSON.parse(json);
  }
}

module.exports = { BIN, TestBroker, until };
