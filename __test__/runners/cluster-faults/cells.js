"use strict";
/**
 * The cells of the cluster's fault matrix: every fault at every moment of a run over two hosts, with and without retries, of a plain
 * worker function and of a flow; and what a cell must come to, by what its fault costs. It runs nothing.
 */

/** When the fault strikes. */
const MOMENTS = ["at start", "while events run", "while results come", "at the end"];

/**
 * What a fault costs without retries: `nothing`; an `event` that a worker ran; what a `host` had begun, or several; or the `run`, with its
 * master. `ends` is how the host a ends, where the fault ends it.
 * @typedef {{ costs: string, ends?: string | number, strike?: string, server?: string, broker?: string[] }} Fault
 */

/** @type {Record<string, Fault>} */
const FAULTS = {
  "host SIGKILL": { costs: "host", ends: "SIGKILL" },
  "host SIGSTOP": { costs: "host" },
  "worker SIGKILL": { costs: "event" },
  "master SIGKILL": { costs: "run" },
  "broker restart, fsync everysec": {
    costs: "nothing",
    strike: "broker restart",
    broker: ["--appendonly", "yes", "--appendfsync", "everysec"],
  },
  "broker restart, fsync always": {
    costs: "nothing",
    strike: "broker restart",
    broker: ["--appendonly", "yes", "--appendfsync", "always"],
  },
  "broker FLUSHALL": { costs: "nothing" },
  "partition of a host": { costs: "host" },
  "partition of the master": { costs: "host" },
  "slow link": { costs: "nothing" },
  "wrong password": { costs: "host", ends: 3 },
  "wrong clock of a host": { costs: "nothing" },
  "wrong clock of the master": { costs: "nothing" },
};

/** Those that strike a cluster on PostgreSQL too. The others are Redis's own, or have nothing to do with what the broker is. */
const ON_POSTGRES = [
  "host SIGKILL",
  "host SIGSTOP",
  "worker SIGKILL",
  "master SIGKILL",
  "broker restart",
  "partition of a host",
  "partition of the master",
];

for (const strike of ON_POSTGRES) {
  const { costs = "nothing", ends } = FAULTS[strike] || {};
  FAULTS[`${strike}, PostgreSQL`] = { costs, ends, strike, server: "postgres" };
}

const CODES = {
  nothing: [],
  event: ["ERR_SONIC_WORKER_EXIT"],
  host: ["ERR_SONIC_HOST_LOST"],
  run: ["ERR_SONIC_HOST_LOST"],
};

/** What a run may cost an event before it fails: more than any cell costs it. */
const RETRIES = { limit: 5, on: ["crash", "host"] };

/** What the events go through: a worker function, or a flow whose items leave one node for another, and stay on a host where they can. */
const WORK = ["a function", "a flow"];

/** Every cell; or every `step`th, another one for each fault and moment. */
function cells(step = 1) {
  const all = [];
  for (const [fault, { costs }] of Object.entries(FAULTS)) {
    for (const moment of MOMENTS) {
      for (const retries of ["off", "on"]) {
        const codes = retries === "on" ? [] : CODES[costs];
        for (const work of WORK)
          all.push({
            fault,
            moment,
            retries,
            work,
            expected: { costs, codes, fails: codes.length > 0 },
          });
      }
    }
  }
  const columns = 2 * MOMENTS.length * WORK.length;
  // With each fault the moment is another one, and so are retries and work.
  return all.filter((_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return (column + 3 * row) % step === 0;
  });
}

module.exports = { FAULTS, MOMENTS, RETRIES, WORK, cells };
