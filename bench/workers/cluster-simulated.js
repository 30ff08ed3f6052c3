"use strict";
/**
 * Many hosts in one process, of which bench/cluster.js starts several: all that a host is to a broker and a master, whose workers do nothing
 * but wait. Ends at SIGTERM, and prints how many events each host has answered.
 */
const path = require("node:path");

const CLUSTER = path.join(__dirname, "..", "..", "lib", "cluster");
const JSON_FORMAT = 0;

const STATION = require.resolve(path.join(CLUSTER, "station.js"));
const LOCK_LINE = require.resolve(path.join(CLUSTER, "lock-line.js"));

/** Stands in for a host's workers: so many events at once, each of which takes so many milliseconds. */
class Waiting {
  /** @param {number} numWorkers */
  constructor(numWorkers) {
    Waiting.all.push(this);
    this.answered = 0;
    this.places = numWorkers;
    this.running = 0;
    /** Events that no place is free for. @type {(() => void)[]} */
    this.waiting = [];
    /** Of each run, what has ended since that was last asked for. @type {Map<number, [count: number, busy: number]>} */
    this.ended = new Map();
    this.pool = { failed: new Promise(() => {}) };
  }

  async ready() {}

  give({ number }, _lost, events, answer) {
    for (const [event, text] of events) {
      const time = Number(text);
      const end = () => {
        this.running--;
        this.answered++;
        const [count, busy] = this.ended.get(number) || [0, 0];
        this.ended.set(number, [count + 1, busy + time]);
        answer({ event, worker: 1, text: "1", format: JSON_FORMAT });
        this.begin();
      };
      this.waiting.push(() => setTimeout(end, time));
    }
    this.begin();
  }

  begin() {
    for (; this.running < this.places && this.waiting.length > 0; this.running++)
      this.waiting.shift()();
  }

  workers() {
    return Array.from({ length: this.places }, (_, at) => [at + 1, process.pid]);
  }

  measured() {
    const all = [...this.ended].map(([run, [count, busy]]) => [run, count, busy]);
    this.ended.clear();
    return all;
  }

  exited() {}

  stop() {}

  async end() {}
}

class NoRelay {
  add() {}

  remove(line) {
    line.end();
  }
}

/** Those of all hosts and masters. @type {Waiting[]} */
Waiting.all = [];

async function main() {
  const { url, program, count, places, first } = JSON.parse(process.argv[2]);
  const real = require(STATION);
  require.cache[STATION].exports = { ...real, Station: Waiting };
  // No worker asks for a lock, and a process relays for one host alone.
  const line = require(LOCK_LINE);
  require.cache[LOCK_LINE].exports = { ...line, Relay: NoRelay };
  const { Host } = require(path.join(CLUSTER, "host.js"));
  const { checkCluster } = require("../../lib/shared/broker-options");
  const cluster = checkCluster("url", { url, lease: 30_000 });
  const own = { program, numWorkers: places, tags: [], isExclusive: false, cluster, say() {} };
  const hosts = Array.from(
    { length: count },
    (_, at) => new Host({ name: `host-${first + at}`, ...own }),
  );
  process.once("SIGTERM", () => {
    for (const host of hosts) host.end();
  });
  await Promise.all(hosts.map((host) => host.serve()));
  console.log(`ANSWERED ${JSON.stringify(Waiting.all.map(({ answered }) => answered))}`);
}

main();
