"use strict";
/**
 * Promise: The master counts its calls as their workers will: each among the calls like it. It rejects a call that a
 * worker could not tell from a running one, and a name that another call has. It notices where the environment may
 * select a call.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");

const { Call } = require("../../lib/master/calls");

let next = 0;

/** The identity of a call that no other test has made. @returns {any} */
function identity(changes = {}) {
  const number = ++next;
  const site = { at: `job.js:${number}:1`, callers: [] };
  return { kind: "call", functions: `f${number}`, site, args: {}, ...changes };
}

const AMBIGUOUS = { code: "ERR_SONIC_CALL_AMBIGUOUS" };

/** Until the program's code, and what it has awaited, had its turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a call's number", () => {
  const numbers = (...identities) => identities.map((one) => new Call(one).before);

  it("is that of the calls like it", () => {
    const one = identity();
    assert.deepEqual(numbers(one, one, identity(), one), [0, 1, 0, 2]);
  });

  const one = identity();
  const others = {
    "other functions": { ...one, functions: "g" },
    "another place": { ...one, site: { at: "job.js:0:1", callers: [] } },
    "other arguments": { ...one, args: { n: "1" } },
    "a name": { ...one, name: "named" },
  };
  for (const [what, other] of Object.entries(others)) {
    it(`counts none with ${what}`, () => assert.deepEqual(numbers(one, other).pop(), 0));
  }

  it("goes by the arguments, whatever their order", () => {
    const [first, second] = [identity({ args: { a: "1", b: "2" } }), { b: "2", a: "1" }];
    assert.deepEqual(numbers(first, { ...first, args: second }), [0, 1]);
  });

  it("counts those whose callers may be the same", () => {
    const first = identity();
    const from = (...callers) => ({ ...first, site: { ...first.site, callers } });
    assert.deepEqual(
      numbers(from("a"), from("b"), from("a", "x"), from("a"), from()),
      [0, 0, 1, 2, 4],
    );
  });

  it("goes by the name alone, where it has one, among calls that are alike", () => {
    const first = identity({ name: `n${next}` });
    const from = (caller) => ({ ...first, site: { ...first.site, callers: [caller] } });
    assert.deepEqual(numbers(from("a"), from("b")), [0, 1]);
  });

  it("is told to workers; where they see nothing else of it, that among all calls of its kind", () => {
    const kind = `kind ${next}`;
    const calls = [
      identity({ kind }),
      identity({ kind, functions: undefined }),
      identity({ kind }),
    ].map((one) => new Call(one));
    assert.deepEqual(
      calls.map((call) => [call.wanted(false).isCounted, call.wanted(false).before]),
      [
        [false, 0],
        [true, 1],
        [false, 0],
      ],
    );
    assert.deepEqual(
      calls.map((call) => [call.wanted(true).isCounted, call.wanted(true).before]),
      [
        [true, 0],
        [true, 1],
        [true, 2],
      ],
    );
  });
});

describe("what workers are told", () => {
  it("says whether another call has had the same functions", () => {
    const first = identity();
    assert.equal(new Call(first).wanted(false).isAlone, true);
    assert.equal(new Call(first).wanted(false).isAlone, true);
    assert.equal(
      new Call({ ...first, site: { at: "job.js:0:2", callers: [] } }).wanted(false).isAlone,
      false,
    );
    assert.equal(new Call(first).wanted(false).isAlone, false);
  });

  const variable = "UNIT_CALLS";
  /** @type {[string, () => void, boolean][]} */
  const changes = [
    [
      "a variable that has another value",
      () => {
        process.env[variable] = "2";
      },
      true,
    ],
    [
      "a variable that is new",
      () => {
        process.env[`${variable}_NEW`] = "1";
      },
      false,
    ],
    [
      "a variable that is gone",
      () => {
        delete process.env[variable];
      },
      false,
    ],
    [
      "QUIET",
      () => {
        process.env.QUIET = "2";
      },
      false,
    ],
    [
      "one of this package's own variables",
      () => {
        process.env.SONIC_UNIT = "2";
      },
      false,
    ],
    [
      "another argument",
      () => {
        process.argv[2] = "other";
      },
      true,
    ],
    ["nothing", () => {}, false],
  ];
  for (const [what, change, expected] of changes) {
    it(`says whether the environment may pick it: ${what}`, () => {
      const [env, argv] = [{ ...process.env }, [...process.argv]];
      try {
        Object.assign(process.env, { [variable]: "1", QUIET: "1", SONIC_UNIT: "1" });
        process.argv[2] = "one";
        const first = identity();
        assert.equal(new Call(first).wanted(false).isChanged, false);
        change();
        assert.equal(new Call(first).wanted(false).isChanged, expected);
      } finally {
        for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
        Object.assign(process.env, env);
        process.argv = argv;
      }
    });
  }
});

describe("a call that begins while one like it runs", () => {
  it("is refused, and not when that has ended", async () => {
    const one = identity();
    const [first, second] = [new Call(one), await turn().then(() => new Call(one))];
    first.begin(false);
    assert.throws(() => second.begin(false), AMBIGUOUS);
    first.end();
    assert.doesNotThrow(() => second.begin(false));
  });

  it("is none if both were made in one turn: their workers reach them in that order", () => {
    const one = identity();
    const [first, second] = [new Call(one), new Call(one)];
    first.begin(false);
    assert.doesNotThrow(() => second.begin(false));
  });

  it("is none if another place has called it, or if its workers know it by its number", async () => {
    const one = identity();
    const from = (caller) => ({ ...one, site: { ...one.site, callers: [caller] } });
    new Call(from("a")).begin(false);
    await turn();
    assert.doesNotThrow(() => new Call(from("b")).begin(false));
    assert.doesNotThrow(() => new Call(from("a")).begin(true));
  });
});

describe("a name", () => {
  it("that a call of another place has is refused", () => {
    const name = `name ${next}`;
    new Call(identity({ name })).begin(false);
    assert.throws(() => new Call(identity({ name })).begin(false), {
      ...AMBIGUOUS,
      message: new RegExp(JSON.stringify(name)),
    });
  });

  it("may be used again by the same call, and by one whose workers go by numbers", async () => {
    const one = identity({ name: `name ${next}` });
    const first = new Call(one);
    first.begin(false);
    first.end();
    await turn();
    assert.doesNotThrow(() => new Call(one).begin(false));
    assert.doesNotThrow(() => new Call(identity({ name: one.name })).begin(true));
  });
});
