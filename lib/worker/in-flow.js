"use strict";
// An event of a flow as the worker's loop has it: its data read, the flow's nodes run, and the answer written.

const path = require("path");
const { FlowWork, OUTPUTS, PENDING } = require("./flow");
const { IN_TURN } = require("./task");
const { isSpilling } = require("../shared/flow/given");
const { functionsOf, planOfFlow } = require("../shared/flow/made");
const { failureOf, arrayOf } = require("../shared/flow/parts");
const { PublicTask } = require("../shared/task");

/** @typedef {import("./runner").Task} Task */
/** @typedef {import("./runner").Self} Self */

/**
 * See `runEventStages`.
 * @param {Self} runner
 * @param {Task} task
 * @param {any} given its data, as an event of its format has it
 * @param {boolean} inTurn
 * @returns {number | boolean | undefined}
 */
function runInFlow(runner, task, given, inTurn) {
  const { flow, node, copyArgs } = task.job;
  const { answers } = runner;
  let value;
  try {
    value = flow.run(node, readAgain(runner, task, given), copyArgs, task.context);
  } catch (thrown) {
    answers.fail(task, given, thrown);
    return true;
  }
  return answerInFlow(runner, task, given, value, inTurn);
}

/**
 * The same from where the maps of a chain, which the loop runs itself, have come to.
 * @param {Self} runner
 * @param {Task} task
 * @param {any} given
 * @param {boolean} inTurn
 * @param {number} at the map that has returned a promise, or thrown; the number of maps if all have returned
 * @param {any} data what that got
 * @param {any} result what it has returned or thrown
 * @param {boolean} isThrown
 */
function leaveMaps(runner, task, given, inTurn, at, data, result, isThrown) {
  const { flow, maps, copyArgs } = task.job;
  const how = { args: copyArgs, context: task.context };
  let value;
  try {
    if (isThrown) value = flow.failChain(maps, at, data, result, how);
    else value = flow.leaveChain(maps, at, data, result, how);
  } catch (thrown) {
    runner.answers.fail(task, given, thrown);
    return true;
  }
  return answerInFlow(runner, task, given, value, inTurn);
}

/** @type {(runner: Self, task: Task, given: any, value: any, inTurn: boolean) => number | boolean | undefined} */
function answerInFlow(runner, task, given, value, inTurn) {
  const { answers } = runner;
  const { flow } = task.job;
  if (flow.returned === PENDING) {
    runner.goesOn(task, inTurn);
    finishInFlow(runner, task, given, value, inTurn);
    return runner.isBusy ? false : undefined;
  }
  if (flow.returned === OUTPUTS) {
    answers.answerOutputs(task, given, value);
    return true;
  }
  if (typeof value === "number" && (value | 0) === value && task.started === IN_TURN) {
    if (task.context !== undefined) answers.add(PublicTask.end(task.context));
    return value;
  }
  answers.answer(task, given, value);
  return true;
}

/** @type {(runner: Self, task: Task, data: any, promise: Promise<import("./flow").Outcome>, inTurn: boolean) => Promise<void>} */
async function finishInFlow(runner, task, data, promise, inTurn) {
  const { answers } = runner;
  try {
    const outcome = await promise;
    if ("value" in outcome) answers.answer(task, data, outcome.value);
    else answers.answerOutputs(task, data, outcome.payload);
  } catch (thrown) {
    answers.fail(task, data, thrown);
  }
  runner.hasEnded(task, inTurn);
}

/**
 * A job whose events go through a flow: each node has a job of its own, which names it.
 * @param {import("./jobs").AllJobs} jobs
 * @param {import("./jobs").Job} job
 * @param {object} flow
 * @returns {import("./jobs").Job}
 */
function jobOfFlow({ codec, places, spillFor }, job, flow) {
  const plan = planOfFlow(flow);
  const functions = functionsOf(flow);
  const spill = isSpilling(plan) ? spillFor(job.run) : undefined;
  const work = new FlowWork({ plan, functions, codec, errors: job.errors, spill });
  const chains = plan.nodes.map(({ number, concurrency }) => {
    const limits = places.limitOf(flow, number, concurrency);
    const maps = work.mapsFrom(number);
    const workerFns = maps === undefined ? [] : maps.map(({ fn }) => fn);
    const how = { keepsNull: true, limits, workerFns };
    return { ...job, ...how, flow: work, runInFlow, node: number, maps, leaveMaps };
  });
  const limits = chains.flatMap((chain) => chain.limits);
  return { ...job, limits, chains };
}

/** The data where it was gathered, or is a failure whose own data is bytes. @param {Self} runner @param {Task} task @param {any} data */
function readAgain({ wire }, { flags }, data) {
  if (flags & wire.parts) return arrayOf(data);
  return flags & wire.failure ? failureOf(data) : data;
}

/** What writes what is too large for memory. @param {Self} runner @param {number} run its number */
function spillOf({ native, handle, codec, id }, run) {
  const place = native.workerSpill(handle);
  if (place === null) return undefined;
  const { Spill } = require("./spill");
  const dir = () => path.join(place.folder, String(run));
  const file = `${id}-${process.pid}`;
  return new Spill({ native, dir, file, partitions: place.partitions, codec });
}

module.exports = { jobOfFlow, spillOf };
