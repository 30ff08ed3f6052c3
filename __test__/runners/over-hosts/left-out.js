"use strict";
/**
 * The specs that run over two hosts, with the tests that do not, by a part of their names, and why; and the specs of which none does.
 */

const BY_HAND = "initMaster and configureWorkers are refused over a cluster";
const IDS = "a queue over a cluster has no worker ids: hosts share what waits";
const SENDS = "process.send({ response }) is refused over a cluster";
const HANDED_OVER = "over a cluster a failed entry has the data as it was handed over";
const OF_HOSTS = "looks for workers among the children of the program, and hosts have them";
const VARIABLE = "SONIC_CLUSTER is set here, and it expects no variable of the package";
const SOON = "what goes to a host at nearly the same time may start in another order";
const SLOW = "it waits 200 ms for more to come, and a way over the broker may take longer";
const FROM_ONE = "each host numbers its workers after those that it had before";
const OF_PROCESSES = "it is about processes that a program starts on its own machine";

/** @typedef {{ without?: Record<string, string> }} Spec */

/** @type {Record<string, Spec>} */
const SPECS = {
  "calls.spec.js": {
    without: {
      "with ids that go on rising": FROM_ONE,
      "works with initMaster": BY_HAND,
      "works with configureWorkers": BY_HAND,
      "works several times, with results": BY_HAND,
      "does not take itself for a worker": VARIABLE,
    },
  },
  "crash.spec.js": {
    without: {
      "is replaced by a new process with the same id": OF_HOSTS,
      "has added for good what the event had sent itself": SENDS,
      "fail nothing while they are idle": OF_HOSTS,
      "fail the events that ran": OF_HOSTS,
    },
  },
  "ends.spec.js": {},
  "retries.spec.js": {
    without: {
      "fails with the error and the data of the last attempt": HANDED_OVER,
      "holds no other event up": SOON,
      "is tried again there, and its worker is free": IDS,
    },
  },
  "stream.spec.js": {
    without: {
      ": map, ": SENDS,
      ": exactly, ": SENDS,
      "has Map wait while many": SLOW,
    },
  },
};

const POOLS =
  "a pool, and not MapReduce: cluster.spec.js and cluster-options.spec.js have pools over hosts";
const FLOWS = "flows over hosts: cluster-flows.spec.js";
const LOCKS = "locks and shared state over hosts: cluster-locks.spec.js";
const SEEN = "what is shown of a program over hosts: cluster-seen.spec.js";
const NOT_YET = "it is not settled yet which of them are to hold over hosts";
const IN_PROCESS = "inProcess is refused over a cluster";

/** @type {Record<string, string>} */
const ELSEWHERE = {
  "abort.spec.js": NOT_YET,
  "answers.spec.js": `each of its long events waits for short ones before it, and ${SOON}`,
  "chains.spec.js": "tags and pools; over hosts: cluster-flows.spec.js",
  "cluster.spec.js": OF_HOSTS,
  "connect.spec.js": "the option listen is refused over a cluster",
  "dashboard.spec.js": SEEN,
  "environment.spec.js": OF_PROCESSES,
  "errors.spec.js": NOT_YET,
  "exit.spec.js": OF_PROCESSES,
  "flow-failures.spec.js": FLOWS,
  "flow-limits.spec.js": FLOWS,
  "flow-seen.spec.js": FLOWS,
  "flow-shuffle.spec.js": FLOWS,
  "flows-in-process.spec.js": IN_PROCESS,
  "flows.spec.js": FLOWS,
  "hints.spec.js":
    "hints are about workers of the program's own process: hosts have a line for what they do",
  "identity.spec.js": NOT_YET,
  "lock-trace.spec.js": LOCKS,
  "lock-unused.spec.js": LOCKS,
  "locks.spec.js": LOCKS,
  "logs.spec.js": OF_PROCESSES,
  "model.spec.js": NOT_YET,
  "options.spec.js": NOT_YET,
  "pool-file.spec.js": POOLS,
  "pool-in-process.spec.js": IN_PROCESS,
  "pool-seen.spec.js": SEEN,
  "pool-tasks.spec.js": POOLS,
  "pool-workers.spec.js": POOLS,
  "pool.spec.js": POOLS,
  "priorities.spec.js": NOT_YET,
  "queues.spec.js": NOT_YET,
  "security.spec.js": OF_PROCESSES,
  "signals.spec.js": OF_PROCESSES,
  "start.spec.js": OF_PROCESSES,
  "sync.spec.js": LOCKS,
  "tags.spec.js":
    "groups of workers that differ are the master's own; tags of hosts: cluster-options.spec.js",
  "values.spec.js": NOT_YET,
  "watch.spec.js": OF_PROCESSES,
};

module.exports = { ELSEWHERE, SPECS };
