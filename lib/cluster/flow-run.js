"use strict";
// A run over several machines whose events go through a flow. Each event of a node runs in a worker of any host, together with the nodes that
// are fused with it; what leaves it comes here, which is where items wait for others, and goes on from here.

const { elapsed } = require("./clock");
const { ClusterNode } = require("./flow-node");
const { beginRun } = require("./pipeline");
const { ClusterRun } = require("./run");
const { checkFlowOptions } = require("../master/flow");
const { FlowRouter, tooLate } = require("../master/flow-router");
const { pack } = require("../master/in-process-values");
const { statisticsOf } = require("../master/nodes");
const { checkSize } = require("../shared/carried");
const { flowStage } = require("../shared/clustered");
const { coded } = require("../shared/errors");
const { spillsAt } = require("../shared/flow/carried");
const { ownOf } = require("../shared/own");
const { JSON, Map } = require("../shared/primordials");
const { addressOf, routingOf } = require("../shared/routing");

/** @typedef {import("../shared/flow/plan").Plan} Plan */
/** @typedef {import("../shared/flow/given").Flow} Flow */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {import("../master/flow-router").Via} Via */

/** @typedef {import("./coordinator").Kept} Kept */

/** @typedef {InstanceType<typeof ClusterNode>} Node */

class Router extends FlowRouter {
  /** How many items have left each exit. @type {number[]} */
  exits = this.plan.exits.map(() => 0);

  /** @param {any} node @param {any} output see `flow-items` @param {Via} via */
  out(node, output, via) {
    if (output.exit !== undefined) {
      node.counts.made++;
      const { kept } = output;
      this.leaveBy(output.exit, output.item, /** @type {any} */ (kept ? { ...via, kept } : via));
    } else if (output.further !== undefined) node.further(output.further, via);
    else if (output.to !== undefined) this.written(this.nodeAt(output.to), output.told, node);
    else this.nodeAt(output.node).failedBehind(output, via);
  }

  /** @param {Node} node @param {any} told @param {Node} from */
  written(node, told, from) {
    // Nobody would ever read it.
    if (node.isOpened) this.run.stop(tooLate(node.name));
    else node.written(told, from);
  }

  /** @param {any} node */
  open(node) {
    if (node.plan.hold === "spill") node.readAll();
    else super.open(node);
  }

  /** Reduces in this process. @param {any} node */
  reduce(node) {
    node.counts.events++;
    return super.reduce(node);
  }

  /** A batch, or what was reduced here, leaves a node. @param {any} node @param {number} at @param {any} item @param {Via} via */
  put(node, at, item, via) {
    node.counts.made++;
    if (node.plan.hold === "master") node.counts.answered++;
    super.put(node, at, item, via);
  }

  /** @param {any} node @param {any} item @param {any} error @param {Via} via */
  fail(node, item, error, via) {
    if (node.plan.hold === "master") node.counts.failed++;
    // What cannot be written or read is missing in all that follows.
    if (error.code === "ERR_SONIC_SPILL") this.stopBy(error);
    else super.fail(node, item, error, via);
  }

  /** @param {any} error as it travels */
  stopBy({ code, message }) {
    const advice = code === "ERR_SONIC_SPILL" ? SHARED : "";
    this.run.stop(coded(Error, code, message + advice));
  }

  /** @param {number} exit @param {any} item @param {Via} via */
  leaveBy(exit, item, via) {
    this.exits[exit]++;
    super.leaveBy(exit, item, via);
  }

  /** @param {{ node: number, side: number }} input @param {any} item @param {Via & { kept?: Kept }} via `kept`: a host has it for this node */
  enter(input, item, via) {
    const node = this.nodeAt(input.node);
    const { kept, priority } = via;
    node.counts.came++;
    if (kept === undefined || node.plan.hold) super.enter(input, item, via);
    else this.begin(node, item, /** @type {any} */ ({ key: undefined, priority, kept }));
  }

  /** @param {number} number @returns {Node} */
  nodeAt(number) {
    return /** @type {any} */ (this.node(number));
  }
}

class ClusterFlowRun extends ClusterRun {
  /**
   * @param {string[]} stages the flow's name, if it has one
   * @param {Options} options
   * @param {string | undefined} args as text
   * @param {{ classes: string[], refusal: string | null, isSeen: boolean, isLive: boolean }} how
   */
  beginEvents([name], options, args, how) {
    /** @type {Flow} */
    this.flow = /** @type {Flow} */ (options.flow);
    const { plan, functions = [] } = this.flow;
    this.routing = routingOf(options);
    const router = new Router(this, plan, options.order === "submission");
    /** The runs of nodes, by their numbers. @type {globalThis.Map<number, import("./station").Run>} */
    const runs = new Map();
    // The last one first: what is before it says where its items go.
    const nodes = [...plan.nodes].reverse().map((node) => {
      const { retries = options.retries, taskTimeout = options.taskTimeout, hold } = node;
      const isEntry = node.number === plan.entry;
      const tags = (isEntry && this.routing?.tags) || node.tags;
      const own = ownOf(options, { retries, taskTimeout });
      const place = spillsAt(plan, node.number) ? this.placeOf() : undefined;
      const stage = flowStage(node.number, plan.fingerprint, name);
      const hops = hopsOf(plan, node.number, runs, retries);
      const about =
        hold === "master"
          ? undefined
          : beginRun(this.pool, [stage], own, args, hops.length > 0 ? { ...how, hops } : how);
      if (about !== undefined) runs.set(node.number, about);
      return new ClusterNode(
        this,
        node,
        { fn: functions[node.graph], tags, isEntry, retries, place },
        about,
      );
    });
    nodes.reverse();
    router.setNodes(nodes);
    this.pool.coordinator.unite(nodes.flatMap(({ about }) => about || []));
    return router;
  }

