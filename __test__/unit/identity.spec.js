"use strict";
/**
 * Promise: The same call has the same identity in master and worker, by its name, functions, place and arguments. It
 * contains what tells two calls apart, and nothing that differs between processes. It is read in bounded time, reveals
 * no secret, and reading it never throws.
 */
const assert = require("node:assert/strict");
const { EventEmitter } = require("node:events");
const { randomUUID } = require("node:crypto");
const os = require("node:os");
const path = require("node:path");
const { describe, it } = require("node:test");

const { digest } = require("../../lib/shared/digest");
const {
  differing,
  differingForGood,
  identify,
  identifyByHand,
  isAlike,
  isBeginning,
  isCalledAlike,
  isSameSite,
  nameFor,
} = require("../../lib/shared/identity");
const { inside } = require("../../lib/shared/site");

const master = () => {};
const square = (event) => event.data ** 2;
const double = (event) => event.data * 2;

/**
 * The public function of the package, as a program calls it.
 * @param {any} args
 * @param {any} [parts]
 */
function call(args, { masterFn = master, workerFns = [square], options = undefined } = {}) {
  return identify(call, masterFn, workerFns, args, options);
}

/** One call, made twice, with other arguments. @returns {[any, any]} */
const made = (...all) => /** @type {any} */ (all.map((args) => call(args)));

/** Whether the same call with these arguments is one call. */
function isOne(one, other) {
  const [first, second] = made({ value: one }, { value: other });
  return isAlike(first, second);
}

class Pool {
  constructor(size) {
    this.size = size;
  }
}

const circle = (...items) => {
  const list = [...items];
  list.push(list);
  return list;
};
const deep = (end) => Array.from({ length: 20 }).reduce((inner) => [inner], end);

