"use strict";
// A run of a pool in this process whose events go through a flow: where the items of each node go, when a node that waits for all of
// its items has them, and what becomes of failures. What a node does with an item is `in-process-node`'s business.

const { DetachedRun } = require("./detached-run");
const { NO_ADDRESS } = require("./in-process-job");
const { Lineage } = require("./in-process-lineage");
const { NodeJob } = require("./in-process-node");
const { seenOf } = require("./in-process-seen");
const { FailedItem, failureOf, open, pack } = require("./in-process-values");
const { IN_ORDER } = require("./pool-run");
const { functionsOf, planOfFlow } = require("../shared/flow/made");
const { JSON } = require("../shared/primordials");
const { errorToJson } = require("../shared/thrown");

/** @typedef {import("./in-process-job").InProcessPool} InProcessPool */
/** @typedef {import("./in-process-job").Outcome} Outcome */
/** @typedef {import("./in-process-node").Doing} Doing */
/** @typedef {InstanceType<typeof NodeJob>} ANode */
/** @typedef {import("./in-process-values").Item} Item */
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
    this.plan = planOfFlow(flow);
    const functions = functionsOf(flow);
    const isInOrder = options.order === "submission";
    const refusal = isInOrder ? IN_ORDER : undefined;
    this.seen = seenOf(pool, work);
    const about = { flow, work, options, args, refusal, run: this };
    this.nodes = this.plan.nodes.map((node) => new NodeJob(pool, node, functions, about));
    for (const [at, node] of this.nodes.entries()) {
      const { inputs } = this.plan.nodes[at];
      node.inputs = inputs.filter((input) => input > 0).map((input) => this.node(input));
      node.isBehind = node.inputs.some(({ waitsForAll, isBehind }) => waitsForAll || isBehind);
    }
    this.entry = this.node(this.plan.entry);
    this.isBounded = this.nodes.some(({ plan }) => plan.maxWaiting !== undefined);
    /** What reducers of this process get. @type {any} */
    this.args = {};
    this.hasAll = false;
    this.isSourceOver = false;
    /** If entries come in the order of their events. */
    this.lineage = isInOrder ? new Lineage((entry) => this.keep(entry)) : undefined;
  }

  get held() {
    return this.lineage === undefined ? 0 : this.lineage.held;
  }

  /** @param {number} number */
  node(number) {
    return this.nodes[number - 1];
  }

  get isDrained() {
    return this.nodes.every(({ isClosed, pending }) => isClosed && pending === 0);
  }

  /** @param {any} masterFn @param {any} args */
  lead(masterFn, args) {
    this.args = args;
    return super.lead(masterFn, args);
  }

  halt() {
    for (const node of this.nodes) node.stop();
  }

  /** Nobody waits for it any more. @param {unknown} error */
  abandon(error) {
    this.stop(error);
    this.leave();
  }

  /** @param {any} event @param {Routing} [routing] */
  async handOver({ data }, routing) {
    this.checkRunning();
    const { pool, entry } = this;
    const address = pool.addressOf(entry.routing, routing, data);
    const item = pack(pool.codec, data, "data", "Map: the event");
    const doing = { item };
    this.lineage?.submitted(doing);
    entry.begin(doing, address);
    await pool.whenRoom(entry, address === undefined ? 0 : address.priority);
    while (this.isBounded && this.isRunning && this.nodes.some((node) => node.isFull))
      await this.news();
  }

  endInput() {
    this.hasAll = true;
    this.advance();
  }

  /**
   * An event of a node has ended.
   * @param {ANode} node
   * @param {Doing} doing
   * @param {Outcome} outcome
   * @param {number} priority
   */
  settle(node, doing, { error, response, added }, priority) {
    this.pool.tally.count(added);
    this.lineage?.ends(doing, error === undefined ? response.length : 1);
    const address = priority === 0 ? NO_ADDRESS : { key: undefined, priority };
    if (added !== undefined) for (const item of added.emitted) this.entry.begin({ item }, address);
    if (error !== undefined) this.fail(node, node.itemOf(doing), error, priority);
    else if (doing.side !== undefined) this.hold(node, doing.side, response, priority);
    else for (const { port, item } of response) this.put(node, port, item, priority);
    this.lineage?.ended();
    this.hasEnded(node);
  }

  /** @param {ANode} node */
  hasEnded(node) {
    node.pending--;
    this.advance();
    this.onNews();
  }

  /** An item leaves a node. @param {ANode} node @param {number} at its port @param {Item} item @param {number} priority */
  put({ plan }, at, item, priority) {
    const { exit, next, spills } = plan.ports[at];
    if (next > 0) this.enter({ node: next, side: 0 }, item, priority);
    for (const input of spills) this.enter(input, item, priority);
    if (exit >= 0) this.leaveBy(exit, item, priority);
  }

  /** @param {number} exit @param {Item} item @param {number} priority */
  leaveBy(exit, item, priority) {
    for (const target of this.plan.exits[exit].to) {
      if ("node" in target) this.enter(target, item, priority);
      else this.sink(target.sink, item);
    }
  }

  /** What is undefined is no entry. @param {number} at @param {Item} item */
  sink(at, item) {
    const response = open(item);
    if (response === undefined) return;
    const sink = this.plan.sinks[at];
    const { id } = this.pool;
    this.show(sink === null ? { id, response } : { id, response, sink });
  }

  /** There is an entry. @param {any} entry */
  show(entry) {
    if (this.lineage === undefined) this.keep(entry);
    else this.lineage.hold(entry);
  }

  /** An item comes to a node. @param {{ node: number, side: number }} input @param {Item} item @param {number} priority */
  enter({ node: number, side }, item, priority) {
    const node = this.node(number);
    if (!node.plan.hold) {
      const doing = { item };
      this.lineage?.entered(doing);
      node.begin(doing, addressOf(priority));
    } else if (node.plan.hold === "batch") this.gather(node, item, priority);
    else if (node.isOpened) this.fail(node, item, told(tooLate(node.name)), priority);
    else if (node.plan.hold === "spill") this.enterKeyed(node, side, item, priority);
    else node.held.gather(item);
  }

  /** An item comes to a node that holds items by their keys. @param {ANode} node @param {number} side @param {Item} item @param {number} priority */
  enterKeyed(node, side, item, priority) {
    if (node.retries?.limit) {
      node.begin({ item, side }, addressOf(priority));
      return;
    }
    // To find a key is no event of its own unless it may be tried again.
    let keyed;
    try {
      keyed = node.keyed(item, side);
    } catch (thrown) {
      const { tally } = this.pool;
      const error = told(thrown, node.classes);
      tally.add(undefined);
      tally.end({ data: undefined, error, cause: "error" });
      this.seen?.tally.add(undefined);
      this.seen?.tally.end({ data: undefined, error, cause: "error" });
      this.fail(node, item, error, priority);
      return;
    }
    this.hold(node, side, keyed, priority);
  }

  /** The key of an item is known. @param {ANode} node @param {number} side @param {any} keyed @param {number} priority */
  hold(node, side, keyed, priority) {
    node.held.priority = Math.max(node.held.priority, priority);
    node.held.add(side, keyed);
  }

  /** @param {ANode} node @param {Item} item @param {number} priority */
  gather(node, item, priority) {
    const { held } = node;
    held.priority = priority;
    held.gather(item);
    // Nothing closes the last one of those that are emitted late.
    if (node.isOpened || held.isFull(node.plan.batch)) this.flush(node);
    else held.flushLater(node.plan.batch, () => this.flushInTime(node));
  }

  /** A batch is complete. @param {ANode} node */
  flush(node) {
    if (node.held.items.length > 0) this.put(node, 0, node.held.take(), node.held.priority);
  }

  /** A batch has waited for long enough. @param {ANode} node */
  flushInTime(node) {
    this.flush(node);
    this.onNews();
  }

  /** Nothing more comes to a node: it gives away what it holds. @param {ANode} node */
  open(node) {
    const { held, plan } = node;
    const address = addressOf(held.priority);
    if (plan.hold === "batch") this.flush(node);
    else if (plan.hold === "all") node.begin({ item: held.take() }, address);
    else if (plan.hold === "master") this.reduce(node);
    else if (plan.kind === "sortBy")
      for (const item of held.sorted()) this.put(node, 0, item, held.priority);
    else for (const group of held.groups()) node.begin({ group }, address);
  }

  /** Reduces what the program itself is to reduce. @param {ANode} node */
  async reduce(node) {
    const { held, fn, name } = node;
    const all = held.take();
    node.pending++;
    let item;
    try {
      const reduced = await fn(open(all), this.args);
      item = pack(this.pool.codec, reduced, "data", `what ${name} has returned`);
    } catch (thrown) {
      if (this.isRunning) this.fail(node, all, told(thrown, node.classes), held.priority);
    }
    if (!this.isRunning) return;
    if (item !== undefined) this.put(node, 0, item, held.priority);
    this.hasEnded(node);
  }

  /** An item has failed for good. @param {ANode} node @param {Item} item @param {any} error @param {number} priority */
  fail({ name, plan }, item, error, priority) {
    const about = { id: this.pool.id, error, node: name };
    if (plan.errors >= 0) this.leaveBy(plan.errors, new FailedItem(about, item), priority);
    else this.show(failureOf(about, item));
  }

  /** Opens the nodes that nothing more comes to. */
  advance() {
    if (!this.isSourceOver) {
      // What has not passed a node that waits for all may still emit events.
      this.isSourceOver =
        this.hasAll && this.nodes.every(({ isBehind, pending }) => isBehind || pending === 0);
      if (!this.isSourceOver) return;
    }
    for (const node of this.nodes) {
      if (node.isClosed || node.pending > 0 || !node.inputs.every(isClosed)) continue;
      if (node.plan.hold && !node.isOpened) {
        node.isOpened = true;
        this.open(node);
        if (node.pending > 0) continue;
      }
      node.isClosed = true;
    }
  }
}

/** @param {ANode} node */
const isClosed = (node) => node.isClosed;

/** @param {number} priority */
const addressOf = (priority) => (priority === 0 ? NO_ADDRESS : { key: undefined, priority });

/** An error as it travels. @param {unknown} thrown @param {ReadonlySet<string>} [classes] */
const told = (thrown, classes) => JSON.parse(errorToJson(thrown, classes));

/** @param {string} name */
const tooLate = (name) =>
  new Error(
    `${name}: an event that was emitted behind it comes back to it, and it has given away all of its items`,
  );

module.exports = { FlowRun };
