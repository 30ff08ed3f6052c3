"use strict";
// What a worker file exports, as the stages of its pool, and a pool's stages by name.

const { flowNamed } = require("./clustered");
const { describe } = require("./describe");
const { coded } = require("./errors");
const { isFlow, otherFlow } = require("./flow/given");
const { hasOwn } = require("./own");
const { JSON } = require("./primordials");
const { toldStages } = require("./stage");

/**
 * The exported functions and flows by their names. A function that is the module itself is `default`. Accessors are kept as they are: each
 * may be a stage, and none is called before the program names it.
 * @param {any} exported
 * @returns {Record<string, any>}
 */
function stagesOf(exported) {
  const stages = Object.create(null);
  if (typeof exported === "function") stages.default = exported;
  const properties = Object.getOwnPropertyDescriptors(Object(exported));
  for (const name of Object.keys(properties)) {
    const { enumerable, get, value } = properties[name];
    const isStage = typeof value === "function" || isFlow(value);
    if (!enumerable || (get === undefined && !isStage)) continue;
    Object.defineProperty(stages, name, properties[name]);
  }
  return stages;
}

/**
 * The functions that a run's events go through.
 * @param {Record<string, any>} stages
 * @param {string[] | undefined} work their names; undefined: the answer is what there is, see `toldStages`
 * @returns {((event: { data: any }, args: any, task?: any) => any)[]}
 */
const functionsOf = (stages, work) =>
  work === undefined ? [() => toldStages(stages)] : work.map((name) => functionOf(stages, name));

/** @param {Record<string, any>} stages @param {string} name */
function functionOf(stages, name) {
  const { value } = Object.getOwnPropertyDescriptor(stages, name) || { value: undefined };
  if (typeof value === "function") return value;
  // An accessor, or a function that the file does not export any more: this worker may have been started later than others.
  return (/** @type {unknown[]} */ ...given) => {
    const stage = hasOwn(stages, name) ? stages[name] : undefined;
    if (typeof stage === "function") return Reflect.apply(stage, undefined, given);
    const flow = flowNamed(name);
    if (flow !== undefined) throw coded(Error, "ERR_SONIC_FLOW", otherFlow(flow || undefined));
    const message = `the worker file exports no function ${JSON.stringify(name)}`;
    throw coded(Error, "ERR_SONIC_UNKNOWN_STAGE", message);
  };
}

/** Whether `createPool` got a worker file: its path, or its URL. @param {any} stages */
const isFile = (stages) => typeof stages === "string" || typeof Object(stages).href === "string";

const NO_STAGE = "exports no function: its exported functions are the stages of the pool";

/** @param {unknown} error that the file threw @param {string} file */
function threw(error, file) {
  const { name, message } = Object(error);
  const said = message === undefined ? error : `${describe(name)}: ${describe(message)}`;
  const text = describe(said);
  // Few programs need it.
  const advice = require("./typescript").adviceFor(text, file);
  return `threw while it loaded: ${text}${advice && `. ${advice}`}`;
}

/** @param {string} file a worker file that cannot serve @param {string} why */
const wrongFile = (file, why) =>
  coded(Error, "ERR_SONIC_WORKER_FILE", `the worker file ${file} ${why}`);

module.exports = { NO_STAGE, functionsOf, isFile, stagesOf, threw, wrongFile };