describe("arguments of two calls", () => {
  const equal = [
    ["numbers", 5, 5],
    ["strings", "a", "a"],
    ["objects in another order", { a: 1, b: 2 }, { b: 2, a: 1 }],
    ["objects with undefined", { a: 1, b: undefined }, { a: 1 }],
    ["arrays", [1, "2", [3]], [1, "2", [3]]],
    ["dates", new Date(0), new Date(0)],
    ["times that are now", Date.now(), Date.now() + 1],
    ["dates that are now", new Date(), new Date(Date.now() + 1)],
    ["texts of now", new Date().toISOString(), new Date(Date.now() + 1).toISOString()],
    ["expressions", /a/g, /a/g],
    ["URLs", new URL("http://a/b"), new URL("http://a/b")],
    ["bytes", Buffer.from("abc"), Buffer.from("abc")],
    ["Maps", new Map([[{ a: 1 }, 2]]), new Map([[{ a: 1 }, 2]])],
    ["Sets", new Set([1, 2]), new Set([1, 2])],
    ["instances", new Pool(3), new Pool(3)],
    ["connections", new EventEmitter(), Object.assign(new EventEmitter(), { pid: 5 })],
    ["promises", Promise.resolve(1), Promise.resolve(2)],
    ["proxies", new Proxy({ a: 1 }, {}), new Proxy({ b: 1 }, {})],
    ["cycles", circle(1), circle(1)],
    ["functions", (a) => a + 1, (a) => a + 1],
    ["symbols", Symbol("s"), Symbol("s")],
    ["BigInts", 5n, 5n],
    ["deep ones", deep(1), deep(1)],
    ["what is deeper than is read", deep(deep(1)), deep(deep(2))],
  ];
  for (const [what, one, other] of equal) {
    it(`are equal: ${what}`, () => assert.equal(isOne(one, other), true));
  }

  const different = [
    ["numbers", 5, 6],
    ["a number and its text", 5, "5"],
    ["a number and a BigInt", 5, 5n],
    ["strings", "a", "b"],
    ["values of one name", { a: 1 }, { a: 2 }],
    ["names of one value", { a: 1 }, { b: 1 }],
    ["orders", [1, 2], [2, 1]],
    ["lengths", [1], [1, 1]],
    ["dates", new Date(0), new Date(1)],
    ["flags", /a/, /a/g],
    ["bytes", Buffer.from("abc"), Buffer.from("abd")],
    ["an array and a Set", [1], new Set([1])],
    ["classes", new Pool(3), { size: 3 }],
    ["sizes", new Pool(3), new Pool(4)],
    ["functions", square, double],
    ["cycles", circle(1), circle(2)],
    ["deep ones", deep(1), deep(2)],
    ["nothing and something", null, 5],
  ];
  for (const [what, one, other] of different) {
    it(`are different: ${what}`, () => assert.equal(isOne(one, other), false));
  }

  /** What each process makes up anew. @type {[string, any, any][]} */
  const random = [
    ["UUIDs", { id: randomUUID() }, { id: randomUUID() }],
    ["random numbers", { seed: `x${Math.random()}` }, { seed: `x${Math.random()}` }],
    [
      "temporary files",
      { file: path.join(os.tmpdir(), "a1b2/x") },
      { file: path.join(os.tmpdir(), "c3d4/x") },
    ],
  ];
  for (const [what, one, other] of random) {
    it(`may differ between the roles, and are not equal: ${what}`, () => {
      const [first, second] = made(one, other);
      assert.notDeepEqual(differing(first, second), []);
      assert.deepEqual(differingForGood(first, second), []);
    });
  }

  /** What one process has and the other may have differently, though the call is the same. */
  const passing = [
    ["what is there in one role alone", { pool: 5 }, {}],
    ["what is not there yet: null", { pool: null }, { pool: 5 }],
    ["what is not there yet: no text", { pool: "" }, { pool: "a" }],
    ["what is not there yet: no items", { pool: [] }, { pool: [1] }],
    ["what is not there yet: nothing in it", { pool: {} }, { pool: { a: 1 } }],
    ["a connection", { pool: new EventEmitter() }, { pool: 5 }],
    ["now", { at: Date.now() }, { at: 5 }],
  ];
  for (const [what, one, other] of passing) {
    it(`may differ between the roles: ${what}`, () => {
      assert.deepEqual(differingForGood(...made(one, other)), []);
    });
  }

  it("are named where they differ", () => {
    const [one, other] = made({ a: 1, b: 2, c: 3 }, { a: 1, b: 3, d: 4 });
    assert.deepEqual(differing(one, other).sort(), ["b", "c", "d"]);
    assert.deepEqual(differingForGood(one, other), ["b"]);
  });

  it("may be anything", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throwing = {
      get value() {
        throw new Error("mine");
      },
    };
    for (const args of [
      undefined,
      null,
      5,
      "text",
      [],
      proxy,
      throwing,
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error("mine");
          },
        },
      ),
      Object.create(null),
    ]) {
      assert.equal(typeof call(args).args, "object");
    }
    assert.deepEqual(call(undefined).args, {});
    assert.equal(isAlike(...made(throwing, throwing)), true);
  });

  it("tell no secret, however many, long or large they are", () => {
    const secret = "correct horse battery staple";
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`n${at}`, at]));
    const long = { [`name ${"x".repeat(1000)}`]: 1 };
    const large = {
      bytes: Buffer.alloc(50e6),
      list: new Array(1e6).fill(1),
      inner: { ...many },
      text: "x".repeat(1e6),
    };
    for (const args of [{ secret }, many, long, large]) {
      const text = JSON.stringify(call(args).args);
      assert.ok(!text.includes(secret));
      assert.ok(text.length < 20_000, `${text.length} characters travel to each worker`);
    }
  });

  it("that are many or large still tell calls apart by what is read of them", () => {
    const many = (last) =>
      Object.fromEntries(
        Array.from({ length: 1000 }, (_, at) => [
          `n${String(at).padStart(4, "0")}`,
          at < 999 ? at : last,
        ]),
      );
    assert.equal(isAlike(...made(many(1), many(1))), true);
    assert.equal(isAlike(...made(many(1), many(2))), false);
    assert.equal(isAlike(...made({ b: Buffer.alloc(5e6) }, { b: Buffer.alloc(5e6 + 1) })), false);
    assert.equal(
      isAlike(...made({ l: new Array(1e5).fill(1) }, { l: new Array(1e5 + 1).fill(1) })),
      false,
    );
  });
});

