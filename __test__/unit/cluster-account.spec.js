"use strict";
/**
 * Promised: each event of a cluster ends exactly once. An answer counts only from the host and the chunk that has the event; a host that
 * was given up answers nothing any more; and nothing runs again that it may have begun, unless whoever asks for it says so.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const fc = require("fast-check");

const { Account } = require("../../lib/cluster/account");

const accountOf = (events, ...members) => {
  const account = new Account();
  for (const event of events) account.add(event);
  for (const member of members) account.join(member);
  return account;
};

describe("an account", () => {
  it("takes an answer once", () => {
    const account = accountOf([1, 2], "a");
    const chunk = account.send("a", [1, 2]);
    assert.equal(account.answer("a", chunk, 1), true);
    assert.equal(account.answer("a", chunk, 1), false);
    assert.deepEqual(account.eventsOf(chunk), [2]);
  });

  for (const [what, member, chunk, event] of /** @type {[string, string, number, number][]} */ ([
    ["another host", "b", 1, 1],
    ["another chunk", "a", 2, 1],
    ["an event that is not in it", "a", 1, 3],
  ])) {
    it(`takes no answer of ${what}`, () => {
      const account = accountOf([1, 2, 3], "a", "b");
      account.send("a", [1, 2]);
      account.send("b", [3]);
      assert.equal(account.answer(member, chunk, event), false);
      assert.equal(account.events.size, 3);
    });
  }

  it("takes nothing of a host that was given up, nor of an event that was dropped", () => {
    const account = accountOf([1, 2], "a", "b");
    const chunk = account.send("a", [1]);
    const other = account.send("b", [2]);
    account.giveUp("a", new Set());
    account.drop(2);
    assert.equal(account.answer("a", chunk, 1), false);
    assert.equal(account.answer("b", other, 2), false);
    const again = account.send("b", [1]);
    assert.equal(account.answer("a", chunk, 1), false);
    assert.equal(account.answer("b", again, 1), true);
  });

  it("tells what a lost host has not begun from what it may have", () => {
    const account = accountOf([1, 2, 3, 4], "a");
    const first = account.send("a", [1, 2]);
    const second = account.send("a", [3, 4]);
    account.answer("a", first, 1);
    assert.deepEqual(account.giveUp("a", new Set([second])), { again: [3, 4], begun: [2] });
  });

  it("trusts nothing that the broker says of chunks from before it was in doubt", () => {
    const account = accountOf([1, 2], "a");
    const first = account.send("a", [1]);
    account.doubt();
    const second = account.send("a", [2]);
    const { again, begun } = account.giveUp("a", new Set([first, second]));
    assert.deepEqual([again, begun], [[2], [1]]);
  });

  it("knows the oldest chunk that may come again", () => {
    const account = accountOf([1, 2, 3], "a");
    assert.equal(account.floorOf("a"), 1);
    const [first, second] = [account.send("a", [1]), account.send("a", [2])];
    account.answer("a", second, 2);
    assert.equal(account.floorOf("a"), first);
    account.answer("a", first, 1);
    assert.equal(account.floorOf("a"), second + 1);
  });

  it("knows what a host has kept by the host's own numbers, until that has ended", () => {
    const account = accountOf([1, 2, 3], "a", "b");
    assert.equal(account.keep("a", { chunk: -1, at: -2 }, 1, 0), true);
    account.keep("a", { chunk: -1, at: -3 }, 2, 0);
    account.keep("b", { chunk: -1, at: -2 }, 3, 0);
    account.add(4);
    assert.equal(account.keep("a", { chunk: -1, at: -3 }, 4, 0), false);
    assert.equal(account.waits(4), true);
    const [chunk, event] = account.keptAs("a", -3);
    assert.deepEqual([event, account.eventsOf(chunk), account.isKept(chunk)], [2, [1, 2], true]);
    assert.equal(account.keptAs("b", -2)[1], 3);
    assert.equal(account.answer("a", chunk, 2), true);
    assert.deepEqual(account.keptAs("a", -3), [0, 0]);
    assert.equal(account.answer("a", ...account.keptAs("a", -2)), true);
    assert.equal(account.answer("a", ...account.keptAs("a", -2)), false);
    assert.equal(account.chunksOf("a").length, 0);
  });

  it("has a lost host begin all that it has kept, and takes nothing of it that comes later", () => {
    const account = accountOf([1, 2], "a");
    account.keep("a", { chunk: -1, at: -2 }, 1, 0);
    assert.deepEqual(account.giveUp("a", new Set(account.chunksOf("a"))), {
      again: [],
      begun: [1],
    });
    assert.equal(account.keep("a", { chunk: -2, at: -3 }, 2, 0), false);
    assert.deepEqual([account.waits(1), account.waits(2)], [true, true]);
    assert.deepEqual(account.keptAs("a", -2), [0, 0]);
  });

  it("refuses to send what does not wait", () => {
    const account = accountOf([1], "a");
    account.send("a", [1]);
    assert.throws(() => account.send("a", [1]), /does not wait/);
    assert.throws(() => account.add(1), /is there already/);
    assert.throws(() => account.send("b", []), /no host b/);
  });

  it("ends each event once, whatever happens, in any order", () => {
    const step = fc.record({
      what: fc.constantFrom(
        "add",
        "join",
        "send",
        "keep",
        "answer",
        "late",
        "giveUp",
        "takeBack",
        "drop",
        "doubt",
      ),
      pick: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const account = new Account();
        const ended = new Map();
        const end = (event) => ended.set(event, (ended.get(event) || 0) + 1);
        /** What was ever sent: any of it may be answered at any time. */
        const sent = [];
        let events = 0;
        let members = 0;
        /** The last number that a host has given to what it has kept. */
        let kept = -1;
        const of = (list, at) => list[at % list.length];
        for (const { what, pick } of steps) {
          const there = [...account.members.keys()];
          const open = [...account.events.keys()];
          const waiting = open.filter((event) => account.waits(event));
          if (what === "add") account.add(++events);
          if (what === "join") account.join(`host ${++members}`);
          if (what === "doubt") account.doubt();
          if (what === "drop" && open.length > 0) {
            end(of(open, pick));
            account.drop(of(open, pick));
          }
          if (what === "send" && there.length > 0 && waiting.length > 0) {
            const member = of(there, pick);
            const some = waiting.slice(0, 1 + (pick % 3));
            const chunk = account.send(member, some);
            for (const event of some) sent.push({ member, chunk, event });
          }
          if (what === "keep" && members > 0 && waiting.length > 0) {
            // Of a host that was given up, too.
            const member = `host ${1 + (pick % members)}`;
            for (const event of waiting.slice(0, 1 + (pick % 3))) {
              const own = { chunk: -1 - (pick % 4), at: --kept };
              const isThere = there.includes(member);
              assert.equal(account.keep(member, own, event, pick % 2), isThere);
              if (isThere) sent.push({ member, at: kept });
            }
          }
          if ((what === "answer" || what === "late") && sent.length > 0) {
            const { member, at, ...given } = of(sent, pick);
            const [chunk, event] =
              at === undefined ? [given.chunk, given.event] : account.keptAs(member, at);
            if (account.answer(member, chunk, event)) end(event);
          }
          if (what === "takeBack" && account.chunks.size > 0)
            account.takeBack(of([...account.chunks.keys()], pick));
          if (what === "giveUp" && there.length > 0) {
            const member = of(there, pick);
            const chunks = account.chunksOf(member);
            const had = chunks.flatMap((chunk) => account.eventsOf(chunk));
            const untouched = new Set(chunks.filter((_, at) => (at + pick) % 2 === 0));
            const { again, begun } = account.giveUp(member, untouched);
            assert.deepEqual([...again, ...begun].sort(), had.sort());
          }
          // Every event has ended once, or is open: it waits, or is in one chunk of a host that is there.
          for (let event = 1; event <= events; event++) {
            const count = ended.get(event) || 0;
            assert.equal(count + (account.events.has(event) ? 1 : 0), 1, `event ${event}`);
          }
          const inChunks = [...account.chunks.values()].flatMap(({ events: all }) => [...all]);
          assert.equal(new Set(inChunks).size, inChunks.length);
          for (const { member, events: all } of account.chunks.values()) {
            assert.ok(account.members.has(member) && all.size > 0);
            for (const event of all) assert.ok(account.events.has(event));
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
