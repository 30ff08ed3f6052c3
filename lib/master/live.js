"use strict";
// The dashboard of this program: one for all its pools and runs, from the first of them until a moment after the last. While a browser
// follows it looks at the pools a few times a second, and tells what has changed. Nothing of it keeps the program alive.

const { channelOf } = require("./diagnostics");
const { LiveFailures } = require("./live-failures");
const { LivePool } = require("./live-pool");
const { LiveServer } = require("./live-server");
const { lockStatistics } = require("./lock-statistics");
const { JSON, Set, clearTimeout, now, setTimeout } = require("../shared/primordials");
const { basename } = require("path");

/** Milliseconds from one look to the next. */
const INTERVAL = 250;

/** Bytes a second for each browser, on average: with many workers it is told less often. */
const MOST_BYTES = 256 * 1024;

/** Milliseconds for which the dashboard stays after the last run: the next one may begin. */
const LINGER = 1000;

/** How many pools that are closed are shown, and how many ends of workers. */
const MOST_CLOSED = 20;
const MOST_MARKS = 200;

/** Milliseconds between two questions about locks. */
const LOCKS_INTERVAL = 1000;

/** How many holders and waiting requests are shown. */
const MOST_LOCKS = 100;

/** @typedef {import("../shared/dashboard").Place} Place */
/** @typedef {import("./dashboard").About} About */
/** @typedef {InstanceType<typeof LivePool>} AShown */

class Live {
  /** @param {Place} place */
  constructor(place) {
    this.place = place;
    this.startedAt = now();
    /** @type {globalThis.Set<AShown>} */
    this.pools = new Set();
    /** Those that are closed, oldest first. @type {AShown[]} */
    this.over = [];
    this.failures = new LiveFailures();
    /** What happened to workers, oldest first. @type {{ seq: number, [name: string]: any }[]} */
    this.marks = [];
    this.seq = 0;
    /** The numbers of the last failure and the last mark that were told. */
    this.told = { failures: 0, marks: 0 };
    /** @type {any} */
    this.locks = { used: [], held: [], pending: [] };
    this.lockedAt = 0;
    this.count = 0;
    /** @type {InstanceType<typeof LiveServer> | undefined} */
    this.server = undefined;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    /** @type {NodeJS.Timeout | undefined} */
    this.lingering = undefined;
    this.atExit = () => this.exit();
    /** @param {any} message */
    this.onExit = (message) => this.workerExited(message);
  }

  /** @param {any} pool @param {About} about */
  show(pool, about) {
    const shown = new LivePool(pool, ++this.count, about, this);
    this.pools.add(shown);
    pool.observer = shown;
    if (this.lingering !== undefined) clearTimeout(this.lingering);
    this.lingering = undefined;
    if (this.server === undefined) this.open();
  }

  /** A pool was closed. @param {AShown} pool */
  closed(pool) {
    this.pools.delete(pool);
    this.over.push(pool);
    if (this.over.length > MOST_CLOSED) this.over.shift();
    if (this.pools.size > 0) return;
    this.lingering = setTimeout(() => this.close(), LINGER);
    this.lingering.unref();
  }

  open() {
    const server = new LiveServer(this.place, () => this.follow());
    this.server = server;
    process.on("exit", this.atExit);
    channelOf("workerExit").subscribe(this.onExit);
    server.listen(({ url, port, taken, error }) => {
      if (error !== undefined) return say(`there is no dashboard: ${error.message}`);
      if (url === undefined || port === undefined) return;
      if (taken) say(`port ${taken} is in use, so the dashboard has another one`);
      // The next run's is at the same place.
      if (this.place.port !== port) this.place = { ...this.place, port };
      const hint = this.place.token === undefined ? "" : "?token=…";
      say(`dashboard at ${url}${hint}`);
    });
  }

  /** All runs are over. */
  close() {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
    const last = this.frame();
    if (this.server !== undefined) this.server.close(`${last}event: idle\ndata: {}\n\n`);
    this.server = undefined;
    process.removeListener("exit", this.atExit);
    channelOf("workerExit").unsubscribe(this.onExit);
  }

  /** The program ends. */
  exit() {
    if (this.server === undefined) return;
    let last = "";
    try {
      last = this.frame();
    } catch (_) {
      // What was told before stays.
    }
    for (const client of this.server.clients) client.sendNow(`${last}event: end\ndata: {}\n\n`);
  }

