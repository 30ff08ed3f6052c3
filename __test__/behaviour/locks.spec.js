"use strict";
/**
 * Promise: `locks` are the Web Locks of the specification, between two workers, between a worker and the master, and within one process:
 * modes, order, `ifAvailable`, `steal`, signals, callbacks that throw, odd names, `query`. A lock is free when its holder's callback has
 * ended or its process is dead, and then the next has it. Tokens rise over all of it. A client of a pool takes part.
 */
const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { run } = require("../support/run");

const ended = async (file, args) => {
  const program = await run(`locks/${file}`, { args });
  assert.equal(program.stderr, "", program.transcript);
  assert.equal(program.code, 0, program.transcript);
  assert.deepEqual(program.alive, [], program.transcript);
  return program;
};

const NOT = "not available";

/** What the scenarios of `sides.js` come to, whatever the sides are. */
const EXPECTED = {
  "excludes another, which has it next and with a later token": [
    "excludes",
    {
      isEarly: false,
      values: ["1 done", "2 done"],
      order: ["+1", "-1", "+2", "-2"],
      isLater: true,
    },
  ],
  "is shared by those that ask for that, and a writer waits for its turn and no longer": [
    "shares",
    {
      isEarly: false,
      hasReader: false,
      values: ["s1", "s2", "s3", "s4", "s5"].map((id) => `${id} done`),
    },
  ],
  "is had at once or not at all with ifAvailable": ["ifAvailable", [NOT, NOT, "i4 done"]],
  "is not available while another waits for it": ["ifAvailableBehindOthers", NOT],
  "may be stolen, before all that wait": [
    "steals",
    { error: "AbortError", isLost: true, isEarly: false, values: ["t3 done", "t2 done"] },
  ],
  "is not waited for any more once the signal is aborted, which means nothing to a holder": [
    "signals",
    {
      error: { thrown: "g2 aborted" },
      hasRun: false,
      values: ["g1 done", "g3 done"],
      isLost: false,
    },
  ],
  "is free when the callback throws, at once or later": [
    "fails",
    ["f0 failed", "h0 done", "f1 failed", "h1 done"],
  ],
  "may be held by several up to its limit, on which all agree": [
    "limits",
    {
      isEarly: false,
      errors: [
        ["ERR_SONIC_LOCK_LIMIT", "RangeError"],
        ["ERR_SONIC_LOCK_LIMIT", "RangeError"],
      ],
      values: ["l1 done", "l2 done", "l3 done"],
    },
  ],
  "has any name": ["names", { available: [], hasAll: true }],
};

const SIDES = {
  "between two workers": "a,b",
  "between the master and a worker": "master,a",
  "between a worker and the master": "a,master",
  "within a worker": "a,a",
  "within the master": "master,master",
};

for (const [title, sides] of Object.entries(SIDES)) {
  describe(`a lock ${title}`, () => {
    let results;
    before(async () => {
      results = (await ended("sides.js", [sides])).result;
    });

    for (const [promise, [scenario, expected]] of Object.entries(EXPECTED)) {
      it(promise, () => assert.deepEqual(results[scenario], expected));
    }

    it("is shown by query with who holds it and who waits, and then no more", () => {
      const [one, two] = sides.split(",");
      const typeOf = (side, type) => (side === "master" ? "undefined" : type);
      assert.deepEqual(results.queries, {
        modes: ["exclusive", "shared"],
        pids: [0, one === two ? 0 : 1],
        hasClients: ["string", one === two],
        areWorkers: [typeOf(one, "number"), typeOf(two, "number")],
        haveEvents: [typeOf(one, "number"), typeOf(two, "number")],
        left: 0,
      });
    });
  });
}
