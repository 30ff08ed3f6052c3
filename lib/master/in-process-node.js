"use strict";
// A node of a flow in this process: what its function is called with and what it puts out, as events of the pool with the node's own
// retries, time limit and concurrency. Where its outputs go is `in-process-flow`'s business.

const { Held } = require("./in-process-held");
const { told } = require("./flow-router");
const { Job } = require("./in-process-job");
const { NOTHING, lengthOf, open, pack } = require("./in-process-values");
const { drain } = require("../shared/flow/drain");
const { combined, isKey, noBranch, noItem, noKey, noPair } = require("../shared/flow/rules");
const { Values } = require("../shared/flow/values");
const { ownOf } = require("../shared/own");
const { JSON } = require("../shared/primordials");
const { endScope } = require("../shared/sync/scopes");
const { PublicTask } = require("../shared/task");
const { errorToJson } = require("../shared/thrown");

/** @typedef {import("./in-process-job").InProcessPool} InProcessPool */
/** @typedef {import("./in-process-job").Outcome} Outcome */
/** @typedef {import("./in-process-held").Group} Group */
/** @typedef {import("./in-process-values").Item} Item */
/** @typedef {import("../shared/flow/plan").PlanNode} PlanNode */
/** @typedef {import("./flow-router").Doing} Doing */
/** @typedef {import("./flow-router").Output} Output */
/** @typedef {import("./flow-router").Via} Via */
/**
 * @typedef {object} About
 * @property {object} flow
 * @property {import("./work").Work} work
 * @property {import("../shared/options").Options} options of the call
 * @property {string | undefined} args
 * @property {string | undefined} refusal why events cannot emit others
 * @property {InstanceType<typeof import("./in-process-flow").FlowRun>} run
 */

class NodeJob extends Job {
  /** @param {InProcessPool} pool @param {PlanNode} node @param {any[]} functions by the graph's nodes @param {About} about */
  constructor(pool, node, functions, { flow, work, options, args, refusal, run }) {
    const { retries = options.retries, taskTimeout = options.taskTimeout } = node;
    // A label is of the run's events, and not of a node's items.
    const own = ownOf(options, { retries, taskTimeout, label: undefined });
    super(pool, work, own, { args, keepsData: false, refusal, seen: run.seen });
    this.run = run;
    this.plan = node;
    this.name = node.name;
    this.fn = functions[node.graph];
    const { concurrency } = node;
    const places = pool.size / pool.concurrency;
    const most = concurrency === undefined ? undefined : concurrency * places;
    this.limits = pool.limited.limitOf(flow, node.number, most);
    // No worker would have such tags.
    if (node.hold !== "master") pool.addressOf({ tags: node.tags }, undefined, undefined);
    this.held = new Held();
    /** Those that it has items from. @type {import("./flow-router").FlowNode[]} */
    this.inputs = [];
    /** Behind a node that waits for all of its items. */
    this.isBehind = false;
    /** Its events that have not ended. */
    this.pending = 0;
    /** It has begun to give away what it holds. */
    this.isOpened = false;
    /** Nothing comes of it any more. */
    this.isClosed = false;
  }

  /** Whether more of its items wait than may. */
  get isFull() {
    const { maxWaiting } = this.plan;
    return maxWaiting !== undefined && this.pending > maxWaiting + this.pool.size;
  }

  /** @param {Doing} doing @param {{ key: string | undefined, priority: number }} [address] */
  begin(doing, address) {
    this.pending++;
    if (doing.item !== undefined) this.pool.tally.bytesIn += lengthOf(doing.item);
    /** @type {any} */
    const packed = doing;
    const settle = (/** @type {Outcome} */ outcome, /** @type {number} */ priority) =>
      this.settle(doing, outcome, priority);
    this.addPacked(packed, settle, address);
  }

  /** @param {Doing} doing @param {Outcome} outcome @param {number} priority */
  settle(doing, { error, response: outputs, added }, priority) {
    const { pool, run } = this;
    pool.tally.count(added);
    const emitted = added === undefined ? [] : added.emitted;
    run.router.settle(this, doing, { error, outputs, emitted }, { id: pool.id, priority });
  }

  /** An item comes that is to be held by its key. @param {number} side @param {Item} item @param {Via} via */
  enterKeyed(side, item, via) {
    const { pool, run } = this;
    if (this.retries?.limit) {
      this.begin({ item, side }, { key: undefined, priority: via.priority });
      return;
    }
    // To find a key is no event of its own unless it may be tried again.
    let keyed;
    try {
      keyed = this.keyed(item, side);
    } catch (thrown) {
      const error = told(thrown, this.classes);
      for (const tally of [pool.tally, ...(run.seen ? [run.seen.tally] : [])]) {
        tally.add(undefined);
        tally.end({ data: undefined, error, cause: "error" });
      }
      run.router.fail(this, item, error, via);
      return;
    }
    run.router.hold(this, side, keyed, via);
  }

  stop() {
    this.held.forget();
    super.stop();
  }

  /** What is shown of a failure is its item: see there. @returns {undefined} */
  dataOf() {
    return undefined;
  }

