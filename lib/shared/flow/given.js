"use strict";
// Flows where functions could be: their options beside those of stages, and what identifies them.

const { concurrencyOf, functionsOf, isFlow, planOfFlow } = require("./made");
const { ownOf } = require("../own");
const { JSON } = require("../primordials");

/** What a run knows of its flow; of one in a worker file the master has no functions. @typedef {{ plan: import("./plan").Plan, functions?: any[] }} Flow */

/** Whether some of its nodes have what comes to them written into files. @param {Pick<import("./plan").Plan, "nodes">} plan */
const isSpilling = ({ nodes }) => nodes.some(({ hold }) => hold === "spill");

/** The options that a call has of its flow. @param {any} flow */
function optionsOfFlow(flow) {
  const plan = planOfFlow(flow);
  const options = ownOf({ flow: { plan, functions: functionsOf(flow) } });
  const concurrency = concurrencyOf(flow);
  if (concurrency !== undefined) options.concurrency = concurrency;
  const { tags } = plan.nodes[plan.entry - 1];
  if (tags.length > 0) options.entryTags = tags;
  return options;
}

/** The same in the master and in the workers, whose functions may have been compiled otherwise. @param {any} flow */
const nameOfFlow = (flow) => `flow ${planOfFlow(flow).fingerprint}`;

/** @param {string} [name] of the stage that it is */
const otherFlow = (name) =>
  `the flow ${name === undefined ? "of this call" : JSON.stringify(name)} is another one in this worker than in the master: build it alike in both, whatever the arguments and the environment`;

module.exports = { isFlow, isSpilling, nameOfFlow, optionsOfFlow, otherFlow };
