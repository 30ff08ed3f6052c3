"use strict";
/**
 * Promised: events go where there is room, many short ones together and long ones alone; what a lost host may have begun fails, or runs
 * again as often as `retries` says; and a run that is over gets nothing any more.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { ALONE, MOST_BYTES, MOST_EVENTS, Sizer } = require("../../lib/cluster/chunks");
const { Coordinator } = require("../../lib/cluster/coordinator");
const { HostMember } = require("../../lib/cluster/members");
const { bestFor } = require("../../lib/cluster/routing");

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

const ABOUT = {
  work: ["w"],
  args: null,
  taskTimeout: null,
  classes: [],
  refusal: "",
  isSeen: false,
};

/** A coordinator with a run, and hosts that note what they get. */
function bench({
  retries = null,
  hosts = ["a"],
  places = 1,
  tags = {},
  exclusive = [],
  limits = {},
} = {}) {
  const coordinator = new Coordinator();
  const run = coordinator.begin({ ...ABOUT, retries }, limits);
  const sent = [];
  const stopped = [];
  const join = (id) =>
    coordinator.join({
      id,
      name: id,
      host: id,
      workers: [],
      places,
      base: 10,
      tags: tags[id] || [],
      isExclusive: exclusive.includes(id),
      isOpen: true,
      begin() {},
      runsEach: () => true,
      doing: () => [],
      stop: ({ number }) => stopped.push(number),
      send: (chunk, _, lost, events) =>
        sent.push({ id, chunk, lost, events: events.map(({ number }) => number) }),
    });
  hosts.forEach(join);
  const outcomes = {};
  const add = (count, text = "1", routing = {}, of = run) => {
    let last;
    for (let at = 0; at < count; at++) {
      const number = coordinator.lastEvent + 1;
      const settle = (outcome) => {
        assert.equal(outcomes[number], undefined, `event ${number} has ended twice`);
        outcomes[number] = outcome;
      };
      const { kept, ...where } = routing;
      const address = { tags: [], key: undefined, priority: 0, ...where, kept: kept?.(at) };
      last = coordinator.add(of, { text, format: 0 }, settle, address);
    }
    coordinator.place();
    return last;
  };
  const answer = ({ id, chunk, events }, told = {}) => {
    for (const event of events)
      coordinator.answer(id, chunk, { event, text: "2", worker: 11, ...told });
    coordinator.place();
  };
  return { coordinator, run, sent, stopped, outcomes, add, answer, join };
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
    const outcome = { event: 2, text: "2", worker: 11, attempts: 1 };
    assert.deepEqual(outcomes[2], outcome);
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
    coordinator.giveUp("a", new Set([third.chunk]), true);
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
    coordinator.giveUp("a", new Set(), true);
    coordinator.place();
    assert.deepEqual(sent[1], { id: "b", chunk: 2, lost: 1, events: [1] });
    answer(sent[1]);
    assert.equal(outcomes[1].attempts, 2);
    add(1);
    coordinator.giveUp(sent[2].id, new Set(), true);
    coordinator.place();
    coordinator.giveUp(sent[3].id, new Set(), true);
    assert.deepEqual([outcomes[2].told.code, outcomes[2].attempts], ["ERR_SONIC_HOST_LOST", 2]);
  });

  /** What a host has kept, in one chunk. */
  const kept = (at) => ({ by: "a", chunk: -1, at: -2 - at });

  it("sends nobody what a host has kept, and takes its answers, which have the host's numbers", () => {
    const { sent, add, answer, outcomes, coordinator } = bench({ hosts: ["a", "b"] });
    add(2, "1", { kept });
    assert.deepEqual(sent, []);
    assert.equal(coordinator.account.load("a", 0), 1);
    answer({ id: "b", chunk: -1, events: [-2] });
    assert.deepEqual(outcomes, {});
    for (const events of [[-3], [-2], [-2]]) answer({ id: "a", chunk: -1, events });
    assert.deepEqual(Object.keys(outcomes), ["1", "2"]);
    assert.equal(coordinator.account.events.size, 0);
  });

  it("fails what a lost host has kept, or lets it run elsewhere, as what it was sent", () => {
    const retries = { limit: 1, backoff: 0, factor: 2, maxDelay: 0, on: ["host"] };
    for (const own of [null, retries]) {
      const { coordinator, sent, add, outcomes } = bench({ hosts: ["a", "b"], retries: own });
      add(1, "1", { kept });
      coordinator.giveUp("a", new Set(), true);
      coordinator.place();
      if (own === null) assert.equal(outcomes[1].told.code, "ERR_SONIC_HOST_LOST");
      else assert.deepEqual(sent, [{ id: "b", chunk: 2, lost: 1, events: [1] }]);
    }
  });

  it("sends others what a host has kept that was given up before it could say so", () => {
    const { coordinator, sent, add } = bench({ hosts: ["a", "b"] });
    coordinator.giveUp("a", new Set(), true);
    add(1, "1", { kept });
    assert.deepEqual(sent, [{ id: "b", chunk: 1, lost: 0, events: [1] }]);
  });

  it("has answers in the order in which a host has said them, each once", () => {
    const host = { acknowledged: 0, ahead: new Map() };
    const come = (q) => HostMember.prototype.inOrder.call(host, { q }).map((told) => told.q);
    assert.deepEqual([2, 1, 1, 4, 2, 5, 3].map(come), [[], [1, 2], [], [], [], [], [3, 4, 5]]);
    assert.deepEqual([host.acknowledged, host.ahead.size], [5, 0]);
    assert.deepEqual([9, 7].flatMap(come), []);
    const rest = () => HostMember.prototype.rest.call(host).map(({ q }) => q);
    // It is given up.
    assert.deepEqual([rest(), rest()], [[7, 9], []]);
  });

  it("does not where retries is for other failures", () => {
    const retries = { limit: 5, backoff: 0, factor: 2, maxDelay: 0, on: ["crash", "error"] };
    const { coordinator, add, outcomes } = bench({ retries });
    add(1);
    coordinator.giveUp("a", new Set(), true);
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
    const event = add(1000);
    let hasRoom = false;
    const room = coordinator.room(event).then(() => {
      hasRoom = true;
    });
    await new Promise(setImmediate);
    assert.equal(hasRoom, false);
    coordinator.end(run);
    await room;
    assert.equal(hasRoom, true);
  });
});

