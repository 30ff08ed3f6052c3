"use strict";
/**
 * Promise: over many critical sections in four workers, which are killed and stopped all the time, no two ever have a lock together that
 * excludes them, no request is forgotten, tokens rise, and the numbers that the sections increment are right: each section that wrote has
 * counted, those that a kill interrupted as far as they came. `SONIC_CHAOS_SECTIONS=100000` runs the full size, and
 * `SONIC_CHAOS_SEED=7` another one.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { NO_PROC } = require("../support/processes");
const { run } = require("../support/run");

const SECTIONS = Number(process.env.SONIC_CHAOS_SECTIONS || 20_000);
const SEED = process.env.SONIC_CHAOS_SEED || "1";
const LOCKS = ["hot", "warm", "cold 1", "cold 2", "cold 3"];

/** A section takes a millisecond on a very busy machine, and a kill a second. */
const DEADLINE = 200_000 + SECTIONS * 5;

async function chaos(sections, ...more) {
  const options = { args: [SEED, `${sections}`, ...more], deadline: DEADLINE };
  const program = await run("locks/chaos.js", options);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  assert.deepEqual(program.log("problems.log"), [], `seed ${SEED}`);
  const { counts, left, free } = program.result;
  assert.deepEqual({ left, free }, { left: 0, free: LOCKS.map(() => true) });
  assert.ok(counts.done >= sections && counts.kills > 0 && counts.lost > 0, "it was chaos");
  return { program, counts };
}

/** Goes through what the sections of a lock have written down. How many have added one, and how many were interrupted. */
function account(lines) {
  const found = { written: 0, interrupted: 0, last: 0 };
  let before = { token: 0, number: 0, isOpen: false };
  for (const line of lines) {
    const [what, token, number] = line
      .split(" ")
      .map((part, at) => (at === 0 ? part : Number(part)));
    if (what === "end") {
      assert.deepEqual({ token, number, isOpen: true }, before, line);
      before.isOpen = false;
      found.written++;
      continue;
    }
    assert.equal(what, "begin");
    assert.ok(token > before.token, `${line} after token ${before.token}`);
    // One that was interrupted has written its number, or not.
    const last = before.isOpen && number === before.number ? before.number - 1 : before.number;
    assert.equal(number, last + 1, `${line} after ${JSON.stringify(before)}`);
    if (before.isOpen) settle(found, before, last);
    before = { token, number, isOpen: true };
  }
  return { found, before };
}

function settle(found, section, last) {
  found.interrupted++;
  if (section.number === last) found.written++;
}

describe(`${SECTIONS} critical sections in workers that are killed`, () => {
  it("exclude each other, and each has counted once", { skip: NO_PROC }, async (test) => {
    const { program, counts } = await chaos(SECTIONS);
    let interrupted = 0;
    for (const name of LOCKS) {
      const { found, before } = account(program.log(`${name}.log`));
      const number = Number(program.files[`${name}.number`]);
      if (before.isOpen) settle(found, before, number);
      assert.equal(number, found.written, `${name} with seed ${SEED}`);
      interrupted += found.interrupted;
    }
    assert.ok(counts.unavailable > 0 && counts.aborted > 0 && counts.read > 0);
    test.diagnostic(`seed ${SEED}: ${JSON.stringify(counts)}, ${interrupted} interrupted`);
  });

  it("come to an end each, also if some steal", { skip: NO_PROC }, async (test) => {
    const { counts } = await chaos(SECTIONS / 4, "steal");
    assert.ok(counts.stolen > 0);
    test.diagnostic(`seed ${SEED}: ${JSON.stringify(counts)}`);
  });
});
