"use strict";
// Reads the catalog of a database: its tables, their references to each other, and its sequences.

const { escapeIdentifier } = require("pg");

/** Ordinary tables, with their columns and the tables that they refer to. */
const TABLES = `
  SELECT c.oid::int AS id, n.nspname AS schema, c.relname AS name,
    ceil(pg_relation_size(c.oid) / current_setting('block_size')::float)::int AS pages,
    (SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}') FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
    (SELECT coalesce(array_agg(DISTINCT f.confrelid::int), '{}') FROM pg_constraint f
      WHERE f.conrelid = c.oid AND f.contype = 'f') AS parents
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  ORDER BY n.nspname, c.relname`;

const SEQUENCES = `
  SELECT schemaname AS schema, sequencename AS name, last_value FROM pg_sequences
  WHERE last_value IS NOT NULL ORDER BY schemaname, sequencename`;

const named = ({ schema, name }) => `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;

/**
 * The tables, each after the tables that it refers to.
 * @returns {Promise<{ name: string, columns: string[], pages: number, parents: string[], isTree: boolean }[]>}
 *   `isTree`: the table refers to itself
 */
async function readTables(client) {
  const { rows } = await client.query(TABLES);
  const names = new Map(rows.map((row) => [row.id, named(row)]));
  const tables = rows.map(({ id, columns, pages, parents }) => ({
    name: names.get(id),
    columns: columns.map(escapeIdentifier),
    pages,
    parents: parents
      .filter((parent) => parent !== id)
      .map((parent) => names.get(parent))
      .sort(),
    isTree: parents.includes(id),
  }));
  return inOrder(tables);
}

function inOrder(tables) {
  const ordered = new Map();
  for (let rest = tables; rest.length > 0; ) {
    const next = rest.filter(({ parents }) => parents.every((parent) => ordered.has(parent)));
    if (next.length === 0) {
      const circle = rest.map(({ name }) => name).join(", ");
      throw new Error(`these tables refer to each other in a circle: ${circle}`);
    }
    for (const table of next) ordered.set(table.name, table);
    rest = rest.filter(({ name }) => !ordered.has(name));
  }
  return [...ordered.values()];
}

async function readSequences(client) {
  const { rows } = await client.query(SEQUENCES);
  return rows.map((row) => ({ name: named(row), value: row.last_value }));
}

module.exports = { readSequences, readTables };
