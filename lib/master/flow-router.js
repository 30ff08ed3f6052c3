"use strict";
// Where the items of a flow go where this process decides it, and not the core: from node to node and to the sinks, when a node that waits
// for all of its items has them, and what becomes of failures. What a node does with an item is the business of the node that it is given.

const { Lineage } = require("./in-process-lineage");
const { FailedItem, NOTHING, failureOf, lengthOf, open, pack } = require("./in-process-values");
const { JSON } = require("../shared/primordials");
const { NO_ADDRESS } = require("../shared/routing");
const { errorToJson } = require("../shared/thrown");

/** @typedef {InstanceType<typeof import("./in-process-held").Held>} Held */
/** @typedef {import("./in-process-values").Item} Item */
/** @typedef {import("../shared/flow/plan").Plan} Plan */
/** @typedef {import("../shared/flow/plan").PlanNode} PlanNode */
/** @typedef {{ tags?: string[], key: string | undefined, priority: number }} Address */
/** Who made an item, and how urgent that was. @typedef {{ id: number, priority: number }} Via */
/**
 * What an event of a node is about: an item; with `side` the key of one is to be found; or a group's.
 * @typedef {{ item?: Item, side?: number, group?: import("./in-process-held").Group }} Doing
 */
/** What leaves a node by one of its ports. @typedef {{ port: number, item: Item }} Output */
/**
 * A node as it is run: `begin` begins an event, which ends with `settle` of the router; `pending` of them have not ended.
 * @typedef {object} FlowNode
 * @property {PlanNode} plan
 * @property {string} name
 * @property {any} fn
 * @property {ReadonlySet<string>} [classes]
 * @property {Held} held
 * @property {FlowNode[]} inputs those that it has items from
 * @property {boolean} isBehind a node that waits for all of its items
 * @property {boolean} isOpened it has begun to give away what it holds
 * @property {boolean} isClosed nothing comes of it any more
 * @property {number} pending
 * @property {boolean} isFull more of its items wait than may
 * @property {(doing: Doing, address?: Address) => any} begin
 * @property {(side: number, item: Item, via: Via) => void} enterKeyed an item comes that is to be held by its key
 * @property {(doing: Doing) => Item} itemOf what a failure tells of
 * @property {() => void} stop
 */
/**
 * The run that it is of.
 * @typedef {object} Run
 * @property {boolean} isRunning
 * @property {{ codec: import("../shared/codec").Codec }} pool
 * @property {(entry: any, bytes: number) => void} deliver gets the entries
 * @property {() => void} onNews
 * @property {(error: unknown) => void} stop
 * @property {() => Promise<void>} news
 */

class FlowRouter {
  /** @param {Run} run @param {Plan} plan @param {boolean} isInOrder entries come in the order of their events */
  constructor(run, plan, isInOrder) {
    this.run = run;
    this.plan = plan;
    /** @type {FlowNode[]} */
    this.nodes = [];
    /** What reducers of this process get. @type {any} */
    this.args = {};
    this.hasAll = false;
    this.isSourceOver = false;
    const deliver = (/** @type {{ entry: any, bytes: number }} */ { entry, bytes }) =>
      run.deliver(entry, bytes);
    this.lineage = isInOrder ? new Lineage(deliver) : undefined;
  }

  /** @param {FlowNode[]} nodes in the order of the plan */
  setNodes(nodes) {
    this.nodes = nodes;
    for (const [at, node] of nodes.entries()) {
      const { inputs } = this.plan.nodes[at];
      node.inputs = inputs.filter((input) => input > 0).map((input) => this.node(input));
      node.isBehind = node.inputs.some((input) => waitsForAll(input) || input.isBehind);
    }
    this.entry = this.node(this.plan.entry);
  }

  /** @param {number} number */
  node(number) {
    return this.nodes[number - 1];
  }

  /** How many entries wait for others. */
  get held() {
    return this.lineage === undefined ? 0 : this.lineage.held;
  }

  get isDrained() {
    return this.nodes.every(({ isClosed, pending }) => isClosed && pending === 0);
  }

  /** An event of the source. @param {Item} item @param {Address} [address] @returns {any} what the node makes of it */
  submit(item, address) {
    const doing = { item };
    this.lineage?.submitted(doing);
    return /** @type {FlowNode} */ (this.entry).begin(doing, address);
  }

  /** Resolves when no node has more to do than may wait. */
  async room() {
    const { run, nodes } = this;
    while (run.isRunning && nodes.some((node) => node.isFull)) await run.news();
  }

  /** All events were handed over. */
  endInput() {
    this.hasAll = true;
    this.advance();
  }

  stop() {
    for (const node of this.nodes) node.stop();
  }

  /**
   * An event of a node has ended.
   * @param {FlowNode} node
   * @param {Doing} doing
   * @param {{ error?: any, outputs?: any, emitted?: Item[] }} outcome `outputs`: what `out` takes, or the item with its key
   * @param {Via} via
   */
  settle(node, doing, { error, outputs, emitted = [] }, via) {
    this.lineage?.ends(doing, error === undefined ? outputs.length : 1);
    const address = addressOf(via.priority);
    for (const item of emitted) /** @type {FlowNode} */ (this.entry).begin({ item }, address);
    if (error !== undefined) this.fail(node, node.itemOf(doing), error, via);
    else if (doing.side !== undefined) this.hold(node, doing.side, outputs, via);
    else for (const output of outputs) this.out(node, output, via);
    this.lineage?.ended();
    this.hasEnded(node);
  }

