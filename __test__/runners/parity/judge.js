"use strict";
// Decides whether two outcomes agree (parity), or whether each is what the table of differences says (difference). Throws
// an AssertionError with the first disagreement; never runs anything.

const assert = require("assert");
const { listed, unordered, withoutErrors } = require("./outcome");

/** What 1.0.3 must have done for a comparison with it to mean anything: ended as stated, and shown something. */
function soundOriginal(parity, original) {
  assert.strictEqual(
    original.end,
    parity.end || "exit 0",
    `1.0.3 ended otherwise; ${original.stderr.join(" | ")}`,
  );
  const shown = original.results.length > 0 || Object.keys(original.log).length > 0;
  assert.ok(shown, "1.0.3 showed nothing to compare");
  assert.deepStrictEqual(original.survivors, [], "processes of 1.0.3 outlived the program");
}

/** Without the lines that only ours has: `advises` says which, and there is at least one. */
function stderrOf({ advises }, { stderr }) {
  if (advises === undefined) return stderr;
  assert.ok(
    stderr.some((line) => advises.test(line)),
    `no advice; stderr: ${stderr.join(" | ")}`,
  );
  return stderr.filter((line) => !advises.test(line));
}

function same(parity, original, ours) {
  agree(parity, original, {
    ...ours,
    results: withoutErrors(ours.results),
    stderr: stderrOf(parity, ours),
  });
  assert.deepStrictEqual(ours.survivors, [], "processes outlived the program");
  if (parity.check) parity.check(ours);
}

/** Two outcomes of one program are the same, as far as the case says that they must be. */
function agree(parity, expected, seen) {
  assert.strictEqual(seen.end, expected.end, `how it ended; stderr: ${seen.stderr.join(" | ")}`);
  const loosely = parity.loosely || ((results) => results);
  assert.deepStrictEqual(loosely(seen.results), loosely(expected.results), "results");
  if (parity.log === "any") assert.ok(seen.log.MASTER, "no log lines");
  else if (parity.log === "unordered")
    assert.deepStrictEqual(unordered(seen.log), unordered(expected.log), "log lines");
  else assert.deepStrictEqual(seen.log, expected.log, "log lines");
  if (parity.stderr !== "any")
    assert.deepStrictEqual([...seen.stderr].sort(), [...expected.stderr].sort(), "stderr");
}

/** `expected` states: end, results (a value, or a function that asserts), said and unsaid (in any output), log (a function
 * that asserts), survivors (how many). */
function meets(expected, outcome, whose) {
  const output = [...listed(outcome.log), ...outcome.stderr].join("\n");
  assert.strictEqual(outcome.end, expected.end, `how ${whose} ended; it said: ${output}`);
  if (typeof expected.results === "function") expected.results(outcome.results);
  else assert.deepStrictEqual(outcome.results, expected.results || [], `results of ${whose}`);
  for (const said of [].concat(expected.said || []))
    assert.match(output, said, `what ${whose} said`);
  if (expected.log) expected.log(outcome.log);
  if (expected.unsaid) assert.doesNotMatch(output, expected.unsaid, `what ${whose} said`);
  if (expected.end !== "hang") {
    assert.strictEqual(
      outcome.survivors.length,
      expected.survivors || 0,
      `survivors of ${whose}: ${outcome.survivors}`,
    );
  }
}

const isDifference = (entry) => entry.original !== undefined;

function judgeOriginal(entry, original) {
  if (isDifference(entry)) meets(entry.original, original, "1.0.3");
  else soundOriginal(entry, original);
}

function judgeOurs(entry, original, ours) {
  if (isDifference(entry)) meets(entry.ours, ours, "ours");
  else same(entry, original, ours);
}

/** What was recorded of 1.0.3 is what it does now. */
function judgeRecording(entry, recorded, live) {
  for (const outcome of [recorded, live]) judgeOriginal(entry, outcome);
  if (!isDifference(entry)) agree(entry, recorded, live);
}

module.exports = { isDifference, judgeOriginal, judgeOurs, judgeRecording };
