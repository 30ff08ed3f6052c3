"use strict";
// A node of a flow over several machines: its events run in the workers of any host, through the nodes that run in the same event. Where
// its outputs go is the router's business.

const { elapsed } = require("./clock");
const { NodeCounts } = require("./flow-counts");
const { carriedItem, carriedPacked, outputsOf, packed, packedOf, placed, shown } =
  require("./flow-items");
const { carriedOf, readOf } = require("./outcome");
const { Shuffle, checkTold, dataOf } = require("./shuffle");
const { told } = require("../master/flow-router");
const { Held } = require("../master/in-process-held");
const { NOTHING, open } = require("../master/in-process-values");
const { Promise, Set, clearTimeout, setTimeout } = require("../shared/primordials");

/** @typedef {import("../master/flow-router").Address} Address */
/**
 * `of`: what a failure tells of, if that is not the item; `merge`: it only merges what was written.
 * @typedef {import("../master/flow-router").Doing & { of?: Packed, merge?: import("./shuffle").Merge }} Doing
 */
/** @typedef {import("../master/flow-router").Via} Via */
/** @typedef {import("../master/in-process-values").Item} Item */
/** @typedef {import("../master/in-process-values").Packed} Packed */
/** @typedef {import("../shared/flow/plan").PlanNode} PlanNode */
/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("./coordinator").Event} Event */
/** @typedef {import("./coordinator").Kept} Kept */

class ClusterNode {
  /**
   * @param {InstanceType<typeof import("./flow-run").ClusterFlowRun>} run
   * @param {PlanNode} plan
   * @param {{ fn: any, tags: string[], isEntry: boolean, retries: import("../shared/options").Options["retries"],
   *   place?: import("../shared/flow/carried").Place }} how `place`: where its events write and read
   * @param {import("./station").Run | undefined} about its events; none if it runs in this process
   */
  constructor(run, plan, { fn, tags, isEntry, retries, place }, about) {
    this.run = run;
    this.plan = plan;
    this.name = plan.name;
    this.fn = fn;
    this.tags = tags;
    this.isEntry = isEntry;
    this.retries = retries;
    this.place = place;
    this.about = about;
    this.shuffle = new Shuffle();
    this.counts = new NodeCounts();
    this.classes = new Set(run.pool.errors.keys());
    this.held = new Held();
    /** @type {import("../master/flow-router").FlowNode[]} */
    this.inputs = [];
    this.isBehind = false;
    this.isOpened = false;
    this.isClosed = false;
    this.pending = 0;
    /** The event that was begun last. @type {Event | undefined} */
    this.last = undefined;
    /** Of items that are tried again later. @type {globalThis.Set<NodeJS.Timeout>} */
    this.timers = new Set();
  }

  /** Whether more of its items wait than may; events of the source wait for room by themselves. */
  get isFull() {
    const { plan, last, run } = this;
    const { coordinator, places } = run.pool;
    if (plan.maxWaiting !== undefined) return this.pending > plan.maxWaiting + places;
    return !this.isEntry && last !== undefined && !coordinator.hasRoom(last);
  }

  /** How many of its events no host has. */
  get waiting() {
    const { about, run, timers } = this;
    const { runs, account } = run.pool.coordinator;
    const going = about === undefined ? undefined : runs.get(about.number);
    const numbers = going === undefined ? [] : [...going.events.keys()];
    return timers.size + numbers.filter((number) => account.waits(number)).length;
  }

  /**
   * @param {Doing} doing
   * @param {Address & { kept?: Kept }} [address]
   * @param {number} [lost] how many attempts it has had already
   * @returns {Event | undefined}
   */
  begin(doing, { tags = this.tags, key, priority, kept } = ANY, lost = 0) {
    const { run, about } = this;
    // What is told of one entry may have stopped the run.
    if (!run.isRunning || about === undefined) return undefined;
    this.pending++;
    if (lost === 0) this.counts.events++;
    const { item = NOTHING, of } = doing;
    let value;
    try {
      value = carriedItem(run.pool.codec, item);
    } catch (error) {
      this.cannotBegin(doing, error, priority);
      return undefined;
    }
    const counted = run.counters.begin(of === undefined ? shown(item, value) : carriedPacked(of));
    if (this.place !== undefined) value = placed(value, this.place);
    const at = elapsed();
    const settle = (/** @type {Outcome} */ outcome) =>
      this.settle(doing, { counted, at }, outcome, priority);
    const address = { tags, key, priority, kept };
    const event = run.pool.coordinator.add(about, value, settle, address, lost);
    event.counted = counted;
    this.last = event;
    return event;
  }

  /** @param {Doing} doing @param {unknown} thrown @param {number} priority */
  async cannotBegin(doing, thrown, priority) {
    const { run, classes, counts } = this;
    const error = told(thrown, classes);
    counts.failed++;
    const counted = run.counters.begin(carriedPacked(NOTHING));
    run.counters.end(counted, { told: error, attempts: 1, worker: 0 }, true);
    await Promise.resolve();
    if (run.isRunning) run.router.settle(this, doing, { error }, { id: 0, priority });
  }

  /** @param {Doing} doing @param {{ counted: any, at: number }} begun @param {Outcome} outcome @param {number} priority */
  settle(doing, { counted, at }, outcome, priority) {
    const { run } = this;
    const { error, outputs, emitted = [] } = resultOf(outcome, run.router.plan, this.about?.hops);
    outcome.told = error;
    this.counts.ended(outcome, error !== undefined, elapsed() - at);
    if (error !== undefined && doing.merge !== undefined) {
      run.counters.end(counted, outcome, true);
      this.notMerged(doing.merge, error);
      return;
    }
    run.counters.end(counted, outcome, outputs === undefined);
    run.router.settle(this, doing, { error, outputs, emitted }, { id: outcome.worker, priority });
  }

