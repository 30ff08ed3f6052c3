"use strict";
// Makes flows by chance, with all kinds of nodes: for the same seed the same flow, in every process. All functions take whatever comes,
// depend on nothing but that, and give the same whatever the order of items, batches and values is.

const { comparable } = require("./flow-interpreter");
const { randomFrom } = require("../../examples/random");
const { flow } = require("../../lib/shared/flow/flow");
const { stage } = require("../../lib/shared/stage");

/** Values stay below this. */
const PRIME = 10007;

/** The most items of a node, about: joins and flatMaps multiply. */
const MOST_ITEMS = 2000;

/** How many items the source gives, unless told otherwise. */
const ITEMS = 40;

/** @typedef {{ nodes?: number, items?: number, slow?: boolean, fail?: boolean, groupsFail?: boolean, nothing?: boolean, limits?: boolean, tags?: string[], chain?: boolean }} Choices */

/** Numbers from 0 to 1, others for the next seed. @param {number} seed */
const numbers = (seed) => randomFrom(Math.imul(seed + 1, 0x9e3779b1));

/** Kinds that sort what they hold. */
const SHUFFLES = ["reduceByKey", "groupByKey", "join", "sortBy"];

/** Keys of all kinds. */
const KEYS = [null, false, true, 0, 1, -5, 2.5, 1e9, "", "a", "b", "Z", "é", "\u{1f600}", "\uffee"];

/** A number that stands for any item. @param {any} data @returns {number} */
function valueOf(data) {
  if (typeof data === "number") return mod(data);
  if (data !== null && typeof data === "object" && typeof data.v === "number") return mod(data.v);
  // Failures, pairs and joined items. In a batch nothing is null.
  const text = comparable(data === undefined ? null : data);
  let sum = 7;
  for (let at = 0; at < text.length; at++) sum = mod(sum * 31 + text.charCodeAt(at));
  return sum;
}

/** @param {number} value */
const mod = (value) => ((Math.trunc(value) % PRIME) + PRIME) % PRIME;

/** @param {any} data @param {number} [salt] */
const keyOf = (data, salt = 0) => KEYS[(valueOf(data) + salt) % KEYS.length];

/** @param {any[]} values in whatever order */
const sumOf = (values) => {
  let [sum, count] = [0, 0];
  for (const value of values) {
    sum = mod(sum + valueOf(value));
    count++;
  }
  return { v: mod(sum * 3 + count), count };
};

/**
 * @param {number} seed
 * @param {Choices} [choices] `nodes`: about how many at most. `items`: of the source. `slow`: some functions wait. `fail`: some throw.
 *   `groupsFail`: those of groups too. `nothing`: some return undefined. `limits`: nodes have limits of their own. `tags`: nodes ask for
 *   some of these. `chain`: it is a chain of map, flatMap and filter.
 * @returns {{ flow: object, items: any[], kinds: string[], sorted: Record<string, (data: any) => any> }} `sorted`: the keys of those
 *   sinks whose items come in order, by the names of the sinks; "" for one without a name
 */
