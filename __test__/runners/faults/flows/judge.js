"use strict";
/** Holds what the program of a flow's cell came to against what is expected of it. It runs nothing. */
const assert = require("node:assert/strict");
const { judgeError } = require("../judge");
const { EVENTS, FATAL, FATAL_KEY, groupsOf, partsOf, range } = require("./work");

/** Which items do not come to their groups. */
const LOST = {
  parts: ({ n }) => n === FATAL,
  paired: ({ n, at }) => n === FATAL && at === 1,
};

/** The data that the failure shows. */
const DATA = {
  parts: { n: FATAL },
  paired: { n: FATAL, at: 1 },
  summed: { key: FATAL_KEY },
};

const byKey = (one, other) => one.key - other.key;

/** @param {any} cell @param {any} program */
function judgeFlow({ retries, expected }, program) {
  assert.ok("struck" in program.files, `the fault has not struck\n${program.transcript}`);
  assert.deepEqual(program.tmp, [], "files it left behind");
  if (expected.orphans) {
    assert.equal(program.signal, "SIGKILL", "what ended the master");
    return;
  }
  const { value, error } = program.result;
  assert.equal(error, undefined, `the call rejects: ${error?.message}`);
  const { fails, node, loses } = expected;
  const due = groupsOf(LOST[loses] ?? (() => false));
  const groups = value.groups.sort(byKey);
  if (loses === "groups") judgePart(groups, due);
  else if (loses === "summed") {
    const others = due.filter(({ key }) => key !== FATAL_KEY);
    assert.deepEqual(groups, others, "the groups but the one that failed");
  } else assert.deepEqual(groups, due, "the groups");

  assert.equal(value.failed.length, fails ? 1 : 0, "how much has failed");
  if (fails) {
    const [failure] = value.failed;
    assert.equal(failure.node, node, "where it failed");
    assert.deepEqual(failure.data, loses === "groups" ? undefined : DATA[node]);
    judgeError(fails, failure.error);
  }
  judgeRuns(program.log("ran.log"), retries);
}

/** All groups of one part are lost, and each other one is whole. @param {any[]} groups @param {any[]} due */
function judgePart(groups, due) {
  const keys = groups.map(({ key }) => key);
  assert.ok(!keys.includes(FATAL_KEY), "the group in which the fault has struck");
  assert.deepEqual(
    groups,
    due.filter(({ key }) => keys.includes(key)),
    "the other groups",
  );
}

/** Nothing ran twice before the shuffle, but what was tried again. @param {string[]} ran @param {string} retries */
function judgeRuns(ran, retries) {
  const all = range(EVENTS).flatMap((n) => [
    `parts ${n}`,
    ...partsOf(n).map(({ at }) => `paired ${n} ${at}`),
  ]);
  for (const one of all) {
    const isStruck = one === `parts ${FATAL}` || one === `paired ${FATAL} 1`;
    const times = ran.filter((other) => other === one).length;
    assert.ok(times <= (isStruck && retries === "on" ? 2 : 1), `${one} ran ${times} times`);
    assert.ok(times > 0 || one.startsWith(`paired ${FATAL} `), `${one} has not run`);
  }
}

module.exports = { judgeFlow };
