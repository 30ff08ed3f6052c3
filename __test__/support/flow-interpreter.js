"use strict";
// Runs a flow in this process, one node after the other: what every run of the flow must give, whatever its workers do. Nodes only
// have items from nodes before them, so that each has all of its items when its turn comes: all nodes are barriers here.

const { functionsOf, graphOf } = require("../../lib/shared/flow/made");

/** An item as another process has it. */
const crossed = (value) => {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
};

/**
 * @param {object} flow
 * @param {Iterable<any>} items what the source gives
 * @param {object} [args]
 * @returns {Promise<{ sinks: Record<string, any[]>, failed: { node: string, data: any, error: { name: string, message: string } }[] }>}
 *   the items of each sink, of the one without a name under ""; and the failures that no node reads
 */
async function interpret(flow, items, args = {}) {
  const { nodes, sinks } = graphOf(flow);
  const functions = functionsOf(flow);
  /** @type {Map<string, any[]>} */
  const ports = new Map([["-1 out", [...items].map(crossed)]]);
  const failed = [];

  const readers = (node, port) => [
    ...nodes.filter((other, at) => isReader(other, at, node, port)),
    ...sinks.filter(({ from }) => from.node === node && from.port === port),
  ];
  // What a merge reads that nobody reads is not read.
  const isReader = ({ kind, inputs }, at, node, port) =>
    inputs.some((edge) => edge.node === node && edge.port === port) &&
    (kind !== "merge" || readers(at, "out").length > 0);
  const itemsOf = ({ node, port }) => ports.get(`${node} ${port}`) || [];

  for (const [at, node] of nodes.entries()) {
    const isErrorsRead = readers(at, "errors").length > 0;
    const given = (port) => {
      const name = `${at} ${port}`;
      if (!ports.has(name)) ports.set(name, []);
      return ports.get(name);
    };
    /** Sends on what `work` returns, `[port, item]` each: all of it or, if it throws, nothing. */
    const attempt = async (data, work) => {
      try {
        const outputs = await work();
        for (const [port, value] of outputs.map(([port, value]) => [port, crossed(value)]))
          given(port).push(value);
      } catch (thrown) {
        const { name, message } = Object(thrown);
        const failure = { node: node.name, data: crossed(data), error: { name, message } };
        if (isErrorsRead) given("errors").push(crossed({ failed: true, ...failure }));
        else failed.push(failure);
      }
    };
    const all = node.inputs.map(itemsOf);
    await KINDS[node.kind]({ node, fn: functions[at], inputs: all, items: all[0], args, attempt });
  }
  return {
    sinks: Object.fromEntries(sinks.map(({ name, from }) => [name || "", itemsOf(from).slice()])),
    failed,
  };
}

/**
 * The entries of a chain of map, flatMap and filter in the order of what they come from.
 * @param {object} flow
 * @param {Iterable<any>} items
 * @returns {Promise<any[]>} `{ response }` or `{ failed, node, data, error }` each
 */
async function interpretChain(flow, items) {
  const { nodes } = graphOf(flow);
  const functions = functionsOf(flow);
  const entries = [];
  const take = async (item, at) => {
    if (at === nodes.length) {
      if (item !== undefined) entries.push({ response: item });
      return;
    }
    const node = nodes[at];
    const given = [];
    const attempt = async (data, work) => {
      try {
        for (const [, value] of await work()) given.push(crossed(value));
      } catch (thrown) {
        const { name, message } = Object(thrown);
        const error = { name, message };
        entries.push({ failed: true, node: node.name, data: crossed(data), error });
      }
    };
    await KINDS[node.kind]({ node, fn: functions[at], items: [item], args: {}, attempt });
    for (const output of given) await take(output, at + 1);
  };
  for (const item of items) await take(crossed(item), 0);
  return entries;
}

/** One call of the function for each item; what it returns, awaited, becomes outputs. */
const each = (outputsOf) => (state) =>
  Promise.all(
    state.items.map((item) =>
      state.attempt(item, async () => {
        const data = crossed(item);
        const task = { attempt: 1, emit() {}, count() {} };
        const returned = await state.fn({ data }, { ...state.args, workerID: 1 }, task);
        return outputsOf(returned, item, state.node);
      }),
    ),
  );

