"use strict";
// The stages of a worker whose master runs events on several machines: what does not work there yet says so, and the answers of a run
// have the event's data beside them where it may have changed.

const { argsCopier } = require("../shared/args");
const { ANSWER, FUNCTION, KEEP } = require("../shared/clustered");
const { coded } = require("../shared/errors");
const { ownOf } = require("../shared/own");
const { WeakMap } = require("../shared/primordials");
const { isStage } = require("../shared/stage");

/** What a stage gets of its event. */
class ClusteredTask {
  #task;

  /** @param {any} task */
  constructor(task) {
    this.#task = task;
  }

  get attempt() {
    return this.#task.attempt;
  }

  get signal() {
    return this.#task.signal;
  }

  /** @param {any} data */
  emit(data) {
    return this.#task.emit(data);
  }

  /** @returns {never} */
  count() {
    throw coded(
      Error,
      "ERR_SONIC_CLUSTER",
      "task.count does not work over a cluster yet: answer with what is to be counted, and count in reduceFn",
    );
  }
}

/** @param {any} fn @returns {(event: any, args: any, task: any) => any} */
const staged = (fn) => (event, args, task) => fn(event, args, new ClusteredTask(task));

/** The stages with which a run begins and ends. */
function around() {
  /** The data of events that go on. @type {WeakMap<object, any>} */
  const held = new WeakMap();
  return {
    [KEEP](/** @type {any} */ { data }, /** @type {any} */ _, /** @type {any} */ task) {
      if (data !== null && typeof data === "object") held.set(task, data);
      return data;
    },
    [ANSWER](
      /** @type {any} */ { data: response },
      /** @type {any} */ args,
      /** @type {any} */ task,
    ) {
      const { workerID } = args;
      return held.has(task) ? [workerID, response, held.get(task)] : [workerID, response];
    },
  };
}

/** Those of a pool. @param {Record<string, any>} stages */
function ofPool(stages) {
  const all = ownOf(around());
  for (const name of Object.keys(stages)) all[name] = staged(stages[name]);
  return all;
}

/** Those of a `MapReduce` or a `stream`: its functions, with its args. @param {any[]} workerFns @param {any} args @param {number} id of the worker */
function ofCall(workerFns, args, id) {
  const copyArgs = argsCopier(args, id);
  const all = ownOf(around());
  workerFns.forEach((fn, at) => {
    const run = staged(fn);
    all[FUNCTION + at] = isStage(fn)
      ? (/** @type {any} */ event, /** @type {any} */ _, /** @type {any} */ task) =>
          run(event, copyArgs(), task)
      : (/** @type {any} */ event) => fn(event, copyArgs());
  });
  return all;
}

module.exports = { ofCall, ofPool };
