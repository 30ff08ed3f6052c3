"use strict";
/** The same broker as in `broker.js`, on PostgreSQL. */
const { Client } = require("pg");

const { Server } = require("../../examples/backup/server");
const { TestBroker, until } = require("./broker");

/** Nobody has used it yet. */
const UNDEFINED_TABLE = "42P01";

class TestPostgres extends TestBroker {
  async run() {
    if (this.postgres === undefined) this.postgres = await Server.start();
    // The processes of one that was killed take a moment to end.
    else
      await until(
        () =>
          this.postgres.run().then(
            () => true,
            (error) => (/pre-existing/.test(error.message) ? false : Promise.reject(error)),
          ),
        "the server starts again",
      );
    this.url = this.postgres.url("postgres");
  }

  async kill() {
    this.postgres.process.kill("SIGKILL");
    await this.postgres.ended;
  }

  /** What is left of jobs and keys, but for those of hosts that are there. */
  async keys() {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      const { rows } = await client.query(`
        select queue || ' ' || name as left from bullmq.job
        union all select key || ' ' || field from sonic_distribute.keys
          where key not like '%:hosts' and (expires is null or expires > clock_timestamp())`);
      return rows.map(({ left }) => left);
    } catch (error) {
      if (error.code === UNDEFINED_TABLE) return [];
      throw error;
    } finally {
      await client.end();
    }
  }

  /** Forgets all. */
  async empty() {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    await client.query("truncate bullmq.job cascade; truncate sonic_distribute.keys");
    await client.end();
  }

  async end() {
    await super.end();
    await this.postgres.stop();
  }
}

module.exports = { TestPostgres };
