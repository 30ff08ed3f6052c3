"use strict";
// Plans of flows by hand, and what their events put out in a form that is easy to compare.
const { it } = require("node:test");
const { deserialize } = require("node:v8");

const { codecOf } = require("../../lib/shared/codec");
const { FlowWork, OUTPUTS, PENDING, PLAIN } = require("../../lib/worker/flow");

/**
 * A node of a plan: `ports` as `[exit, next, spills]` each. Its number comes from its place.
 * @param {string} kind
 * @param {[number, number?, { node: number, side: number }[]?][]} ports
 * @param {object} [more]
 */
const node = (kind, ports, more = {}) => ({
  name: kind,
  kind,
  hold: null,
  ports: ports.map(([exit, next = 0, spills = []]) => ({ exit, next, spills })),
  errors: -1,
  plain: -1,
  ...more,
});

/** @param {ReturnType<typeof node>[]} nodes */
const planOf = (nodes) => ({
  nodes: nodes.map((one, at) => ({ ...one, number: at + 1, graph: at })),
});

/** Records as `[mark, ...]`: `[exit, value]`, or `["!", node, error's message, data, redo]`, `["$", node, told]`, `["#", data]`. */
function recordsOf(payload) {
  if (payload.length === 0) return [];
  return typeof payload === "string" ? ofText(payload) : ofBytes(payload);
}

const ofText = (payload) =>
  payload.split("\n").map((record) => {
    const rest = record.slice(1);
    const data = record[0] === "!" ? rest.slice(rest.lastIndexOf("\t") + 1) : rest;
    return recordOf(record[0], rest.slice(0, rest.length - data.length), valueOf(data));
  });

const valueOf = (text) => (text === "" ? undefined : text.includes("\t") ? text : JSON.parse(text));

function ofBytes(payload) {
  const records = [];
  let at = 0;
  while (at < payload.length) {
    const to = at + 6 + payload.readUInt32LE(at);
    const [mark, format] = [String.fromCharCode(payload[at + 4]), payload[at + 5]];
    let bytes = payload.subarray(at + 6, to);
    let head = "";
    if (mark === "!") {
      let tabs = 0;
      const length = bytes.findIndex((byte) => byte === 9 && ++tabs === 3) + 1;
      head = bytes.toString("utf8", 0, length);
      bytes = bytes.subarray(length);
    }
    records.push(recordOf(mark, head, ofFormat(bytes, format)));
    at = to;
  }
  if (at !== payload.length) throw new Error("the records end in the middle of one");
  return records;
}

function ofFormat(bytes, format) {
  if (format === 2) return deserialize(bytes);
  if (format === 3) return Buffer.from(bytes);
  if (format === 4) {
    if (bytes.length > 0) throw new Error("what is undefined has bytes");
    return undefined;
  }
  if (format !== 0 || bytes.length === 0)
    throw new Error(`format ${format}, ${bytes.length} bytes`);
  return valueOf(bytes.toString());
}

function recordOf(mark, head, data) {
  if (mark === "#") return [mark, data];
  if (mark === "$") {
    const [number, told] = data.split("\t");
    return [mark, Number(number), JSON.parse(told)];
  }
  if (mark !== "!") return [mark.charCodeAt(0) - 0x25, data];
  const [number, error, redo] = head.split("\t");
  return [mark, Number(number), JSON.parse(error).message, data, valueOf(redo)];
}

/**
 * Runs an event and says what came of it: `{ value }`, `{ records }` or `{ thrown }`, with `isAsync`.
 * @param {any} work
 * @param {number} number
 * @param {any} data
 * @param {{ args: () => any, context: any }} [how]
 */
async function outcomeOf(
  work,
  number,
  data,
  how = { args: () => ({ workerID: 1 }), context: undefined },
) {
  let result;
  try {
    result = work.run(number, data, how.args, how.context);
  } catch (thrown) {
    return { isAsync: false, thrown };
  }
  if (work.returned === PLAIN) return { isAsync: false, value: result };
  if (work.returned === OUTPUTS)
    return { isAsync: false, records: recordsOf(result), payload: result };
  if (work.returned !== PENDING) throw new Error(`returned ${work.returned}`);
  try {
    const outcome = await result;
    if (outcome.plain) return { isAsync: true, value: outcome.value };
    return { isAsync: true, records: recordsOf(outcome.payload), payload: outcome.payload };
  } catch (thrown) {
    return { isAsync: true, thrown };
  }
}

/** @param {ReturnType<typeof node>[]} nodes @param {any[]} functions @param {string} [serialization] */
const workOf = (nodes, functions, serialization = "json") =>
  new FlowWork({ plan: planOf(nodes), functions, codec: codecOf(serialization) });

/** A function's asynchronous form. */
const later =
  (fn) =>
  async (...given) => {
    await undefined;
    return fn(...given);
  };

const pass = ({ data }) => data;

const failFor =
  (bad) =>
  ({ data }) => {
    if (data === bad) throw new Error(`no ${bad}`);
    return data;
  };

/** Each in a synchronous and in an asynchronous form. */
function both(name, test) {
  it(`${name}, synchronously`, () => test((fn) => fn, false));
  it(`${name}, asynchronously`, () => test(later, true));
}

/** flatMap to exit 1. */
const spread = [node("flatMap", [[1]])];

/** flatMap, then map, then exit 0. */
const spreadMap = [node("flatMap", [[-1, 2]]), node("map", [[0]])];

module.exports = {
  both,
  failFor,
  later,
  node,
  outcomeOf,
  pass,
  planOf,
  recordsOf,
  spread,
  spreadMap,
  workOf,
};
