"use strict";
/**
 * Promise: the option `workers` and the routing of an event take what is documented. Anything else is a TypeError or
 * RangeError that names the field.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { launchGroups } = require("../../lib/master/groups");
const { numWorkersOf } = require("../../lib/shared/num-workers");
const { checkProperties } = require("../../lib/shared/checks");
const { checkOptions } = require("../../lib/shared/options");
const { ROUTE_CHECKS, addressOf, isPlainObject, routingOf } = require("../../lib/shared/routing");

const GPU = { tags: ["gpu"], count: 1, exclusive: true };
const CPU = { tags: [], count: 2, exclusive: false };
const many = (count) => Array.from({ length: count }, () => ({}));

/** They have no prototype, through which something might come in. @param {unknown} workers */
const checked = (workers) =>
  checkOptions({ workers }).workers.map((group) => {
    assert.equal(Object.getPrototypeOf(group), null);
    return { ...group };
  });

describe("the option workers", () => {
  it("has groups with usual values", () => {
    assert.deepEqual(checked([{ tags: ["gpu", "gpu"], exclusive: true }, { count: 2 }]), [
      GPU,
      CPU,
    ]);
    const all = {
      ...{ tags: ["a"], count: 4, exclusive: false, env: { A: "1" }, execArgv: ["--no-warnings"] },
      ...{ maxTasksPerWorker: 5, maxWorkerMemory: 1000 },
    };
    assert.deepEqual(checked([all]), [all]);
    assert.equal(checked(many(31)).length, 31);
  });

  it("copies what it holds: a program may change its own afterwards", () => {
    const [tags, env, execArgv] = [["a"], { A: "1" }, ["--no-warnings"]];
    const [group] = checked([{ tags, env, execArgv }]);
    tags.push("b");
    env.A = "2";
    execArgv.push("wrong");
    const { tags: its, env: own, execArgv: options } = group;
    assert.deepEqual([its, own, options], [["a"], { A: "1" }, ["--no-warnings"]]);
  });

  const wrong = [
    [{}, "TypeError", "options.workers must be an array of 1 to 31 groups"],
    [[], "RangeError", "options.workers must be an array of 1 to 31 groups"],
    [many(32), "RangeError", "got 32"],
    [[5], "TypeError", "options.workers[0] must be an object"],
    [[{}, []], "TypeError", "options.workers[1] must be an object"],
    [[{ tag: ["a"] }], "TypeError", "options.workers[0].tag is not an option: did you mean tags?"],
    [[{ tags: "a" }], "TypeError", "options.workers[0].tags must be an array of strings"],
    [[{ tags: [""] }], "TypeError", 'got "" in it'],
    [[{ tags: ["x".repeat(201)] }], "TypeError", "options.workers[0].tags must be"],
    [[{ count: 0 }], "RangeError", "options.workers[0].count must be a whole number of at least 1"],
    [[{ count: 4000 }, { count: 95 }], "RangeError", "at most 4094 workers in all, got 4095"],
    [[{ exclusive: 1, tags: ["a"] }], "TypeError", "options.workers[0].exclusive must be true or"],
    [
      [{ exclusive: true }],
      "TypeError",
      "options.workers[0].exclusive needs options.workers[0].tags",
    ],
    [[{ env: [] }], "TypeError", "options.workers[0].env must be an object of strings"],
    [[{ env: { A: 1 } }], "TypeError", "options.workers[0].env.A must be a string"],
    [[{ env: { "A=B": "" } }], "TypeError", "options.workers[0].env.A=B must be"],
    [[{ execArgv: "-r" }], "TypeError", "options.workers[0].execArgv must be an array of strings"],
    [[{ execArgv: [1] }], "TypeError", "got 1 in it"],
    [[{ maxTasksPerWorker: "1" }], "TypeError", "options.workers[0].maxTasksPerWorker must be"],
    [[{ maxWorkerMemory: 0 }], "RangeError", "options.workers[0].maxWorkerMemory must be"],
  ];
  for (const [value, name, message] of wrong) {
    it(`names what is wrong: ${message}`, () =>
      assert.throws(
        () => checked(value),
        (/** @type {any} */ error) => error.name === name && error.message.includes(message),
      ));
  }

  it("says how many workers there are, beside an equal number", () => {
    const workers = [GPU, CPU];
    assert.equal(numWorkersOf({}, { workers }), 3);
    assert.equal(numWorkersOf({ numWorkers: 3 }, { workers }), 3);
    assert.throws(() => numWorkersOf({}, { workers, numWorkers: 2 }), /options\.numWorkers is 2/);
    assert.throws(() => numWorkersOf({ numWorkers: 4 }, { workers }), /args\.numWorkers is 4/);
  });
});