describe("what events say of where and when they run", () => {
  it("has the most urgent next, though its host has others to do", () => {
    const { sent, add, answer } = bench();
    add(4);
    add(1, "1", { priority: 5 });
    add(1, "1", { priority: 9 });
    add(1, "1", { priority: -1 });
    assert.deepEqual(
      sent.map(({ events }) => events[0]),
      [1, 2, 5, 6],
    );
    for (const at of [2, 3, 0, 1, 4, 5]) answer(sent[at]);
    assert.deepEqual(
      sent.slice(4).map(({ events }) => events[0]),
      [3, 4, 7],
    );
  });

  it("shares by weight what runs are given that are as urgent", () => {
    const { coordinator, run, sent, add, answer } = bench({ limits: { weight: 3 } });
    const other = coordinator.begin({ ...ABOUT, retries: null }, { weight: 1 });
    add(400);
    add(400, "1", {}, other);
    for (let at = 0; at < 200; at++) answer(sent[at]);
    const ofFirst = sent.slice(100, 200).filter(({ events }) => events[0] <= 400).length;
    assert.ok(ofFirst >= 74 && ofFirst <= 76, `${ofFirst}`);
    assert.equal(coordinator.runs.get(run.number).events.size + ofFirst > 0, true);
  });

  it("has one share of a run that has several parts", () => {
    const { coordinator, run, sent, add, answer } = bench();
    const [part, other] = [1, 2].map(() => coordinator.begin({ ...ABOUT, retries: null }));
    coordinator.unite([run, part]);
    add(200);
    add(200, "1", {}, part);
    add(400, "1", {}, other);
    for (let at = 0; at < 200; at++) answer(sent[at]);
    const ofOther = sent.slice(100, 200).filter(({ events }) => events[0] > 400).length;
    assert.ok(ofOther >= 49 && ofOther <= 51, `${ofOther}`);
  });

  it("goes to hosts with all of its tags, and without tags to those with the fewest", () => {
    const tags = { b: ["gpu"], c: ["gpu", "big"], d: ["own"] };
    const { sent, add, coordinator, join } = bench({
      hosts: ["d", "c", "b", "a"],
      tags,
      exclusive: ["d"],
    });
    add(3, "1", { tags: ["gpu", "big"] });
    assert.deepEqual(
      sent.splice(0).map(({ id }) => id),
      ["c", "c"],
    );
    add(3, "1", { tags: ["gpu"] });
    assert.deepEqual(
      sent.splice(0).map(({ id }) => id),
      ["b", "b"],
    );
    add(5);
    assert.deepEqual(
      sent.splice(0).map(({ id }) => id),
      ["a", "a"],
    );
    tags.e = ["gpu", "big", "wide"];
    join("e");
    coordinator.place();
    assert.deepEqual(
      sent.map(({ id }) => id),
      ["e", "e"],
    );
  });

  it("fails what nobody has the tags for after a while, those that wait for their keys too", () => {
    const { coordinator, sent, add, outcomes } = bench({ tags: { a: ["gpu"] } });
    add(3, "1", { tags: ["disk"], key: "k" });
    add(1, "1", { tags: ["gpu"] });
    coordinator.unserved.fail(-1);
    assert.deepEqual(outcomes, {});
    coordinator.unserved.fail(-1);
    assert.deepEqual(Object.keys(outcomes), ["1", "2", "3"]);
    const { code, message } = outcomes[3].told;
    assert.equal(code, "ERR_SONIC_NO_WORKER");
    assert.match(message, /no worker has "disk"; the workers have "gpu"/);
    assert.deepEqual(
      sent.map(({ events }) => events),
      [[4]],
    );
    assert.equal(coordinator.waiting.count, 0);
  });

  it("runs those of one key in one host, in order, a chunk at a time", () => {
    const hosts = ["a", "b", "c"];
    const { coordinator, run, sent, add, answer } = bench({ hosts });
    coordinator.measured([[run.number, 1000, 1000]]);
    const keys = Array.from({ length: 30 }, (_, at) => `key ${at}`);
    const keyOf = new Map();
    for (let at = 0; at < 4; at++)
      for (const key of keys) keyOf.set(add(1, "1", { key }).number, key);
    const homes = new Map();
    const last = new Map();
    for (let at = 0; at < sent.length; at++) {
      const { id, events } = sent[at];
      for (const number of events) {
        const key = keyOf.get(number);
        assert.equal(homes.get(key) || id, id);
        homes.set(key, id);
        assert.ok(number > (last.get(key) || 0));
        last.set(key, number);
      }
      answer(sent[at]);
    }
    assert.equal(coordinator.events.size, 0);
    assert.equal(coordinator.waiting.keys.size, 0);
    assert.equal(new Set(homes.values()).size, 3);
  });

  it("has a key's events wait while one of them is with a host that is to be left, and keeps their order", () => {
    const { coordinator, sent, add, answer, join } = bench();
    add(3, "1", { key: "k" });
    assert.deepEqual(
      sent.map(({ events }) => events),
      [[1]],
    );
    join("b");
    join("c");
    coordinator.close(coordinator.members.get("a"));
    coordinator.place();
    assert.equal(sent.length, 1);
    coordinator.giveUp("a", new Set([sent[0].chunk]), true);
    coordinator.place();
    assert.deepEqual(sent[1].events, [1]);
    answer(sent[1]);
    answer(sent[2]);
    assert.deepEqual(
      sent.map(({ events }) => events),
      [[1], [1], [2], [3]],
    );
    assert.equal(new Set(sent.slice(1).map(({ id }) => id)).size, 1);
  });

  it("moves few keys when a host joins or leaves", () => {
    const ids = ["a", "b", "c", "d"];
    const member = (id) => ({ id, places: 2, tags: [], isExclusive: false, isOpen: true });
    const homes = (hosts) =>
      Array.from({ length: 4000 }, (_, at) => bestFor(`key ${at}`, [], hosts.map(member)));
    const [three, four] = [homes(ids.slice(0, 3)), homes(ids)];
    const moved = four.filter((home, at) => home !== three[at]);
    assert.ok(moved.every((home) => home === "d"));
    assert.ok(moved.length > 850 && moved.length < 1150, `${moved.length}`);
  });

  it("forgets those of a run that is over, and lets others of their keys go on", () => {
    const { coordinator, run, sent, add } = bench();
    const other = coordinator.begin({ ...ABOUT, retries: null });
    add(3, "1", { key: "k" });
    add(2, "1", { key: "k" }, other);
    coordinator.end(run);
    coordinator.place();
    assert.deepEqual(
      sent.map(({ events }) => events),
      [[1], [4]],
    );
    coordinator.end(other);
    assert.deepEqual([coordinator.waiting.count, coordinator.waiting.keys.size], [0, 0]);
    assert.equal(coordinator.waiting.kinds.size, 0);
  });

  it("has those wait who hand over more than the limits of their run say", async () => {
    const { coordinator, add } = bench({ limits: { maxEventsPerWorker: 5, maxBytesWaiting: 100 } });
    assert.equal(coordinator.hasRoom(add(4)), true);
    assert.equal(coordinator.hasRoom(add(1)), false);
    const large = bench({ limits: { maxBytesWaiting: 100 } });
    assert.equal(large.coordinator.hasRoom(large.add(2, "x".repeat(60))), true);
    assert.equal(large.coordinator.hasRoom(large.add(1, "x".repeat(60))), false);
  });

  it("counts all parts of a run for them", () => {
    const limits = { maxEventsPerWorker: 5, maxBytesWaiting: 100 };
    const { coordinator, run, add } = bench({ limits });
    const part = coordinator.begin({ ...ABOUT, retries: null }, limits);
    coordinator.unite([run, part]);
    add(4);
    const last = add(1, "1", {}, part);
    assert.equal(coordinator.hasRoom(last), false);
    coordinator.end(run);
    assert.equal(coordinator.hasRoom(last), true);
    assert.equal(coordinator.hasRoom(add(2, "x".repeat(60), {}, part)), false);
  });

  it("lets a busy host hold up nobody else", () => {
    const { coordinator, add } = bench({ hosts: ["a", "b"], tags: { b: ["gpu"] } });
    assert.equal(coordinator.hasRoom(add(1000, "1", { tags: ["gpu"] })), false);
    assert.equal(coordinator.hasRoom(add(1)), true);
  });
});

