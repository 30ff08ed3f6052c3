"use strict";
// What the soak's program does with a pool: all jobs at once, while clients come and go, it is resized and something runs in
// every worker; and what each event came to.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const path = require("node:path");
const { createPool, isMaster, Map } = require("../../..");
const { eventOf } = require("./pool-loads");
const stages = require("./pool-stages");

/** On which the pool listens, in its folder. */
const SOCKET = "socket";

/** Milliseconds after which no worker that crashed is still to be replaced. */
const REPLACED = 30_000;

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** How the calls of a job are made, by its kind. Each resolves to what its events came to. */
const kinds = {
  call: (pool, { work, numbers, optionsOf }) =>
    Promise.all(
      numbers.map((n) =>
        pool.call(work, n, optionsOf(n)).then(
          (response) => ({ n, response }),
          (error) => ({ n, error: told(error) }),
        ),
      ),
    ),
  async map(pool, { work, numbers, optionsOf }) {
    const ends = await pool.map(work, numbers, { ...optionsOf(0), settled: true });
    return ends.map(({ value, reason }, n) => ({
      n,
      ...(reason ? { error: told(reason) } : { response: value }),
    }));
  },
  async stream(pool, { work, submit, options }) {
    const ends = [];
    for await (const { data, response, error } of pool.stream(work, submit, options))
      ends.push({ n: data, response, error });
    return ends;
  },
  run: (pool, { work, submit, options: { args, ...options } }) =>
    pool.run(
      submit,
      work,
      (results, failed) => [
        ...results.getElements().map(({ data, response }) => ({ n: data, response })),
        ...failed.getElements().map(({ data, error }) => ({ n: data, error })),
      ],
      args,
      options,
    ),
};

/** An error, as JSON has it. */
const told = ({ name, message, code, pid, attempts, task }) => {
  return { name, message, code, pid, attempts, times: task?.attempts };
};

/** @param {any} pool @param {any} load @param {any} job @param {{ seed: string, folder: string }} where */
async function runJob(pool, load, job, { seed, folder }) {
  const { jobs: _, clients: _clients, ...about } = load;
  const { retries, backoff, taskTimeout, abortAfter, weight } = job;
  const aborter = new AbortController();
  /** @type {any} */
  const options = {
    args: { seed, folder, pool: about, job },
    taskTimeout,
    weight,
    ...(retries > 0
      ? { retries: { limit: retries, backoff, on: ["crash", "timeout", "error"] } }
      : {}),
    ...(abortAfter === undefined ? {} : { signal: aborter.signal }),
  };
  const routeOf = (n) => {
    const { key, priority } = eventOf(seed, load, job, n);
    return { tags: job.tags, key, priority };
  };
  const optionsOf = (n) => ({ ...options, ...routeOf(n) });
  const numbers = Array.from({ length: job.count }, (_, n) => n);
  const submit = async (queue) => {
    for (const n of numbers) await Map(queue, { data: n }, routeOf(n));
  };
  const timer = abortAfter !== undefined && setTimeout(() => aborter.abort("enough"), abortAfter);
  try {
    return {
      ends: await kinds[job.kind](pool, { work: job.work, numbers, options, optionsOf, submit }),
    };
  } catch (error) {
    return { rejected: error === "enough" ? error : `${error?.stack}` };
  } finally {
    clearTimeout(timer);
  }
}

/** The sizes one after the other. */
async function resize(pool, { sizes }) {
  let done;
  for (const { pause, size } of sizes) {
    await sleep(pause);
    done = pool.resize(size);
    done.catch(() => {});
  }
  await done;
}

/** How many workers there are, once those that crashed are replaced. */
async function sizeOf(pool, { sizes }) {
  const due = sizes[sizes.length - 1]?.size ?? pool.workers.length;
  const until = Date.now() + REPLACED;
  while (pool.workers.length !== due && Date.now() < until) await sleep(20);
  return pool.workers.length;
}

/** The lives of a client, one after the other; how each of them ended, and what it has told by then. */
async function runClient(seed, load, lives, folder) {
  const ends = [];
  for (const life of lives) {
    const args = [path.join(__dirname, "pool-client.js"), seed, load.name, life.name, folder];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
    const [code, signal] = await once(child, "exit");
    const file = path.join(folder, `${life.name}.json`);
    const jobs = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined;
    ends.push({ name: life.name, pid: child.pid, code, signal, jobs });
  }
  return ends;
}

/** @param {string} seed @param {any} load see `poolOf` @param {string} folder of the pool */
async function runPool(seed, load, folder) {
  if (isMaster()) fs.mkdirSync(folder);
  const { numWorkers, groups, concurrency, serialization } = load;
  /** @type {any} */
  const size = groups ? { workers: groups } : { numWorkers };
  const how = { name: load.name, concurrency, serialization, abortGrace: 300 };
  const options = { ...size, ...how, listen: path.join(folder, SOCKET) };
  const outcome = {};
  try {
    const pool = load.isFile
      ? await createPool(path.join(__dirname, "pool-stages.js"), options)
      : await createPool(stages, options);
    if (load.keeps) await pool.each("keep", undefined, { keep: true });
    outcome.tags = Object.fromEntries(pool.workers.map(({ id, tags }) => [id, tags]));
    const eaches = Array.from({ length: load.eaches }, () => pool.each("look"));
    const [, lives, ...jobs] = await Promise.all([
      resize(pool, load),
      Promise.all(load.clients.map((client) => runClient(seed, load, client, folder))),
      ...load.jobs.map((job) => runJob(pool, load, job, { seed, folder })),
    ]);
    Object.assign(outcome, { jobs, lives: lives.flat() });
    for (const pids of await Promise.all(eaches))
      if (pids.length === 0) throw new Error("each ran nowhere");
    outcome.size = await sizeOf(pool, load);
    await pool.close();
    outcome.statistics = pool.statistics();
  } catch (error) {
    outcome.rejected = `${error.stack}`;
  }
  fs.writeFileSync(path.join(folder, "outcome.json"), JSON.stringify(outcome));
  console.log(`POOL ${load.name}`);
}

module.exports = { SOCKET, runJob, runPool };
