"use strict";
/** Promise: The judge of the cluster's fault matrix finds each forbidden outcome. The matrix itself is `npm run test:cluster-faults`. */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { FAULTS, MOMENTS, WORK, cells } = require("../runners/cluster-faults/cells");
const { judge } = require("../runners/cluster-faults/judge");

const LOST = "ERR_SONIC_HOST_LOST";
const without = { retries: "off", expected: { costs: "host", codes: [LOST] } };
const withRetries = { retries: "on", expected: { costs: "host", codes: [] } };

/** Two events that were answered, and one that was lost with its host. */
/** @returns {any} */
const good = () => ({
  answered: [
    [0, 0],
    [1, 2],
  ],
  failed: [[2, LOST]],
});
const ran = [0, 1, 2].map((data) => ({ host: "a", data }));

describe("the judge of the cluster's fault matrix", () => {
  it("lets pass what may be", () => {
    judge(without, good(), ran, 3);
    judge(withRetries, { answered: [...good().answered, [2, 4]], failed: [] }, [...ran, ran[2]], 3);
  });

  /** @type {Record<string, [any, any, any]>} */
  const wrong = {
    "an event that is lost": [without, { answered: good().answered, failed: [] }, ran],
    "an event that ends twice": [
      without,
      { ...good(), answered: [...good().answered, [2, 4]] },
      ran,
    ],
    "a wrong answer": [
      without,
      {
        ...good(),
        answered: [
          [0, 0],
          [1, 3],
        ],
      },
      ran,
    ],
    "an answer to what never ran": [without, good(), ran.slice(1)],
    "an error that the fault does not explain": [without, { ...good(), failed: [[2, "E"]] }, ran],
    "an event that failed in spite of retries": [withRetries, good(), ran],
    "an event that ran twice without retries": [without, good(), [...ran, ran[0]]],
    "a call that rejects": [without, { error: { message: "no" } }, ran],
  };
  for (const [name, [cell, result, runs]] of Object.entries(wrong)) {
    it(`finds ${name}`, () => {
      assert.throws(() => judge(cell, result, runs, 3), assert.AssertionError);
    });
  }
});

describe("an eighth of the cells", () => {
  it("has every fault, and every moment", () => {
    const some = cells(8);
    assert.equal(some.length * 8, cells().length);
    assert.deepEqual(new Set(some.map(({ fault }) => fault)), new Set(Object.keys(FAULTS)));
    assert.deepEqual(new Set(some.map(({ moment }) => moment)), new Set(MOMENTS));
    assert.deepEqual(new Set(some.map(({ retries }) => retries)), new Set(["off", "on"]));
    assert.deepEqual(new Set(some.map(({ work }) => work)), new Set(WORK));
  });
});
