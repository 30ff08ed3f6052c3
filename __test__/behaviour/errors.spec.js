"use strict";
/**
 * Promise: Whatever a worker function throws fails that event and no other, quickly, and with at most 256 KB; cut parts
 * are marked. Stacks show the program's own frames. An error of the call points at the line of the call.
 */
const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const path = require("node:path");
const { describe, it, before } = require("node:test");
const { FIXTURES, run } = require("../support/run");

const MOST = 256 * 1024;
const kinds = Object.keys(require("../fixtures/errors/kinds"));

describe("what a worker function throws", () => {
  const errors = {};
  before(async () => {
    const { answered, failed } = (await run("errors/thrown.js")).result;
    assert.equal(answered, kinds.length, "what is answered in between");
    assert.deepEqual(
      failed.map(({ data }) => data),
      kinds,
    );
    for (const { data, error, size } of failed) errors[data] = { ...error, size };
  });

  it("has a name, a message and a stack, and is of bounded size, whatever it is", () => {
    for (const [kind, { size, name, message, stack }] of Object.entries(errors)) {
      assert.ok(size <= MOST, `${kind}: ${size}`);
      assert.deepEqual([typeof name, typeof message, typeof stack], Array(3).fill("string"), kind);
    }
  });

  it("is told of where it refers to itself", () => {
    const missing = errors["a program that is not there"];
    assert.deepEqual(
      [missing.code, missing.syscall, missing.error],
      ["ENOENT", "spawnSync no-such-program-anywhere", "[circular]"],
    );
    assert.equal(errors["an error that is its own cause"].cause, "[circular]");
    let at = errors["a ring of five"];
    for (let number = 0; number < 5; number++, at = at.next)
      assert.equal(at.message, `number ${number}`);
    assert.equal(at, "[circular]");
    const all = errors["an error among its own errors"];
    assert.deepEqual([all.errors[0], all.errors[1].cause], ["[circular]", "[circular]"]);
  });

  it("has its causes and its errors, as far as there is room", () => {
    let depth = 0;
    for (
      let at = errors["a chain of 10,000 causes"];
      typeof at !== "string";
      at = at.cause, depth++
    )
      assert.equal(at.name, "Error");
    assert.ok(depth > 20, `${depth} causes`);
    const [first, second, third] = errors["several errors"].errors;
    assert.deepEqual(
      [first.name, first.message, second.code, third],
      ["TypeError", "one", "ETWO", "three"],
    );
    assert.match(first.stack, /^TypeError: one\n {4}at .*kinds\.js/);
    const { cause, again } = errors["a tree that is exponential"];
    assert.deepEqual([cause.message, again.message], ["number 98", "number 98"]);
  });

  it("keeps what can be read beside what cannot", () => {
    const names = [
      "a property that throws",
      "a revoked proxy inside",
      "a proxy without end",
      "a property with a long name",
      "a long array",
      "many properties",
      "a large map",
      "large views",
      "deep objects",
      "a toJSON that throws",
      "a toJSON that takes long",
      "what has a toJSON",
      "what JSON has not",
      "a name like a prototype",
    ];
    for (const name of names) assert.equal(errors[name].after, 1, name);
    assert.equal(
      errors["a message that throws"].message,
      "(what was thrown has no readable message)",
    );
    assert.deepEqual(
      [errors["a stack that throws"].stack, errors["a stack that is none"].stack],
      ["Error: mine", "Error: mine"],
    );
    assert.equal(errors["a proxy of an error"].code, "EPROXY");
    assert.deepEqual(errors["a toJSON that throws"].inside, { a: 1 });
  });

  it("is marked where it was cut", () => {
    for (const kind of [
      "a message of 100 MB",
      "100 MB of no error",
      "a message of control characters",
    ])
      assert.match(errors[kind].message, /^([x\u0001])\1+\[cut: \d+ characters\]\1+$/);
    assert.deepEqual(
      [errors["a message of 100 MB"].code, errors["a message of control characters"].code],
      ["ELONG", "ECONTROL"],
    );
    assert.match(errors["a message of 100 MB"].stack, /\n {4}at .*kinds\.js/);
    assert.match(errors["a long array"].list.pop(), /^\[cut: \d+ more\]$/);
    assert.match(errors["many properties"].object["…"], /^\[cut: \d+ more properties\]$/);
    assert.match(errors["large views"].bytes.data.pop(), /^\[cut: \d+ more\]$/);
    assert.match(JSON.stringify(errors["deep objects"].deep), /"\[cut: an object\]"/);
  });

  it("has what JSON makes of its properties", () => {
    const { date, url, bytes, boxed } = errors["what has a toJSON"];
    assert.deepEqual(
      [date, url, bytes, boxed],
      ["1970-01-01T00:00:00.000Z", "http://a.b/", { type: "Buffer", data: [97, 98] }, "text"],
    );
    const { big, nan, holes, ...others } = errors["what JSON has not"];
    assert.deepEqual([big, nan, holes], ["10n", null, [null, null, null]]);
    for (const name of ["symbol", "nothing", "fn"]) assert.equal(name in others, false, name);
  });

  it("is described in the log in one bounded line", async () => {
    const { stdout, code } = await run("errors/thrown.js", { env: { QUIET: undefined } });
    assert.equal(code, 0);
    const lines = stdout.split("\n").filter((line) => line.includes("Error occurred: "));
    assert.equal(lines.length, kinds.length);
    for (const line of lines) assert.ok(Buffer.byteLength(line) < MOST, line.slice(0, 200));
  });
});

