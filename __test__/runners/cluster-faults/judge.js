"use strict";
/** Holds what became of a cell's events against what its fault may cost. It runs nothing. */
const assert = require("node:assert/strict");

/**
 * @param {{ retries: string, expected: { costs: string, codes: string[] } }} cell
 * @param {{ answered: [number, number][], failed: [number, string][], error?: any }} result
 * @param {{ host: string, data: number }[]} ran each time that an event began
 * @param {number} events how many there are
 */
function judge({ retries, expected: { costs, codes } }, result, ran, events) {
  assert.equal(result.error, undefined, `the call rejects: ${result.error?.message}`);
  const { answered, failed } = result;
  const ended = [...answered, ...failed].map(([data]) => data).sort((a, b) => a - b);
  assert.deepEqual(
    ended,
    Array.from({ length: events }, (_, data) => data),
    "each event ends once",
  );
  for (const [data, double] of answered)
    assert.equal(double, data * 2, `the answer to event ${data}`);
  for (const [data, code] of failed)
    assert.ok(codes.includes(code), `event ${data} failed with ${code}`);
  if (costs === "event") assert.ok(failed.length <= 1, `${failed.length} events failed`);
  if (costs === "run") return;
  const times = new Map();
  for (const { data } of ran) times.set(data, (times.get(data) || 0) + 1);
  for (const [data] of answered)
    assert.ok(times.has(data), `event ${data} was answered, and never ran`);
  if (retries === "on") return;
  for (const [data, count] of times) assert.equal(count, 1, `event ${data} ran ${count} times`);
}

module.exports = { judge };
