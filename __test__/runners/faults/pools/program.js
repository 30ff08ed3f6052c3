"use strict";
// The program of one cell of a pool. Events fill all places of the pool, one of them makes room for the event that the fault
// strikes, and others wait behind it; in the end all places are filled once more. It reports what it handed over and what
// that came to, and judges nothing.
const { cell } = require("./arm");
const fs = require("fs");
const path = require("path");
const { createPool } = require("../../../..");
const { mark, outcome, report, seen } = require("../../../support/program");
const { REASON } = require("./check-cut");
const { descriptors, left } = require("./open-files");
const places = require("./places");
const stages = require("./stages");

const { GROUPS, KINDS, fill, jobs, makeRoom, meet, open, optionsFor, optionsOfPool, workerFor } =
  places;
const { expected, kind, moment } = cell;

const warnings = [];
process.on("warning", (/** @type {any} */ { code }) => warnings.push(code));

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

/** All that happens until the fault has struck, and what all events came to. Resolves to what may be known of that. */
async function meetFault(pool, tags) {
  const worker = await workerFor(pool, tags);
  fs.writeFileSync("doomed", `${worker}`);
  await fill(pool, cell.release);
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
  if (!expected.isLeft) await meet(pool, cell.workers);
  return {
    looks: expected.isLeft ? undefined : await pool.each("look"),
    gone:
      cell.givenUp && tags.length > 0
        ? await outcome(pool.call("look", undefined, { tags }))
        : undefined,
  };
}

async function main() {
  // Node opens something for good when it first writes there.
  process.stderr.write("");
  const before = descriptors();
  const from = cell.form === "file" ? path.join(__dirname, "stages.js") : stages;
  const created = await outcome(
    createPool(/** @type {any} */ (from), {
      ...optionsOfPool(),
      ...cell.limits.pool,
    }),
  );
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
