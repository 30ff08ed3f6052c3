"use strict";
/**
 * Promise: the trace of a run shows each wait for a lock, and each hold that the master knows of, on the track of the worker, inside of
 * its event, from when to when it was.
 */
const assert = require("node:assert/strict");
const { before, describe, it } = require("node:test");
const { run } = require("../support/run");

/** Microseconds: times are rounded to a thousandth of one. */
const ROUNDED = 0.01;

describe("the trace of a run", () => {
  /** @type {any[]} */
  let entries;
  /** @type {Record<string, { pid: number, waited: number, held: number }>} by role */
  const used = {};
  const named = (name) => entries.filter((entry) => entry.name === name);
  const endOf = ({ ts, dur }) => ts + dur;
  /** The event of a role. */
  const eventOf = (role) =>
    entries.find(({ args, name }) => name.startsWith("event ") && args.pid === used[role].pid);

  before(async () => {
    const { result, files, code, transcript } = await run("locks/trace.js");
    assert.equal(code, 0, transcript);
    for (const { role, ...times } of result) used[role] = times;
    entries = JSON.parse(files["run.json"]).traceEvents;
  });

  it("has a wait, as long as it was, on the track of the worker that waited", () => {
    const [wait, ...more] = named("wait for lock ledger");
    assert.deepEqual(more, []);
    const { pid, waited } = used.waiter;
    const event = eventOf("waiter");
    assert.deepEqual(wait.args, {
      name: "ledger",
      mode: "exclusive",
      pid,
      event: event.args.event,
    });
    assert.deepEqual([wait.cat, wait.tid], ["lock", event.tid]);
    assert.ok(wait.dur > 0 && wait.dur <= waited * 1e3, `${wait.dur} of ${waited}`);
    assert.ok(wait.ts >= event.ts);
  });

  it("has the hold that was waited for, though it began without asking, and what followed it", () => {
    const holds = named("hold lock ledger").sort((a, b) => a.ts - b.ts);
    assert.equal(holds.length, 3, JSON.stringify(holds));
    const [first, second, third] = holds;
    const [holder, waiter] = ["holder", "waiter"].map(eventOf);
    assert.deepEqual(
      holds.map(({ tid, args }) => [tid, args.pid, args.event]),
      [holder, holder, waiter].map(({ tid, args }) => [tid, args.pid, args.event]),
    );
    assert.ok(second.ts >= endOf(first) - ROUNDED);
    assert.ok(second.dur >= used.holder.held * 1e3, `${second.dur} of ${used.holder.held}`);
    // It is held in turn, and whoever waits has it next.
    assert.ok(third.ts >= endOf(second) - ROUNDED);
    const [wait] = named("wait for lock ledger");
    assert.ok(wait.ts > second.ts && Math.abs(endOf(wait) - third.ts) < ROUNDED);
    assert.ok(third.dur >= used.waiter.held * 1e3, `${third.dur} of ${used.waiter.held}`);
  });

  it("has none that was taken without asking and that nobody waited for", () => {
    assert.equal(named("hold lock alone").length, 1);
    assert.equal(named("wait for lock alone").length, 0);
  });

  it("has them inside of their events, so that a viewer can show them there", () => {
    const inside = entries.filter(({ cat }) => cat === "lock");
    assert.equal(inside.length, 5);
    for (const entry of inside) {
      const event = entries.find(
        ({ name, tid }) => name === `event ${entry.args.event}` && tid === entry.tid,
      );
      const fits = entry.ts >= event.ts && endOf(entry) <= endOf(event) + ROUNDED;
      assert.ok(fits, JSON.stringify([entry, event]));
    }
  });
});