function randomFlow(seed, choices = {}) {
  const { nodes: most = 12, items: count = ITEMS } = choices;
  const random = numbers(seed);
  const below = (limit) => Math.floor(random() * limit);
  const chance = (part) => random() < part;
  const pick = (list) => list[below(list.length)];
  const items = Array.from({ length: count }, (_, at) => ({ v: below(PRIME), at }));
  const kinds = [];
  const sorted = Object.create(null);

  const made = flow((source) => {
    /** What may be read: a node of the flow, about how many items it has, and whether anything reads it. */
    const open = [{ node: source, size: count, isRead: false, key: undefined }];
    const add = (node, size, key) => open.push({ node, size, isRead: false, key });
    /** One to read, rather one that nothing reads yet. */
    const take = (fits = (_) => true) => {
      if (choices.chain) return open.slice(-1).find(fits);
      const all = open.filter(fits);
      const unread = all.filter(({ isRead }) => !isRead);
      const from = pick(unread.length > 0 && chance(0.7) ? unread : all);
      if (from !== undefined) from.isRead = true;
      return from;
    };
    const optionsOf = (kind) => {
      const options = {};
      if (chance(0.2)) options.name = pick(["one", "two", "three"]);
      if (choices.tags && kind !== "batch" && chance(0.6))
        options.tags = choices.tags.filter(() => chance(0.5));
      if (choices.limits === false || kind === "batch") return options;
      if (chance(0.1)) options.concurrency = 1 + below(4);
      if (chance(0.1)) options.taskTimeout = pick([60e3, Infinity]);
      const isStep = ["map", "flatMap", "filter", "split"].includes(kind);
      if (isStep && chance(0.15)) options.maxWaiting = 1 + below(20);
      if (SHUFFLES.includes(kind) && chance(0.3)) options.memory = pick([1, 1000, 1e6]);
      return options;
    };

    /** A function of an item that may fail, wait, or return nothing, by what the item is. */
    const program = (of) => {
      const fails = choices.fail !== false && chance(0.3) ? below(7) : -1;
      const waits = choices.slow !== false && chance(0.15) ? below(3) : -1;
      const isAsync = chance(0.3);
      const isNothing = choices.nothing === true && chance(0.3) ? below(5) : -1;
      const salt = below(1000);
      const at = (data) => {
        const value = valueOf(data) + salt;
        if (value % 7 === fails) throw new RangeError(`fails at ${value}`);
        return value % 5 === isNothing ? undefined : of(data);
      };
      if (waits >= 0) {
        return async ({ data }) => {
          if (valueOf(data) % 3 === waits) await new Promise((done) => setTimeout(done, 2));
          return at(data);
        };
      }
      const sync = ({ data }) => at(data);
      const fn = isAsync ? async ({ data }) => at(data) : sync;
      return chance(0.1) ? stage(fn, { name: "staged" }) : fn;
    };
    const number = () => {
      const [factor, term] = [1 + below(50), below(PRIME)];
      return (data) => mod(valueOf(data) * factor + term);
    };
    const step = (kind, from, of, size) => {
      kinds.push(kind);
      const node = from.node[kind](program(of), optionsOf(kind));
      add(node, size);
      return open[open.length - 1];
    };
    /** The items with keys, as holds want them: mostly. */
    const pairs = () => {
      const from = take();
      if (choices.fail !== false && chance(0.1)) return from;
      const [salt, value] = [below(20), number()];
      const made = step("map", from, (data) => [keyOf(data, salt), value(data)], from.size);
      made.isRead = true;
      return made;
    };

    const WAYS = {
      map: () => {
        const from = take();
        const value = number();
        step("map", from, (data) => ({ v: value(data), was: typeof data }), from.size);
      },
      filter: () => {
        const from = take();
        const [part, rest] = [2 + below(3), below(2)];
        step("filter", from, (data) => valueOf(data) % part !== rest, from.size);
      },
      flatMap: () => {
        const from = take(({ size }) => size * 2 < MOST_ITEMS);
        if (from === undefined) return;
        const [most, value, shape] = [1 + below(3), number(), below(4)];
        const list = (data) => {
          const length = valueOf(data) % (most + 1);
          return Array.from({ length }, (_, at) => ({ v: mod(value(data) + at), at }));
        };
        const SHAPES = [
          list,
          (data) => new Set(list(data)),
          function* (data) {
            yield* list(data);
          },
          async function* (data) {
            yield* list(data);
          },
        ];
        step("flatMap", from, SHAPES[shape], from.size * 2);
      },
      split: () => {
        const from = take();
        const branches = ["x", "y", "z"].slice(0, 1 + below(3));
        const unknown = choices.fail !== false && chance(0.2) ? 11 : PRIME + 1;
        const of = (data) => {
          const value = valueOf(data);
          return value % unknown === 5 ? "nowhere" : branches[value % branches.length];
        };
        kinds.push("split");
        const ports = from.node.split(program(of), branches, optionsOf("split"));
        for (const branch of branches) {
          if (chance(0.9)) add(ports[branch], from.size);
        }
        if (chance(0.3)) add(ports[branches[0]].errors, from.size);
      },
      merge: () => {
        const nodes = [take(), take(), take()].slice(0, 1 + below(3));
        const size = nodes.reduce((sum, one) => sum + one.size, 0);
        if (size > MOST_ITEMS) return;
        kinds.push("merge");
        const [first, ...others] = nodes.map(({ node }) => node);
        add(first.merge(...others), size);
      },
      batch: () => {
        const from = take();
        kinds.push("batch", "flatMap");
        const limits = pick([{ count: 1 + below(9) }, { ms: 1 + below(5) }, { bytes: 200 }]);
        const batch = from.node.batch({ ...limits, ...optionsOf("batch") });
        // What is in one batch is not the same in each run: only the items are.
        add(
          batch.flatMap(({ data }) => data),
          from.size,
        );
      },
      reduce: () => {
        const from = take();
        const isInMaster = chance(0.4);
        kinds.push("reduce");
        const fn = chance(0.5) ? (all) => sumOf(all) : async (all) => sumOf(all);
        const options = isInMaster ? { in: "master" } : optionsOf("reduce");
        add(from.node.reduce(fn, options), 1);
      },
      reduceByKey: () => {
        const { node } = pairs();
        kinds.push("reduceByKey");
        const fn = (one, other) => mod(valueOf(one) + valueOf(other));
        add(node.reduceByKey(fn, optionsOf("reduceByKey")), KEYS.length);
      },
      groupByKey: () => {
        const { node } = pairs();
        kinds.push("groupByKey");
        const fails = choices.groupsFail && chance(0.3) ? below(3) : -1;
        const fn = ({ key, values }) => {
          const sum = sumOf(values);
          if (sum.v % 3 === fails) throw new RangeError(`fails at ${sum.v}`);
          return { key, ...sum };
        };
        add(node.groupByKey(fn, optionsOf("groupByKey")), KEYS.length);
      },
      join: () => {
        const [left, right] = [take(), take()];
        const isWide = left.size * right.size > KEYS.length * MOST_ITEMS;
        const size = (left.size * right.size) / (isWide ? 100 : KEYS.length / 2);
        if (size > MOST_ITEMS) return;
        kinds.push("join");
        const by = (salt) =>
          isWide ? (data) => (valueOf(data) + salt) % 200 : (data) => keyOf(data, salt);
        const on = [by(below(20)), by(below(20))];
        const kind = pick(["inner", "left", "outer"]);
        const joined = left.node.join(right.node, { on, kind, ...optionsOf("join") });
        add(joined, size + left.size + right.size);
      },
      sortBy: () => {
        const from = take();
        kinds.push("sortBy");
        const salt = below(20);
        const key = chance(0.5) ? (data) => keyOf(data, salt) : (data) => -valueOf(data);
        add(from.node.sortBy(key, optionsOf("sortBy")), from.size, key);
      },
      errors: () => {
        const from = take(({ node }) => canFail(node));
        if (from === undefined) return;
        from.isRead = false;
        kinds.push("errors");
        add(from.node.errors, Math.ceil(from.size / 2));
      },
    };
    const { map, filter, flatMap, split, errors } = WAYS;
    // Steps are the most frequent, as in programs.
    const steps = [map, map, filter, flatMap, split, errors];
    const ways = choices.chain
      ? [map, filter, flatMap, flatMap]
      : [...Object.values(WAYS), ...steps];
    const wanted = 1 + below(most);
    for (let tries = 0; kinds.length < wanted && tries < 50; tries++) pick(ways)();
    if (choices.chain) return open[open.length - 1].node;

    const unread = open.filter(({ isRead }) => !isRead);
    const ends = unread.filter((_, at) => at < 5);
    if (ends.length === 0) ends.push(open[open.length - 1]);
    if (chance(0.2)) ends.push(pick(open));
    const isOne = ends.length === 1 && chance(0.7);
    const named = ends.map(({ node, key }, at) => {
      const name = isOne ? "" : `sink ${at}`;
      if (key !== undefined) sorted[name] = key;
      return [name, node];
    });
    return isOne ? ends[0].node : Object.fromEntries(named);
  });
  return { flow: made, items, kinds, sorted };
}

/** Whether the node has errors. @param {any} node */
function canFail(node) {
  try {
    return node.errors !== undefined;
  } catch (_) {
    return false;
  }
}

module.exports = { randomFlow };
