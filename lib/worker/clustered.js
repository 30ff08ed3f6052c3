"use strict";
// The stages of a worker whose master runs events on several machines. The last one's answer has all that the event comes to: the
// response, the data where that may have changed, and what the event adds to its run. All of it is as it crosses the broker.

const { argsCopier } = require("../shared/args");
const { carried, carriedOnes } = require("../shared/carried");
const { ANSWER, FUNCTION, KEEP, flowStage } = require("../shared/clustered");
const { codecOf } = require("../shared/codec");
const { coded } = require("../shared/errors");
const { functionsOf, isFlow, planOfFlow } = require("../shared/flow/made");
const { ownOf } = require("../shared/own");
const { WeakMap } = require("../shared/primordials");
const { isStage, optionsOf, stage } = require("../shared/stage");
const { PublicTask } = require("../shared/task");

/** @typedef {import("../shared/codec").Codec} Codec */
/** @typedef {import("./runner").Self} Self */

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

/** Those of a pool, which are to be had by their names, and nobody lists these. @param {Record<string, any>} stages @param {Self} self */
function ofPool(stages, self) {
  const { codec } = self;
  const all = around(codec);
  for (const name of Object.keys(stages)) {
    // An accessor may be any stage, and none is called before the program names it.
    const { value } = Object.getOwnPropertyDescriptor(stages, name) || { value: undefined };
    if (isFlow(value)) Object.assign(all, ofFlow(value, name, { self, codec, copierOf: shallow }));
  }
  for (const name of Object.keys(all)) Object.defineProperty(stages, name, { value: all[name] });
  return stages;
}

/** Each function of an event gets a copy. @param {any} args @returns {() => any} */
const shallow = (args) => () => ({ ...args });

/**
 * The nodes of a flow, each with those that run in the same event.
 * @param {any} flow
 * @param {string} name
 * @param {{ self: Self, codec: Codec, copierOf: (args: any) => () => any }} how `copierOf` makes copies of the args that a stage gets
 */
function ofFlow(flow, name, { self, codec, copierOf }) {
  const { FlowOfHosts } = require("./clustered-flow");
  const plan = planOfFlow(flow);
  const own = new FlowOfHosts(self, { plan, functions: functionsOf(flow), codec });
  const all = ownOf();
  for (const { number, concurrency } of plan.nodes) {
    const run = (
      /** @type {any} */ { data },
      /** @type {any} */ args,
      /** @type {any} */ context,
    ) => own.run(number, data, { args: copierOf(args), context });
    all[flowStage(number, plan.fingerprint, name)] = limited(run, concurrency);
  }
  return all;
}

/** What a worker runs so often at once at most. @param {any} fn @param {number | undefined} concurrency */
const limited = (fn, concurrency) => (concurrency === undefined ? fn : stage(fn, { concurrency }));

/**
 * Those of a `MapReduce` or a `stream`: its functions, or its flow, with its args.
 * @param {any} workerFns
 * @param {any} args
 * @param {Self} self
 */
function ofCall(workerFns, args, self) {
  const { id, codec } = self;
  const copyArgs = argsCopier(args, id);
  // What a call has is JSON, bytes too.
  const own = codec === codecOf("bytes") ? codecOf("json") : codec;
  const all = ownOf(around(own));
  if (isFlow(workerFns)) {
    const how = { self, codec: own, copierOf: () => copyArgs };
    return ownOf(all, ofFlow(workerFns, "", how));
  }
  workerFns.forEach((/** @type {any} */ fn, /** @type {number} */ at) => {
    const run = isStage(fn)
      ? (/** @type {any} */ event, /** @type {any} */ _, /** @type {any} */ task) =>
          fn(event, copyArgs(), task)
      : (/** @type {any} */ event) => fn(event, copyArgs());
    all[FUNCTION + at] = limited(run, optionsOf(fn).concurrency);
  });
  return all;
}

/** What a call's worker sends as an entry of its own throws: nobody would miss it, for it is no event. @param {Self} self */
function refuseEntries({ search }) {
  if (search.wanted.identity.kind !== "call") return;
  throw coded(
    Error,
    "ERR_SONIC_CLUSTER",
    "process.send({ response }) and process.send({ failed }) add no entries over a cluster yet: answer with a list of what there is, or " +
      "have task.emit make further events",
  );
}

module.exports = { ofCall, ofPool, refuseEntries };
