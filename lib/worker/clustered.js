"use strict";
// The stages of a worker whose master runs events on several machines. The last one's answer has all that the event comes to: the
// response, the data where that may have changed, and what the event adds to its run. All of it is as it crosses the broker.

const { argsCopier } = require("../shared/args");
const { carried, carriedOnes } = require("../shared/carried");
const { ANSWER, FUNCTION, KEEP } = require("../shared/clustered");
const { codecOf } = require("../shared/codec");
const { ownOf } = require("../shared/own");
const { WeakMap } = require("../shared/primordials");
const { isStage } = require("../shared/stage");
const { PublicTask } = require("../shared/task");

/** @typedef {import("../shared/codec").Codec} Codec */

/**
 * The stages with which a run begins, and with which each event ends.
 * @param {Codec} codec the master's
 */
function around(codec) {
  /** The data of events that go on. @type {WeakMap<object, any>} */
  const held = new WeakMap();
  return {
    [KEEP](/** @type {any} */ { data }, /** @type {any} */ _, /** @type {any} */ task) {
      if (data !== null && typeof data === "object") held.set(task, data);
      return data;
    },
    [ANSWER](
      /** @type {any} */ { data: response },
      /** @type {any} */ { workerID },
      /** @type {any} */ task,
    ) {
      const { text, format } = carried(codec, response, "response", "the response");
      const data = held.has(task)
        ? listed(carried(codec, held.get(task), "data", "the event's data"))
        : null;
      const { emitted, counts = null } = PublicTask.end(task);
      const isPlain = data === null && emitted.length === 0 && counts === null;
      if (isPlain) return [workerID, text, format];
      return [workerID, text, format, data, carriedOnes(codec, emitted).map(listed), counts];
    },
  };
}

/** @param {import("../shared/carried").Carried} carried @returns {[string, number]} */
const listed = ({ text, format }) => [text, format];

/** Those of a pool, which are to be had by their names, and nobody lists these. @param {Record<string, any>} stages @param {Codec} codec */
function ofPool(stages, codec) {
  const all = around(codec);
  for (const name of [KEEP, ANSWER]) Object.defineProperty(stages, name, { value: all[name] });
  return stages;
}

/**
 * Those of a `MapReduce` or a `stream`: its functions, with its args.
 * @param {any[]} workerFns
 * @param {any} args
 * @param {number} id of the worker
 * @param {Codec} codec of this worker: what a call has is JSON, bytes too
 */
function ofCall(workerFns, args, id, codec) {
  const copyArgs = argsCopier(args, id);
  const all = ownOf(around(codec === codecOf("bytes") ? codecOf("json") : codec));
  workerFns.forEach((fn, at) => {
    all[FUNCTION + at] = isStage(fn)
      ? (/** @type {any} */ event, /** @type {any} */ _, /** @type {any} */ task) =>
          fn(event, copyArgs(), task)
      : (/** @type {any} */ event) => fn(event, copyArgs());
  });
  return all;
}

module.exports = { ofCall, ofPool };
