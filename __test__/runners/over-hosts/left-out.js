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
const IN_PROCESS = "inProcess is refused over a cluster";
const AHEAD = "over a cluster Map runs some chunks ahead of the workers: docs/cluster.md";
const WAITS =
  "no event may wait for another to start: both may go to one host, and one before the other";
const ANSWERS =
  "it hears of answers by Node's cluster, which knows workers of this process alone: onResult has those of hosts";
const LOOKED_AT = "over a cluster workerFns must be functions in the master too";
const NO_EVENTS = "it has no events, and so ends well before a host has started a worker";
const LEASE =
  "it takes a lease, 10 s, in which another host might come: two other tests here see that too";
const NOT_BOTH = "it counts workers, and the events may be over before both hosts have started";
const AS_HOSTS = "workers start as the command line of their host says";
const LOGS = "workers of hosts do not log what fails: the entries have it";
const TIMING =
  "it compares how often something happens with processor time, of which the broker takes some";
const COORDINATES = "over a cluster it is right: such a process only coordinates";
const SIZE = "over a cluster a value may have 64 MiB, as JSON, and not more";
const MEMORY = "a master at a broker needs more, some 300 MB, but not more with more events either";
const SHARES = "it compares shares of 600 short events, of which a host gets dozens at a time";

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
      "its answer stays and the next event has a new worker": OF_HOSTS,
      "has added for good what the event had sent itself": SENDS,
      "fail nothing while they are idle": OF_HOSTS,
      "fail the events that ran": OF_HOSTS,
    },
  },
  "ends.spec.js": {},
  "abort.spec.js": {
    without: {
      ", once the program has looked at": IDS,
      "has the call and every pending and later Map reject": AHEAD,
      "kills at once with a grace of 0": OF_HOSTS,
      "lets what runs end in the grace": OF_HOSTS,
      "has the call reject also while reduceFn runs": OF_HOSTS,
      "and a master that ends in the grace": WAITS,
      "rejects for a failure that a worker sends itself": SENDS,
    },
  },
  "errors.spec.js": {
    without: {
      "is described in the log": LOGS,
      "the call: stream start": NO_EVENTS,
      "the call: worker start": NO_EVENTS,
      "the call: Map once looked at": IDS,
      "the call: workerFns": LOOKED_AT,
      "is there where the program has no stacks": NO_EVENTS,
      "points there with source maps": NO_EVENTS,
    },
  },
  "identity.spec.js": {
    without: {
      "only another call of the same helper": LEASE,
      "in a later turn that workers do not reach": LEASE,
      "in a later turn of a loop that ends early": LEASE,
      "at the deadline, with the same": LEASE,
    },
  },
  "model.spec.js": {
    without: {
      "re-runs the program in numWorkers processes": NOT_BOTH,
      "starts workers with the same node": AS_HOSTS,
      "resolves to undefined at once in a worker": NOT_BOTH,
      "looks at the arguments only where a role uses them": LOOKED_AT,
      "when there are no stages": LOOKED_AT,
      "keeps Map pending while every worker": AHEAD,
      "than it took to find the one": ANSWERS,
      "once events get long after thousands": ANSWERS,
      "lets the event loop turn": TIMING,
      "lets a worker's own timers run": TIMING,
      "does not leave an event to an idle worker": WAITS,
      "sends an event to an idle worker at once": ANSWERS,
      meet: WAITS,
    },
  },
  "options.spec.js": {
    without: {
      "may be left out, or left empty": OF_HOSTS,
      "say how many workers there are": OF_HOSTS,
      "what comes through a prototype is not seen": OF_HOSTS,
      'reject at once: {"numWorkers":0}': COORDINATES,
      "what the worker left: exact": IDS,
      "is what maxEventsPerWorker says": AHEAD,
      "is one event a worker beyond maxBytesWaiting": AHEAD,
      "is otherwise some hundred events": AHEAD,
      "does not grow with their number": MEMORY,
    },
  },
  "priorities.spec.js": {
    without: {
      "decides what a worker takes next: order": SOON,
      "decides what a worker takes next: inProcess": IN_PROCESS,
      "may be the third parameter of Map": SOON,
      "is no reason to run what was stopped": SOON,
      "is how much of the workers' time": SHARES,
    },
  },
  "queues.spec.js": {
    without: {
      "take additions while they are being emptied": SOON,
      "holds the ids of the free workers": IDS,
      "is exact from the first touch": IDS,
      "shows no worker as free": BY_HAND,
      "lets the program keep a worker": IDS,
      "runs two events at once in a worker that is in it twice": IDS,
      "gets the worker back that Map took": IDS,
      "gives getWorkerID a free worker's number": IDS,
      "are in submission order with one worker": SOON,
      "are in completion order with several": SOON,
      "hold the event's data as the worker left it": HANDED_OVER,
      "hold what a worker sent with process.send": SENDS,
      "free nobody when a worker sent them itself": SENDS,
      "are all there when reduceFn runs": SENDS,
      "include those of events whose Map nobody awaited": IDS,
      "an event goes to another worker where the one": IDS,
    },
  },
  "values.spec.js": {
    without: {
      "what its owner does to the object afterwards": SOON,
      "60 MB of ASCII": SIZE,
      "60 million characters": SIZE,
      "every length about a power of two": SOON,
      "are refused at once with the limit": SIZE,
    },
  },
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

/** @type {Record<string, string>} */
const ELSEWHERE = {
  "answers.spec.js": `each of its long events waits for short ones before it, and ${SOON}`,
  "chains.spec.js": "tags and pools; over hosts: cluster-flows.spec.js",
  "cluster.spec.js": OF_HOSTS,
  "connect.spec.js": "the option listen is refused over a cluster",
  "dashboard.spec.js": SEEN,
  "environment.spec.js": OF_PROCESSES,
  "exit.spec.js": OF_PROCESSES,
  "flow-failures.spec.js": FLOWS,
  "flow-limits.spec.js": FLOWS,
  "flow-seen.spec.js": FLOWS,
  "flow-shuffle.spec.js": FLOWS,
  "flows-in-process.spec.js": IN_PROCESS,
  "flows.spec.js": FLOWS,
  "hints.spec.js":
    "hints are about workers of the program's own process: hosts have a line for what they do",
  "lock-trace.spec.js": LOCKS,
  "lock-unused.spec.js": LOCKS,
  "locks.spec.js": LOCKS,
  "logs.spec.js": OF_PROCESSES,
  "pool-file.spec.js": POOLS,
  "pool-in-process.spec.js": IN_PROCESS,
  "pool-seen.spec.js": SEEN,
  "pool-tasks.spec.js": POOLS,
  "pool-workers.spec.js": POOLS,
  "pool.spec.js": POOLS,
  "security.spec.js": OF_PROCESSES,
  "signals.spec.js": OF_PROCESSES,
  "start.spec.js": OF_PROCESSES,
  "sync.spec.js": LOCKS,
  "tags.spec.js":
    "groups of workers that differ are the master's own; tags of hosts: cluster-options.spec.js",
  "watch.spec.js": OF_PROCESSES,
};

module.exports = { ELSEWHERE, SPECS };
