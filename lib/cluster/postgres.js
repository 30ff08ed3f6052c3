"use strict";
// PostgreSQL as a broker: the few commands that this package gives a broker besides BullMQ's, in the words of Redis and on one table.
// BullMQ's own backend does the rest. All times are the server's.

const { EventEmitter } = require("events");
const { CHANNEL, COMMANDS, TABLE } = require("./postgres-commands");
const { SharedPool, isOfConnection } = require("./postgres-pool");
const { JSON, Promise, now, setTimeout } = require("../shared/primordials");

/** Where BullMQ has its tables: with a pool that is not its own it knows no other place. */
const SCHEMA = "bullmq";

/** Several processes may come first. */
const CREATE = `
  select pg_advisory_xact_lock(hashtext('sonic_distribute'));
  create schema if not exists sonic_distribute;
  create table if not exists ${TABLE} (
    key text not null,
    field text not null,
    value text not null,
    expires timestamptz,
    primary key (key, field)
  );`;

/** Milliseconds that an attempt to connect may take. */
const LONGEST_CONNECT = 10_000;

/** Failures of a query in a row, although the server is there, that somebody is told of. */
const MOST_FAILURES = 3;

/** Milliseconds between two removals of what has expired. */
const BETWEEN = 1000;

/** Commands that go one after another, as ioredis has them. */
class Pipeline {
  /** @param {PostgresClient} client */
  constructor(client) {
    this.client = client;
    /** @type {[string, any[]][]} */
    this.commands = [];
  }

  /** @returns {Promise<[unknown, any][]>} for each its error and its value */
  async exec() {
    const { client } = this;
    const answers = this.commands.map(([name, args]) =>
      client.run(name, args).then(
        (value) => /** @type {[unknown, any]} */ ([null, value]),
        (error) => /** @type {[unknown, any]} */ ([error, undefined]),
      ),
    );
    client.sweep();
    return Promise.all(answers);
  }
}

/** A client as `Broker` uses ioredis's: it connects again by itself, and commands wait for that. */
class PostgresClient extends EventEmitter {
  /**
   * @param {any} pg
   * @param {any} bullmq
   * @param {object} config of `pg.Client`
   * @param {(times: number) => number} pauseBefore milliseconds before an attempt to connect again
   */
  constructor(pg, bullmq, config, pauseBefore) {
    super();
    this.pg = pg;
    this.bullmq = bullmq;
    this.config = { ...config, keepAlive: true, connectionTimeoutMillis: LONGEST_CONNECT };
    this.pauseBefore = pauseBefore;
    this.status = "wait";
    this.isClosed = false;
    this.isListening = false;
    /** Commands that wait for a connection. @type {(() => void)[]} */
    this.waiting = [];
    this.sweptAt = 0;
    /** Settles when all has been asked. @type {Promise<unknown>} */
    this.asked = Promise.resolve();
    /** Resolves when all commands until now are done. @type {Promise<unknown>} */
    this.done = Promise.resolve();
    /** @type {any} */
    this.client = undefined;
    /** Another one, until it can be used. @type {any} */
    this.opening = undefined;
    /** What BullMQ's queues and workers share. @type {InstanceType<typeof SharedPool> | undefined} */
    this.pool = undefined;
  }

  /** @returns {Promise<void>} */
  async connect() {
    for (let times = 1; !this.isClosed; times++) {
      try {
        await this.open();
        return;
      } catch (error) {
        if (this.isClosed) return;
        this.emit("error", error);
        this.emit("close");
      }
      await new Promise((resolve) => setTimeout(resolve, this.pauseBefore(times)));
    }
  }

  async open() {
    this.status = "connecting";
    const client = new this.pg.Client(this.config);
    this.opening = client;
    const gone = (/** @type {unknown} */ error) => this.lose(client, error);
    client.on("error", gone);
    client.on("end", () => gone(undefined));
    client.on("notification", (/** @type {any} */ { payload }) => {
      const [channel, text] = JSON.parse(payload);
      if (channel === this.channel) this.emit("message", channel, text);
    });
    try {
      await client.connect();
      await this.prepare(client);
      if (this.isListening) await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      client.end().catch(ignore);
      throw error;
    } finally {
      this.opening = undefined;
    }
    if (this.isClosed) return void client.end().catch(ignore);
    this.client = client;
    this.status = "ready";
    this.emit("ready");
    for (const go of this.waiting.splice(0)) go();
  }

  /** Has the tables made, once for all processes. @param {any} client */
  async prepare(client) {
    if (this.pool !== undefined) return;
    const { assertSchemaCompatibility, runMigrations, SchemaMigrationRequiredError } = this.bullmq;
    try {
      await assertSchemaCompatibility(client, SCHEMA);
    } catch (error) {
      if (!(error instanceof SchemaMigrationRequiredError)) throw error;
      await runMigrations(client, SCHEMA);
    }
    const { rows } = await client.query("select to_regclass($1) as found", [TABLE]);
    if (rows[0].found === null) await client.query(CREATE);
  }

