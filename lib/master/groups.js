"use strict";
// The groups of a pool's workers, as the core is told of them: which worker is in which, and what is different there.

const { ownOf } = require("../shared/own");
const { Set } = require("../shared/primordials");

/** @typedef {import("../shared/groups").WorkerGroup} WorkerGroup */

/** A pool without groups has one, of all workers. @type {WorkerGroup} */
const EVERYBODY = { tags: [], count: 0, exclusive: false };

/** @param {Record<string, string> | undefined} env @param {globalThis.Set<string>} without */
const pairsOf = (env = {}, without) =>
  Object.keys(env).flatMap((name) => (without.has(name) ? [] : [name, env[name]]));

/**
 * @param {import("../shared/options").Options} options
 * @param {number} numWorkers
 * @param {string[]} own names and values of the environment that are this package's, and stay
 */
function launchGroups({ workers }, numWorkers, own) {
  const groups = workers === undefined ? [ownOf(EVERYBODY, { count: numWorkers })] : workers;
  const names = new Set(own.filter((_, at) => at % 2 === 0));
  return {
    /** The options of Node that each worker has beside the others'. */
    execArgv: groups.flatMap(({ count, execArgv = [] }) => Array(count).fill(execArgv)),
    groupOf: groups.flatMap(({ count }, at) => Array(count).fill(at)),
    groups: groups.map((group) => ({
      tags: group.tags,
      exclusive: group.exclusive,
      env: pairsOf(group.env, names),
      concurrency: group.concurrency,
      maxTasksPerWorker: group.maxTasksPerWorker,
      maxWorkerMemory: group.maxWorkerMemory,
    })),
  };
}

module.exports = { launchGroups };
