"use strict";
// The program of one cell of a pool. Events fill all places of the pool, one of them makes room for the event that the fault
// strikes, and others wait behind it; in the end all places are filled once more. It reports what it handed over and what
// that came to, and judges nothing.
const { cell } = require("./arm");
const fs = require("fs");
const path = require("path");
const { createPool } = require("../../../..");
const { mark, outcome, report, seen, until } = require("../../../support/program");
const { REASON } = require("./check-cut");
const { Job } = require("./job");
const stages = require("./stages");

const { concurrency, expected, kind, moment } = cell;
const KINDS = ["call", "map", "stream", "run"];

/** The tags of each worker, where there are any. */
const GROUPS = cell.tag === "none" ? [] : [["a"], ["b"]];
const WORKERS = 2;

/** What is open for longer after the pool was closed stays open. */
const GRACE = 10_000;

const warnings = [];
process.on("warning", (/** @type {any} */ { code }) => warnings.push(code));

/** What this process has open, by what it is. */
function descriptors() {
  const names = fs.readdirSync("/proc/self/fd").map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, "N");
    } catch (_) {
      return "the folder";
    }
  });
  return names.filter((name) => name !== "the folder").sort();
}

/** The lines that workers have written, in words. */
function lines() {
  if (!fs.existsSync("events.log")) return [];
  const text = fs.readFileSync("events.log", "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" "));
}

/** The worker in which each event has begun. */
const begun = () => lines().filter(([what]) => what === "B");

const jobs = [];

function open(pool, name, ofKind, options) {
  const job = new Job(pool, name, ofKind, options);
  jobs.push(job);
  return job;
}

const optionsFor = (tags, key) => ({
  ...(tags.length > 0 ? { tags } : {}),
  ...(key === undefined ? {} : { key }),
});

/** Events in all places, which stay there: in each place of each worker. */
async function fill(pool) {
  const places = WORKERS * concurrency;
  for (const tags of GROUPS.length > 0 ? GROUPS : [[]]) {
    const count = tags.length > 0 ? concurrency : places;
    const own = KINDS.slice(0, count).map((of) => open(pool, `fill${of}${tags}`, of, { tags }));
    for (let at = 0; at < count; at++) {
      own[at % own.length].add("filler", { release: cell.release });
    }
    for (const job of own) job.end();
  }
  await until(() => begun().length === places);
}

/** Makes room in one worker, or in any. */
function makeRoom(worker) {
  const [, , , name] = begun().find(([, , id]) => worker === undefined || Number(id) === worker);
  mark(`go ${name}`);
}

/** The worker that the event has to run in which the fault strikes; none if any will do. */
async function workerFor(pool, tags) {
  if (cell.key !== "none") return pool.call("where", undefined, optionsFor(tags, cell.key));
  const group = GROUPS.findIndex((of) => of.join() === tags.join());
  return group < 0 ? undefined : group + 1;
}

/** The event that the fault strikes, and those that wait behind it. */
async function strike(pool, tags, worker) {
  makeRoom(worker);
  const key = cell.key === "none" ? undefined : cell.key;
  const options = { ...optionsFor(tags, key), ...cell.limits.call };
  const victims = open(pool, "victims", kind, options);
  victims.add("victim");
  await seen("victim");
  for (let n = 0; n < 3; n++) victims.add("follower");
  victims.end();
  KINDS.forEach((of, at) => {
    const other = GROUPS.length > 0 ? [[], ...GROUPS][at % 3] : [];
    const job = open(pool, `follow${of}`, of, optionsFor(other, key && of));
    for (let n = 0; n < 3; n++) job.add("follower");
    job.end();
  });
}

/** All places of the pool at once. */
async function meet(pool) {
  const size = cell.workers * concurrency;
  for (const tags of GROUPS.length > 0 ? GROUPS.slice(0, cell.workers) : [[]]) {
    const job = open(pool, `meet${tags}`, "call", { tags });
    const count = tags.length > 0 ? concurrency : size;
    for (let n = 0; n < count; n++) job.add("meeting", { size });
    job.end();
  }
  await Promise.all(jobs.map((job) => job.done));
}

/** An `AbortController`, which Node 14 does not have. */
function aborter() {
  const listeners = new Set();
  const signal = {
    aborted: false,
    reason: undefined,
    addEventListener: (_type, listener) => listeners.add(listener),
    removeEventListener: (_type, listener) => listeners.delete(listener),
  };
  const abort = (reason) => {
    Object.assign(signal, { aborted: true, reason });
    for (const listener of [...listeners]) listener();
  };
  return { signal: /** @type {any} */ (signal), abort };
}

const optionsOfPool = () => ({
  ...(GROUPS.length > 0
    ? { workers: [{ tags: GROUPS[0] }, { tags: GROUPS[1], exclusive: true }] }
    : { numWorkers: WORKERS }),
  ...cell.limits.pool,
  concurrency,
  serialization: cell.serialization,
  ...(cell.retries === "on" ? { retries: { limit: 1, on: ["crash", "timeout", "error"] } } : {}),
});

/** All that happens until the fault has struck, and what all events came to. Resolves to what may be known of that. */
async function meetFault(pool, tags) {
  const worker = await workerFor(pool, tags);
  fs.writeFileSync("doomed", `${worker}`);
  await fill(pool);
  await strike(pool, tags, worker);
  const resized = cell.size && pool.resize(cell.size);
  const cut = moment === "close by signal" ? aborter() : undefined;
  const isClosed = cut !== undefined || moment === "close";
  const closed = isClosed ? pool.close({ signal: cut?.signal }) : undefined;
  const refused = closed && (await outcome(pool.call("look")));
  mark("queued");
  if (cell.release === "go") mark("go");
  if (cut !== undefined) {
    await seen("struck");
    cut.abort(Object.assign(new Error("enough"), { code: REASON }));
  }
  await Promise.all([...jobs.map((job) => job.done), resized]);
  if (moment === "idle") {
    mark("all-answered");
    await seen("struck");
  }
  return { closed, refused };
}

/** What the pool is good for afterwards. */
async function serve(pool, tags) {
  if (!expected.isLeft) await meet(pool);
  return {
    looks: expected.isLeft ? undefined : await pool.each("look"),
    gone:
      cell.givenUp && tags.length > 0
        ? await outcome(pool.call("look", undefined, { tags }))
        : undefined,
  };
}

/** What this process has open in the end: the thread of the core ends a moment after the last pool. */
async function left(before) {
  const end = Date.now() + GRACE;
  await until(() => descriptors().length === before.length || Date.now() > end);
  return descriptors();
}

async function main() {
  // Node opens something for good when it first writes there.
  process.stderr.write("");
  const before = descriptors();
  const from = cell.form === "file" ? path.join(__dirname, "stages.js") : stages;
  const created = await outcome(createPool(/** @type {any} */ (from), optionsOfPool()));
  if (created.error) return report({ rejected: created.error });
  const pool = created.value;
  const kept = await outcome(pool.each("keep", undefined, { keep: true, ...cell.limits.each }));
  const tags = cell.tag === "none" ? [] : [cell.tag];
  const { closed, refused } = await meetFault(pool, tags);
  const after = closed ? {} : await serve(pool, tags);
  const pids = pool.workers.map(({ pid }) => pid);
  await (closed || pool.close());
  return report({
    kept,
    refused,
    ...after,
    pids,
    warnings,
    tagsOf: Object.fromEntries(GROUPS.map((of, at) => [at + 1, of])),
    descriptors: { before, after: await left(before) },
    statistics: pool.statistics(),
    accepted: jobs.flatMap((job) => job.accepted),
    ends: jobs.flatMap((job) => job.ends),
  });
}

main();