  /** What BullMQ's queues and workers are made with. */
  shared() {
    if (this.pool === undefined) {
      const options = `-c search_path="${SCHEMA}"`;
      const back = (/** @type {number} */ times, /** @type {unknown} */ error) =>
        this.back(times, error);
      this.pool = new SharedPool(this.pg, { ...this.config, options }, back);
    }
    return { connection: this.pool };
  }

  /** Resolves when a query may be tried again that has lost its connection. @param {number} times that it has failed @param {unknown} error */
  async back(times, error) {
    if (times >= MOST_FAILURES && this.client !== undefined) this.emit("held", error);
    if (times > 1) await new Promise((resolve) => setTimeout(resolve, this.pauseBefore(times)));
    await this.connected();
  }

  /** Resolves when there is a connection, and rejects when this is closed. */
  async connected() {
    while (this.client === undefined) {
      if (this.isClosed) throw new Error("the connection is closed");
      await new Promise((resolve) => this.waiting.push(() => resolve(undefined)));
    }
    return this.client;
  }

  /** What the connection reads from and writes to. */
  get stream() {
    return (this.client || this.opening)?.connection.stream;
  }

  /** The connection is gone. @param {any} client @param {unknown} error */
  lose(client, error) {
    if (this.client !== client) return;
    this.client = undefined;
    this.status = "close";
    client.end().catch(ignore);
    // If this one is dead, all of them are: one in the middle of something might not notice for hours.
    this.pool?.cut();
    if (this.isClosed) return;
    if (error !== undefined) this.emit("error", error);
    this.emit("close");
    this.connect();
  }

  /** @param {string} name @param {any[]} args @returns {Promise<any>} */
  run(name, args) {
    const came = this.attempt(name, args);
    this.done = Promise.all([this.done, came.catch(ignore)]);
    return came;
  }

  /** @param {string} name @param {any[]} args @returns {Promise<any>} */
  async attempt(name, args) {
    const { sql, values, read } = COMMANDS[name](...args);
    for (;;) {
      const client = await this.connected();
      try {
        const { rows } = await this.ask(client, sql, values);
        return read(rows);
      } catch (error) {
        if (!isOfConnection(error)) throw error;
        this.lose(client, error);
      }
    }
  }

  /** One after another, as they came. @param {any} client @param {string} sql @param {any[]} [values] @returns {Promise<{ rows: any[] }>} */
  ask(client, sql, values) {
    const asked = this.asked.then(() => client.query(sql, values));
    this.asked = asked.catch(ignore);
    return asked;
  }

  pipeline() {
    return /** @type {any} */ (new Pipeline(this));
  }

  /** Removes what has expired, now and then. */
  sweep() {
    if (now() - this.sweptAt < BETWEEN || this.client === undefined) return;
    this.sweptAt = now();
    this.ask(this.client, `delete from ${TABLE} where expires <= clock_timestamp()`).catch(ignore);
  }

  /** Another connection, as it is needed for `subscribe`. */
  duplicate() {
    const { pg, bullmq, config, pauseBefore } = this;
    const other = new PostgresClient(pg, bullmq, config, pauseBefore);
    other.connect();
    return other;
  }

  /** @param {string} channel */
  async subscribe(channel) {
    this.channel = channel;
    this.isListening = true;
    if (this.client !== undefined) await this.ask(this.client, `listen ${CHANNEL}`);
  }

  /** @param {boolean} [isAgain] it connects again @returns {Promise<void>} */
  async disconnect(isAgain = false) {
    // Whoever ends it well waits for an answer.
    if (isAgain || this.opening !== undefined) this.stream?.destroy();
    if (isAgain) return this.client && this.lose(this.client, undefined);
    this.isClosed = true;
    const { client, pool } = this;
    this.client = undefined;
    for (const go of this.waiting.splice(0)) go();
    await Promise.all([client?.end(), pool?.end()].map(settled));
  }
}

for (const name of Object.keys(COMMANDS)) {
  Object.defineProperty(PostgresClient.prototype, name, {
    /** @this {PostgresClient} @param {...any} args */
    value(...args) {
      return this.run(name, args);
    },
  });
  Object.defineProperty(Pipeline.prototype, name, {
    /** @this {Pipeline} @param {...any} args */
    value(...args) {
      this.commands.push([name, args]);
      return this;
    },
  });
}

const ignore = () => {};

/** @param {Promise<unknown> | undefined} promise */
const settled = (promise) => Promise.resolve(promise).catch(ignore);

module.exports = { PostgresClient };