describe("a call", () => {
  /** @returns {[any, any]} */
  const both = (one, other) => /** @type {any} */ ([one, other].map((parts) => call({}, parts)));

  it("is known by its functions: their names and sources, in order", () => {
    assert.equal(
      isAlike(...both({ workerFns: [square, double] }, { workerFns: [square, double] })),
      true,
    );
    assert.equal(
      isAlike(...both({ workerFns: [square, double] }, { workerFns: [double, square] })),
      false,
    );
    assert.equal(isAlike(...both({ workerFns: [square] }, { workerFns: [double] })), false);
  });

  for (const workerFns of [undefined, null, [], [5], "text"]) {
    it(`has no functions where it is given ${JSON.stringify(workerFns)}`, () =>
      assert.equal(call({}, { workerFns: workerFns ?? null }).functions, undefined));
  }

  it("is known by its place, as the main script sees it", () => {
    const [one, other] = [call({}), call({})];
    assert.match(one.site.at, /identity\.spec\.js:\d+:\d+$/);
    assert.equal(isSameSite(one, other), false);
    assert.equal(isSameSite(...made({}, {})), true);
  });

  it("is known by whoever called the function that makes it", () => {
    const helper = () => call({});
    const first = helper();
    const second = helper();
    assert.equal(isSameSite(first, second), true);
    assert.equal(isCalledAlike(first, second), false);
    const [third, fourth] = [0, 1].map(() => helper());
    assert.equal(isCalledAlike(third, fourth), true);
  });

  /** @type {[string[], string[], boolean][]} */
  const lists = [
    [[], ["a"], true],
    [["a"], ["a", "b"], true],
    [["a", "b"], ["a"], true],
    [["a"], ["b"], false],
    [["a", "b"], ["a", "c"], false],
  ];
  for (const [one, other, expected] of lists) {
    it(`${expected ? "may have" : "does not have"} the callers ${one} where another has ${other}: some may have returned`, () =>
      assert.equal(isBeginning(one, other), expected));
  }

  it("has the name that its options say, its own and a text", () => {
    const nameOf = (options) => call({}, { options }).name;
    assert.deepEqual(
      [
        nameOf({ name: "x" }),
        nameOf({ name: 5 }),
        nameOf(Object.create({ name: "x" })),
        nameOf(null),
        nameOf(undefined),
      ],
      ["x", undefined, undefined, undefined, undefined],
    );
  });

  it("without a masterFn is for workers", () => {
    assert.deepEqual(
      [call({}).isForWorkers, call({}, { masterFn: null }).isForWorkers],
      [undefined, true],
    );
  });

  it("is refused where it is made in an event, also after that has waited", async () => {
    const nested = { code: "ERR_SONIC_NESTED_CALL" };
    assert.throws(() => inside(() => call({}), {}), nested);
    await assert.rejects(
      inside(async () => {
        await null;
        call({});
      }, {}),
      nested,
    );
    assert.throws(() => inside(() => byHand(), {}), nested);
    assert.doesNotThrow(() => call({}));
  });

  it("is read whatever the program has made of Error", () => {
    const { stackTraceLimit, prepareStackTrace } = Error;
    try {
      Error.stackTraceLimit = 0;
      Error.prepareStackTrace = () => "mine";
      assert.match(call({}).site.at, /identity\.spec\.js/);
      assert.deepEqual(
        [Error.stackTraceLimit, Reflect.apply(Error.prepareStackTrace, Error, [])],
        [0, "mine"],
      );
    } finally {
      Object.assign(Error, { stackTraceLimit, prepareStackTrace });
    }
  });
});

function byHand() {
  return identifyByHand(byHand);
}

describe("a call in a message", () => {
  const site = { at: "job.js:1:2", callers: [] };
  /** @type {[any, string][]} */
  const names = [
    [{ kind: "call", site }, "the call at job.js:1:2"],
    [{ kind: "call" }, "the call"],
    [{ kind: "call", name: "x", site }, 'the call "x" at job.js:1:2'],
  ];
  for (const [identity, expected] of names) {
    it(`is ${expected}`, () => assert.equal(nameFor({ args: {}, ...identity }), expected));
  }
  it("says that it is made by hand", () => {
    assert.match(nameFor({ ...byHand(), site }), /initWorkers.* at job\.js:1:2$/);
  });
});

describe("a digest", () => {
  it("is 20 digits, the same for the same text and another for another", () => {
    const texts = ["", "a", "b", "ab", "ba", "a\0", "é", "x".repeat(1e5), `${"x".repeat(1e5)}y`];
    assert.deepEqual(texts.map(digest), texts.map(digest));
    assert.equal(new Set(texts.map(digest)).size, texts.length);
    for (const text of texts) assert.match(digest(text), /^[\da-f]{20}$/);
  });
  it("has no two equal halves among a hundred thousand", () => {
    const first = new Set();
    for (let n = 0; n < 100_000; n++) first.add(digest(`text ${n}`).slice(0, 12));
    assert.equal(first.size, 100_000);
  });
});