const KINDS = {
  map: each((value) => [["out", value]]),
  filter: each((isKept, item) => (isKept ? [["out", item]] : [])),
  split: each((branch, item, { branches }) => {
    if (!branches.includes(branch)) throw new TypeError("no such branch");
    return [[branch, item]];
  }),
  flatMap: each(async (many) => {
    const values = [];
    if (typeof many === "string") throw new TypeError("a string is no iterable here");
    for await (const value of many) values.push(["out", value]);
    return values;
  }),
  merge: ({ inputs, attempt }) =>
    attempt(undefined, () => inputs.flatMap((items) => items.map((item) => ["out", item]))),
  batch: ({ node, items, attempt }) => {
    const { count = Infinity } = node.batch;
    const batches = [];
    for (const item of items) {
      const last = batches[batches.length - 1];
      if (last === undefined || last.length >= count) batches.push([item]);
      else last.push(item);
    }
    return attempt(items, () => batches.map((batch) => ["out", batch]));
  },
  reduce: ({ fn, items, args, attempt }) =>
    attempt(items, async () => [["out", await fn(crossed(items), { ...args })]]),
  reduceByKey: async ({ fn, items, attempt }) => {
    for (const [key, values] of await grouped(items, pairOf, attempt)) {
      await attempt({ key, values }, () => {
        const combined = values.reduce((one, other) => crossed(fn(one, other)));
        return [["out", [key, combined]]];
      });
    }
  },
  groupByKey: async ({ fn, items, args, attempt }) => {
    for (const [key, values] of await grouped(items, pairOf, attempt)) {
      const group = { key, values: { [Symbol.iterator]: () => values.map(crossed).values() } };
      await attempt({ key, values }, async () => [["out", await fn(group, { ...args })]]);
    }
  },
  sortBy: async ({ fn, items, attempt }) => {
    const sorted = await grouped(items, (item) => [fn(crossed(item)), item], attempt);
    await attempt(items, () => sorted.flatMap(([, values]) => values.map((item) => ["out", item])));
  },
  join: async ({ node, fn, inputs, attempt }) => {
    const sides = [];
    for (const side of [0, 1]) {
      const pairs = await grouped(inputs[side], (item) => [fn[side](crossed(item)), item], attempt);
      sides.push(new Map(pairs));
    }
    const [left, right] = sides;
    const isKept = [node.join !== "inner", node.join === "outer"];
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      const ofSide = (side, is) => side.get(key) || (is ? [undefined] : []);
      const [lefts, rights] = [ofSide(left, isKept[1]), ofSide(right, isKept[0])];
      const joined = lefts.flatMap((one) =>
        rights.map((other) => ({ key, left: one, right: other })),
      );
      await attempt(undefined, () => joined.map((item) => ["out", item]));
    }
  },
};

/** @param {any} item */
function pairOf(item) {
  if (Array.isArray(item) && item.length === 2) return item;
  throw new TypeError("an item must be [key, value]");
}

/** The values of each key, by keys; items without a key have failed. */
async function grouped(items, pairOf, attempt) {
  const groups = new Map();
  for (const item of items) {
    await attempt(item, () => {
      const [key, value] = pairOf(item);
      if (rankOf(key) < 0)
        throw new TypeError("a key must be a string, a number, true, false or null");
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(value);
      return [];
    });
  }
  return [...groups].sort(([one], [other]) => compareKeys(one, other));
}

/** Kinds of keys in their order; -1 is none. */
function rankOf(key) {
  if (typeof key === "number") return Number.isFinite(key) ? 3 : -1;
  if (typeof key === "string") return 4;
  return [null, false, true].indexOf(key);
}

/** null < false < true < numbers < strings by code point. */
function compareKeys(one, other) {
  const ranks = rankOf(one) - rankOf(other);
  if (ranks !== 0) return ranks;
  return typeof one === "string" ? compareTexts(one, other) : Number(one) - Number(other);
}

/** By code points: half of a pair is one too. @param {string} one @param {string} other */
function compareTexts(one, other) {
  const [left, right] = [one, other].map((text) =>
    Array.from(text, (point) => point.codePointAt(0)),
  );
  const at = left.findIndex((point, index) => point !== right[index]);
  if (at < 0) return left.length - right.length;
  return at < right.length ? left[at] - right[at] : 1;
}

/**
 * A text by which values can be compared, whatever the order of their properties. Of failures it has no more than the interpreter
 * knows: no ids and stacks, of groups no values, and no messages but those of the program's own functions, which begin with "fails".
 * @param {any} value
 * @returns {string}
 */
function comparable(value) {
  const told = JSON.stringify(value, (_, inner) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    const { failed, node, data, error } = inner;
    if (failed === true && error !== undefined) return [node, dataOf(data), reasonOf(error)];
    const sorted = Object.keys(inner).sort();
    return Object.fromEntries(sorted.map((name) => [name, inner[name]]));
  });
  return String(told);
}

/** Values of a group are in no order. @param {any} data */
const dataOf = (data) => (Array.isArray(data?.values) ? { key: data.key } : data);

const reasonOf = ({ message }) => (String(message).startsWith("fails") ? message : "failed");

/** The same for a list, whatever its order. @param {any[]} values */
const multiset = (values) => values.map(comparable).sort();

module.exports = { comparable, compareKeys, interpret, interpretChain, multiset };
