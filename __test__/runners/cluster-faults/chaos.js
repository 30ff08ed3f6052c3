"use strict";
/**
 * Events over several hosts, while workers, hosts and the broker are killed at random: twice, without retries and with them. The
 * soak's checker reads what workers and master wrote. The same seed kills the same in the same order.
 *
 *   node __test__/runners/cluster-faults/chaos.js [--events N] [--hosts N] [--time MS] [--seed S]
 */
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const { randomFrom } = require("../../../examples/random");
const { TestBroker, until } = require("../../support/broker");
const { install } = require("../../support/debian");
const { check } = require("../soak/check");

const PROGRAM = path.join(__dirname, "chaos-program.js");

const LEASE = 1500;
const TIMEOUT = 60_000;

/** Milliseconds between two kills. */
const PAUSE = { least: 150, most: 900 };

/** What is killed, as often as it is here. */
const KILLS = ["worker", "worker", "worker", "worker", "host", "host", "broker"];

/** For so many events one kill at most: a slow machine comes to its end too. */
const EVENTS_A_KILL = 20;

/** More attempts than kills could cost an event. */
const MOST_RETRIES = 50;

class Chaos {
  constructor({ events, hosts, time, seed, retries }) {
    this.events = events;
    this.retries = retries;
    this.random = randomFrom(seed + retries);
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-cluster-chaos-"));
    this.names = Array.from({ length: hosts }, (_, at) => `host${at}`);
    this.own = { LOGS: this.folder, EVENTS: events, TIME: time, RETRIES: retries };
    /** How many events were answered, and how many have failed. */
    this.ended = { answered: 0, failed: 0 };
    this.killed = { worker: 0, host: 0, broker: 0 };
  }

  /** @returns {Promise<string[]>} what is wrong */
  async run() {
    this.broker = await TestBroker.start(["--appendonly", "yes", "--appendfsync", "always"]);
    try {
      const cluster = { url: this.broker.url, lease: LEASE, timeout: TIMEOUT };
      this.own.CLUSTER = JSON.stringify(cluster);
      this.hosts = this.names.map((name) => this.start(name));
      this.master = this.broker.master(PROGRAM, this.own);
      const ended = this.master.ended;
      await until(() => this.workers().length > 0, "a worker starts");
      while (this.master.code === undefined) {
        const mayKill = this.kills < this.events / EVENTS_A_KILL;
        await Promise.race(mayKill ? [ended, this.pause()] : [ended]);
        if (this.master.code === undefined) await this.kill();
      }
      const outcome = await this.master.result();
      const { answered = [], failed = [] } = outcome;
      this.ended = { answered: answered.length, failed: failed.length };
      await until(async () => (await this.broker.keys()).length === 0, "keys are left");
      const logs = {};
      for (const pid of this.logged())
        logs[pid] = fs.readFileSync(path.join(this.folder, pid), "utf8");
      return check({ count: this.events, retries: this.retries }, () => "answer", logs, outcome);
    } catch (error) {
      return [`${error.stack}\n${this.broker.programs.map(({ output }) => output).join("\n")}`];
    } finally {
      await this.broker.end();
      fs.rmSync(this.folder, { recursive: true, force: true });
    }
  }

  get kills() {
    return Object.values(this.killed).reduce((sum, count) => sum + count);
  }

  start(name) {
    return this.broker.host(name, PROGRAM, this.own);
  }

  pause() {
    const time = PAUSE.least + this.random() * (PAUSE.most - PAUSE.least);
    return new Promise((resolve) => setTimeout(resolve, time));
  }

  /** The processes of workers, dead ones too. */
  logged() {
    return fs.readdirSync(this.folder);
  }

  workers() {
    return this.logged().filter((pid) => isWorker(pid));
  }

  one(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  async kill() {
    const what = this.one(KILLS);
    this.killed[what]++;
    if (what === "broker") {
      await this.broker.kill();
      await this.broker.run();
    } else if (what === "host") {
      const at = Math.floor(this.random() * this.hosts.length);
      this.hosts[at].kill("SIGKILL");
      this.hosts[at] = this.start(this.names[at]);
    } else {
      const pid = this.one(this.workers());
      if (pid !== undefined) end(Number(pid));
    }
  }
}

/** Whether a process is a worker of this program still. */
function isWorker(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(PROGRAM);
  } catch (_) {
    return false;
  }
}

function end(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It was faster.
    if (error.code !== "ESRCH") throw error;
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      events: { type: "string", default: "1000" },
      hosts: { type: "string", default: "4" },
      time: { type: "string", default: "5" },
      seed: { type: "string", default: `${Date.now() % 1e6}` },
    },
  });
  install("redis-server");
  const all = [values.events, values.hosts, values.time, values.seed].map(Number);
  const [events, hosts, time, seed] = all;
  console.log(`seed ${seed}`);
  let failed = 0;
  for (const retries of [0, MOST_RETRIES]) {
    const began = Date.now();
    const chaos = new Chaos({ events, hosts, time, seed, retries });
    const wrong = await chaos.run();
    const { worker, host, broker } = chaos.killed;
    const what = `${events} events over ${hosts} hosts, ${retries === 0 ? "without" : "with"} retries`;
    const { answered, failed: lost } = chaos.ended;
    const ended = `${answered} answered, ${lost} failed`;
    const killed = `killed ${worker} workers, ${host} hosts, the broker ${broker} times`;
    console.log(`${what}: ${ended}; ${killed}, in ${Math.round((Date.now() - began) / 1000)} s`);
    if (wrong.length === 0) continue;
    failed++;
    console.log(`FAIL ${wrong.slice(0, 50).join("\n     ")}`);
  }
  console.log(`${2 - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
