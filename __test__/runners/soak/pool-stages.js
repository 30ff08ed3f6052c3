"use strict";
// The stages of the soak's pools, and the worker file of those that have one. A worker writes down which event starts and
// ends, by one system call each: `S <job> <n> <attempt> <time>` and `F <job> <n> <attempt> <time>`.
const fs = require("node:fs");
const path = require("node:path");
const { stage } = require("../../..");
const { CHILD, LIMIT, eventOf } = require("./pool-loads");

const cell = new Int32Array(new SharedArrayBuffer(4));
const block = (milliseconds) => milliseconds > 0 && Atomics.wait(cell, 0, 0, milliseconds);
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const time = () => Number(process.hrtime.bigint() / 1000n);

let log;
let isKept = false;

function write(folder, line) {
  if (log === undefined) log = fs.openSync(path.join(folder, `${process.pid}.log`), "a");
  fs.writeSync(log, `${line}\n`);
}

/** Resolves when nobody waits for the event any more. */
const aborted = ({ signal }) =>
  new Promise((done) => {
    if (signal.aborted) done(undefined);
    else signal.addEventListener("abort", () => done(undefined));
  });

/** Runs an event. `args`: the seed, the folder of the pool, the pool without its jobs, and the job. */
function work({ data: n }, { seed, folder, pool, job, workerID }, task) {
  const started = time();
  write(folder, `S ${job.name} ${n} ${task.attempt} ${started}`);
  const { does, isAsync, milliseconds, emits } = eventOf(seed, pool, job, n);
  const end = () => {
    if (does === "exit") process.exit(n % 100);
    if (does === "loop") for (;;);
    if (does === "kill") {
      process.kill(process.pid, "SIGKILL");
      block(60_000);
    }
    // Of an attempt that throws, and of one that nobody waits for, neither is to count.
    task.count(job.name, n + 1);
    if (emits) task.emit(n + CHILD);
    write(folder, `F ${job.name} ${n} ${task.attempt} ${time()}`);
    if (does === "throw") throw new Error(`event ${n} throws`);
    return { n, pid: process.pid, workerID, started, isKept };
  };
  if (does === "heed") return aborted(task).then(end);
  if (does === "sleep") return new Promise(() => setInterval(() => {}, 1000));
  if (isAsync || does === "loop") return sleep(milliseconds).then(end);
  block(milliseconds);
  return end();
}

/** What a worker is to have run before any event. */
function keep() {
  isKept = true;
}

/** Returns which process it ran in. */
const look = () => process.pid;

/** The same, of which a worker runs few at once. */
const limited = stage(work, { name: "limited", concurrency: LIMIT });

module.exports = { keep, limited, look, work };