  /** An item has failed here in the event of a node before this one. @param {{ item: Packed, error: any, again: string }} failed @param {Via} via */
  failedBehind({ item, error, again }, via) {
    const { retries, run, counts } = this;
    counts.events++;
    if (retries && retries.limit > 0 && retries.on.includes("error")) {
      this.tryAgain(again === "" ? { item } : { item: packed(again), of: item }, via.priority);
      return;
    }
    counts.failed++;
    const counted = run.counters.begin(carriedPacked(item));
    run.counters.end(counted, { told: error, attempts: 1, worker: via.id }, true);
    run.router.fail(this, item, error, via);
  }

  /** A worker has written what comes to this node. @param {any} told @param {ClusterNode} from the node whose event it was */
  written(told, from) {
    this.shuffle.add(told);
    const records = this.counts.written(told);
    if (from !== this) {
      this.counts.spilled.records += records;
      from.counts.made += records;
    }
    this.merge();
  }

  /** Has workers merge what one of them could not read at once. */
  merge() {
    for (let merge = this.shuffle.excess(); merge !== undefined; merge = this.shuffle.excess())
      this.begin({ item: packed(dataOf(merge, true)), of: NOTHING, merge });
  }

  /** @param {import("./shuffle").Merge} merge @param {any} error */
  notMerged(merge, error) {
    const { run, shuffle } = this;
    if (shuffle.putBack(merge)) this.merge();
    else run.router.stopBy(error);
    run.router.hasEnded(this);
  }

  /** All has come: what was written is read. */
  readAll() {
    for (const data of this.shuffle.take()) this.begin({ item: packed(data), of: NOTHING });
  }

  /** An event of it goes on in another one. @param {string} data @param {Via} via */
  further(data, { priority }) {
    this.begin({ item: packed(data), of: NOTHING }, { key: undefined, priority });
  }

  /** An item is tried again, in an event of its own. @param {Doing} doing @param {number} priority */
  tryAgain(doing, priority) {
    const { backoff = 0, maxDelay = Infinity } = this.retries || {};
    this.run.router.lineage?.entered(doing);
    const address = { key: undefined, priority };
    const delay = Math.min(backoff, maxDelay);
    if (delay === 0) {
      this.begin(doing, address, 1);
      return;
    }
    this.pending++;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.pending--;
      this.begin(doing, address, 1);
    }, delay);
    this.timers.add(timer);
  }

  /** Workers write what is held by keys: it never comes here. */
  enterKeyed() {}

  /** @param {Doing} doing @returns {Item} */
  itemOf({ item = NOTHING, of }) {
    return of || item;
  }

  stop() {
    this.held.forget();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    if (this.about !== undefined) this.run.pool.coordinator.end(this.about);
  }
}

/** @type {Address & { kept?: Kept }} */
const ANY = { key: undefined, priority: 0 };

/**
 * What an event has come to. An answer that cannot be read is a failure.
 * @param {Outcome} outcome
 * @param {import("../shared/flow/plan").Plan} plan
 * @param {import("./station").Run["hops"]} hops what its host may have kept
 * @returns {{ error?: any, outputs?: import("./flow-items").Output[], emitted?: Packed[] }}
 */
function resultOf(outcome, plan, hops) {
  const { told: error, value } = readOf(outcome);
  if (error !== undefined) return { error };
  try {
    if (typeof value !== "string" && !(value instanceof Uint8Array))
      throw new RangeError("it has no records");
    const outputs = outputsOf(value);
    for (const output of outputs) checkOutput(output, plan);
    noteKept(outputs, outcome, hops);
    const emitted = (outcome.emitted || []).map((one) => packedOf(carriedOf(one)));
    for (const one of emitted) open(one);
    return { outputs, emitted };
  } catch (thrown) {
    const message = `an answer of worker ${outcome.worker} cannot be read: ${Object(thrown).message}`;
    const stack = `Error: ${message}`;
    return { error: { name: "Error", message, stack, code: "ERR_SONIC_PROTOCOL" } };
  }
}

/**
 * Notes which outputs the host has kept, which it may of some exits.
 * @param {any[]} outputs
 * @param {Outcome} outcome
 * @param {import("./station").Run["hops"]} hops
 */
function noteKept(outputs, { keep = [], by }, hops = []) {
  for (const [chunk, event, from, count] of keep)
    for (let at = 0; at < count; at++) {
      const output = outputs[from + at];
      const mayBe = output !== undefined && hops.some(([exit]) => exit === output.exit);
      if (!mayBe || output.kept !== undefined) throw new RangeError("it has kept what it may not");
      output.kept = { by, chunk, at: event - at };
    }
}

/** It comes from the network. @param {any} output @param {import("../shared/flow/plan").Plan} plan */
function checkOutput({ exit, node, to, told, error, item }, { exits, nodes }) {
  const isOut = exit === undefined || exits[exit] !== undefined;
  const isNode = node === undefined || nodes[node - 1] !== undefined;
  const isWritten = to === undefined || nodes[to - 1]?.hold === "spill";
  if (!isOut || !isNode || !isWritten)
    throw new RangeError("it names a part of the flow that there is not");
  if (to !== undefined) checkTold(told);
  if (node !== undefined && typeof Object(error).message !== "string")
    throw new RangeError("it has a failure without an error");
  // What cannot be decoded is its worker's fault, and no other event's.
  if (item !== undefined) open(item);
}

module.exports = { ClusterNode };
