"use strict";
// Pieces of the core's queues, decoded into the entries that programs see. What a worker has filled with garbage becomes
// an entry that failed. Knows neither runs nor queues.

const { MASK, decode } = require("../shared/codec");
const { arrayOf, failureOf } = require("../shared/flow/parts");
const { wire } = require("../shared/native");
const { Buffer, JSON } = require("../shared/primordials");

/**
 * What is taken out of a queue at once: four values an entry (kind, worker, data, response) as the words of small
 * numbers or as the text of a JSON array; that text with the binary values beside it; or the values of one long entry.
 * @typedef {Int32Array | string | [string, Buffer] | any[]} Piece
 */
/** @typedef {{ kind: number, id: number, entry: any }} Answer */
/** @typedef {Pick<import("../shared/flow/plan").Plan, "nodes" | "sinks">} Plan */

/** The bits that name a place of a flow. */
const MOST_PLACES = 127;

/** The bit of a format that says that the value is binary. */
const BINARY = 2;

/** The bytes of a length. */
const LENGTH = 4;

/**
 * The entries of a piece. Throws if a worker has put garbage into it: see `answersOf`.
 * @param {Piece} piece
 * @param {Plan} [plan] of the flow, if they are of one
 * @returns {any[]}
 */
const entriesOf = (piece, plan) =>
  ArrayBuffer.isView(piece)
    ? entriesOfNumbers(piece, plan)
    : entriesOfValues(valuesOf(piece), plan);

/** @param {any[]} values @param {Plan} [plan] */
function entriesOfValues(values, plan) {
  const entries = new Array(values.length / 4);
  for (let at = 0, to = 0; at < values.length; at += 4, to++) {
    entries[to] = entryOf(values[at], values[at + 1], values[at + 2], values[at + 3], plan);
  }
  return entries;
}

/**
 * The same for numbers: a loop of its own, because V8 is fast in one that sees one kind of array.
 * @param {Int32Array} values
 * @param {Plan} [plan]
 */
function entriesOfNumbers(values, plan) {
  const entries = new Array(values.length / 4);
  for (let at = 0, to = 0; at < values.length; at += 4, to++) {
    entries[to] = entryOf(values[at], values[at + 1], values[at + 2], values[at + 3], plan);
  }
  return entries;
}

/**
 * @param {number} kind
 * @param {number} id
 * @param {any} data its JSON parsed, or in the format that the kind says
 * @param {any} response likewise
 * @param {Plan} [plan]
 */
function entryOf(kind, id, data, response, plan) {
  const numbers = wire();
  if (kind === (numbers.entryData | numbers.entryResponse)) return { id, data, response };
  if (plan !== undefined) return entryOfFlow(kind, id, data, response, plan);
  const answer = decoded(response, kind >> numbers.entryResponseFormatAt);
  if (kind & numbers.entryMessage) return answer;
  /** @type {any} */
  const entry = { id };
  const value = decoded(data, kind >> numbers.entryDataFormatAt);
  if (kind & numbers.entryWhole) {
    if (value.data !== undefined) entry.data = value.data;
  } else if (kind & numbers.entryData) {
    entry.data = value;
  }
  if (kind & numbers.entryFailed) {
    entry.failed = true;
    entry.error = answer;
  } else if (kind & numbers.entryResponse) {
    entry.response = answer;
  }
  return entry;
}

/**
 * The same of a flow: an entry names its sink, if there are several, and what failed its node.
 * @param {number} kind
 * @param {number} id
 * @param {any} data
 * @param {any} response
 * @param {Plan} plan
 */
function entryOfFlow(kind, id, data, response, { nodes, sinks }) {
  const numbers = wire();
  if (kind === numbers.entryResponse) return { id, response };
  const answer = decoded(response, kind >> numbers.entryResponseFormatAt);
  if (kind & numbers.entryMessage) return answer;
  const place = (kind >> numbers.entryPlaceAt) & MOST_PLACES;
  if (!(kind & numbers.entryFailed)) {
    const item = kind & numbers.entryResponseFailure ? failureOf(answer) : answer;
    const sink = place === 0 ? undefined : sinks[place - 1];
    return typeof sink === "string" ? { id, response: item, sink } : { id, response: item };
  }
  /** @type {any} */
  const entry = { id, failed: true, error: answer };
  if (place > 0 && place <= nodes.length) entry.node = nodes[place - 1].name;
  if (kind & numbers.entryData) {
    const value = decoded(data, kind >> numbers.entryDataFormatAt);
    if (kind & numbers.entryDataParts) entry.data = arrayOf(value);
    else entry.data = kind & numbers.entryDataFailure ? failureOf(value) : value;
  }
  return entry;
}

