"use strict";
/**
 * Promise: What a node has gathered in binary form is read exactly as it was, in any format and nested; bytes that are cut short or
 * go on are an error, never a wrong value.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { serialize } = require("node:v8");

const {
  FAILURE,
  PARTS,
  UNDEFINED,
  arrayOf,
  failureOf,
  itemOf,
} = require("../../lib/shared/flow/parts");

const JSON_TEXT = 0;
const STRING = 1;
const CLONE = 2;
const BUFFER = 3;

const uint32 = (n) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
};
const part = (flags, given) => {
  const bytes = Buffer.from(given);
  return Buffer.concat([uint32(bytes.length), Buffer.from([flags]), bytes]);
};
const json = (value) => part(JSON_TEXT, JSON.stringify(value));
const failed = (head, format, data) => {
  const text = Buffer.from(JSON.stringify(head));
  return Buffer.concat([uint32(text.length), text, Buffer.from([format]), Buffer.from(data)]);
};

const HEAD = { id: 4, failed: true, error: { name: "Error", message: "no €" }, node: "resize" };

describe("gathered items", () => {
  /** @type {Record<string, [Buffer, any[]]>} */
  const cases = {
    "no items": [Buffer.alloc(0), []],
    JSON: [json({ a: "é\u2028" }), [{ a: "é\u2028" }]],
    "a string itself": [part(STRING, "é\ud83d\ude00"), ["é\ud83d\ude00"]],
    "a clone": [part(CLONE, serialize(new Map([[1, 2n]]))), [new Map([[1, 2n]])]],
    "a Buffer": [part(BUFFER, [1, 2, 3]), [Buffer.from([1, 2, 3])]],
    "an empty Buffer": [part(BUFFER, []), [Buffer.alloc(0)]],
    "what is undefined": [part(UNDEFINED, []), [undefined]],
    several: [Buffer.concat([json(1), part(BUFFER, [7]), json(null)]), [1, Buffer.from([7]), null]],
    "items of items": [
      Buffer.concat([json("x"), part(BUFFER | PARTS, Buffer.concat([json(1), part(BUFFER, [9])]))]),
      ["x", [1, Buffer.from([9])]],
    ],
    "a failed result": [
      part(BUFFER | FAILURE, failed(HEAD, BUFFER, [5])),
      [{ id: 4, failed: true, error: HEAD.error, data: Buffer.from([5]), node: "resize" }],
    ],
  };
  for (const [name, [bytes, items]] of Object.entries(cases)) {
    it(`of ${name} are read as they were`, () => assert.deepEqual(arrayOf(bytes), items));
  }

  it("are decoded by what the caller gives", () => {
    const decode = (encoded, format) => [format, String(encoded)];
    const bytes = Buffer.concat([json(1), part(CLONE, "c"), part(BUFFER, "b"), part(STRING, "s")]);
    assert.deepEqual(arrayOf(bytes, decode), [[0, "1"], [2, "c"], [3, "b"], "s"]);
  });

  it("that are cut anywhere are an error", () => {
    const whole = Buffer.concat([json("one"), part(BUFFER, [1, 2]), json("three")]);
    const ends = [0, 10, 17, whole.length];
    for (let to = 0; to <= whole.length; to++) {
      const cut = whole.subarray(0, to);
      if (ends.includes(to)) assert.doesNotThrow(() => arrayOf(cut));
      else assert.throws(() => arrayOf(cut), /damaged at offset \d+ of \d+ bytes/);
    }
  });

  it("with a length beyond their end are an error", () => {
    assert.throws(
      () => arrayOf(Buffer.from([255, 255, 255, 255, 0, 49])),
      /damaged at offset 0 of 6/,
    );
  });
});

describe("a failed result", () => {
  it("has its data in any format", () => {
    const dataOf = (format, bytes) => failureOf(failed(HEAD, format, bytes)).data;
    assert.deepEqual(dataOf(JSON_TEXT, "[1]"), [1]);
    assert.deepEqual(dataOf(CLONE, serialize(new Set([1]))), new Set([1]));
    assert.deepEqual(dataOf(BUFFER, [1]), Buffer.from([1]));
    assert.equal(dataOf(UNDEFINED, []), undefined);
    assert.deepEqual(dataOf(BUFFER | PARTS, part(BUFFER, [2])), [Buffer.from([2])]);
  });

  it("has the order of properties of any other", () => {
    const keys = Object.keys(failureOf(failed(HEAD, BUFFER, [])));
    assert.deepEqual(keys, ["id", "failed", "error", "data", "node"]);
    const { node: _, ...nameless } = HEAD;
    assert.deepEqual(Object.keys(failureOf(failed(nameless, BUFFER, []))), keys.slice(0, 4));
  });

  it("that is cut in its head is an error", () => {
    const whole = failed(HEAD, BUFFER, []);
    for (let to = 0; to < whole.length; to++)
      assert.throws(() => failureOf(whole.subarray(0, to)), /damaged/);
    assert.deepEqual(itemOf(whole, FAILURE | BUFFER).data, Buffer.alloc(0));
  });
});
