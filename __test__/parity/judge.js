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
  assert.ok(stderr.some((line) => advises.test(line)), `no advice; stderr: ${stderr.join(" | ")}`);
  return stderr.filter((line) => !advises.test(line));
}

function same(parity, original, ours) {
  assert.strictEqual(ours.end, original.end, `how it ended; stderr: ${ours.stderr.join(" | ")}`);
  const loosely = parity.loosely || ((results) => results);
  assert.deepStrictEqual(
    loosely(withoutErrors(ours.results)),
    loosely(original.results),
    "results",
  );
  if (parity.log === "any") assert.ok(ours.log.MASTER, "no log lines");
  else if (parity.log === "unordered")
    assert.deepStrictEqual(unordered(ours.log), unordered(original.log), "log lines");
  else assert.deepStrictEqual(ours.log, original.log, "log lines");
  if (parity.stderr !== "any")
    assert.deepStrictEqual(stderrOf(parity, ours).sort(), original.stderr.sort(), "stderr");
  assert.deepStrictEqual(ours.survivors, [], "processes outlived the program");
  if (parity.check) parity.check(ours);
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

module.exports = { isDifference, judgeOriginal, judgeOurs };
