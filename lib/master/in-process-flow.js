"use strict";
// A run of a pool in this process whose events go through a flow.

const { DetachedRun } = require("./detached-run");
const { FlowRouter } = require("./flow-router");
const { NodeJob } = require("./in-process-node");
const { seenOf } = require("./in-process-seen");
const { pack } = require("./in-process-values");
const { IN_ORDER } = require("./pool-run");
const { functionsOf, planOfFlow } = require("../shared/flow/made");

/** @typedef {import("./in-process-job").InProcessPool} InProcessPool */
/** @typedef {import("./work").Work} Work */
/** @typedef {import("../shared/routing").Routing} Routing */
/** @typedef {import("../shared/options").Options} Options */

class FlowRun extends DetachedRun {
  /** @param {InProcessPool} pool @param {Work} work @param {Options} options @param {string | undefined} args as text */
  constructor(pool, work, options, args) {
    super(pool, options);
    /** @type {InProcessPool} */
    this.pool = pool;
    const flow = pool.stages[String(work.name)];
    const plan = planOfFlow(flow);
    const functions = functionsOf(flow);
    const isInOrder = options.order === "submission";
    const refusal = isInOrder ? IN_ORDER : undefined;
    this.seen = seenOf(pool, work);
    this.router = new FlowRouter(this, plan, isInOrder);
    const about = { flow, work, options, args, refusal, run: this };
    const nodes = plan.nodes.map((node) => new NodeJob(pool, node, functions, about));
    this.router.setNodes(nodes);
    this.entry = nodes[plan.entry - 1];
    this.isBounded = plan.nodes.some(({ maxWaiting }) => maxWaiting !== undefined);
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
  }

  /** Nobody waits for it any more. @param {unknown} error */
  abandon(error) {
    this.stop(error);
    this.leave();
  }

  /** @param {any} event @param {Routing} [routing] */
  async handOver({ data }, routing) {
    this.checkRunning();
    const { pool, entry, router } = this;
    const address = pool.addressOf(entry.routing, routing, data);
    router.submit(pack(pool.codec, data, "data", "Map: the event"), address);
    await pool.whenRoom(entry, address === undefined ? 0 : address.priority);
    if (this.isBounded) await router.room();
  }

  endInput() {
    this.router.endInput();
  }

  /** @param {any} entry */
  deliver(entry) {
    this.keep(entry);
  }
}

module.exports = { FlowRun };
