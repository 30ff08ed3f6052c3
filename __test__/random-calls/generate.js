"use strict";
/**
 * Makes programs of several calls, at random: what a call is known by, who makes it, when, and in which role. Each call's
 * worker function answers with the call's own letter, so that a wrong function shows. A program is text; the promise
 * that each of its calls must keep comes with it:
 *   "right"     it resolves, with its own letter
 *   "safe"      it does, or rejects with ERR_SONIC_CALL_…: a worker may be unable to reach it
 *   "by count"  it differs from another by its closure alone, and the two are not in the same order everywhere: it ends
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

/** How calls look, and so what tells one from the others: `group` are those that are told apart by less. */
const SHAPES = {
  // A statement and a function of its own.
  literal: (letter) => ({ told: true, code: `MapReduce(send, [({ data }) => "${letter}" + data], collect, { numWorkers: 1 })` }),
  // A statement of its own, and a closure like the others'.
  closure: (letter) => ({ told: true, code: `MapReduce(send, [stage("${letter}")], collect, { numWorkers: 1 })` }),
  // A helper makes the call.
  arguments: (letter) => ({ told: true, code: `withArguments("${letter}")` }),
  named: (letter) => ({ told: true, code: `withName("${letter}")` }),
  // It is told from the helper's other calls by the line that calls the helper.
  line: (letter) => ({ told: false, code: `plainly("${letter}")` }),
};

const HEAD = `"use strict";
const { MapReduce, Map: put, isMaster } = require(process.env.SONIC_PACKAGE);
const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
const turns = async (count) => { for (let i = 0; i < count; i++) await null; };
const stage = (letter) => ({ data }) => letter + data;
const send = async (queue) => { for (const data of [1, 2]) await put(queue, { data }); };
const collect = (results, failed) => [...results.getElements().map(({ response }) => response), ...failed.getElements().map(({ error }) => error.message)];
const withArguments = (letter) => MapReduce(send, [stage(letter)], collect, { numWorkers: 1, letter });
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
    const shape = order === "loop" ? random.pick(["arguments", "named"]) : random.pick(Object.keys(SHAPES));
    const role = !differs || random.chance(0.6) ? "both" : random.pick(["master", "worker"]);
    calls.push({ letter, shape, role, ...SHAPES[shape](letter) });
  }
  // A loop over one helper, which only the closure tells apart, is in the same order everywhere.
  const isBareLoop = order === "loop" && random.chance(0.4);
  if (isBareLoop) for (const call of calls) Object.assign(call, { shape: "line", role: "both", ...SHAPES.line("") });
  const body = isBareLoop || order === "loop" ? loopOf(calls, random) : bodyOf(calls, order, random);
  const expected = {};
  for (const call of calls) if (call.role !== "worker") expected[call.letter] = expectationOf(call, calls);
  return { seed, text: HEAD + body + TAIL, expected };
}

function expectationOf(call, calls) {
  // Those that are called from other lines of the same helper are told apart as long as all are there.
  const alike = calls.filter((other) => !other.told);
  if (!call.told && alike.some(({ role }) => role !== "both")) return "by count";
  return call.role === "both" ? "right" : "safe";
}

/** The same statement for all, one after the other. */
function loopOf(calls, random) {
  const helpers = { arguments: "withArguments", named: "withName", line: "plainly" };
  const rows = calls.map(({ letter, shape, role }) => `["${letter}", ${helpers[shape]}, "${role}"]`);
  const wait = random.chance(0.5) ? "await pause();" : "";
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
    const delayed = random.pick([begin, `() => pause().then(\n${begin})`, `() => turns(${random.below(4)}).then(\n${begin})`]);
    const noted = `noted("${call.letter}", ${order === "in turn" ? begin : delayed})`;
    if (call.role === "both") return noted;
    return `(${call.role === "master" ? "isMaster()" : "!isMaster()"} && ${noted})`;
  });
  if (order === "in turn") {
    const lines = statements.map((statement) => `  ${random.chance(0.4) ? "await pause();\n  " : ""}await ${statement};`);
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
    else if (promise === "by count") continue;
    else if (isRight(letter, outcome)) continue;
    else if (promise === "right" || !/^ERR_SONIC_CALL_/.test(outcome.code)) {
      wrong.push(`${letter} (${promise}): ${JSON.stringify(outcome)}`);
    }
  }
  return wrong;
}

const isRight = (letter, { value }) => JSON.stringify(value && [...value].sort()) === JSON.stringify([`${letter}1`, `${letter}2`]);

module.exports = { generate, judge };