  /** @param {FlowNode} node */
  hasEnded(node) {
    node.pending--;
    this.advance();
    this.run.onNews();
  }

  /** @param {FlowNode} node @param {any} output @param {Via} via */
  out(node, { port, item }, via) {
    this.put(node, port, item, via);
  }

  /** An item leaves a node. @param {FlowNode} node @param {number} at its port @param {Item} item @param {Via} via */
  put({ plan }, at, item, via) {
    const { exit, next, spills } = plan.ports[at];
    if (next > 0) this.enter({ node: next, side: 0 }, item, via);
    for (const input of spills) this.enter(input, item, via);
    if (exit >= 0) this.leaveBy(exit, item, via);
  }

  /** @param {number} exit @param {Item} item @param {Via} via */
  leaveBy(exit, item, via) {
    for (const target of this.plan.exits[exit].to) {
      if ("node" in target) this.enter(target, item, via);
      else this.sink(target.sink, item, via);
    }
  }

  /** What is undefined is no entry. @param {number} at @param {Item} item @param {Via} via */
  sink(at, item, { id }) {
    const response = open(item);
    if (response === undefined) return;
    const sink = this.plan.sinks[at];
    this.show(sink === null ? { id, response } : { id, response, sink }, lengthOf(item));
  }

  /** There is an entry. @param {any} entry @param {number} bytes */
  show(entry, bytes) {
    if (this.lineage === undefined) this.run.deliver(entry, bytes);
    else this.lineage.hold({ entry, bytes });
  }

  /** An item comes to a node. @param {{ node: number, side: number }} input @param {Item} item @param {Via} via */
  enter({ node: number, side }, item, via) {
    const node = this.node(number);
    if (!node.plan.hold) this.begin(node, item, addressOf(via.priority));
    else if (node.plan.hold === "batch") this.gather(node, item, via);
    else if (node.isOpened) this.fail(node, item, told(tooLate(node.name)), via);
    else if (node.plan.hold === "spill") node.enterKeyed(side, item, via);
    else node.held.gather(item);
  }

  /** @param {FlowNode} node @param {Item} item @param {Address} address */
  begin(node, item, address) {
    const doing = { item };
    this.lineage?.entered(doing);
    node.begin(doing, address);
  }

  /** The key of an item is known. @param {FlowNode} node @param {number} side @param {any} keyed @param {Via} via */
  hold(node, side, keyed, { priority }) {
    node.held.priority = Math.max(node.held.priority, priority);
    node.held.add(side, keyed);
  }

  /** @param {FlowNode} node @param {Item} item @param {Via} via */
  gather(node, item, { id, priority }) {
    const { held } = node;
    Object.assign(held, { id, priority });
    held.gather(item);
    // Nothing closes the last one of those that are emitted late.
    if (node.isOpened || held.isFull(node.plan.batch)) this.flush(node);
    else held.flushLater(node.plan.batch, () => this.flushInTime(node));
  }

  /** A batch is complete. @param {FlowNode} node */
  flush(node) {
    const { held } = node;
    if (held.items.length > 0) this.put(node, 0, held.take(), held);
  }

  /** A batch has waited for long enough. @param {FlowNode} node */
  flushInTime(node) {
    this.flush(node);
    this.run.onNews();
  }

  /** Nothing more comes to a node: it gives away what it holds. @param {FlowNode} node */
  open(node) {
    const { held, plan } = node;
    const address = addressOf(held.priority);
    if (plan.hold === "batch") this.flush(node);
    else if (plan.hold === "all") node.begin({ item: held.take() }, address);
    else if (plan.hold === "master") this.reduce(node);
    else if (plan.kind === "sortBy")
      for (const item of held.sorted()) this.put(node, 0, item, held);
    else for (const group of held.groups()) node.begin({ group }, address);
  }

  /** Reduces what the program itself is to reduce. @param {FlowNode} node */
  async reduce(node) {
    const { held, fn, name } = node;
    const { run } = this;
    const all = held.take();
    node.pending++;
    // What a failure tells of: not what cannot be decoded.
    /** @type {Item} */
    let about = NOTHING;
    let item;
    try {
      const items = open(all);
      about = all;
      item = pack(run.pool.codec, await fn(items, this.args), "data", `what ${name} has returned`);
    } catch (thrown) {
      if (run.isRunning) this.fail(node, about, told(thrown, node.classes), held);
    }
    if (!run.isRunning) return;
    if (item !== undefined) this.put(node, 0, item, held);
    this.hasEnded(node);
  }

  /** An item has failed for good. @param {FlowNode} node @param {Item} item @param {any} error @param {Via} via */
  fail({ name, plan }, item, error, via) {
    const about = { id: via.id, error, node: name };
    if (plan.errors >= 0) this.leaveBy(plan.errors, new FailedItem(about, item), via);
    else this.show(failureOf(about, item), lengthOf(item));
  }

  /** Opens the nodes that nothing more comes to. */
  advance() {
    // Of a run that was stopped nothing is given away.
    if (!this.run.isRunning) return;
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

/** @param {FlowNode} node */
const waitsForAll = ({ plan: { hold } }) => hold !== null && hold !== "batch";

/** @param {FlowNode} node */
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

module.exports = { FlowRouter, told, tooLate };
