"use strict";
/**
 * Runs flows made by chance on a pool, one after the other, and says what differs from what the interpreter makes of them. Node 14
 * parses it.
 */
const {
  interpret,
  interpretChain,
  comparable,
  compareKeys,
  multiset,
} = require("./flow-interpreter");
const { randomFlow } = require("./random-flow");

/**
 * The flows by their names, which are the same in every process.
 * @param {number} first seed
 * @param {number} count
 * @param {number} [slow] one of so many has nodes that take their time
 */
function randomFlows(first, count, slow = 10) {
  const seeds = Array.from({ length: count }, (_, at) => first + at);
  const made = new Map();
  for (const seed of seeds) {
    const tags = seed % 3 ? undefined : ["a", "b"];
    const choices = { nodes: 12, fail: true, slow: seed % slow === 0, tags };
    made.set(`flow ${seed}`, randomFlow(seed, choices));
  }
  return made;
}

/** The same of chains, whose entries have an order. @type {typeof randomFlows} */
function randomChains(first, count, slow = 10) {
  const made = new Map();
  for (let seed = first; seed < first + count; seed++) {
    const tags = seed % 3 ? undefined : ["a", "b"];
    const isSlow = seed % slow === 0;
    const choices = {
      nodes: 6,
      fail: true,
      nothing: true,
      slow: isSlow,
      tags,
      chain: true,
    };
    made.set(`flow ${seed}`, randomFlow(seed, choices));
  }
  return made;
}

/** As a pool has them. @param {ReturnType<typeof randomFlows>} made */
function stagesOf(made) {
  const stages = {};
  for (const [name, { flow }] of made) stages[name] = flow;
  return stages;
}

/** Workers for their tags. */
const GROUPS = [
  { tags: ["a"], count: 1 },
  { tags: ["b"], count: 1 },
  { tags: ["a", "b"], count: 1 },
];

async function outcomeOf(pool, name, items, options) {
  const sinks = {};
  const failed = [];
  for await (const entry of pool.stream(name, items, options)) {
    if (entry.failed)
      failed.push({ node: entry.node, data: entry.data, error: entry.error, failed: true });
    else {
      const sink = entry.sink === undefined ? "" : entry.sink;
      if (sinks[sink] === undefined) sinks[sink] = [];
      sinks[sink].push(entry.response);
    }
  }
  return { sinks, failed };
}

/** What differs; nothing if it is as it should be. */
function difference(name, { sorted, kinds }, is, due) {
  const wrong = [];
  const present = (list = []) => list.filter((item) => item !== undefined);
  const names = new Set([...Object.keys(is.sinks), ...Object.keys(due.sinks)]);
  const compare = (what, got, wanted) => {
    const [a, b] = [multiset(got), multiset(wanted)];
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    const more = a.filter((one) => !b.includes(one)).slice(0, 3);
    const less = b.filter((one) => !a.includes(one)).slice(0, 3);
    wrong.push(
      `${name} (${kinds}): ${what} has ${a.length} items, and was to have ${b.length}; too many: ${more}; missing: ${less}`,
    );
  };
  for (const sink of names) {
    compare(`sink "${sink}"`, present(is.sinks[sink]), present(due.sinks[sink]));
    const key = sorted[sink];
    const list = present(is.sinks[sink]);
    const isRising =
      key === undefined ||
      list.every((item, at) => at === 0 || compareKeys(key(list[at - 1]), key(item)) <= 0);
    if (!isRising)
      wrong.push(`${name}: sink "${sink}" is not sorted: ${comparable(list).slice(0, 300)}`);
  }
  const failures = (list) =>
    list.map(({ node, data, error }) => ({ failed: true, node, data, error }));
  compare("failures", failures(is.failed), failures(due.failed));
  return wrong;
}

/** @param {any} pool that has them as stages @param {ReturnType<typeof randomFlows>} made @param {object} [options] of each stream */
async function differences(pool, made, options = {}) {
  const wrong = [];
  let entries = 0;
  for (const [name, one] of made) {
    const is = await outcomeOf(pool, name, one.items, options);
    entries += Object.values(is.sinks).reduce((sum, { length }) => sum + length, 0);
    wrong.push(...difference(name, one, is, await interpret(one.flow, one.items)));
    if (wrong.length > 5) break;
  }
  return { wrong, entries };
}

/** What differs in the order of entries. @param {any} pool @param {ReturnType<typeof randomFlows>} made @param {object} [options] */
async function differencesInOrder(pool, made, options = {}) {
  const wrong = [];
  let entries = 0;
  for (const [name, { flow, items, kinds }] of made) {
    const is = [];
    // Few are unread at a time in some, so that what is held back counts.
    const order = { order: "submission", maxResultsWaiting: 1 + (entries % 40), ...options };
    for await (const { failed, node, data, error, response } of pool.stream(name, items, order))
      is.push(failed ? { failed, node, data, error } : response);
    entries += is.length;
    const due = await interpretChain(flow, items);
    const [got, wanted] = [is, due.map((one) => (one.failed ? one : one.response))].map((list) =>
      list.map(comparable),
    );
    const at = wanted.findIndex((one, index) => one !== got[index]);
    if (at >= 0 || got.length !== wanted.length)
      wrong.push(
        `${name} (${kinds}): ${got.length} entries, was to have ${wanted.length}; at ${at}: ${got[at]} for ${wanted[at]}`,
      );
    if (wrong.length > 5) break;
  }
  return { wrong, entries };
}

module.exports = {
  GROUPS,
  differences,
  differencesInOrder,
  randomChains,
  randomFlows,
  stagesOf,
};