  /** A browser has come. */
  follow() {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.tick();
  }

  /** Tells what is new, and does so again soon, as long as anybody follows. */
  tick() {
    this.timer = undefined;
    const { server } = this;
    if (server === undefined || server.clients.size === 0) return;
    const frame = this.frame();
    /** @type {string | undefined} */
    let whole;
    const snapshot = () => {
      if (whole === undefined) whole = this.snapshot();
      return whole;
    };
    for (const client of server.clients) client.send(frame, snapshot);
    const pause = Math.max(INTERVAL, (frame.length * 1000) / MOST_BYTES);
    this.timer = setTimeout(() => this.tick(), pause);
    this.timer.unref();
  }

  /** What is new since the last frame, as an event of the stream. */
  frame() {
    for (const pool of this.pools) pool.read();
    this.failures.turn();
    this.readLocks();
    const pools = [...this.over, ...this.pools].map((pool) => pool.changes()).filter(Boolean);
    /** @type {string[]} */
    const parts = [`"now":${now()}`];
    if (pools.length > 0) parts.push(`"pools":${JSON.stringify(pools)}`);
    if (this.failures.seq > this.told.failures)
      parts.push(`"failures":${this.failures.since(this.told.failures)}`);
    const marks = this.marks.filter(({ seq }) => seq > this.told.marks);
    if (marks.length > 0) parts.push(`"marks":${JSON.stringify(marks)}`);
    if (this.locks.isNew) parts.push(`"locks":${this.lockText()}`);
    this.told = { failures: this.failures.seq, marks: this.seq };
    this.locks.isNew = false;
    return `event: frame\ndata: {${parts.join(",")}}\n\n`;
  }

  /** All that is known, as an event of the stream. */
  snapshot() {
    const head = {
      now: now(),
      startedAt: this.startedAt,
      program: basename(process.argv[1] || "node"),
      pid: process.pid,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      package: require("../../package.json").version,
      pools: [...this.over, ...this.pools].map(({ state }) => state),
      marks: this.marks,
    };
    const failures = this.failures.since(0);
    const text = JSON.stringify(head).slice(0, -1);
    return `event: snapshot\ndata: ${text},"failures":${failures},"locks":${this.lockText()}}\n\n`;
  }

  /** A worker's process has ended. @param {any} message as its diagnostics channel has it */
  workerExited({ run, worker, pid, code, signal }) {
    if (code === 0) return;
    const pool = [...this.pools].find((one) => numberOf(one.pool) === run);
    if (pool === undefined) return;
    this.mark({ pool: pool.id, worker, pid, code, signal });
  }

  /** @param {{ pool: number, [name: string]: any }} mark */
  mark(mark) {
    this.marks.push({ seq: ++this.seq, at: now(), ...mark });
    if (this.marks.length > MOST_MARKS) this.marks.shift();
  }

  /** Asks now and then for the locks that the program has used. */
  readLocks() {
    const at = now();
    if (at - this.lockedAt < LOCKS_INTERVAL) return;
    this.lockedAt = at;
    const { locks: used = [] } = lockStatistics();
    if (used.length === 0) return;
    this.locks.used = used.slice(0, MOST_LOCKS);
    this.locks.isNew = true;
    const told = require("../shared/sync/public").locks.query();
    told.then(
      (/** @type {any} */ { held, pending }) => {
        const shown = (/** @type {any[]} */ all) => all.slice(0, MOST_LOCKS).map(lockOf);
        this.locks.held = shown(held);
        this.locks.pending = shown(pending);
        this.locks.isNew = true;
      },
      () => {},
    );
  }

  lockText() {
    const { used, held, pending } = this.locks;
    return JSON.stringify({ used, held, pending });
  }
}

/** @param {any} lock */
const lockOf = ({ name, mode, pid, worker, clientId }) => ({ name, mode, pid, worker, clientId });

/** The number of a pool, or of its run, by which diagnostics channels name it. @param {any} pool */
const numberOf = (pool) => pool.launch?.number;

/** @param {string} text */
const say = (text) => console.error(`@tiemma/sonic-distribute: ${text}`);

/** @type {Live | undefined} */
let live;

/** Shows a pool until it is closed. The place is that of the first. @param {any} pool @param {Place} place @param {About} about */
function show(pool, place, about) {
  if (live === undefined) live = new Live(place);
  live.show(pool, about);
}

module.exports = { Live, show };