describe("the core", () => {
  it("is told of the groups, and of no variable that is the package's own", () => {
    const env = { A: "1", OURS: "2" };
    const workers = [{ ...GPU, env, execArgv: ["-x"], maxTasksPerWorker: 5 }, CPU];
    const { groups, groupOf, execArgv } = launchGroups({ workers }, 3, ["OURS", "A", "B", "C"]);
    assert.deepEqual(
      [groupOf, execArgv],
      [
        [0, 1, 1],
        [["-x"], [], []],
      ],
    );
    assert.deepEqual([groups[0].env, groups[1].env], [["A", "1"], []]);
    assert.deepEqual([groups[0].maxTasksPerWorker, groups[1].exclusive], [5, false]);
  });

  it("has one group of all workers where there are none", () => {
    const { groups, groupOf } = launchGroups({}, 2, []);
    assert.deepEqual([groups.length, groups[0].tags, groupOf], [1, [], [0, 0]]);
  });
});

describe("the routing of an event", () => {
  it("is a plain object; anything else is ignored", () => {
    for (const plain of [{}, Object.create(null), require("node:vm").runInNewContext("({})")]) {
      assert.ok(isPlainObject(plain));
    }
    for (const other of [0, "tags", null, [], new Date(), new Map(), () => {}]) {
      assert.ok(!isPlainObject(other));
    }
  });

  it("of a call adds to the options of its run, and needs nothing if any worker will do", () => {
    assert.equal(routingOf({}), undefined);
    assert.equal(addressOf(undefined, { tags: [] }, 0), undefined);
    assert.equal(addressOf(undefined, { key: 1, spread: true }, 0), undefined);
    assert.deepEqual(addressOf(undefined, { key: 0 }, 0), { tags: [], key: "0", priority: 0 });
    assert.equal(addressOf({ priority: 5 }, { priority: 0 }, 0), undefined);
    assert.deepEqual(addressOf(undefined, { priority: -1 }, 0), {
      tags: [],
      key: undefined,
      priority: -1,
    });
    assert.deepEqual(routingOf({ priority: 0 })?.priority, 0);
    const all = { tags: ["a"], key: "k", priority: 3 };
    assert.deepEqual(addressOf(all, undefined, 0), all);
    assert.deepEqual(addressOf(all, { spread: true }, 0), { ...all, key: undefined });
    assert.deepEqual(addressOf(all, { tags: ["b"], priority: 4 }, 0), {
      tags: ["b"],
      key: "k",
      priority: 4,
    });
  });

  it("of a stage makes the key of the data", () => {
    const key = (/** @type {any} */ { user }) => user;
    assert.equal(addressOf({ key }, undefined, { user: 7 })?.key, "7");
    assert.equal(addressOf({ key }, { key: "own" }, { user: 7 })?.key, "own");
    assert.equal(addressOf({ key }, { spread: true }, { user: 7 }), undefined);
    assert.throws(
      () => addressOf({ key }, undefined, {}),
      /what the key of the stage returns must be a string or a finite number, got undefined/,
    );
  });

  it("that has something else is an error that names it", () => {
    const check = (given) => checkProperties("routing", given, ROUTE_CHECKS);
    assert.throws(
      () => check({ tag: ["a"] }),
      /routing\.tag is not an option: did you mean tags\?/,
    );
    assert.throws(
      () => check({ key: Infinity }),
      /routing\.key must be a string or a finite number/,
    );
    for (const priority of [0.5, NaN, 2 ** 31, -(2 ** 31), Infinity]) {
      assert.throws(() => check({ priority }), RangeError);
    }
    assert.throws(
      () => check({ priority: "1" }),
      /routing\.priority must be a whole number from -2147483647 to 2147483647, got "1"/,
    );
  });
});
