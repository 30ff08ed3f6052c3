"use strict";
/**
 * Promise: Each piece from the core becomes the entries that a program sees, in order. Garbage from a worker becomes
 * one failed entry and costs no other.
 */
const assert = require("node:assert/strict");
const { describe, it } = require("node:test");
const { serialize } = require("node:v8");

const { answersOf, entriesOf } = require("../../lib/master/decode");
const { wire } = require("../../lib/shared/native");

const W = wire();
const ANSWERED = W.entryData | W.entryResponse;
const FAILED = W.entryData | W.entryFailed;

const [STRING, CLONE, BUFFER] = [1, 2, 3];
const data = (format) => format << W.entryDataFormatAt;
const response = (format) => format << W.entryResponseFormatAt;

/** A piece of these entries, each on a line of its own: kind, worker, and the JSON of data and response. */
const piece = (...entries) => `[${entries.map((entry) => entry.join(",")).join(",\n")}]`;

/** The same with binary values, which lie beside the text: their positions are in it. */
function withBytes(...entries) {
  const beside = [];
  let at = 0;
  const placed = entries.map((entry) =>
    entry.map((value) => {
      if (!Buffer.isBuffer(value)) return value;
      const length = Buffer.alloc(4);
      length.writeUInt32LE(value.length);
      beside.push(length, value);
      const position = at;
      at += 4 + value.length;
      return position;
    }),
  );
  return [piece(...placed), Buffer.concat(beside)];
}

const error = { name: "Error", message: "no", stack: "Error: no" };

/** What is taken out of a queue, and the entries in it. @type {Record<string, [any, any[]]>} */
const PIECES = {
  numbers: [
    Int32Array.of(ANSWERED, 1, 5, 25, ANSWERED, 2, 6, 36),
    [
      { id: 1, data: 5, response: 25 },
      { id: 2, data: 6, response: 36 },
    ],
  ],
  "no numbers": [new Int32Array(0), []],
  JSON: [
    piece([ANSWERED, 1, '"a"', '{"b":[1]}'], [ANSWERED, 2, 5, "null"]),
    [
      { id: 1, data: "a", response: { b: [1] } },
      { id: 2, data: 5, response: null },
    ],
  ],
  "no entries": ["[]", []],
  "an event without data": [piece([W.entryResponse, 1, 0, 7]), [{ id: 1, response: 7 }]],
  "an event without data that failed": [
    piece([W.entryFailed, 1, 0, JSON.stringify(error)]),
    [{ id: 1, failed: true, error }],
  ],
  "a failure": [
    piece([FAILED, 1, '"a"', JSON.stringify(error)]),
    [{ id: 1, data: "a", failed: true, error }],
  ],
  "an answer that adds nothing": [piece([W.entryData, 1, '"a"', 0]), [{ id: 1, data: "a" }]],
  "a whole event": [
    piece([W.entryWhole | W.entryResponse, 1, '{"data":5,"more":1}', 7]),
    [{ id: 1, data: 5, response: 7 }],
  ],
  "a whole event without data": [
    piece([W.entryWhole | W.entryResponse, 1, '{"more":1}', 7]),
    [{ id: 1, response: 7 }],
  ],
  "a message": [
    piece([W.entryMessage | W.entryResponse, 1, 0, '{"response":"extra"}']),
    [{ response: "extra" }],
  ],
  "what is cloned": [
    withBytes([
      ANSWERED | data(CLONE) | response(CLONE),
      1,
      serialize(new Set([1])),
      serialize(-0),
    ]),
    [{ id: 1, data: new Set([1]), response: -0 }],
  ],
  Buffers: [
    withBytes([
      ANSWERED | data(BUFFER) | response(BUFFER),
      1,
      Buffer.from("in"),
      Buffer.from("out"),
    ]),
    [{ id: 1, data: Buffer.from("in"), response: Buffer.from("out") }],
  ],
  "strings themselves": [
    piece([ANSWERED | data(STRING) | response(STRING), 1, '"[1]"', '"x"']),
    [{ id: 1, data: "[1]", response: "x" }],
  ],
  "a long text": [[ANSWERED, 1, '"long"', "[1]"], [{ id: 1, data: "long", response: [1] }]],
  "a long string": [
    [ANSWERED | response(STRING), 1, "5", "[1"],
    [{ id: 1, data: 5, response: "[1" }],
  ],
  "long bytes": [
    [ANSWERED | data(BUFFER) | response(CLONE), 1, Buffer.from("in"), serialize(new Map())],
    [{ id: 1, data: Buffer.from("in"), response: new Map() }],
  ],
};

describe("a piece", () => {
  for (const [what, [given, expected]] of Object.entries(PIECES)) {
    it(`becomes its entries: ${what}`, () => assert.deepEqual(entriesOf(given), expected));
    it(`becomes its answers, with the worker of each: ${what}`, () => {
      const answers = answersOf(given);
      assert.deepEqual(
        answers.map((answer) => answer.entry),
        expected,
      );
      for (const { id, entry } of answers) if ("id" in entry) assert.equal(id, entry.id);
    });
  }

  it("of messages is read as the program's serialization has it", () => {
    const kind = W.entryMessage | W.entryResponse | response(CLONE);
    const given = withBytes([kind, 1, 0, serialize(new Map([[1, 2]]))]);
    assert.deepEqual(entriesOf(given), [new Map([[1, 2]])]);
  });
});

describe("garbage", () => {
  const good = [ANSWERED, 1, 5, 25];
  const isFailure = ({ kind, id, entry }, worker, alsoKind = 0) => {
    assert.deepEqual(
      [id, entry.id, entry.failed, entry.error.code],
      [worker, worker, true, "ERR_SONIC_PROTOCOL"],
    );
    assert.ok(entry.error.message.includes(`worker ${worker}`), entry.error.message);
    assert.equal(kind, W.entryFailed | W.entryResponse | alsoKind);
  };

  /** @type {Record<string, any[]>} */
  const lines = {
    "no JSON": [ANSWERED, 2, "{", 1],
    "too few values": [ANSWERED, 2, 5],
    "too many values": [ANSWERED, 2, 5, 6, 7],
    "bytes that no clone has": [ANSWERED | response(CLONE), 2, 5, Buffer.from("garbage")],
  };
  for (const [what, line] of Object.entries(lines)) {
    it(`in a piece costs its own entry alone: ${what}`, () => {
      const given = line.some(Buffer.isBuffer)
        ? withBytes(good, line, good)
        : piece(good, line, good);
      assert.throws(() => entriesOf(given));
      const [first, second, third, ...others] = answersOf(given);
      assert.deepEqual(
        [first.entry, third.entry, others],
        [{ id: 1, data: 5, response: 25 }, { id: 1, data: 5, response: 25 }, []],
      );
      isFailure(second, 2);
    });
  }

  it("that is long is one entry that failed", () => {
    const given = [ANSWERED, 2, "{", "1"];
    const answers = answersOf(given);
    assert.equal(answers.length, 1);
    isFailure(answers[0], 2);
  });

  it("keeps what says whether its worker is free: a message frees none, nor what was taken back", () => {
    const of = (kind) => answersOf(piece(good, [kind, 2, "{", 1]))[1];
    isFailure(of(W.entryMessage | W.entryResponse), 2, W.entryCrash | W.entryTaken);
    isFailure(of(ANSWERED | W.entryTaken), 2, W.entryTaken);
  });
});
