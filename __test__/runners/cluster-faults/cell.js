"use strict";
/**
 * Runs a cell: a broker, two hosts and a master of their own, and the fault at its moment. Sees that nothing is left, neither at the
 * broker nor of processes.
 */
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { BIN, TestBroker, until } = require("../../support/broker");
const { runCommand } = require("../../support/command");
const { TestPostgres } = require("../../support/postgres-broker");
const { TestProxy } = require("../../support/proxy");
const { FAULTS, RETRIES } = require("./cells");
const { judge } = require("./judge");

const PROGRAM = path.join(__dirname, "program.js");
const CLOCK = path.join(__dirname, "wrong-clock.js");

const EVENTS = 120;

/** Milliseconds that an event takes: several go together. */
const TIME = 4;

/** Where a cell waits until somebody is given up, and where nobody is to be, however busy the machine is. */
const LEASES = { short: 1500, long: 8000 };
const TIMEOUT = 60_000;

/** Milliseconds that each way takes over a slow link. */
const SLOW = 40;

class Cell {
  constructor(cell) {
    this.cell = cell;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "sonic-cluster-fault-"));
    const { costs, server, strike = cell.fault } = FAULTS[cell.fault];
    this.strike = strike;
    this.Broker = server === "postgres" ? TestPostgres : TestBroker;
    this.lease = costs === "host" || costs === "run" ? LEASES.short : LEASES.long;
  }

  at(name) {
    return path.join(this.folder, name);
  }

  mark(name) {
    fs.writeFileSync(this.at(name), "");
  }

  /** @returns {{ host: string, data: number }[]} */
  lines(name) {
    const lines = fs.readFileSync(this.at(name), "utf8").split("\n").slice(0, -1);
    return lines
      .map((line) => line.split(" "))
      .map(([host, data]) => ({ host, data: Number(data) }));
  }

  get ran() {
    return this.lines("ran");
  }

  async run() {
    const { fault, moment } = this.cell;
    this.broker = await this.Broker.start(FAULTS[fault].broker);
    this.proxy = await TestProxy.start(this.broker.port);
    try {
      for (const name of ["ran", "pids"]) this.mark(name);
      const strike = strikes[this.strike];
      await this.begin();
      await moments[moment](this);
      await strike(this);
      this.mark("gate");
      const result = await this.master.result();
      judge(this.cell, result, this.ran, EVENTS);
      await this.leave();
    } catch (error) {
      error.told = this.told();
      throw error;
    } finally {
      this.proxy.close();
      await this.broker.end();
      fs.rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** What the programs said. */
  told() {
    return this.broker.programs.map(({ output }, at) => `\n[${at}] ${output}`).join("");
  }

  envOf(port, more) {
    const cluster = {
      url: this.broker.urlAt(port, more.USER_OF_BROKER),
      lease: this.lease,
      timeout: TIMEOUT,
    };
    return {
      CLUSTER: JSON.stringify(cluster),
      RAN: this.at("ran"),
      PIDS: this.at("pids"),
      GATE: this.at("gate"),
      EVENTS: String(EVENTS),
      TIME: String(TIME),
      WORK: this.cell.work,
      ...more,
    };
  }

  async begin() {
    const { moment } = this.cell;
    const { broker, proxy, strike: fault } = this;
    const more = fault === "wrong clock of a host" ? this.wrongClock() : {};
    let { port } = broker;
    if (fault === "slow link" || fault === "partition of a host") port = proxy.port;
    if (fault === "wrong password") {
      more.USER_OF_BROKER = "a:secret";
      await broker.client.acl("SETUSER", "a", "on", ">secret", "~sonic:*", "&sonic:*", "+@all");
    }
    if (moment !== "while events run") this.mark("gate");
    this.hosts = [
      broker.host("a", PROGRAM, this.envOf(port, more)),
      broker.host("b", PROGRAM, this.envOf(broker.port, {})),
    ];
    for (const host of this.hosts) await host.says(/: ready/);
    this.master = this.startMaster();
  }

  /** The environment in which a program's clock is wrong, from the moment on. */
  wrongClock() {
    const { moment, retries } = this.cell;
    if (moment === "at start") this.mark("wrong-clock");
    return {
      NODE_OPTIONS: `--require "${CLOCK}"`,
      WRONG_CLOCK: this.at("wrong-clock"),
      CLOCK_ERROR: retries === "on" ? "-1" : "1",
    };
  }

  startMaster() {
    const { strike: fault } = this;
    const { retries } = this.cell;
    /** @type {Record<string, string>} */
    const own = { QUIET: "", ...(fault === "wrong clock of the master" ? this.wrongClock() : {}) };
    if (retries === "on") own.RETRIES = JSON.stringify(RETRIES);
    const isCut = fault === "partition of the master";
    const { port } = isCut ? this.proxy : this.broker;
    return this.broker.master(PROGRAM, this.envOf(port, own));
  }

  /** Resolves when the master has given host a up, or needs no host any more. */
  async lost() {
    const isLost = () => /the host a is lost/.test(this.master.output) || this.isOver;
    await until(isLost, "host a is given up");
  }

  get isOver() {
    return this.master.code !== undefined;
  }

  /** The broker is empty, the hosts end well, and nothing stays. */
  async leave() {
    const { broker } = this;
    const { ends } = FAULTS[this.cell.fault];
    await isEmpty(broker);
    const [a, b] = this.hosts;
    if (ends !== undefined) await expectEnd(a, ends);
    const there = ends === undefined ? 2 : 1;
    await until(
      async () => (await broker.hosts()) === there,
      "a host that is gone is left in the list",
    );
    if (/clock/.test(this.cell.fault)) {
      const args = [BIN, "hosts", "--cluster", broker.url];
      const { stdout } = await runCommand(process.execPath, args);
      if (!/^2 hosts$/m.test(stdout)) throw new Error(`hosts are not listed: ${stdout}`);
    }
    for (const host of this.hosts) host.kill("SIGTERM");
    if (ends === undefined) await expectEnd(a, 0);
    await expectEnd(b, 0);
    const left = await broker.left();
    if (left.length > 0) throw new Error(`keys are left when all have ended: ${left}`);
  }
}

/** @param {InstanceType<typeof TestBroker>} broker */
async function isEmpty(broker) {
  let left = [];
  const look = async () => {
    left = await broker.keys();
    return left.length === 0;
  };
  await until(look, () => `keys are left at the broker: ${left.slice(0, 10).join(", ")}`);
}

async function expectEnd(host, code) {
  await until(() => host.code !== undefined, `a host ends with ${code}`);
  if (host.code !== code) throw new Error(`a host ended with ${host.code}, and not with ${code}`);
}

/** Resolve when the moment has come, or the master has ended. @type {Record<string, (cell: Cell) => Promise<void>>} */
const moments = {
  "at start": ({ broker }) => until(async () => (await broker.masters()) > 0, "the master begins"),
  "while events run": (cell) =>
    until(() => new Set(cell.ran.map(({ host }) => host)).size === 2, "both hosts run events"),
  "while results come": (cell) =>
    until(() => cell.ran.length >= EVENTS / 2 || cell.isOver, "half of the events have begun"),
  "at the end": (cell) =>
    until(() => cell.ran.length >= EVENTS || cell.isOver, "all events have begun"),
};

/** @type {Record<string, (cell: Cell) => any>} */
const strikes = {
  async "host SIGKILL"({ hosts: [a] }) {
    a.kill("SIGKILL");
    await a.ended;
  },
  async "host SIGSTOP"(cell) {
    const [a] = cell.hosts;
    a.kill("SIGSTOP");
    await cell.lost();
    a.kill("SIGCONT");
  },
  async "worker SIGKILL"(cell) {
    const pidsOfA = () => cell.lines("pids").filter(({ host }) => host === "a");
    await until(() => pidsOfA().length > 0 || cell.isOver, "host a has a worker");
    const pid = pidsOfA().pop()?.data;
    try {
      process.kill(/** @type {number} */ (pid), "SIGKILL");
    } catch (error) {
      // It has ended with the run.
      if (error.code !== "ESRCH") throw error;
    }
  },
  async "master SIGKILL"(cell) {
    const { master, broker } = cell;
    master.kill("SIGKILL");
    await master.ended;
    await isEmpty(broker);
    cell.master = cell.startMaster();
  },
  async "broker restart"({ broker }) {
    await broker.kill();
    await broker.run();
  },
  async "broker FLUSHALL"({ broker }) {
    await broker.client.flushall();
  },
  async "partition of a host"(cell) {
    cell.proxy.hold();
    await cell.lost();
    cell.proxy.release();
  },
  async "partition of the master"(cell) {
    cell.proxy.hold();
    const isGone = ({ output }) => /the master (is gone|has finished)/.test(output);
    const hasMet = (host) => /: serves/.test(host.output);
    const isAlone = () => cell.hosts.every((host) => isGone(host) || !hasMet(host));
    await until(() => isAlone() || cell.isOver, "the hosts give the master up");
    cell.proxy.release();
  },
  async "slow link"({ proxy }) {
    proxy.delay = SLOW;
  },
  async "wrong password"({ broker }) {
    await broker.client.acl("SETUSER", "a", "resetpass", ">another");
    await broker.client.client("KILL", "USER", "a");
  },
  "wrong clock of a host": (cell) => cell.mark("wrong-clock"),
  "wrong clock of the master": (cell) => cell.mark("wrong-clock"),
};

/** @returns {Promise<Error | undefined>} what is wrong */
async function failureOf(cell) {
  try {
    await new Cell(cell).run();
    return undefined;
  } catch (error) {
    return error;
  }
}

module.exports = { failureOf };
