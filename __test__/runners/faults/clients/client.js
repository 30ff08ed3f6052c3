"use strict";
// A client of a cell's pool: the one that the fault strikes, or another one beside it. argv: which of the two. It writes down
// what it hands over, and what that came to, when it exits.
const { cell } = require("../pools/arm");
const { arm, due } = require("./strike");

const [, , role] = process.argv;
if (role === "victim") arm();

const fs = require("fs");
const { connectPool } = require("../../../..");
const { mark, outcome, seen, until } = require("../../../support/program");
const { follow } = require("./follow");
const { Job } = require("../pools/job");

const { concurrency, events, isOpen, kind, moment, workers } = cell;
const tags = cell.tag === "none" ? {} : { tags: [cell.tag] };
const key = cell.key === "none" ? {} : { key: cell.key };

/** What it reports. @type {any} */
const told = {};
/** @type {InstanceType<typeof Job>[]} */
const jobs = [];

process.on("exit", (code) => {
  const accepted = jobs.flatMap((job) => job.accepted);
  const ends = jobs.flatMap((job) => job.ends);
  fs.writeFileSync(`${role}.json`, JSON.stringify({ ...told, code, accepted, ends }));
});

/** Resolves when the pool has all that was sent to it: what it refuses at once is answered at its turn. */
async function arrived(pool) {
  await until(() => jobs.every(({ feed }) => feed.waiting.length === 0));
  await new Promise(setImmediate);
  await outcome(pool.call("look", undefined, { tags: ["nowhere"] }));
}

/** A job that the fault strikes while it reads or reduces. */
class Struck extends Job {
  async read(entry) {
    await super.read(entry);
    if (moment !== "reading" || this.ends.length > 1) return;
    mark("ready");
    await due();
  }

  async reduce(results, failures) {
    if (moment === "reducing") {
      mark("ready");
      await due();
    }
    return super.reduce(results, failures);
  }
}

/** Events of one kind, more than there are places for. @param {any} pool @param {string} event its role */
function handOver(pool, event, count, more = {}) {
  const job = new Struck(pool, "victim", kind, { ...tags, ...key, ...more });
  jobs.push(job);
  for (let n = 0; n < count; n++) job.add(event, { release: "over" });
  if (!isOpen) job.end();
}

/** What it asks for before the fault, by the moment. */
const asks = {
  async idle(pool) {
    await pool.each("work", { name: "kept:0", role: "follower" }, { keep: true });
    handOver(pool, "follower", 4);
    await Promise.all(jobs.map((job) => job.done));
  },
  reading: (pool) => handOver(pool, "follower", 300, { maxResultsWaiting: 2 }),
  reducing: (pool) => handOver(pool, "follower", 8),
  each(pool) {
    told.each = outcome(pool.each("work", { name: "each:0", role: "follower" }));
  },
};

async function ask(pool) {
  const own = asks[moment] ?? (() => handOver(pool, "filler", workers * concurrency + 3));
  await own(pool);
  // It does not read, or its events have ended already.
  if (events !== "over") await arrived(pool);
}

/** The client that the fault strikes. */
async function victim() {
  if (moment === "connecting") await seen("strike");
  const opened = connectPool("socket");
  const { error } = await outcome(opened);
  if (error !== undefined) {
    told.rejected = error.code;
    return;
  }
  const pool = await opened;
  if (cell.isOutside) return;
  await ask(pool);
  let closed;
  if (moment === "reading" || moment === "reducing") await seen("strike");
  else {
    mark("ready");
    if (moment === "closing") {
      await seen("close");
      closed = pool.close();
      mark("closing");
    }
    await due();
  }
  for (const job of jobs) job.end();
  await leave(pool, closed);
}

/** The one beside it. */
async function other() {
  const pool = await connectPool("socket");
  mark("connected");
  await seen("queue");
  jobs.push(...follow(pool, "other"));
  await arrived(pool);
  mark("queued");
  await leave(pool);
}

/** Ends by itself when all has ended. @param {any} pool @param {Promise<void>} [closed] */
async function leave(pool, closed) {
  await Promise.all(jobs.map((job) => job.done));
  const { each } = told;
  if (each !== undefined) told.each = (await each).error?.code;
  told.later = (await outcome(pool.call("look"))).error?.code;
  await (closed ?? pool.close());
  told.isClosed = true;
}

if (role === "victim") victim();
else other();