describe("what a host says of its workers", () => {
  /** @type {any} */
  const master = { broker: { queue: () => ({}) }, id: "m", queueName: () => "q" };
  const about = { id: "h", name: "a", places: 2, base: 0, tags: [], isExclusive: false };
  const member = () => new HostMember(master, { ...about, workers: [[1, 11]] });
  const busy = [1, 11, 2, 5000, 7, 30];

  it("is what they run, until it says that nobody asks", () => {
    const host = member();
    host.hearOf(JSON.stringify([busy, [2, 12, 0, 6000, -1, 0]]));
    const [[worker, event, time], ...rest] = host.doing();
    assert.deepEqual([worker, event, time >= 30, rest], [1, 7, true, []]);
    host.hearOf("m");
    assert.deepEqual(host.doing(), []);
    assert.deepEqual(
      host.rows().map(({ memory, running }) => [memory, running]),
      [
        [5000, 0],
        [6000, 0],
      ],
    );
  });

  it("is nothing where it is damaged", () => {
    for (const bad of [
      "[",
      "[5]",
      "[null]",
      "[[1,2,3,4,5]]",
      '[[1,2,"3",4,5,6]]',
      "[[1,2,3,4,null,6]]",
    ]) {
      const host = member();
      host.hearOf(bad);
      assert.deepEqual(host.doing(), [], bad);
      assert.deepEqual(host.rows(), [{ id: 1, pid: 11, running: null, memory: 0, host: "a" }]);
    }
  });
});
