"use strict";
/**
 * Promise: A queue of a run behaves like a plain `Queue`, whatever a program does with it. Results are decoded only
 * when they are read. The run learns of the first read, of a read that came too early, and of ids that may have been
 * added.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { inspect } = require("node:util");

const { Entries, Queue, ResultQueue, WorkerQueue } = require("../../lib/shared/queue");

/** A source of these batches, of which more may come, and what the queue has told it. */
function sourceOf(...batches) {
  const told = [];
  const tell = (what) => () => void told.push(what);
  const source = {
    pull: () => batches.shift() ?? null,
    count: () => batches.flat().length,
    seen: tell("seen"),
    touched: tell("touched"),
    isEarly: () => told.push("early?") > 0,
    found: tell("found"),
  };
  return { source, told, deliver: (...batch) => void batches.push(batch) };
}

/** A queue of results, and what its run has of it. */
function results(...batches) {
  const { source, ...rest } = sourceOf(...batches);
  const entries = new Entries(source);
  return { queue: new ResultQueue(entries), entries, ...rest };
}

function plain(...items) {
  const queue = new Queue();
  for (const item of items) queue.enqueue(item);
  return queue;
}

function workers(...ids) {
  const calls = [];
  const owner = {};
  const source = {
    lookAtWorkers() {
      calls.push("look");
      return ids;
    },
    serveIds: () => void calls.push("serve"),
  };
  return { queue: new WorkerQueue(owner, source), owner, calls };
}

const KINDS = {
  "a plain queue": (...items) => plain(...items),
  "a queue of results": (...items) => results(items).queue,
  "a queue of results in two batches": (first, ...others) => results([first], others).queue,
  "a queue of workers": (...ids) => workers(...ids).queue,
};

/** What a program may do with a queue of 3, 1 and 2, and what it sees by that. @type {[string, (queue: any) => unknown, unknown][]} */
const USES = [
  [
    "takes them in order, then undefined",
    (q) => [q.dequeue(), q.dequeue(), q.dequeue(), q.dequeue()],
    [3, 1, 2, undefined],
  ],
  [
    "asks whether it is empty",
    (q) => [q.isEmpty(), q.dequeue(), q.dequeue(), q.dequeue(), q.isEmpty()],
    [false, 3, 1, 2, true],
  ],
  ["adds to it", (q) => [q.enqueue(4), [...q.elements]], [undefined, [3, 1, 2, 4]]],
  ["sorts its live array", (q) => [q.getElements().sort() && q.dequeue(), q.dequeue()], [1, 2]],
  [
    "pushes on its live array",
    (q) => [q.elements.push(9), q.dequeue(), q.elements],
    [4, 3, [1, 2, 9]],
  ],
  [
    "holds the array while it takes",
    (q) => {
      const held = q.elements;
      q.dequeue();
      return [held, held === q.getElements()];
    },
    [[1, 2], true],
  ],
  [
    "replaces its array",
    (q) => {
      q.elements = [7];
      return [q.dequeue(), q.isEmpty()];
    },
    [7, true],
  ],
  ["takes one, then looks at the rest", (q) => [q.dequeue(), q.getElements()], [3, [1, 2]]],
  ["makes JSON of it", (q) => JSON.stringify(q), '{"elements":[3,1,2]}'],
  ["lists its keys", (q) => Object.keys(q), ["elements"]],
  ["spreads it", (q) => ({ ...q }), { elements: [3, 1, 2] }],
  ["prints it", (q) => inspect(q), "Queue { elements: [ 3, 1, 2 ] }"],
  ["asks for its class", (q) => [q instanceof Queue, q.constructor.name], [true, "Queue"]],
];

for (const [kind, make] of Object.entries(KINDS)) {
  describe(`${kind} is a queue to a program that`, () => {
    for (const [what, use, expected] of USES) {
      it(what, () => assert.deepEqual(use(make(3, 1, 2)), expected));
    }
  });
}

