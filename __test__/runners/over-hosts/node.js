#!/usr/bin/env node
"use strict";
/**
 * Stands in for the Node that a spec starts its programs with: the program's calls are over a cluster, and two hosts start as soon as the
 * program has said how many workers it wants. Ends as the program does, when the hosts have ended.
 */
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const readline = require("node:readline");

const BIN = path.join(__dirname, "..", "..", "..", "bin", "sonic-distribute.js");
const MASTER = path.join(__dirname, "master.js");

const { OVER_HOSTS_BROKER: BROKER, OVER_HOSTS_DATABASES: DATABASES } = process.env;

const POLL_MS = 5;

/** Options of Node's that the next word belongs to. */
const WITH_VALUE = ["-r", "--require", "--import"];

/** What a host says of itself, on a line of its standard output. */
const OWN_LINE = /^\S+Z: host [ab]: /;

/** @type {NodeJS.Signals[]} */
const PASSED_ON = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"];

/** Where the program is among the words behind `node`; -1 if they have none. @param {string[]} words */
function placeOfProgram(words) {
  for (let at = 0; at < words.length; at++) {
    if (!words[at].startsWith("-")) return at;
    if (/^-[ep]$/.test(words[at])) return -1;
    if (WITH_VALUE.includes(words[at])) at++;
  }
  return -1;
}

class Hosts {
  /** @param {string[]} words behind `node` @param {number} at which of them is the program @param {string} url */
  constructor(words, at, url) {
    this.words = words;
    this.at = at;
    this.url = url;
    this.running = [];
  }

  /** @param {number} workers of both: so many as the program wants, so there is one host where it wants one */
  start(workers) {
    const shares = [Math.ceil(workers / 2), Math.floor(workers / 2)];
    for (const [at, name] of ["a", "b"].entries())
      if (shares[at] > 0) this.running.push(this.host(name, shares[at]));
  }

  host(name, workers) {
    const { words, at, url } = this;
    const own = ["host", "--cluster", url, "--name", name, "--workers", String(workers)];
    const child = spawn(
      process.execPath,
      [...words.slice(0, at), BIN, ...own, ...words.slice(at)],
      {
        env: { ...process.env, SONIC_CLUSTER: url },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let said = "";
    const lines = readline.createInterface(child.stdout);
    lines.on("line", (line) => {
      if (!OWN_LINE.test(line)) process.stdout.write(`${line}\n`);
      else said += `${line}\n`;
    });
    const ended = once(child, "close").then(([code, signal]) => {
      // It has been told to end before it had begun.
      if (code === 0 || (signal === "SIGTERM" && said === "")) return true;
      process.stderr.write(`host ${name} has ended with ${signal ?? code}:\n${said}`);
      return false;
    });
    return { child, ended };
  }

  /** @returns {Promise<boolean>} whether all of them have ended well */
  async end() {
    for (const { child } of this.running) child.kill("SIGTERM");
    const all = await Promise.all(this.running.map(({ ended }) => ended));
    return all.every(Boolean);
  }
}

/** Calls back when there is a file, with what is in it. @param {string} file @param {(text: string) => void} call */
function onFile(file, call) {
  const timer = setInterval(() => {
    if (!fs.existsSync(file)) return;
    clearInterval(timer);
    call(fs.readFileSync(file, "utf8"));
  }, POLL_MS);
  return () => clearInterval(timer);
}

/** @param {string[]} words */
async function main(words) {
  const at = placeOfProgram(words);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-over-hosts-"));
  const told = path.join(folder, "workers");
  // Programs that run at the same time have different ones.
  const url = `${BROKER}/${process.pid % Number(DATABASES)}`;
  const hosts = new Hosts(words, at, url);
  const preload = { SONIC_CLUSTER: url, OVER_HOSTS_TOLD: told };
  const args = at === -1 ? words : ["--require", MASTER, ...words];
  const program = spawn(process.execPath, args, {
    env: at === -1 ? process.env : { ...process.env, ...preload },
    stdio: "inherit",
  });
  for (const signal of PASSED_ON) process.on(signal, () => program.kill(signal));
  const stop = onFile(told, (text) => hosts.start(Number(text)));
  const [code, signal] = await once(program, "exit");
  stop();
  const areWell = await hosts.end();
  fs.rmSync(folder, { recursive: true, force: true });
  if (!areWell) process.exit(70);
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

main(process.argv.slice(2));
