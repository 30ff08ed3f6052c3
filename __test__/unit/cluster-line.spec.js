"use strict";
/**
 * Promised: whatever what carries them loses, repeats or delays, the messages of each end arrive at the other once, in order and all;
 * and no more is on its way at once than may be, but for one message.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const fc = require("fast-check");

const { Line } = require("../../lib/cluster/line");

const KiB = 1024;

/** Two ends. What they send waits in `way`, and what they do soon in `due`. */
function pair() {
  const due = [];
  const ends = [0, 1].map((at) => {
    const way = [];
    const line = new Line(
      (packet) => way.push(JSON.stringify(packet)),
      (work) => due.push(work),
    );
    return { at, line, way, heard: [], said: 0 };
  });
  const run = () => {
    while (due.length > 0) due.shift()();
  };
  const arrive = (end, at, isKept) => {
    const [text] = isKept ? end.way.slice(at, at + 1) : end.way.splice(at, 1);
    if (text === undefined) return;
    const other = ends[1 - end.at];
    other.heard.push(...other.line.hear(JSON.parse(text)));
  };
  return { ends, run, arrive };
}

describe("a line", () => {
  it("brings each message once and in order, whatever is lost, comes twice or late", () => {
    const step = fc.record({
      end: fc.nat(1),
      what: fc.constantFrom("say", "say", "run", "arrive", "arrive", "twice", "lose", "look"),
      at: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { ends, run, arrive } = pair();
        for (const { end: which, what, at } of steps) {
          const end = ends[which];
          if (what === "say") end.line.say(["x".repeat(300 * KiB), ++end.said]);
          else if (what === "run") run();
          else if (what === "look") end.line.look();
          else if (what === "lose") end.way.splice(at, 1);
          else arrive(end, at, what === "twice");
          const { sent, size } = end.line;
          assert.ok(sent <= 1 || size <= KiB * KiB, `${sent} messages with ${size} characters`);
        }
        // Nothing is lost any more.
        for (let rounds = 0; rounds < 400; rounds++) {
          run();
          for (const end of ends) {
            if (end.way.length > 0) arrive(end, 0, false);
            else end.line.look();
          }
        }
        for (const { heard, at } of ends) {
          const other = ends[1 - at];
          const numbers = heard.map(([, number]) => number);
          assert.deepEqual(
            numbers,
            Array.from({ length: other.said }, (_, i) => i + 1),
          );
          assert.deepEqual([other.line.said.length, other.line.sent, other.line.size], [0, 0, 0]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("says nothing any more once it has ended", () => {
    const { ends, run } = pair();
    ends[0].line.say("late");
    ends[0].line.end();
    run();
    assert.deepEqual(ends[0].way, []);
  });
});
