"use strict";
/**
 * Promise: a host keeps of what its events put out for other nodes what its own workers have room for, and says which; all else is for
 * the master to give away.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { MOST_BYTES } = require("../../lib/cluster/chunks");
const { Hops } = require("../../lib/cluster/hops");
const { wire } = require("../../lib/shared/native");

/** Such a run's events put out items for the run 2 by their exit 0, and for sinks by their exit 1. */
/** @type {any} */
const FIRST = { number: 1, hops: [[0, 2, []]] };
/** @type {any} */
const SECOND = { number: 2 };

/** Characters of an item that is worth it. */
const LARGE = 2000;

const record = (exit, text) => `${String.fromCharCode(wire().firstExit + exit)}${text}`;

/** @param {[exit: number, text: string][]} outputs @returns {any} */
const answerOf = (...outputs) => ({
  event: 7,
  text: JSON.stringify(outputs.map(([exit, text]) => record(exit, text)).join("\n")),
  format: 0,
});
/** @param {number} count @returns {[exit: number, text: string][]} */
const large = (count) =>
  Array.from({ length: count }, () => [0, JSON.stringify("x".repeat(LARGE))]);

/** What a host keeps. `busy`: how many milliseconds an event takes of the run that they are for, if that is known. */
/** @param {any[]} answers @param {any} [how] @returns {Promise<any[]>} */
async function kept(
  answers,
  {
    places = 1,
    open = [],
    busy = 1,
    run = FIRST,
    second = SECOND,
    host = { tags: [], isExclusive: false },
    priority = 0,
    before = (_) => {},
  } = {},
) {
  const hops = new Hops(host, async () => second ?? undefined);
  hops.learn(run);
  await new Promise(setImmediate);
  for (const answer of answers) hops.note(run, priority, answer);
  before(hops);
  /** @type {[run: number, count: number, busy: number][]} */
  const measured = busy === null ? [] : [[2, 100, busy * 100]];
  return hops.keep(measured, places, open);
}

const numbersOf = (chunks) =>
  chunks.map(({ chunk, events }) => [chunk, ...events.map(([at]) => at)]);

describe("what a host keeps for its own workers", () => {
  it("goes together in chunks, and is named in the answers", async () => {
    const answers = [answerOf([0, "1"], [1, "2"], ...large(2)), answerOf(...large(1))];
    const chunks = await kept(answers, { places: 2, priority: 3 });
    const events = chunks.flatMap(({ events: all }) => all);
    assert.equal(events.length, 4);
    assert.deepEqual(events[0].slice(1), ["1", 0]);
    for (const chunk of chunks)
      assert.deepEqual([chunk.run, chunk.lost, chunk.priority], [SECOND, 0, 3]);
    const named = answers.flatMap(({ keep = [] }) =>
      keep.flatMap(([chunk, event, , count]) =>
        Array.from({ length: count }, (_, at) => [chunk, event - at]),
      ),
    );
    const given = chunks.flatMap(({ chunk, events: all }) => all.map(([at]) => [chunk, at]));
    assert.deepEqual(named, given);
    assert.deepEqual(
      answers[0].keep.map(([, , at]) => at).filter((at) => at === 1),
      [],
      "nothing of another exit",
    );
  });

  it("has numbers that the master gives nothing, each once", async () => {
    const hops = new Hops({ tags: [], isExclusive: false }, async () => SECOND);
    hops.learn(FIRST);
    await new Promise(setImmediate);
    const all = [];
    for (let at = 0; at < 5; at++) {
      hops.note(FIRST, 0, answerOf(...large(3)));
      all.push(...numbersOf(hops.keep([[2, 1, 1]], 2, [])));
    }
    const chunks = all.map(([chunk]) => chunk);
    const events = all.flatMap(([, ...numbers]) => numbers);
    for (const numbers of [chunks, events]) {
      assert.equal(new Set(numbers).size, numbers.length);
      assert.ok(numbers.every((number) => number < 0));
    }
    // A station has it for what is not known.
    assert.ok(!events.includes(-1));
  });

  for (const [what, how, count] of /** @type {[string, any, number][]} */ ([
    ["no more than two chunks for each place", { busy: 9 }, 2],
    ["those from the master among them", { busy: 9, open: [{ left: 3, all: 3 }] }, 1],
    [
      "as much as is left of these",
      {
        busy: 9,
        open: [
          { left: 1, all: 2 },
          { left: 1, all: 1 },
        ],
      },
      1,
    ],
    [
      "nothing where there is enough to do",
      {
        open: [
          { left: 1, all: 1 },
          { left: 1, all: 1 },
        ],
      },
      0,
    ],
    ["one for a free place where it is not known how long they take", { busy: null }, 1],
    ["one for a free place where they take long", { busy: 500, places: 3 }, 3],
    ["nothing of these where no place is free", { busy: 500, open: [{ left: 1, all: 1 }] }, 0],
    ["nothing for a run that is over", { second: null }, 0],
    ["nothing of a run whose items are for no other", { run: { number: 1 } }, 0],
    ["nothing after it was told to close", { before: (hops) => hops.close() }, 0],
    ["nothing for a run that has ended", { before: (hops) => hops.forget(2) }, 0],
    [
      "nothing where hosts with fewer tags may run it",
      { host: { tags: ["gpu"], isExclusive: false } },
      0,
    ],
    ["nothing where it takes only events with tags", { host: { tags: [], isExclusive: true } }, 0],
    [
      "what has all of its tags",
      {
        host: { tags: ["gpu"], isExclusive: true },
        run: { number: 1, hops: [[0, 2, ["gpu"]]] },
        busy: 9,
      },
      2,
    ],
  ]))
    it(what, async () => {
      // The first chunk of a run has one event.
      const chunks = await kept([answerOf(...large(3))], how);
      assert.equal(chunks.length, count);
    });

  it("is worth it: small items wait for nothing but a free place", async () => {
    /** @type {[exit: number, text: string][]} */
    const small = Array.from({ length: 50 }, (_, at) => [0, `${at}`]);
    assert.equal((await kept([answerOf(...small)], { open: [{ left: 1, all: 1 }] })).length, 0);
    assert.equal((await kept([answerOf(...small)], { open: [] })).length, 1);
  });

  it("has at most so many bytes in a chunk of several", async () => {
    const text = JSON.stringify("x".repeat(MOST_BYTES / 2));
    const chunks = await kept([answerOf([0, text], [0, text], [0, text])], { busy: 0.01 });
    for (const { events } of chunks) assert.equal(events.length, 1);
  });

  it("is nothing of an answer that cannot be read: the master says so", async () => {
    assert.deepEqual(await kept([{ event: 1, text: '" no record"', format: 0 }]), []);
    assert.deepEqual(await kept([{ event: 1, text: "no JSON", format: 0 }]), []);
    const failed = { event: 1, told: { message: "no" } };
    assert.deepEqual(await kept([failed]), []);
    assert.equal(failed.keep, undefined);
  });
});
