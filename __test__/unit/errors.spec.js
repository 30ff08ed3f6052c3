"use strict";
/**
 * Promise: Errors of this package have a class, a code and a message that shows what was given, whatever that is. The
 * error of a failed event is an `Error` again, with all its properties. A stack shows only the program's frames.
 */
const assert = require("node:assert/strict");
const path = require("node:path");
const { describe, it } = require("node:test");

const {
  coded,
  firstFailure,
  invalidRange,
  invalidType,
  reasonOf,
  shown,
} = require("../../lib/shared/errors");
const { nearest } = require("../../lib/shared/nearest");
const { parse } = require("../../lib/shared/frames");
const { pointAt, siteOf, stackOf } = require("../../lib/shared/stack");

const LIB = path.join(__dirname, "..", "..", "lib", "shared", "errors.js");

describe("an error of this package", () => {
  /** @type {[any, any, string][]} */
  const cases = [
    [coded(Error, "ERR_SONIC_X", "text"), Error, "ERR_SONIC_X"],
    [invalidType("text"), TypeError, "ERR_SONIC_INVALID_ARGUMENT"],
    [invalidRange("text"), RangeError, "ERR_SONIC_INVALID_ARGUMENT"],
  ];
  for (const [error, Class, code] of cases) {
    it(`has its class and code: ${Class.name}, ${code}`, () => {
      assert.ok(error instanceof Class);
      assert.deepEqual([error.message, error.code], ["text", code]);
    });
  }
});

describe("a value in a message", () => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  const unnamed = Object.defineProperty(() => {}, "name", {
    get() {
      throw new Error("mine");
    },
  });
  const cases = [
    ["text", '"text"'],
    ["", '""'],
    [5, "5"],
    [-0, "0"],
    [Number.NaN, "NaN"],
    [10n, "10"],
    [true, "true"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [[1, 2], "an array of 2"],
    [{ a: 1 }, "an object"],
    [Object.create(null), "an object"],
    [proxy, "an object"],
    [function named() {}, "function named"],
    [() => {}, "function (anonymous)"],
    [unnamed, "function (anonymous)"],
  ];
  for (const [value, expected] of cases) {
    it(`is shown as ${expected}`, () => assert.equal(shown(value), expected));
  }
  it("is cut where it is long", () => {
    for (const long of [
      "x".repeat(1e6),
      Symbol("x".repeat(1e6)),
      { [`${"x".repeat(1e6)}`]() {} }["x".repeat(1e6)],
    ]) {
      assert.ok(shown(long).length < 3000, `${shown(long).length}`);
    }
  });
});

describe("the failure that stops a call", () => {
  const plain = (changes) => ({
    name: "TypeError",
    message: "no",
    stack: "TypeError: no\n    at job.js:1:1",
    ...changes,
  });
  const entry = (error) => ({ id: 1, data: 2, failed: true, error });

  it("is an Error with the event's name, message, stack and code, and the entry as its cause", () => {
    const given = entry(plain({ code: "ENO", own: [1] }));
    const failure = firstFailure(given);
    assert.ok(failure instanceof Error);
    const { name, message, stack, code, own, cause } = /** @type {any} */ (failure);
    assert.deepEqual({ name, message, stack, code, own }, { ...given.error });
    assert.equal(cause, given);
    assert.deepEqual(Object.keys(failure).sort(), ["code", "own"]);
  });

  it("has a code of its own where the event's error had none", () => {
    assert.equal(/** @type {any} */ (firstFailure(entry(plain()))).code, "ERR_SONIC_EVENT_FAILED");
  });

  it("has errors in it again as Errors", () => {
    const inner = plain({ name: "RangeError", message: "inner" });
    const { own, list } = /** @type {any} */ (
      firstFailure(entry(plain({ own: inner, list: [inner, 1] })))
    );
    assert.ok(own instanceof Error);
    assert.deepEqual([own.name, own.message], ["RangeError", "inner"]);
    assert.ok(list[0] instanceof Error);
    assert.equal(list[1], 1);
  });

  for (const [what, given] of Object.entries({
    "no error": {},
    "no entry": undefined,
    "a text": entry("text"),
    "half an error": entry({ name: "Error", message: "m" }),
  })) {
    it(`is an Error of its own where a worker sent ${what}`, () => {
      const failure = /** @type {any} */ (firstFailure(given));
      assert.ok(failure instanceof Error);
      assert.deepEqual(
        [Reflect.get(failure, "code"), failure.cause],
        ["ERR_SONIC_EVENT_FAILED", given],
      );
    });
  }
});

