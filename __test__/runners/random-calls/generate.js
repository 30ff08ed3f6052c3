"use strict";
/**
 * Makes programs of several calls, at random: what a call is known by, who makes it, when, and in which role. Each call's
 * worker function answers with the call's own letter, so that a wrong function shows. A program is text; the promise
 * that each of its calls must keep comes with it:
 *   "right"     it resolves, with its own letter
 *   "safe"      it does, or rejects with ERR_SONIC_CALL_…: a worker may be unable to reach it
 */

/** A small generator of numbers with a seed (Park and Miller's). */
class Random {
  constructor(seed) {
    this.state = (seed * 48271 + 11) % 2147483647 || 1;
    for (let i = 0; i < 5; i++) this.next();
  }

  next() {
    this.state = (this.state * 48271) % 2147483647;
    return this.state / 2147483647;
  }

  below(count) {
    return Math.floor(this.next() * count);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  chance(share) {
    return this.next() < share;
  }
}

/** How calls look, and so what tells one from the others. */
const SHAPES = {
  // A statement and a function of its own.
  literal: (letter) =>
    `MapReduce(send, [({ data }) => "${letter}" + data], collect, { numWorkers: 1 })`,
  // A statement of its own, and a closure like the others'.
  closure: (letter) => `MapReduce(send, [stage("${letter}")], collect, { numWorkers: 1 })`,
  // A helper makes the call.
  arguments: (letter) => `withArguments("${letter}")`,
  numbers: (letter) => `withNumbers("${letter}")`,
  instances: (letter) => `withInstances("${letter}")`,
  named: (letter) => `withName("${letter}")`,
  // It is told from the helper's other calls by the line that calls the helper.
  line: (letter) => `plainly("${letter}")`,
};

/** The helpers by which a loop makes calls that can be told apart. */
const HELPERS = {
  arguments: "withArguments",
  numbers: "withNumbers",
  instances: "withInstances",
  named: "withName",
};

const HEAD = `"use strict";
const { MapReduce, Map: put, isMaster } = require(process.env.SONIC_PACKAGE);
const pause = (long = 0) => new Promise((resolve) => setTimeout(resolve, long + Math.random() * 30));
const turns = async (count) => { for (let i = 0; i < count; i++) await null; };
const stage = (letter) => ({ data }) => letter + data;
const send = async (queue) => { for (const data of [1, 2]) await put(queue, { data }); };
const collect = (results, failed) => [...results.getElements().map(({ response }) => response), ...failed.getElements().map(({ error }) => error.message)];
const withArguments = (letter) => MapReduce(send, [stage(letter)], collect, { numWorkers: 1, letter });
const codeOf = (letter) => letter.charCodeAt(0);
class Range { constructor(from) { this.from = from; } }
const withNumbers = (letter) => MapReduce(send, [stage(letter)], collect, { numWorkers: 1, rate: codeOf(letter) / 1000, file: \`2024010\${codeOf(letter)}.csv\` });
const withInstances = (letter) => MapReduce(send, [stage(letter)], collect, { numWorkers: 1, range: new Range(codeOf(letter)), url: new URL(\`https://\${letter}.example/\`) });
const withName = (letter) => MapReduce(send, [stage(letter)], collect, { numWorkers: 1 }, { name: letter });
const plainly = (letter) => MapReduce(send, [stage(letter)], collect, { numWorkers: 1 });
const outcomes = {};
const noted = async (letter, begin) => {
  try {
    outcomes[letter] = { value: await begin() };
  } catch (error) {
    outcomes[letter] = { code: error.code, message: error.message };
  }
};
`;

const TAIL = `
main().then(() => { if (isMaster()) console.log(JSON.stringify(outcomes)); });
`;

/** @param {number} seed */
function generate(seed) {
  const random = new Random(seed);
  const calls = [];
  const order = random.pick(["in turn", "in turn", "at once", "at once", "loop", "mixed"]);
  const count = 2 + random.below(5);
  const differs = random.chance(0.35);
  for (let at = 0; at < count; at++) {
    const letter = "abcdef"[at];
    const shape = random.pick(order === "loop" ? Object.keys(HELPERS) : Object.keys(SHAPES));
    const role = !differs || random.chance(0.6) ? "both" : random.pick(["master", "worker"]);
    calls.push({ letter, shape, role, code: SHAPES[shape](letter) });
  }
  // A loop over one helper, which only the closure tells apart, is in the same order everywhere.
  const isBareLoop = order === "loop" && random.chance(0.4);
  if (isBareLoop) for (const call of calls) Object.assign(call, { shape: "line", role: "both" });
  const body = order === "loop" ? loopOf(calls, random) : bodyOf(calls, order, random);
  const expected = {};
  for (const { letter, role } of calls)
    if (role !== "worker") expected[letter] = role === "both" ? "right" : "safe";
  return { seed, text: HEAD + body + TAIL, expected };
}

/** The same statement for all, one after the other. */
function loopOf(calls, random) {
  const rows = calls.map(
    ({ letter, shape, role }) => `["${letter}", ${HELPERS[shape] || "plainly"}, "${role}"]`,
  );
  // Now and then a worker takes longer than it waits for a better call.
  const long = random.chance(0.1) ? "isMaster() ? 0 : 3300" : "";
  const wait = long || random.chance(0.5) ? `await pause(${long});` : "";
  return `const main = async () => {
  for (const [letter, helper, role] of [${rows.join(", ")}]) {
    ${wait}
    if (role === "both" || (role === "master") === isMaster()) await noted(letter, () => helper(letter));
  }
};`;
}

function bodyOf(calls, order, random) {
  const statements = calls.map((call) => {
    const begin = `() => ${call.code}`;
    const delayed = random.pick([
      begin,
      `() => pause().then(\n${begin})`,
      `() => turns(${random.below(4)}).then(\n${begin})`,
    ]);
    const noted = `noted("${call.letter}", ${order === "in turn" ? begin : delayed})`;
    if (call.role === "both") return noted;
    return `(${call.role === "master" ? "isMaster()" : "!isMaster()"} && ${noted})`;
  });
  if (order === "in turn") {
    const lines = statements.map(
      (statement) => `  ${random.chance(0.4) ? "await pause();\n  " : ""}await ${statement};`,
    );
    return `const main = async () => {\n${lines.join("\n")}\n};`;
  }
  if (order === "at once") {
    return `const main = () => Promise.all([\n${statements.map((statement) => `  ${statement}`).join(",\n")},\n]);`;
  }
  const half = Math.ceil(statements.length / 2);
  const parts = [statements.slice(0, half), statements.slice(half)];
  const lines = parts.map((part) => `  await Promise.all([\n    ${part.join(",\n    ")},\n  ]);`);
  return `const main = async () => {\n${lines.join("\n")}\n};`;
}

/** What is wrong with a program's outcomes; nothing if they keep their promises. */
function judge({ expected }, outcomes) {
  const wrong = [];
  for (const [letter, promise] of Object.entries(expected)) {
    const outcome = outcomes[letter];
    if (outcome === undefined) wrong.push(`${letter} has not ended`);
    else if (isRight(letter, outcome)) continue;
    else if (promise === "right" || !/^ERR_SONIC_CALL_/.test(outcome.code)) {
      wrong.push(`${letter} (${promise}): ${JSON.stringify(outcome)}`);
    }
  }
  return wrong;
}

const isRight = (letter, { value }) =>
  JSON.stringify(value && [...value].sort()) === JSON.stringify([`${letter}1`, `${letter}2`]);

module.exports = { generate, judge };
