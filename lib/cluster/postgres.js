"use strict";
// PostgreSQL as a broker: the few commands that this package gives a broker besides BullMQ's, in the words of Redis and on one table.
// BullMQ's own backend does the rest. All times are the server's.

const { EventEmitter } = require("events");
const { JSON, Map, Promise, now, setTimeout } = require("../shared/primordials");

/** Where BullMQ has its tables: with a pool that is not its own it knows no other place. */
const SCHEMA = "bullmq";

/** Ours. */
const TABLE = "sonic_distribute.keys";

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

/** What news go through, as `key` of this package. */
const CHANNEL = "sonic_distribute";

/** Connections at once, besides one for each worker of BullMQ. */
const CONNECTIONS = 8;

/** Milliseconds between two removals of what has expired. */
const BETWEEN = 1000;

const LIVE = "(expires is null or expires > clock_timestamp())";
const IN = (/** @type {number} */ at) =>
  `clock_timestamp() + $${at}::double precision * interval '1 millisecond'`;

/** The parameters of a query, and what its rows mean. @typedef {{ sql: string, values: any[], read: (rows: any[]) => any }} Query */

const ok = () => "OK";

/** The fields that go with a key, and whatever they had. @param {string} key @param {any[]} fields @param {any[]} values @returns {Query} */
const put = (key, fields, values) => ({
  sql: `
    insert into ${TABLE} as kept (key, field, value, expires)
    select $1, field, value, (select max(expires) from ${TABLE} where key = $1 and ${LIVE})
    from unnest($2::text[], $3::text[]) as given (field, value)
    on conflict (key, field) do update set value = excluded.value, expires = excluded.expires`,
  values: [key, fields, values],
  read: ok,
});

/** @param {string} key @param {any[]} fields @returns {Query} */
const drop = (key, fields) => ({
  sql: `delete from ${TABLE} where key = $1 and field = any($2)`,
  values: [key, fields],
  read: ok,
});

/** All that lives of a key. @param {string} key @param {(rows: { field: string, value: string }[]) => any} read @param {string} [order] @returns {Query} */
const all = (key, read, order = "field") => ({
  sql: `select field, value from ${TABLE} where key = $1 and ${LIVE} order by ${order}`,
  values: [key],
  read,
});

/** Some fields of a key, in their order. @param {string} key @param {string[]} fields @param {(values: (string | null)[]) => any} read @returns {Query} */
const some = (key, fields, read) => ({
  sql: `select field, value from ${TABLE} where key = $1 and field = any($2) and ${LIVE}`,
  values: [key, fields],
  read(rows) {
    const known = new Map(rows.map(({ field, value }) => [field, value]));
    return read(fields.map((field) => (known.has(field) ? known.get(field) : null)));
  },
});

/** Every second one. @param {any[]} list @param {0 | 1} which */
const half = (list, which) => list.filter((_, at) => at % 2 === which);

const texts = (/** @type {any[]} */ list) => list.map(String);

