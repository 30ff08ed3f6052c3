"use strict";
// The places of a cell's pool, of which each worker has as many as it runs events at once: fills all of them, makes room for an
// event, and has them filled at the same time in the end. It keeps the jobs whose events do so.
const fs = require("fs");
const { mark, until } = require("../../../support/program");
const { cell } = require("./arm");
const { Job } = require("./job");

const { concurrency } = cell;
const KINDS = ["call", "map", "stream", "run"];
const WORKERS = 2;

/** The tags of each worker, where there are any. */
const GROUPS = cell.tag === "none" ? [] : [["a"], ["b"]];

/** @type {InstanceType<typeof Job>[]} */
const jobs = [];

/** The lines that workers have written, in words. */
function lines() {
  if (!fs.existsSync("events.log")) return [];
  const text = fs.readFileSync("events.log", "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" "));
}

/** The events that have begun, as lines. */
const begun = () => lines().filter(([what]) => what === "B");

/** @param {any} pool @param {string} name @param {string} kind @param {any} options */
function open(pool, name, kind, options) {
  const job = new Job(pool, name, kind, options);
  jobs.push(job);
  return job;
}

/** @param {string[]} tags @param {string} [key] */
const optionsFor = (tags, key) => ({
  ...(tags.length > 0 ? { tags } : {}),
  ...(key === undefined ? {} : { key }),
});

/** Events in all places, which stay there until they are released: in each place of each worker. */
async function fill(pool, release) {
  const places = WORKERS * concurrency;
  for (const tags of GROUPS.length > 0 ? GROUPS : [[]]) {
    const count = tags.length > 0 ? concurrency : places;
    const own = KINDS.slice(0, count).map((of) => open(pool, `fill${of}${tags}`, of, { tags }));
    for (let at = 0; at < count; at++) own[at % own.length].add("filler", { release });
    for (const job of own) job.end();
  }
  await until(() => fillers().length === places);
}

const fillers = () => begun().filter(([, , , name]) => name.startsWith("fill"));

/** Makes room for some events in one worker, or in any. @param {number | undefined} worker */
function makeRoom(worker, count = 1) {
  const own = fillers().filter(([, , id]) => worker === undefined || Number(id) === worker);
  for (const [, , , name] of own.slice(0, count)) mark(`go ${name}`);
}

/** The worker that an event with these tags, and with the key of the cell, has to run in; none if any will do. */
async function workerFor(pool, tags) {
  if (cell.key !== "none") return pool.call("where", undefined, optionsFor(tags, cell.key));
  const group = GROUPS.findIndex((of) => of.join() === tags.join());
  return group < 0 ? undefined : group + 1;
}

/** Events in all places of these workers, which end when all of them run. */
async function meet(pool, workers) {
  const size = workers * concurrency;
  for (const tags of GROUPS.length > 0 ? GROUPS.slice(0, workers) : [[]]) {
    const job = open(pool, `meet${tags}`, "call", { tags });
    const count = tags.length > 0 ? concurrency : size;
    for (let n = 0; n < count; n++) job.add("meeting", { size });
    job.end();
  }
  await Promise.all(jobs.map((job) => job.done));
}

/** The options of the pool that the cell asks for. @returns {any} */
const optionsOfPool = () => ({
  ...(GROUPS.length > 0
    ? { workers: [{ tags: GROUPS[0] }, { tags: GROUPS[1], exclusive: true }] }
    : { numWorkers: WORKERS }),
  concurrency,
  serialization: cell.serialization,
  ...(cell.retries === "on" ? { retries: { limit: 1, on: ["crash", "timeout", "error"] } } : {}),
});

module.exports = {
  GROUPS,
  KINDS,
  WORKERS,
  begun,
  fill,
  jobs,
  lines,
  makeRoom,
  meet,
  open,
  optionsFor,
  optionsOfPool,
  workerFor,
};
