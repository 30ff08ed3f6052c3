"use strict";
// What `createPool` got as its stages: functions by their names, or the worker file that exports them.

const { toldBy } = require("./batch");
const { runsElsewhere } = require("./launch");
const { Stages } = require("./work");
const { pathOf } = require("./worker-file");
const { invalidType, shown } = require("../shared/errors");
const { isFlow } = require("../shared/flow/given");
const { checkStagesHost } = require("../shared/host");
const { isStages } = require("../shared/identity");
const { JSON } = require("../shared/primordials");
const { isFile } = require("../shared/stages");

/** The worker file's path; undefined if the stages are functions. Throws if they are neither. @param {any} stages */
function fileOf(stages) {
  if (isFile(stages)) return pathOf(stages);
  if (!isStages(stages)) throw wrongStages(stages);
  return undefined;
}

/** Throws if no worker could find the stages. @param {string | undefined} file */
function checkReach(file) {
  if (file === undefined && !runsElsewhere()) checkStagesHost();
}

/**
 * The stages of a pool whose workers are ready.
 * @param {InstanceType<typeof import("./lasting").LastingPool>} pool
 * @param {any} stages
 * @param {string | undefined} file
 */
const stagesOf = async (pool, stages, file) =>
  file === undefined ? Stages.of({ ...stages }) : Stages.inFile(file, await toldBy(pool));

/** @param {any} stages */
function wrongStages(stages) {
  const must =
    "createPool: stages must be an object of functions by their names, or the path of a worker file";
  if (stages === null || typeof stages !== "object" || Array.isArray(stages)) {
    return invalidType(`${must}, got ${shown(stages)}`);
  }
  const name = Object.keys(stages).find(
    (key) => typeof stages[key] !== "function" && !isFlow(stages[key]),
  );
  if (name === undefined) return invalidType(`${must}, got one without any`);
  return invalidType(`${must}, got ${shown(stages[name])} as ${JSON.stringify(name)}`);
}

module.exports = { checkReach, fileOf, stagesOf };