/**
 * What a piece holds, with the kind and the worker of each. Never throws: garbage becomes an entry that failed.
 * @param {Piece} piece
 * @param {Plan} [plan] of the flow, if they are of one
 * @returns {Answer[]}
 */
function answersOf(piece, plan) {
  let values;
  try {
    values = valuesOf(piece);
  } catch (_) {
    values = soundValuesOf(/** @type {string | any[]} */ (piece));
  }
  const answers = [];
  for (let at = 0; at < values.length; at += 4) {
    answers.push(answerOf(values[at], values[at + 1], values[at + 2], values[at + 3], plan));
  }
  return answers;
}

/** @type {(kind: number, id: number, data: any, response: any, plan?: Plan) => Answer} */
function answerOf(kind, id, data, response, plan) {
  try {
    return { kind, id, entry: entryOf(kind, id, data, response, plan) };
  } catch (_) {
    const [failed, , , error] = garbage(kind, id);
    return { kind: failed, id, entry: { id, failed: true, error } };
  }
}

/**
 * Kind, worker, data and response of each entry, one after the other: JSON is parsed.
 * @param {Piece} piece
 * @returns {any}
 */
function valuesOf(piece) {
  if (ArrayBuffer.isView(piece)) return piece;
  if (typeof piece === "string") return parsedArray(piece);
  if (piece.length === 2) return withBytes(parsedArray(piece[0]), piece[1]);
  const [kind, id, data, response] = piece;
  const { entryDataFormatAt, entryResponseFormatAt } = wire();
  return [
    kind,
    id,
    parsed(data, kind >> entryDataFormatAt),
    parsed(response, kind >> entryResponseFormatAt),
  ];
}

/** @type {(text: string) => any[]} */
function parsedArray(text) {
  const values = JSON.parse(text);
  if (values.length % 4 === 0) return values;
  throw new SyntaxError("an incomplete entry");
}

/**
 * Replaces the positions of binary values by what is there.
 * @param {any[]} values
 * @param {Buffer} bytes
 */
function withBytes(values, bytes) {
  const { entryDataFormatAt, entryResponseFormatAt } = wire();
  for (let at = 0; at < values.length; at += 4) {
    const kind = values[at];
    if ((kind >> entryDataFormatAt) & BINARY) values[at + 2] = bytesAt(bytes, values[at + 2]);
    if ((kind >> entryResponseFormatAt) & BINARY) values[at + 3] = bytesAt(bytes, values[at + 3]);
  }
  return values;
}

/**
 * A copy: the program may keep one value for long, or transfer its memory.
 * @type {(bytes: Buffer, at: number) => Buffer}
 */
function bytesAt(bytes, at) {
  const start = at + LENGTH;
  return Buffer.from(bytes.subarray(start, start + bytes.readUInt32LE(at)));
}

/**
 * The same for a piece that `valuesOf` cannot read.
 * @param {string | any[]} piece
 * @returns {any[]}
 */
function soundValuesOf(piece) {
  const [text, bytes] = typeof piece === "string" ? [piece] : piece;
  if (typeof text !== "string") return garbage(text, bytes);
  // The core puts each entry on a line of its own.
  const lines = text.slice(1, -1).split(/,?\n/);
  return lines.flatMap((line) => {
    try {
      const values = JSON.parse(`[${line}]`);
      if (values.length === 4) return bytes === undefined ? values : withBytes(values, bytes);
    } catch (_) {
      // This is the garbage.
    }
    const [kind, id] = line.split(",", 2).map(Number);
    return garbage(kind, id);
  });
}

/**
 * The values of an entry that replaces garbage.
 * @param {number} kind
 * @param {number} id
 * @returns {any[]}
 */
function garbage(kind, id) {
  const { entryCrash, entryFailed, entryMessage, entryResponse, entryTaken } = wire();
  const message = `worker ${id} sent an answer that cannot be decoded`;
  const stack = `Error: ${message}`;
  const error = { name: "Error", message, stack, code: "ERR_SONIC_PROTOCOL" };
  // A message frees no worker.
  const rest = kind & entryMessage ? entryCrash | entryTaken : kind & entryTaken;
  return [entryFailed | entryResponse | rest, id, 0, error];
}

/** @type {(encoded: any, format: number) => any} */
const parsed = (encoded, format) =>
  (format & MASK) === 0 && typeof encoded === "string" ? JSON.parse(encoded) : encoded;

/** @type {(value: any, format: number) => any} */
const decoded = (value, format) => ((format & MASK) === 0 ? value : decode(value, format & MASK));

module.exports = { answersOf, entriesOf };