  /** Where its events write. */
  placeOf() {
    const { spill } = this.pool;
    return spill === undefined ? undefined : spill.placeOf(this.number);
  }

  /** What `beginEvents` has made. @returns {Router} */
  get router() {
    return this.about;
  }

  get held() {
    return this.router.held;
  }

  get isDrained() {
    return this.router.isDrained && this.showing === 0;
  }

  /** @param {any} masterFn @param {any} args */
  lead(masterFn, args) {
    this.router.args = args;
    return super.lead(masterFn, args);
  }

  /** The core knows the run's events, and nothing of nodes. @param {Parameters<InstanceType<typeof ClusterRun>["see"]>[0]} how */
  see(how) {
    super.see(how);
    /** @type {any} */
    const native = this.native;
    const { runStatistics, runReport } = native;
    native.runStatistics = (/** @type {any} */ handle) =>
      JSON.stringify(this.withNodes(JSON.parse(runStatistics(handle))));
    native.runReport = (/** @type {any[]} */ ...given) => {
      const record = JSON.parse(runReport(...given));
      return JSON.stringify({ ...record, statistics: this.withNodes(record.statistics) });
    };
  }

  /** @param {any} statistics */
  withNodes(statistics) {
    const { nodes, exits } = this.router;
    const hasTimes = statistics.wait !== undefined;
    const counts = nodes.map((/** @type {any} */ node) => node.counts.shown(node, hasTimes));
    return { ...statistics, nodes: counts, exits };
  }

  statistics() {
    return statisticsOf(this.withNodes(super.statistics()), this.flow.plan).statistics;
  }

  halt() {
    this.router.stop();
    this.counters.abort();
    if (this.pool.spill !== undefined) this.pool.spill.remove(this.number);
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
    const item = pack(pool.codec, data, "data", "Map: the event");
    checkSize(item.encoded, "Map: the event");
    const begun = router.submit(item, address);
    if (begun !== undefined) await pool.coordinator.room(begun);
    const full = router.nodes.find((node) => node.isFull);
    if (full === undefined) return;
    const at = elapsed();
    await router.room();
    /** @type {any} */ (full).counts.heldUp += elapsed() - at;
  }

  /** @param {any} entry @param {number} bytes about how many it has */
  deliver(entry, bytes) {
    if (this.isStream) this.countUnread(entry, bytes);
    if (entry.failed) this.showFailed(entry);
    this.keep(entry);
  }
}

/** Throws if a flow cannot be run over a cluster. @param {Options} options of its call @param {boolean} hasFolder all hosts share one */
function checkFlow(options, hasFolder) {
  checkFlowOptions(options);
  const { plan } = /** @type {Flow} */ (options.flow);
  const node = plan.nodes.find(({ hold }) => hold === "spill");
  if (node !== undefined && !hasFolder) throw noFolder(node);
}

/**
 * The items of an event that a host may keep: those that leave by such an exit go to one node, which begins an event for each. A host begins
 * it before the event's answer has come. So it must be one that may run twice, where the event is run again if its host is lost meanwhile.
 * @param {Plan} plan
 * @param {number} number the node at which the event enters
 * @param {globalThis.Map<number, import("./station").Run>} runs those of the nodes behind it
 * @param {Options["retries"]} retries of the event
 * @returns {[exit: number, run: number, tags: string[]][]}
 */
function hopsOf(plan, number, runs, retries) {
  return plan.nodes[number - 1].ports.flatMap(({ exit, next }) => {
    const behind = next === 0 ? [] : hopsOf(plan, next, runs, retries);
    const [to, ...others] = exit < 0 ? [] : plan.exits[exit].to;
    if (to === undefined || others.length > 0 || !("node" in to)) return behind;
    const { hold, tags } = plan.nodes[to.node - 1];
    const run = runs.get(to.node);
    if (run === undefined || hold !== null || spillsAt(plan, to.node)) return behind;
    const mayBegin = outlivesHosts(run.retries) || !outlivesHosts(retries);
    return mayBegin ? [...behind, [exit, run.number, tags]] : behind;
  });
}

/** Whether an event runs again whose host is lost. @param {Options["retries"] | null} retries */
const outlivesHosts = (retries) =>
  Boolean(retries && retries.limit > 0 && retries.on.includes("host"));

/** What may be wrong with files. */
const SHARED =
  "; all hosts share these files: is it the same folder everywhere (spillDir, --spill-dir), and on NFS without a cache of names? Hosts also " +
  "remove the files of a master that was silent for three leases (cluster.lease)";

/** @param {import("../shared/flow/plan").PlanNode} node */
const noFolder = ({ name, kind }) =>
  coded(
    Error,
    "ERR_SONIC_CLUSTER",
    `the node ${JSON.stringify(name)} of a flow, a ${kind}, writes what comes to it into files, which workers on several machines must ` +
      "share: give spillDir, a folder that all of them have, with sharedSpill: true, and start hosts with --spill-dir",
  );

module.exports = { ClusterFlowRun, checkFlow };
