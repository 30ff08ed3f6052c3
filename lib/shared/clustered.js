"use strict";
// The names of stages that a worker has for a master with several machines, beside those of the program.

const KEEP = "…keep";
const ANSWER = "…answer";
const FUNCTION = "…function ";
const FLOW = "…flow ";

/**
 * The stage that is a node of a flow, with those that run in the same event: one of another flow has another name.
 * @param {number} node
 * @param {string} fingerprint of the flow
 * @param {string} name of the flow among a pool's stages; empty for that of a call
 */
const flowStage = (node, fingerprint, name) => `${FLOW}${node} ${fingerprint} ${name}`;

/** The name of the flow that a stage would be a node of; undefined if it is none. @param {string} stage */
function flowNamed(stage) {
  if (!stage.startsWith(FLOW)) return undefined;
  const [, , ...name] = stage.slice(FLOW.length).split(" ");
  return name.join(" ");
}

module.exports = { ANSWER, FUNCTION, KEEP, flowNamed, flowStage };
