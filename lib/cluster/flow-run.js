"use strict";
// A run over several machines whose events go through a flow. Each event of a node runs in a worker of any host, together with the nodes that
// are fused with it; what leaves it comes here, which is where items wait for others, and goes on from here.

const { ClusterNode } = require("./flow-node");
const { ClusterRun, beginRun } = require("./run");
const { notYet } = require("./supported");
const { checkFlowOptions } = require("../master/flow");
const { FlowRouter } = require("../master/flow-router");
const { pack } = require("../master/in-process-values");
const { flowStage } = require("../shared/clustered");
const { ownOf } = require("../shared/own");
const { JSON } = require("../shared/primordials");
const { addressOf, routingOf } = require("../shared/routing");

/** @typedef {import("../shared/flow/plan").Plan} Plan */
/** @typedef {import("../shared/flow/given").Flow} Flow */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {import("../master/flow-router").Via} Via */

class Router extends FlowRouter {
  /** @param {any} _node @param {any} output see `flow-items` @param {Via} via */
  out(_node, output, via) {
    if (output.exit !== undefined) this.leaveBy(output.exit, output.item, via);
    else this.nodeAt(output.node).failedBehind(output.item, output.error, via);
  }

  /** @param {number} number @returns {InstanceType<typeof ClusterNode>} */
  nodeAt(number) {
    return /** @type {any} */ (this.node(number));
  }
}

class ClusterFlowRun extends ClusterRun {
  /**
   * @param {string[]} stages the flow's name, if it has one
   * @param {Options} options
   * @param {string | undefined} args as text
   * @param {{ classes: string[], refusal: string | null, isSeen: boolean }} how
   */
  beginEvents([name], options, args, how) {
    const { plan, functions = [] } = /** @type {Flow} */ (options.flow);
    this.routing = routingOf(options);
    const router = new Router(this, plan, options.order === "submission");
    const nodes = plan.nodes.map((node) => {
      const { retries = options.retries, taskTimeout = options.taskTimeout, hold } = node;
      const isEntry = node.number === plan.entry;
      const tags = (isEntry && this.routing?.tags) || node.tags;
      const own = ownOf(options, { retries, taskTimeout });
      const stage = flowStage(node.number, plan.fingerprint, name);
      const about = hold === "master" ? undefined : beginRun(this.pool, [stage], own, args, how);
      return new ClusterNode(
        this,
        node,
        { fn: functions[node.graph], tags, isEntry, retries },
        about,
      );
    });
    router.setNodes(nodes);
    return router;
  }

  /** What `beginEvents` has made. @returns {Router} */
  get router() {
    return this.about;
  }

  get held() {
    return this.router.held;
  }

  get isDrained() {
    return this.router.isDrained;
  }

  /** @param {any} masterFn @param {any} args */
  lead(masterFn, args) {
    this.router.args = args;
    return super.lead(masterFn, args);
  }

  halt() {
    this.router.stop();
    this.counters.abort();
  }

  endInput() {
    super.endInput();
    this.router.endInput();
  }

  /** @param {any} event @param {Routing} [routing] */
  async handOver({ data }, routing) {
    this.checkRunning();
    const { pool, router } = this;
    const address = addressOf(this.routing, routing, data);
    const begun = router.submit(pack(pool.codec, data, "data", "Map: the event"), address);
    if (begun !== undefined) await pool.coordinator.room(begun);
    await router.room();
  }

  /** @param {any} entry @param {number} bytes about how many it has */
  deliver(entry, bytes) {
    if (this.isStream) this.countUnread(entry, bytes);
    if (entry.failed) this.showFailed(entry);
    this.keep(entry);
  }
}

/** Throws if a flow cannot be run over a cluster. @param {Options} options of its call */
function checkFlow(options) {
  checkFlowOptions(options);
  const { plan } = /** @type {Flow} */ (options.flow);
  for (const { name, kind, hold, concurrency } of plan.nodes) {
    const node = `the node ${JSON.stringify(name)} of a flow`;
    if (hold === "spill") throw notYet(`${node}, a ${kind}, which sorts what comes to it,`);
    if (concurrency !== undefined) throw notYet(`the option concurrency of ${node}`);
  }
}

module.exports = { ClusterFlowRun, checkFlow };
