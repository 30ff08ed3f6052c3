"use strict";
// Loaded before a program: prints the graph of the first flow that it makes, as the report has it but without any counts, as JSON, and
// ends the program there.

const fs = require("fs");
const Module = require("module");
const path = require("path");

const ROOT = path.join(__dirname, "..");
const { planOfFlow } = require("../lib/shared/flow/made");
const { statisticsOf } = require("../lib/master/nodes");

/** @type {any} */
const loader = Module;
const load = loader._load;
const own = load(ROOT, module, false);

/** @param {any} flow */
function tell(flow) {
  const plan = planOfFlow(flow);
  const told = { nodes: plan.nodes.map(() => ({})), exits: [] };
  const { statistics, graph } = statisticsOf(told, plan);
  fs.writeSync(1, JSON.stringify({ nodes: statistics.nodes, graph }));
  process.exit(0);
}

const watched = { ...own, flow: (/** @type {any} */ build) => tell(own.flow(build)) };

loader._load = (
  /** @type {string} */ request,
  /** @type {any} */ parent,
  /** @type {boolean} */ isMain,
) => {
  // What programs of the documentation share.
  if (request === "./show") return { show() {} };
  const isOwn = request === "@tiemma/sonic-distribute";
  const loaded = isOwn ? own : load(request, parent, isMain);
  return loaded === own ? watched : loaded;
};
