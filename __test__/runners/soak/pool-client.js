"use strict";
// A client of the soak's pool: it runs its jobs, and leaves; or dies meanwhile. What its jobs came to is in a file when all have
// ended. argv: the seed, the name of the pool, that of its life, and the folder of the pool.
const fs = require("node:fs");
const path = require("node:path");
const { connectPool } = require("../../..");
const { EXIT, poolOf } = require("./pool-loads");
const { SOCKET, runJob } = require("./pool-program");

const [, , seed, pool, name, folder] = process.argv;
const load = poolOf(seed, Number.parseInt(pool, 10));
const { dies, jobs } = load.clients.flat().find((life) => life.name === name);

async function main() {
  const connected = await connectPool(path.join(folder, SOCKET));
  // It works: whoever kills at random may kill it.
  fs.writeFileSync(path.join(folder, `${process.pid}.log`), "");
  const timer = dies && setTimeout(die, dies.after);
  const told = await Promise.all(jobs.map((job) => runJob(connected, load, job, { seed, folder })));
  clearTimeout(timer);
  const file = path.join(folder, `${name}.json`);
  fs.writeFileSync(`${file}.part`, JSON.stringify(told));
  fs.renameSync(`${file}.part`, file);
  await connected.close();
}

function die() {
  if (dies.how === "exit") process.exit(EXIT);
  process.kill(process.pid, "SIGKILL");
}

main();
