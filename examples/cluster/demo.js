"use strict";
// Starts a broker, two hosts and a job that counts the words of a folder's sources; kills one host in the middle; and checks that every
// file was counted once.
//
//   npm run demo:cluster
const { spawn, spawnSync } = require("child_process");
const fs = require("fs");
const net = require("net");
const os = require("os");
const path = require("path");
const { countWords, filesIn } = require("./count");

const ROOT = path.join(__dirname, "..", "..");
const JOB = path.join(__dirname, "job.js");
const BIN = path.join(ROOT, "bin", "sonic-distribute.js");

/** Real input: what is installed here. */
const FOLDER = path.resolve(process.argv[2] || path.join(ROOT, "node_modules"));

/** A broker that is installed here. */
const SERVERS = ["valkey-server", "redis-server"];

const server = SERVERS.find((name) => spawnSync(name, ["--version"]).error === undefined);

const freePort = () =>
  new Promise((resolve) => {
    const listening = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {net.AddressInfo} */ (listening.address());
      listening.close(() => resolve(port));
    });
  });

/** Resolves when a process has printed a text. */
const says = (child, text) =>
  new Promise((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (bytes) => {
      output += bytes;
      if (text.test(output)) resolve(output);
    });
    child.once("exit", () => reject(new Error(`it ended before it said ${text}: ${output}`)));
  });

/** What the job must come to, counted in this process. */
function expected() {
  let files = 0;
  let words = 0;
  for (const file of filesIn(FOLDER)) {
    files++;
    words += countWords(file).words;
  }
  return { files, words };
}

async function main() {
  if (server === undefined) {
    console.error(
      "there is no broker on this machine: apt-get install redis-server, or brew install valkey",
    );
    process.exitCode = 1;
    return;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-demo-"));
  const port = await freePort();
  const { QUIET: _, ...own } = process.env;
  const env = { ...own, SONIC_CLUSTER: `redis://127.0.0.1:${port}` };
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  const broker = spawn(server, args, { stdio: "ignore" });
  const hosts = ["one", "two"].map((name) =>
    spawn(
      process.execPath,
      [BIN, "host", "--lease", "5000", "--workers", "1", "--name", name, JOB, FOLDER],
      { env },
    ),
  );
  try {
    await Promise.all(hosts.map((host) => says(host, /ready/)));
    console.log("two hosts are ready; the job begins");
    const job = spawn(process.execPath, [JOB, FOLDER], { env });
    job.stderr.pipe(process.stderr);
    const ended = says(job, /^\{.*\}$/m);
    ended.catch(() => {});
    await says(job, /host two has joined/);
    hosts[1].kill("SIGKILL");
    console.log("killed the host two while it counted");
    const [line] = /^\{.*\}$/m.exec(await ended);
    const result = JSON.parse(line);
    const { files, words } = expected();
    console.log(
      `${result.counted} files, ${result.words} words, by ${result.workers} workers; ${result.failed} failed`,
    );
    const isRight = result.files === files && result.counted === files && result.words === words;
    console.log(
      isRight
        ? "every file was counted once"
        : `WRONG: there are ${files} files and ${words} words`,
    );
    if (!isRight) process.exitCode = 1;
  } finally {
    for (const host of hosts) host.kill();
    await Promise.all(
      hosts.map(
        (host) =>
          host.exitCode === null &&
          host.signalCode === null &&
          new Promise((resolve) => host.once("exit", resolve)),
      ),
    );
    broker.kill();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main();
