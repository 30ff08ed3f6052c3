"use strict";
// A temporary PostgreSQL server. Its data is in a temporary folder, it listens only on the loopback address,
// and it requires a password.

const { execFile, spawn } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const { once } = require("node:events");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { promisify } = require("node:util");

const run = promisify(execFile);

/** Debian's packages put one folder per version here. */
const DEBIAN = "/usr/lib/postgresql";

/** How long (ms) a server may take to start. */
const START_DEADLINE = 60_000;

const USER = "backup";

class Server {
  /** Starts a server with an empty cluster. @returns {Promise<Server>} */
  static async start() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-postgres-"));
    try {
      const server = new Server(folder, binaries(), await account(), await freePort());
      await server.initialise();
      await server.run();
      return server;
    } catch (error) {
      fs.rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  constructor(folder, bin, as, port) {
    this.folder = folder;
    this.data = path.join(folder, "data");
    this.bin = bin;
    this.as = as;
    this.port = port;
    this.password = randomBytes(16).toString("hex");
  }

  /** The URL of one of its databases. */
  url(database) {
    return `postgres://${USER}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  async initialise() {
    const secret = path.join(this.folder, "password");
    fs.writeFileSync(secret, this.password, { mode: 0o600 });
    for (const name of [this.folder, secret]) this.give(name);
    const method = ["--auth=scram-sha-256", `--username=${USER}`, `--pwfile=${secret}`];
    const options = ["--no-sync", "--encoding=UTF8", "--locale=C", "-D", this.data];
    await run(path.join(this.bin, "initdb"), [...method, ...options], this.as);
    fs.rmSync(secret);
  }

  /** Gives a file to the user that runs the server. */
  give(name) {
    if (this.as.uid !== undefined) fs.chownSync(name, this.as.uid, this.as.gid);
  }

  async run() {
    const settings = {
      listen_addresses: "127.0.0.1",
      port: this.port,
      unix_socket_directories: this.folder,
      // The data need not survive a crash.
      fsync: "off",
      max_wal_size: "2GB",
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    this.process = spawn(path.join(this.bin, "postgres"), ["-D", this.data, ...options], {
      ...this.as,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.ended = once(this.process, "exit");
    this.stderr = "";
    this.process.stderr.setEncoding("utf8").on("data", (text) => {
      this.stderr = (this.stderr + text).slice(-4096);
    });
    await this.isReady();
  }

  async isReady() {
    for (const from = Date.now(); Date.now() - from < START_DEADLINE; ) {
      if (this.process.exitCode !== null) break;
      if (/ready to accept connections/.test(this.stderr)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await this.stop();
    throw new Error(`PostgreSQL did not start: ${this.stderr}`);
  }

  /** Stops the server and removes its data. */
  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      // SIGINT is a fast shutdown: the server closes all connections and needs no recovery.
      this.process.kill("SIGINT");
      await this.ended;
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The folder of PostgreSQL's programs, or undefined if there is none. */
function findBinaries() {
  const versions = fs.existsSync(DEBIAN) ? fs.readdirSync(DEBIAN) : [];
  const newest = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(DEBIAN, version, "bin"));
  const folders = [...newest, ...(process.env.PATH ?? "").split(path.delimiter)];
  return folders.find((folder) => fs.existsSync(path.join(folder, "initdb")));
}

const isInstalled = () => findBinaries() !== undefined;

function binaries() {
  const found = findBinaries();
  if (found !== undefined) return found;
  throw new Error("there is no PostgreSQL server here (Debian: apt-get install postgresql)");
}

/** PostgreSQL does not run as root. In that case it runs as the user that its package created. */
async function account() {
  if (process.getuid() !== 0) return {};
  const id = async (flag) => Number((await run("id", [flag, "postgres"])).stdout);
  const [uid, gid] = await Promise.all([id("-u"), id("-g")]);
  // The current folder may be closed to this user.
  return { uid, gid, cwd: "/" };
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

module.exports = { Server, isInstalled };
