"use strict";
// The database of a shop: tables that refer to each other and to themselves, with values of many types.

/** Not in the order of their dependencies. */
const SCHEMA = `
  CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    customer int NOT NULL,
    placed timestamptz NOT NULL,
    note text
  );
  CREATE TABLE customers (
    id serial PRIMARY KEY,
    name text NOT NULL,
    email text UNIQUE,
    born date,
    settings jsonb NOT NULL DEFAULT '{}'
  );
  CREATE TABLE categories (
    id int PRIMARY KEY,
    parent int REFERENCES categories,
    name text NOT NULL
  );
  CREATE TABLE products (
    id int PRIMARY KEY,
    category int NOT NULL REFERENCES categories,
    name text NOT NULL,
    price numeric(10, 2) NOT NULL,
    tags text[] NOT NULL,
    picture bytea
  );
  CREATE TABLE items (
    "order" bigint NOT NULL REFERENCES orders,
    line int NOT NULL,
    product int NOT NULL REFERENCES products,
    quantity int NOT NULL CHECK (quantity > 0),
    discount double precision,
    PRIMARY KEY ("order", line)
  );
  CREATE SCHEMA "Audit";
  CREATE TABLE "Audit"."Log entries" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "order" bigint REFERENCES orders,
    said text NOT NULL,
    length int GENERATED ALWAYS AS (char_length(said)) STORED
  );
  CREATE TABLE empty (id int PRIMARY KEY REFERENCES customers);
  ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers;
`;

/** Text with characters that a format must escape. */
const TEXT = String.raw`E'tab\t, new line\n, back\\slash, "quotes" and \u20ac '`;

/** `$1` is the number of orders. Everything else depends on it. */
const ROWS = [
  `INSERT INTO categories SELECT n, CASE WHEN n > 1 THEN n / 2 END, 'category ' || n FROM generate_series(1, 200) n`,
  `INSERT INTO products SELECT n, n % 200 + 1, ${TEXT} || n, n * 1.25, ARRAY['tag', NULL, 'a,b{' || n],
     CASE WHEN n % 3 > 0 THEN decode(md5(n::text), 'hex') END FROM generate_series(1, 2000) n`,
  `INSERT INTO customers (name, email, born, settings) SELECT 'customer ' || n, CASE WHEN n % 10 > 0 THEN n || '@example.com' END,
     date '1950-01-01' + n % 20000, jsonb_build_object('n', n, 'list', jsonb_build_array(n, null, 'x'))
     FROM generate_series(1, greatest($1::int / 10, 1)) n`,
  `INSERT INTO orders (customer, placed, note) SELECT n % greatest($1::int / 10, 1) + 1, timestamptz '2026-01-01' + n * interval '7.5 seconds',
     CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE ${TEXT} || repeat(md5(n::text), n % 7) END FROM generate_series(1, $1::int) n`,
  `INSERT INTO items SELECT n, line, (n * line) % 2000 + 1, line, CASE WHEN n % 5 > 0 THEN 1.0 / n END
     FROM generate_series(1, $1::int) n, generate_series(1, 3) line`,
  `INSERT INTO "Audit"."Log entries" ("order", said) SELECT n, 'order ' || n || repeat('.', n % 100) FROM generate_series(1, $1::int) n`,
];

/** Creates the tables in an empty database and fills them. */
async function fill(client, orders) {
  await client.query(SCHEMA);
  for (const sql of ROWS) await client.query(sql, sql.includes("$1") ? [orders] : []);
}

module.exports = { fill };
