"use strict";
/**
 * What the soak does with pools that stay, from its seed alone: the pool of each round, the jobs that run on it at once, the
 * events of each job, and the sizes that it gets meanwhile.
 */
const { between, oneOf, random } = require("./loads");

/** How long an event may run in a job where some hang: much longer than any other takes. */
const TASK_TIMEOUT = 1000;

const GROUPS = [
  { tags: ["a"], count: 2 },
  { tags: ["b"], count: 1, exclusive: true },
];

/** How the process of a client dies by itself. */
const HOW = ["SIGKILL", "exit"];

/** The code of one that exits so. */
const EXIT = 7;

/** The pool of a round. */
function poolOf(seed, round) {
  const next = random(seed, "pool", round);
  const hasGroups = next() < 0.3;
  const pool = {
    name: `${round}.pool`,
    numWorkers: between(next, 1, 4),
    concurrency: oneOf(next, [1, 1, 3, 8]),
    serialization: oneOf(next, ["json", "advanced"]),
    /** Its workers run a file, and not the program. */
    isFile: next() < 0.5,
    /** Each worker runs something before any event. */
    keeps: next() < 0.5,
    groups: hasGroups ? GROUPS : undefined,
    /** How many workers there are to be, each after a pause. */
    sizes: Array.from({ length: hasGroups ? 0 : between(next, 0, 4) }, () => ({
      pause: between(next, 0, 300),
      size: between(next, 1, 5),
    })),
    /** How often something runs in every worker meanwhile. */
    eaches: between(next, 0, 2),
  };
  const jobs = Array.from({ length: between(next, 2, 6) }, (_, at) =>
    jobOf(next, pool, `job${at}`),
  );
  return { ...pool, jobs, clients: clientsOf(next, pool) };
}

/** Clients of the pool: each comes, works, and dies or leaves, and comes again. */
function clientsOf(next, pool) {
  return Array.from({ length: between(next, 1, 2) }, (_, client) =>
    Array.from({ length: between(next, 1, 3) }, (_, life) =>
      lifeOf(next, pool, `c${client}.${life}`),
    ),
  );
}

/** The life of a client's process. */
function lifeOf(next, pool, name) {
  return {
    name,
    /** Without it, it leaves when its jobs are done. */
    dies: next() < 0.6 ? { after: between(next, 0, 400), how: oneOf(next, HOW) } : undefined,
    jobs: Array.from({ length: between(next, 1, 3) }, (_, at) =>
      jobOf(next, pool, `${name}.job${at}`),
    ),
  };
}

function jobOf(next, { groups }, name) {
  const kind = oneOf(next, ["call", "map", "stream", "run"]);
  const hangs = next() < 0.25;
  const keys = next() < 0.5 ? between(next, 1, 4) : 0;
  return {
    name,
    kind,
    count: between(next, 1, kind === "map" && keys > 0 ? 15 : 40),
    /** The events have so many different keys; none have any if it is 0. */
    keys: kind === "map" ? Math.min(keys, 1) : keys,
    tags: groups === undefined || next() < 0.4 ? [] : [oneOf(next, ["a", "b"])],
    retries: oneOf(next, [0, 0, 1, 3]),
    backoff: oneOf(next, [0, 0, 20, 200]),
    taskTimeout: hangs ? TASK_TIMEOUT : undefined,
    /** The job is aborted after so many milliseconds. */
    abortAfter: next() < 0.2 ? between(next, 0, 400) : undefined,
    emits: kind === "stream" || kind === "run",
    /** How urgent its events are: all as much, or each of them as it comes. */
    priority: oneOf(next, [undefined, undefined, -1, 1, "mixed"]),
    weight: oneOf(next, [undefined, undefined, 0.2, 5]),
    work: oneOf(next, ["work", "work", "limited"]),
  };
}

/** How many events of the limited stage a worker runs at once. */
const LIMIT = 2;

/** The number of the event that event `n` emits: larger than those that are handed over. */
const CHILD = 1000;

/** What an event of a job does; one that is emitted just answers. */
function eventOf(seed, { name }, job, n) {
  const next = random(seed, "event", name, job.name, n);
  const own = next();
  const rate = 1 / (job.count + 20);
  const isHanging = job.taskTimeout !== undefined && next() < rate;
  const does = own < rate ? "exit" : own < 2 * rate ? "kill" : own < 4 * rate ? "throw" : "answer";
  return {
    isAsync: next() < 0.7,
    milliseconds: Math.floor(next() * 25),
    emits: job.emits && n < CHILD && next() < 0.3,
    priority: job.priority === "mixed" ? Math.floor(next() * 5) - 2 : job.priority,
    key: job.keys > 0 && n < CHILD ? `${job.name}:${n % job.keys}` : undefined,
    does: n >= CHILD ? "answer" : isHanging ? oneOf(next, ["loop", "sleep", "heed"]) : does,
  };
}

module.exports = { CHILD, EXIT, LIMIT, eventOf, poolOf };