describe("why a signal was aborted", () => {
  it("is the reason that was given, whatever it is", () => {
    for (const reason of [new Error("mine"), "text", 0, null])
      assert.equal(reasonOf({ reason }), reason);
  });
  it("is an AbortError where the signal does not say", () => {
    const { name, code } = reasonOf({});
    assert.deepEqual([name, code], ["AbortError", "ABORT_ERR"]);
  });
});

describe("the name that was meant", () => {
  const names = ["numWorkers", "taskTimeout", "name", "retries"];
  const cases = [
    ["numWorker", "numWorkers"],
    ["NUMWORKERS", "numWorkers"],
    ["timeoutTask", undefined],
    ["taskTimout", "taskTimeout"],
    ["names", "name"],
    ["retry", undefined],
    ["retris", "retries"],
    ["concurrency", undefined],
    ["", undefined],
  ];
  for (const [name, expected] of cases) {
    it(`for ${JSON.stringify(name)} is ${expected}`, () =>
      assert.equal(nearest(name, names), expected));
  }
});

/** The stack that a program is shown of an error. @param {string} message */
const programStack = (stack, message) => stackOf({ name: "Error", message, stack }, undefined);

describe("a stack", () => {
  const lines = (...frames) =>
    ["Error: text", ...frames.map((frame) => `    at ${frame}`)].join("\n");
  const OWN = `Map (${LIB}:1:1)`;
  const MINE = "mine (/app/job.js:1:1)";
  const NODE = "process.next (node:internal/process:1:1)";

  /** @type {[string, string[], string[]][]} */
  const cases = [
    ["keeps the program's frames, and Node's between them", [MINE, NODE, MINE], [MINE, NODE, MINE]],
    ["has no frames of this package", [OWN, MINE, OWN, MINE], [MINE, MINE]],
    ["ends with the program's last frame", [MINE, OWN, NODE], [MINE]],
    ["has no frames where none is the program's", [OWN, NODE], []],
  ];
  for (const [what, frames, expected] of cases) {
    it(what, () => assert.equal(programStack(lines(...frames), "text"), lines(...expected)));
  }

  it("keeps the line behind a frame that says where its source map leads", () => {
    const mapped = `${MINE}\n        -> /app/job.ts:2:2`;
    assert.equal(programStack(lines(OWN, mapped, OWN), "text"), lines(mapped));
  });

  it("is read whatever the message is said to be", () => {
    for (const message of ["text", "no such text", ""]) {
      assert.equal(programStack(lines(MINE, OWN), message), lines(MINE));
    }
  });

  it("that was formatted another way is left alone", () => {
    for (const stack of ["Error: text\n  1: job.js", "", "text"])
      assert.equal(programStack(stack, "text"), stack);
  });

  it("is not cut within a message that looks like frames", () => {
    const message = "first\n    at the second line (of this message:1:1)";
    const stack = `Error: ${message}\n    at ${MINE}\n    at ${OWN}`;
    assert.equal(programStack(stack, message), `Error: ${message}\n    at ${MINE}`);
  });

  const origins = {
    "node:fs:1:1": "node",
    "internal/timers.js:1:1": "node",
    "<anonymous>": "node",
    [LIB]: "package",
    "/app/job.js:1:1": "program",
    "file:///app/job.mjs:1:1": "program",
  };
  for (const [place, expected] of Object.entries(origins)) {
    it(`knows whose ${place.replace(LIB, "lib/shared/errors.js")} is`, () =>
      assert.equal(parse(`Error\n    at ${place}`, "").frames[0].origin, expected));
  }

  it("of an error that this package made points at the program's line", () => {
    const error = new Error("text");
    error.stack = lines(OWN, NODE);
    const called = siteOf(siteOf);
    assert.equal(pointAt(error, called), error);
    assert.match(error.stack, /^Error: text\n {4}at .*errors\.spec\.js:/);
  });

  it("of the program's own error stays as it is", () => {
    const error = new Error("mine");
    const { stack } = error;
    pointAt(error, siteOf(siteOf));
    assert.equal(error.stack, stack);
    for (const thrown of ["text", null, undefined, Object.freeze(new Error("x"))])
      assert.equal(pointAt(thrown, siteOf(siteOf)), thrown);
  });
});