/** What each command does: those of Redis that are used, with the same meaning. @type {Record<string, (...args: any[]) => Query>} */
const COMMANDS = {
  /** `PX` is always given: nothing of a master stays for ever. */
  set(key, value, _px, time, mode) {
    if (mode === "XX")
      return {
        sql: `update ${TABLE} set value = $2, expires = ${IN(3)} where key = $1 and field = '' and ${LIVE} returning 1`,
        values: [key, value, time],
        read: (rows) => (rows.length > 0 ? "OK" : null),
      };
    const dead = mode === "NX" ? "where kept.expires <= clock_timestamp()" : "";
    return {
      sql: `
        insert into ${TABLE} as kept (key, field, value, expires) values ($1, '', $2, ${IN(3)})
        on conflict (key, field) do update set value = excluded.value, expires = excluded.expires ${dead}`,
      values: [key, value, time],
      read: ok,
    };
  },
  get: (key) => some(key, [""], ([value]) => value),
  exists: (...keys) => ({
    sql: `select distinct key from ${TABLE} where key = any($1) and ${LIVE}`,
    values: [keys],
    read: (rows) => rows.length,
  }),
  del: (...keys) => ({
    sql: `delete from ${TABLE} where key = any($1)`,
    values: [keys],
    read: ok,
  }),
  hset: (key, ...pairs) => put(key, texts(half(pairs, 0)), texts(half(pairs, 1))),
  hdel: (key, ...fields) => drop(key, texts(fields)),
  hget: (key, field) => some(key, texts([field]), ([value]) => value),
  hmget: (key, ...fields) => some(key, texts(fields), (values) => values),
  hgetall: (key) =>
    all(key, (rows) => Object.fromEntries(rows.map(({ field, value }) => [field, value]))),
  hkeys: (key) => all(key, (rows) => rows.map(({ field }) => field)),
  zadd: (key, ...pairs) => put(key, texts(half(pairs, 1)), texts(half(pairs, 0))),
  zrem: (key, ...members) => drop(key, texts(members)),
  /** All of them: nobody asks for some. */
  zrange: (key) => all(key, (rows) => rows.map(({ field }) => field), "value::double precision"),
  incrby: (key, count) => ({
    sql: `
      insert into ${TABLE} as kept (key, field, value) values ($1, '', $2::bigint::text)
      on conflict (key, field) do update set
        value = (case when kept.expires <= clock_timestamp() then 0 else kept.value::bigint end + $2::bigint)::text,
        expires = case when kept.expires <= clock_timestamp() then null else kept.expires end
      returning value`,
    values: [key, count],
    read: ([{ value }]) => Number(value),
  }),
  pexpire: (key, time) => ({
    sql: `update ${TABLE} set expires = ${IN(2)} where key = $1 and ${LIVE}`,
    values: [key, time],
    read: ok,
  }),
  ping: () => ({ sql: "select 1", values: [], read: ok }),
  /** Seconds and microseconds. */
  time: () => ({
    sql: "select (extract(epoch from clock_timestamp()) * 1000000)::bigint as time",
    values: [],
    read: ([{ time }]) => [Math.floor(time / 1e6), time % 1e6],
  }),
  publish: (channel, text) => ({
    sql: "select pg_notify($1, $2)",
    values: [CHANNEL, JSON.stringify([channel, text])],
    read: () => 0,
  }),
};

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
    this.config = config;
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
    /** What BullMQ's queues and workers share. @type {any} */
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
    const client = new this.pg.Client({ ...this.config, keepAlive: true });
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
      const config = { ...this.config, options, max: CONNECTIONS, keepAlive: true };
      this.pool = new this.pg.Pool(config);
      this.pool.on("error", ignore);
    }
    return { connection: this.pool };
  }

  /** A worker of BullMQ keeps a connection to itself. @param {1 | -1} change */
  reserve(change) {
    this.pool.options.max += change;
  }

  /** What the connection reads from and writes to. */
  get stream() {
    return this.client?.connection.stream;
  }

  /** The connection is gone. @param {any} client @param {unknown} error */
  lose(client, error) {
    if (this.client !== client) return;
    this.client = undefined;
    this.status = "close";
    client.end().catch(ignore);
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
      const { client } = this;
      if (client === undefined) {
        if (this.isClosed) throw new Error("the connection is closed");
        await new Promise((resolve) => this.waiting.push(() => resolve(undefined)));
        continue;
      }
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
    if (isAgain) {
      // Whoever ends it well waits for an answer.
      this.stream?.destroy();
      return this.client && this.lose(this.client, undefined);
    }
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

/** The classes of PostgreSQL's codes that say that the connection is no more: it goes down, starts, or has too many. */
const GONE = /^(08...|57P0[123]|53300)$/;

/** @param {unknown} error */
function isOfConnection(error) {
  const { code, severity, message } = Object(error);
  if (severity !== undefined) return GONE.test(code);
  // What did not come from the server.
  return code !== undefined || /connection|terminated|timeout/i.test(message);
}

module.exports = { PostgresClient };