describe("a queue of results", () => {
  it("decodes a batch when the one before is used up, and not earlier", () => {
    const pulled = [];
    const { source } = sourceOf([1, 2], [3]);
    const pull = () => {
      const batch = source.pull();
      pulled.push([...batch]);
      return batch;
    };
    const queue = new ResultQueue(new Entries({ ...source, pull }));
    assert.deepEqual(pulled, []);
    queue.dequeue();
    queue.dequeue();
    assert.deepEqual(pulled, [[1, 2]]);
    queue.dequeue();
    assert.deepEqual(pulled, [[1, 2], [3]]);
  });

  /** @type {[string, (queue: any, deliver: (...batch: any[]) => void, entries: any) => unknown, string[]][]} */
  const looks = [
    ["a first look, once", (q) => [q.dequeue(), q.dequeue()], ["seen"]],
    [
      "a look that finds nothing, once",
      (q) => [q.dequeue(), q.dequeue(), q.dequeue(), q.isEmpty()],
      ["seen", "early?"],
    ],
    [
      "a find after that",
      (q, deliver) => [q.dequeue(), q.dequeue(), q.isEmpty(), deliver(5), q.dequeue()],
      ["seen", "early?", "found"],
    ],
    [
      "each of several",
      (q, deliver) => [q.dequeue(), q.dequeue(), q.isEmpty(), deliver(5), q.dequeue(), q.dequeue()],
      ["seen", "early?", "found", "early?"],
    ],
    [
      "no find by asking alone",
      (q, deliver) => [q.dequeue(), q.dequeue(), q.dequeue(), deliver(5), q.isEmpty()],
      ["seen", "early?"],
    ],
    ["that somebody holds the array", (q) => [q.elements, q.elements], ["seen", "touched"]],
    [
      "that the array was held after a miss",
      (q, deliver) => [q.dequeue(), q.dequeue(), q.dequeue(), deliver(5), q.elements],
      ["seen", "early?", "found", "touched"],
    ],
    [
      "nothing by being counted",
      (_q, _deliver, entries) => [entries.count(), entries.peek(), entries.count()],
      [],
    ],
  ];
  for (const [what, use, expected] of looks) {
    it(`tells its run of ${what}`, () => {
      const { queue, told, deliver, entries } = results([1], [2]);
      use(queue, deliver, entries);
      assert.deepEqual(told, expected);
    });
  }

  it("was looked at too early only if more may come", () => {
    for (const isEarly of [true, false]) {
      const { source, told } = sourceOf();
      const entries = new Entries({ ...source, isEarly: () => isEarly });
      const queue = new ResultQueue(entries);
      queue.dequeue();
      assert.equal(entries.isMissed, isEarly);
      assert.deepEqual([queue.elements, entries.isMissed], [[], false]);
      assert.deepEqual(told, isEarly ? ["seen", "found", "touched"] : ["seen", "touched"]);
    }
  });

  it("counts what is decoded and what is not, and shows the first, without taking it", () => {
    const { queue, entries } = results([1, 2], [3, 4]);
    assert.deepEqual(
      [entries.count(), entries.peek(), entries.count(), entries.isSeen],
      [4, 1, 4, false],
    );
    queue.dequeue();
    assert.deepEqual([entries.count(), entries.peek(), entries.isSeen], [3, 2, true]);
    queue.elements.push(5);
    assert.deepEqual([entries.count(), entries.peek()], [4, 2]);
    assert.deepEqual([results().entries.count(), results().entries.peek()], [0, undefined]);
  });

  it("takes what its run pushes into the array that the program holds", () => {
    const { queue, entries } = results([1]);
    const held = queue.elements;
    entries.push(2);
    assert.deepEqual(held, [1, 2]);
  });

  it("puts what its run pushes behind what has waited", () => {
    const { queue, entries } = results([1], [2]);
    entries.absorb();
    entries.push(3);
    assert.deepEqual(
      [queue.dequeue(), queue.dequeue(), queue.dequeue(), queue.dequeue()],
      [1, 2, 3, undefined],
    );
  });
});

describe("a queue of workers", () => {
  it("asks for the free workers when somebody looks, once", () => {
    const { queue, calls } = workers(1, 2);
    assert.deepEqual(calls, []);
    queue.isEmpty();
    queue.dequeue();
    assert.deepEqual(calls, ["look"]);
  });

  /** @type {[string, (queue: any) => unknown, string[]][]} */
  const changes = [
    ["an id that is given back", (q) => q.enqueue(3), ["look", "serve"]],
    [
      "an array that takes the place of its own",
      (q) => {
        q.elements = [3];
      },
      ["look", "serve"],
    ],
    ["nothing when one is taken", (q) => q.dequeue(), ["look"]],
  ];
  for (const [what, change, expected] of changes) {
    it(`tells its run of ${what}`, () => {
      const { queue, calls } = workers(1);
      change(queue);
      assert.deepEqual(calls, expected);
    });
  }

  it("does not ask again while it asks", () => {
    const source = { lookAtWorkers: () => [queue.elements.length], serveIds() {} };
    const queue = new WorkerQueue({}, source);
    assert.deepEqual(queue.elements, [0]);
  });

  it("is known to belong to its run; a copy, a Proxy or another queue does not", () => {
    const { queue, owner } = workers(1);
    assert.equal(WorkerQueue.ownerOf(queue), owner);
    const others = [
      undefined,
      null,
      5,
      {},
      new Queue(),
      { ...queue },
      new Proxy(queue, {}),
      Object.create(WorkerQueue.prototype),
    ];
    for (const other of others) assert.equal(WorkerQueue.ownerOf(other), undefined);
  });
});