  /** The item that an event's failure tells of. @param {Doing} doing @returns {Item} */
  itemOf({ item, group }) {
    if (group === undefined) return item || NOTHING;
    return pack(this.pool.codec, { key: group.key }, "data", "the key");
  }

  /** @param {{ packed: any }} event @param {InstanceType<typeof PublicTask>} task @returns {Promise<Outcome>} */
  async runEventStages({ packed }, task) {
    try {
      const response = await this.outputsOf(packed, task);
      return { data: undefined, response, added: PublicTask.end(task) };
    } catch (thrown) {
      PublicTask.end(task);
      const error = JSON.parse(errorToJson(thrown, this.classes));
      return { data: undefined, error, cause: "error" };
    } finally {
      endScope(task);
    }
  }

  /** @param {Doing} doing @param {InstanceType<typeof PublicTask>} task @returns {any} */
  outputsOf({ item = NOTHING, side, group }, task) {
    if (group !== undefined) return GROUPS[this.plan.kind](this, group);
    if (side !== undefined) return this.keyed(item, side);
    return STEPS[this.plan.kind](this, item, task);
  }

  /** Calls the function of a step. @param {Item} item @param {InstanceType<typeof PublicTask>} task */
  call(item, task) {
    const { fn } = this;
    return fn({ data: open(item) }, this.copyArgs(), task);
  }

  /** An item with its key. @param {Item} item @param {number} side */
  keyed(item, side) {
    const { fn, plan } = this;
    const value = open(item);
    if (plan.kind === "reduceByKey" || plan.kind === "groupByKey") {
      if (!Array.isArray(value) || value.length !== 2) throw noPair(this, value);
      if (!isKey(value[0])) throw noKey(this, value[0]);
      return { key: value[0], item: this.packed(value[1]) };
    }
    const keyOf = plan.kind === "join" ? fn[side] : fn;
    const key = keyOf(value);
    if (!isKey(key)) throw noKey(this, key);
    return { key, item };
  }

  /** @param {any} value that is put out */
  packed(value) {
    if (typeof value === "function" || typeof value === "symbol") throw noItem(value);
    const packed = pack(this.pool.codec, value, "response", "the output");
    this.pool.tally.bytesOut += lengthOf(packed);
    return packed;
  }

  /** @param {any} value @returns {Output[]} */
  out(value) {
    return [{ port: 0, item: this.packed(value) }];
  }
}

/** @type {Record<string, (node: NodeJob, item: Item, task: InstanceType<typeof PublicTask>) => Output[] | Promise<Output[]>>} */
const STEPS = {
  identity: (_, item) => [{ port: 0, item }],

  async map(node, item, task) {
    return node.out(await node.call(item, task));
  },

  async filter(node, item, task) {
    return (await node.call(item, task)) ? [{ port: 0, item }] : [];
  },

  async split(node, item, task) {
    const branch = await node.call(item, task);
    const { branches = [] } = node.plan;
    const port = branches.indexOf(branch);
    if (port < 0) throw noBranch(node.name, branches, branch);
    return [{ port, item }];
  },

  async flatMap(node, item, task) {
    const outputs = await node.call(item, task);
    /** @type {Output[]} */
    const all = [];
    const step = { name: node.name, out: { next: undefined } };
    const attempt = {
      entry: step,
      mark() {},
      keep() {},
      rollBack() {},
      emit: (/** @type {any} */ _, /** @type {any} */ value) => {
        all.push(...node.out(value));
      },
      fail: (/** @type {any} */ _, /** @type {any} */ __, /** @type {unknown} */ thrown) => {
        throw thrown;
      },
    };
    await drain({ walk: () => undefined }, step, undefined, outputs, attempt);
    return all;
  },

  async reduce(node, item) {
    const { fn } = node;
    return node.out(await fn(open(item), node.copyArgs()));
  },
};

/** @type {Record<string, (node: NodeJob, group: Group) => Output[] | Promise<Output[]>>} */
const GROUPS = {
  reduceByKey(node, { key, sides: [values] }) {
    const combine = (/** @type {any} */ left, /** @type {Item} */ right) =>
      combined(node, left, open(right));
    return node.out([key, values.slice(1).reduce(combine, open(values[0]))]);
  },

  async groupByKey(node, { key, sides: [items] }) {
    const { fn } = node;
    let at = 0;
    const reader = { take: () => open(items[at++]) };
    const values = new Values({ hasValue: () => at < items.length, reader }, node.name);
    try {
      return node.out(await fn({ key, values }, node.copyArgs()));
    } finally {
      values.end();
    }
  },

  join(node, { key, sides: [lefts, rights] }) {
    const { join } = node.plan;
    const isEmpty = (/** @type {Item[]} */ side) => side.length === 0;
    if (isEmpty(rights) && (join === "left" || join === "outer"))
      return lefts.flatMap((left) => node.out({ key, left: open(left), right: undefined }));
    if (isEmpty(lefts) && join === "outer")
      return rights.flatMap((right) => node.out({ key, left: undefined, right: open(right) }));
    return rights.flatMap((right) =>
      lefts.flatMap((left) => node.out({ key, left: open(left), right: open(right) })),
    );
  },
};

module.exports = { NodeJob };
