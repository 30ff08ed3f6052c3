"use strict";
// COMPAT, "Where 1.0.3 hangs, crashes or loses data": arguments that make no sense, or are missing.
const assert = require("assert");

const section = "Where 1.0.3 hangs: misuse";

const badNumber = (given) => ({
  program: "number-of-workers-that-is-none.js",
  section,
  args: [given],
  original: { end: "hang", said: /MASTER: Worker queues initializing/ },
  ours: { end: "exit 0", results: [{ typeOrRange: true, says: [true, true] }] },
});

const badFunction = (which, original, args = []) => ({
  program: "functions-that-are-none.js",
  section,
  args: [which, ...args],
  original,
  ours: {
    end: "exit 0",
    results([outcome]) {
      assert.strictEqual(outcome.isError, true, `it ${JSON.stringify(outcome)}`);
      assert.match(outcome.message, new RegExp(which));
      if (which !== "workerFns") assert.strictEqual(outcome.typeError, true);
    },
  },
});

const typeError = (message) => ({ isError: true, typeError: true, message });
/** 1.0.3 looks at workerFns once per event, so it is each event that fails. */
const everyEventFails = {
  end: "exit 0",
  results: [{ results: [], failed: [{ id: 1, data: 1, failed: true }] }],
};

module.exports = [
  ...["0", "-1", "1.5", "NaN", "string", "null"].map(badNumber),
  badFunction("masterFn", { end: "hang", results: [typeError("masterFn is not a function")] }),
  badFunction("reduceFn", { end: "exit 0", results: [typeError("reduceFn is not a function")] }), // only after the whole run
  badFunction("workerFns", { ...everyEventFails, said: /Error occurred: TypeError: .*length/ }),
  badFunction(
    "workerFns",
    { ...everyEventFails, said: /Error occurred: TypeError: .* is not a function/ },
    ["elements"],
  ),
  {
    program: "no-args-at-all.js",
    section,
    original: { end: "exit 0", results: [{ typeError: true }] },
    ours: { end: "exit 0", results: [{ oneWorkerPerCpu: true, args: {} }, [["workerID"]]] },
  },
  { program: "default-number-of-workers.js", section, log: "unordered" },
];
