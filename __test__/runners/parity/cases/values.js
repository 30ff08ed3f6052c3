"use strict";
// COMPAT, "What the result queues hold": JSON semantics, responses, failures, one-to-many.
const assert = require("assert");

const section = "What the result queues hold";

/** Every failed entry that a worker function's throw made says why, in ours. */
function everyFailureSaysWhy({ results }) {
  const { failed } = results[0];
  assert.ok(failed.length > 0);
  for (const { data, error } of failed) {
    for (const field of ["name", "message", "stack"])
      assert.strictEqual(typeof error[field], "string", `${field} of ${data}`);
  }
}
function errorsKeepTheirIdentity(ours) {
  everyFailureSaysWhy(ours);
  const error = Object.fromEntries(
    ours.results[0].failed.map((entry) => [entry.data, entry.error]),
  );
  assert.deepStrictEqual([error.error.name, error.error.message], ["Error", "an error"]);
  assert.deepStrictEqual(
    [error.own.name, error.own.message, error.own.code],
    ["Own", "a class of its own", "E_OWN"],
  );
  assert.match(error.own.stack, /anything-may-be-thrown\.js/);
  assert.match(error.string.message, /a string/);
}

module.exports = [
  { program: "json-values.js", section },
  { program: "json-of-a-buffer.js", section },
  { program: "json-strings.js", section, args: ["looked at"] },
  { program: "json-strings.js", section, args: ["echo"] },
  { program: "json-keys.js", section },
  { program: "primitives-as-data.js", section },
  { program: "big-strings.js", section },
  { program: "data-is-taken-when-mapped.js", section },
  { program: "responses-that-add-nothing.js", section },
  {
    program: "anything-may-be-thrown.js",
    section,
    args: ["thrown"],
    check: errorsKeepTheirIdentity,
  },
  {
    program: "anything-may-be-thrown.js",
    section,
    args: ["rejected"],
    check: errorsKeepTheirIdentity,
  },
  { program: "failure-in-a-later-stage.js", section, check: everyFailureSaysWhy },
  { program: "one-event-many-results.js", section },
];
