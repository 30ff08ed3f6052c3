"use strict";
// What each command of Redis that this package uses does on PostgreSQL: a query of one table, and what its rows mean. All times are the
// server's.

const { JSON, Map } = require("../shared/primordials");

/** Where all keys are. */
const TABLE = "sonic_distribute.keys";

/** What news go through, as `key` of this package. */
const CHANNEL = "sonic_distribute";

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

module.exports = { CHANNEL, COMMANDS, TABLE };