describe("the stack of a failed event", () => {
  const frames = (stack) => stack.split("\n").filter((line) => line.startsWith("    at "));
  const ours = (stack) =>
    /[\\/]lib[\\/]\w+[\\/]\w+\.js|node:internal\/(?:timers|process|async_hooks)|processTicksAndRejections/.test(
      stack,
    );
  let errors;
  before(async () => {
    errors = Object.fromEntries((await run("errors/frames.js")).result);
  });

  it("holds the program's frames alone, whatever the way to them", () => {
    for (const [way, { stack, message }] of Object.entries(errors)) {
      assert.ok(stack.includes(message), way);
      assert.equal(ours(stack), false, stack);
      if (way !== "response") assert.match(stack, /frames\.js:\d+/, way);
    }
    assert.match(frames(errors.sync.stack)[0], /at fail /);
    assert.match(
      frames(errors.callback.stack).join("\n"),
      /at fail .*\n.*\n.*Array\.map \(<anonymous>\)\n/,
    );
    assert.match(frames(errors.async.stack).join("\n"), /at deeper .*\n {4}at async .*frames\.js/);
    assert.match(errors.node.stack, /readFileSync/);
    assert.equal(frames(errors.response.stack).length, 0, errors.response.stack);
    assert.match(
      errors.lines.stack,
      /^Error: lines\n {4}at nobody \(\/no\/where\.js:1:1\)\n {4}at the end\n {4}at fail /,
    );
  });

  it("and that of the errors in it", () => {
    const {
      cause,
      list: [listed],
    } = errors.cause;
    for (const { stack } of [cause, listed])
      assert.ok(/frames\.js/.test(stack) && !ours(stack), stack);
  });

  it("is what the program makes of stacks, where it formats them itself", async () => {
    const none = Object.fromEntries(
      (await run("errors/frames.js", { args: ["no frames"] })).result,
    );
    assert.equal(none.sync.stack, "Error: sync");
    const sites = Object.fromEntries((await run("errors/frames.js", { args: ["sites"] })).result);
    assert.equal(sites.sync.stack, "Error: sync");
    const text = Object.fromEntries((await run("errors/frames.js", { args: ["text"] })).result);
    assert.match(text.sync.stack, /^OWN sync \d+$/);
  });

  it("is the same with source maps", async () => {
    const mapped = Object.fromEntries(
      (await run("errors/frames.js", { nodeArgs: ["--enable-source-maps"] })).result,
    );
    for (const [way, { stack }] of Object.entries(mapped))
      assert.equal(ours(stack), false, `${way}: ${stack}`);
  });
});

describe("an error of the call itself", () => {
  const source = readFileSync(path.join(FIXTURES, "errors/where.js"), "utf8").split("\n");
  const [, body] = /const cases = \{\n([\s\S]*?)\n\};/.exec(source.join("\n"));
  const cases = [...body.matchAll(/^ {2}(?:"([^"]+)"|(\w+)): /gm)].map(
    ([, quoted, bare]) => quoted || bare,
  );
  const lineOf = (name) => {
    const from = source.findIndex(
      (line, at) =>
        at > source.indexOf("const cases = {") &&
        (line.startsWith(`  "${name}": `) || line.startsWith(`  ${name}: `)),
    );
    return 1 + from + source.slice(from).findIndex((line) => line.endsWith("// here"));
  };
  const firstFrame = (stack) => stack.split("\n").find((line) => line.startsWith("    at "));

  for (const name of cases) {
    it(`points at the line of the call: ${name}`, async () => {
      const outcome = await run("errors/where.js", { args: [name] });
      const [, inWorker] = /IN WORKER (.*)/.exec(outcome.stderr) || [];
      const stack = inWorker === undefined ? outcome.result.stack : JSON.parse(inWorker);
      assert.match(firstFrame(stack), new RegExp(`where\\.js:${lineOf(name)}:`), stack);
      assert.ok(
        stack.startsWith(
          inWorker === undefined
            ? `${outcome.result.name}: ${outcome.result.message}`
            : "TypeError: workerFns",
        ),
        stack,
      );
    });
  }

  for (const name of ["masterFn", "toJSON", "signal"]) {
    it(`is not the program's own error, which stays as it is: ${name}`, async () => {
      const { message, stack } = (await run("errors/where.js", { args: [name] })).result;
      assert.equal(message, "mine");
      assert.match(firstFrame(stack), /where\.js/);
      // How the program got there is its own business.
      if (name === "toJSON") assert.match(stack, /codec\.js/);
    });
  }

  it("is there where the program has no stacks, or formats them itself", async () => {
    const ways = ["no frames", "odd limit", "sites", "text"];
    const names = ["argument", "worker start", "Map of a cycle"];
    await Promise.all(
      ways.map(async (how) => {
        for (const name of names) {
          const { result } = await run("errors/where.js", { args: [name, how] });
          assert.ok(result.message.length > 10, `${name} ${how}`);
        }
      }),
    );
  });

  it("points there with source maps", async () => {
    const { result } = await run("errors/where.js", {
      args: ["worker start"],
      nodeArgs: ["--enable-source-maps"],
    });
    assert.match(
      firstFrame(result.stack),
      new RegExp(`where\\.js:${lineOf("worker start")}:`),
      result.stack,
    );
  });
});

it("a run that its first failure stops rejects with that error, and those in it are errors too", async () => {
  const { keys, are, second, cause, innerKeys } = (await run("errors/abort.js")).result;
  assert.deepEqual(keys, ["code", "inner"]);
  assert.deepEqual(innerKeys, []);
  assert.deepEqual(are, [
    [true, "Error", "all of them", "Error: all of them"],
    [true, "TypeError", "one", "TypeError: one"],
    [true, "RangeError", "inner", "RangeError: inner"],
    [true, "SyntaxError", "deep", "SyntaxError: deep"],
  ]);
  assert.deepEqual([second, cause], ["two", "all of them"]);
});
