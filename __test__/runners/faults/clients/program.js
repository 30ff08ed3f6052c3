"use strict";
// The program of one cell with clients: a pool that listens, a client that the fault strikes, and another one beside it. When it
// strikes, all places of the pool are filled, and events of all three programs wait; in the end all places are filled once
// more. Each of the three tells what it handed over and what that came to, and judges nothing.
const { cell } = require("../pools/arm");
const { spawn } = require("child_process");
const fs = require("fs");
const path = require("path");
const { createPool } = require("../../../..");
const { log, mark, report, seen, until } = require("../../../support/program");
const { descriptors, left } = require("../pools/open-files");
const places = require("../pools/places");
const stages = require("../pools/stages");
const { follow } = require("./follow");

const { begun, fill, jobs, lines, makeRoom, meet, open, optionsOfPool } = places;
const { events, fault, hangs, moment, ofPool, running } = cell;

const warnings = [];
process.on("warning", (/** @type {any} */ { code }) => warnings.push(code));

/** A client's process; `ended` resolves to its code and signal. @param {string} role */
function start(role) {
  const args = [...process.execArgv, path.join(__dirname, "client.js"), role];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  return { child, ended };
}

const sockets = () => descriptors().filter((name) => name.startsWith("socket")).length;

/** Its events have begun, and have not ended. */
const runs = (word) => {
  const all = lines().filter(([, , , name = ""]) => name.startsWith("victim"));
  return all.filter(([what]) => what === word).length;
};

/** Until the fault is due: all places are filled, and all that is to wait does. */
async function prepare(pool) {
  const tags = cell.tag === "none" ? [] : [cell.tag];
  const worker = await places.workerFor(pool, tags);
  const other = start("other");
  await seen("connected");
  const before = sockets();
  const isFirst = events !== "over";
  if (isFirst) await fill(pool, "over");
  const victim = start("victim");
  if (moment !== "connecting") await seen("ready");
  if (!isFirst) await fill(pool, "over");
  if (running > 0) {
    makeRoom(worker, running);
    await until(() => runs("B") === running);
  }
  jobs.push(...follow(pool, "own"));
  mark("queue");
  await seen("queued");
  if (moment === "closing") {
    mark("close");
    await seen("closing");
  }
  return { other, victim, before };
}

/** The pool's own process is struck. */
function strikeSelf() {
  mark("struck");
  mark("strike");
  if (fault === "exit 7 of the pool") process.exit(7);
  if (fault === "SIGSTOP of the pool") {
    const stopped = `until grep -q "^State:.T" /proc/${process.pid}/status; do :; done`;
    spawn("sh", ["-c", `${stopped}; kill -KILL ${process.pid}`], { stdio: "ignore" });
    process.kill(process.pid, "SIGSTOP");
  } else process.kill(process.pid, "SIGKILL");
}

const isStopped = (pid) => /^State:\s+T/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));

/** While the client hangs, others are served: in a place that is filled again before anything of the client gets it. */
async function serveMeanwhile(pool) {
  const [, , id, name] = begun().find(([, , , started]) => {
    return started.startsWith("fill") && !fs.existsSync(`go ${started}`);
  });
  const tags = places.GROUPS[Number(id) - 1] ?? [];
  const looked = pool.call("look", undefined, { tags, priority: 9 });
  const again = open(pool, "again", "call", { tags, priority: 8 });
  again.add("filler", { release: "over" });
  again.end();
  mark(`go ${name}`);
  await looked;
  await until(() => begun().some((line) => line[3] === "again:0"));
}

/** The fault strikes the client. Resolves to how it ended, when the pool has heard of that. */
async function strike(pool, { child, ended }, before) {
  // The connection's descriptor is closed when the pool has dropped what the client asked for.
  const isLeft = () => sockets() === before;
  mark("strike");
  if (hangs) {
    await seen("struck");
    if (fault === "SIGSTOP") await until(() => isStopped(child.pid));
    if (cell.leaves) await until(isLeft);
    await serveMeanwhile(pool);
    child.kill("SIGKILL");
  }
  const end = await ended;
  await until(isLeft);
  log("events.log", "G");
  return end;
}

async function main() {
  // Node opens something for good when it first writes there.
  process.stderr.write("");
  const open = descriptors();
  const from = path.join(__dirname, "..", "pools", "stages.js");
  const pool = await createPool(/** @type {any} */ (cell.form === "file" ? from : stages), {
    ...optionsOfPool(),
    listen: path.resolve("socket"),
  });
  const pidsOf = () => pool.workers.map(({ pid }) => pid);
  const first = pidsOf();
  const { other, victim, before } = await prepare(pool);
  if (ofPool) return strikeSelf();
  const exit = await strike(pool, victim, before);
  mark("over");
  await Promise.all(jobs.map((job) => job.done));
  const exitOfOther = await other.ended;
  await until(() => runs("E") === runs("B"));
  await meet(pool, cell.workers);
  const pids = pidsOf();
  // What it kept would run there first.
  if (moment === "idle" && cell.tag === "none") await pool.resize(cell.workers + 1);
  const looks = await pool.each("look");
  await pool.close();
  return report({
    exit,
    exitOfOther,
    first,
    pids,
    looks: looks.length,
    warnings,
    files: ["socket", "socket.token"].filter((file) => fs.existsSync(file)),
    tagsOf: Object.fromEntries(places.GROUPS.map((of, at) => [at + 1, of])),
    descriptors: { before: open, after: await left(open) },
    statistics: pool.statistics(),
    accepted: jobs.flatMap((job) => job.accepted),
    ends: jobs.flatMap((job) => job.ends),
  });
}

main();
