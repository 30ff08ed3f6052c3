"use strict";
/**
 * Promised: events go where there is room, many short ones together and long ones alone; what a lost host may have begun fails, or runs
 * again as often as `retries` says; and a run that is over gets nothing any more.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { ALONE, MOST_BYTES, MOST_EVENTS, Sizer } = require("../../lib/cluster/chunks");
const { Coordinator } = require("../../lib/cluster/coordinator");

describe("the size of a chunk", () => {
  const sized = (mean, { waiting = 1e6, places = 2, times = 9 } = {}) => {
    const sizer = new Sizer();
    for (let at = 0; at < 20; at++) sizer.observe(1, mean);
    let size = 0;
    for (let at = 0; at < times; at++) size = sizer.next(waiting, places);
    return size;
  };
  it("is one event until it is known how long one takes", () => {
    assert.equal(new Sizer().next(1000, 1), 1);
  });
  for (const [mean, size] of [
    [ALONE, 1],
    [1e6, 1],
    [5, 10],
    [1, 50],
    [0.01, 5000],
    [0, MOST_EVENTS],
  ]) {
    it(`is ${size} events of ${mean} ms`, () => assert.equal(sized(mean), size));
  }
  it("grows by and by", () => assert.equal(sized(0.001, { times: 2 }), 64));
  it("leaves something for all at the end", () => {
    assert.equal(sized(0.001, { waiting: 40, places: 4 }), 5);
    assert.equal(sized(0.001, { waiting: 1, places: 4 }), 1);
  });
  it("follows what was measured last", () => {
    const sizer = new Sizer();
    sizer.observe(100, 1);
    sizer.observe(0, 50);
    for (let at = 0; at < 20; at++) sizer.observe(1, 100);
    assert.equal(sizer.next(1e6, 1), 1);
  });
  it("sends long events only where a worker is free", () => {
    const sizer = new Sizer();
    assert.equal(sizer.chunks(3), 6);
    sizer.observe(1, 60_000);
    assert.equal(sizer.chunks(3), 3);
  });
});

const ABOUT = { work: ["w"], args: null, taskTimeout: null, classes: [], refusal: "" };

/** A coordinator with a run, and hosts that note what they get. */
function bench({ retries = null, hosts = ["a"], places = 1 } = {}) {
  const coordinator = new Coordinator();
  const run = coordinator.begin({ ...ABOUT, retries });
  const sent = [];
  const stopped = [];
  for (const id of hosts) {
    coordinator.join({
      id,
      name: id,
      places,
      base: 10,
      isOpen: true,
      begin() {},
      stop: ({ number }) => stopped.push(number),
      send: (chunk, _, lost, events) =>
        sent.push({ id, chunk, lost, events: events.map(({ number }) => number) }),
    });
  }
  const outcomes = {};
  const add = (count, text = "1") => {
    for (let at = 0; at < count; at++) {
      const number = coordinator.lastEvent + 1;
      coordinator.add(run, { text, format: 0 }, (outcome) => {
        assert.equal(outcomes[number], undefined, `event ${number} has ended twice`);
        outcomes[number] = outcome;
      });
    }
    coordinator.place();
  };
  const answer = ({ id, chunk, events }, told = {}) => {
    for (const event of events)
      coordinator.answer(id, chunk, { event, text: "2", worker: 11, ...told });
    coordinator.place();
  };
  return { coordinator, run, sent, stopped, outcomes, add, answer };
}

describe("a coordinator", () => {
  it("gives each host as much as it has room for, in order", () => {
    const { sent, add, answer, outcomes } = bench({ hosts: ["a", "b"] });
    add(5);
    assert.deepEqual(
      sent.map(({ id, events }) => [id, ...events]),
      [
        ["a", 1],
        ["b", 2],
        ["a", 3],
        ["b", 4],
      ],
    );
    answer(sent[1]);
    assert.deepEqual(sent[4], { id: "b", chunk: 5, lost: 0, events: [5] });
    assert.deepEqual(outcomes[2], { text: "2", worker: 11, attempts: 1 });
  });

  it("puts short events together, within a limit of bytes", () => {
    const { coordinator, run, sent, add, answer } = bench();
    coordinator.measured([[run.number, 1000, 10]]);
    add(1, "x");
    answer(sent[0]);
    add(100, "x".repeat(MOST_BYTES / 4));
    const sizes = sent.slice(1).map(({ events }) => events.length);
    assert.ok(Math.max(...sizes) <= 4 && Math.max(...sizes) > 1, `${sizes}`);
  });

  it("fails what a lost host may have begun, and sends the rest to others", () => {
    const { coordinator, sent, add, answer, outcomes } = bench({ hosts: ["a", "b"] });
    add(4);
    const [first, , third] = sent;
    coordinator.giveUp("a", new Set([third.chunk]));
    const { told, attempts } = outcomes[first.events[0]];
    assert.deepEqual([told.code, attempts], ["ERR_SONIC_HOST_LOST", 1]);
    assert.match(told.message, /the host a was lost/);
    answer(first);
    answer(sent[1]);
    assert.deepEqual(sent[sent.length - 1].events, third.events);
    assert.equal(outcomes[third.events[0]], undefined);
  });

  it("lets it run again as often as retries says, and counts lost hosts as attempts", () => {
    const retries = { limit: 1, backoff: 0, factor: 2, maxDelay: 0, on: ["host"] };
    const { coordinator, sent, add, answer, outcomes } = bench({ hosts: ["a", "b", "c"], retries });
    add(1);
    coordinator.giveUp("a", new Set());
    coordinator.place();
    assert.deepEqual(sent[1], { id: "b", chunk: 2, lost: 1, events: [1] });
    answer(sent[1]);
    assert.equal(outcomes[1].attempts, 2);
    add(1);
    coordinator.giveUp(sent[2].id, new Set());
    coordinator.place();
    coordinator.giveUp(sent[3].id, new Set());
    assert.deepEqual([outcomes[2].told.code, outcomes[2].attempts], ["ERR_SONIC_HOST_LOST", 2]);
  });

  it("does not where retries is for other failures", () => {
    const retries = { limit: 5, backoff: 0, factor: 2, maxDelay: 0, on: ["crash", "error"] };
    const { coordinator, add, outcomes } = bench({ retries });
    add(1);
    coordinator.giveUp("a", new Set());
    assert.equal(outcomes[1].told.code, "ERR_SONIC_HOST_LOST");
  });

  it("forgets a run that is over, and tells all", () => {
    const { coordinator, run, sent, stopped, add, answer, outcomes } = bench();
    add(5);
    coordinator.end(run);
    answer(sent[0]);
    assert.deepEqual([outcomes, stopped, coordinator.events.size], [{}, [run.number], 0]);
    assert.equal(coordinator.account.events.size, 0);
  });

  it("has those wait who hand over more than is needed", async () => {
    const { coordinator, run, add } = bench();
    add(1000);
    let hasRoom = false;
    const room = coordinator.room(run).then(() => {
      hasRoom = true;
    });
    await new Promise(setImmediate);
    assert.equal(hasRoom, false);
    coordinator.end(run);
    await room;
    assert.equal(hasRoom, true);
  });
});
