"use strict";
/** The same broker as in `broker.js`, on PostgreSQL. */
const fs = require("node:fs");

const { Client } = require("pg");

const { Server } = require("../../examples/backup/server");
const { TestBroker, until } = require("./broker");

/** Nobody has used it yet. */
const UNDEFINED_TABLE = "42P01";

const LIVE = "(expires is null or expires > clock_timestamp())";

class TestPostgres extends TestBroker {
  async run() {
    if (this.postgres === undefined) this.postgres = await Server.start();
    else await this.postgres.run();
    this.url = this.postgres.url("postgres");
    this.port = this.postgres.port;
  }

  urlAt(port) {
    return this.url.replace(/:\d+\//, `:${port}/`);
  }

  async kill() {
    const { postgres } = this;
    postgres.process.kill("SIGKILL");
    await postgres.ended;
    // It cannot start again while one of those that it has forked is there.
    const endRest = () => {
      const left = processesIn(postgres.data);
      for (const pid of left) end(pid);
      return left.length === 0;
    };
    await until(endRest, "the server's processes end");
  }

  /** @param {string} sql @returns {Promise<any[]>} its rows; none where nobody has used the database yet */
  async query(sql) {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } catch (error) {
      if (error.code === UNDEFINED_TABLE) return [];
      throw error;
    } finally {
      await client.end();
    }
  }

  async keys() {
    return (await this.left()).filter((key) => !/:hosts /.test(key));
  }

  /** Of jobs, of what BullMQ keeps beside them, and of keys. */
  async left() {
    const rows = await this.query(`
      select queue || ' ' || name as left from bullmq.job
      union all select queue || ' ' || field from bullmq.meta
      union all select queue || ' ' || event from bullmq.event
      union all select key || ' ' || field from sonic_distribute.keys where ${LIVE}`);
    return rows.map(({ left }) => left);
  }

  masters() {
    return this.fields("sonic:masters");
  }

  hosts() {
    return this.fields("sonic:hosts");
  }

  /** @param {string} key */
  async fields(key) {
    const rows = await this.query(
      `select field from sonic_distribute.keys where key = '${key}' and ${LIVE}`,
    );
    return rows.length;
  }

  async empty() {
    await this.query("truncate bullmq.job cascade; truncate sonic_distribute.keys");
  }

  async end() {
    await super.end();
    await this.postgres.stop();
  }
}

/** The processes that have a folder as their current one. @param {string} folder @returns {number[]} */
function processesIn(folder) {
  const real = fs.realpathSync(folder);
  const isIn = (/** @type {number} */ pid) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/cwd`) === real;
    } catch (_) {
      // It has ended, or is another user's.
      return false;
    }
  };
  return fs.readdirSync("/proc").map(Number).filter(Boolean).filter(isIn);
}

/** @param {number} pid */
function end(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It was faster.
    if (error.code !== "ESRCH") throw error;
  }
}

module.exports = { TestPostgres };
