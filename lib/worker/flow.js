"use strict";
// Runs the events of a flow in a worker: from the node at which an event enters through all nodes that run in the same event. What it
// puts out goes into records (flow/records.js); keys and values that go through files are groups.js' and spill.js'.

const { Attempt } = require("./flow/attempt");
const {
  FILTER,
  FLAT_MAP,
  IN_MASTER,
  MAP,
  PASS,
  REDUCE,
  SPILL,
  SPLIT,
  stepsOf,
} = require("./flow/steps");
const { drain } = require("../shared/flow/drain");
const { noBranch, noItem } = require("../shared/flow/rules");

/** What `run` has returned: a value, what is in an answer's records, or a promise of an `Outcome`. */
const PLAIN = 0;
const OUTPUTS = 1;
const PENDING = 2;

/** @typedef {{ plain: true, value: any } | { plain: false, payload: string | import("buffer").Buffer }} Outcome */
/** @typedef {import("./flow/steps").AnyStep} Step */
/** @typedef {import("./flow/attempt").How} How */
/** @typedef {InstanceType<typeof Attempt>} AttemptOf */
/** @typedef {Promise<void> | undefined} Wait undefined if nothing is to be waited for */
/** @typedef {FlowWork} Work */

/**
 * @typedef {object} About
 * @property {import("./flow/steps").Plan} plan
 * @property {any[]} functions by the indexes of the graph's nodes
 * @property {import("../shared/codec").Codec} codec
 * @property {ReadonlySet<string>} [errors] the names of those classes of errors that the master knows
 * @property {import("./spill").AnySpill} [spill] if the plan has anything that goes through files
 */

class FlowWork {
  /** @param {About} about */
  constructor({ plan, functions, codec, errors, spill }) {
    this.codec = codec;
    this.errors = errors;
    this.spill = /** @type {import("./spill").AnySpill} */ (spill);
    this.steps = stepsOf(plan, functions);
    // Loaded where it is used: a flow without would wait for it at every worker's start.
    this.enterHold = spill === undefined ? noSpill : require("./groups").enterHold;
    /** Says what the last call of `run` has returned. */
    this.returned = PLAIN;
  }

  /**
   * Runs an event that enters at a node. To make nothing for a short event, what it returns stands for itself, and `returned` says
   * what it is: PLAIN, the one output at the node's plain exit; OUTPUTS, the records of the answer; PENDING, a promise of an
   * `Outcome`. Throws or rejects with what was thrown if the event as a whole has failed.
   * @param {number} node
   * @param {any} data
   * @param {() => any} args
   * @param {any} [context]
   * @returns {any}
   */
  run(node, data, args, context) {
    const step = this.steps[node];
    if (step.chain !== undefined) return this.runChain(step.chain, data, args, context);
    const attempt = new Attempt(this, step, { args, context });
    const wait = this.enter(step, data, attempt);
    if (wait === undefined) return this.returnOutputs(attempt);
    this.returned = PENDING;
    return wait.then(() => ({ plain: false, payload: attempt.payload() }));
  }

  /** What an event goes through that enters at a node, if that is nothing but maps. @param {number} node @returns {Step[] | undefined} */
  mapsFrom(node) {
    const { chain } = this.steps[node];
    return chain?.every(({ kind }) => kind === MAP) ? chain : undefined;
  }

  /** @param {AttemptOf} attempt */
  returnOutputs(attempt) {
    this.returned = OUTPUTS;
    return attempt.payload();
  }

  /** @param {Step} step @param {any} data @param {AttemptOf} attempt @returns {Wait} */
  enter(step, data, attempt) {
    if (step.kind === IN_MASTER) throw new Error(`node ${step.name} runs in the master`);
    if (step.kind === SPILL) return this.enterHold(this, step, data, attempt);
    return this.walk(step, data, attempt);
  }

  /**
   * Where there is one output at most: no records are made for what is plain.
   * @param {Step[]} chain
   * @param {any} data
   * @param {() => any} args
   * @param {any} context
   */
  runChain(chain, data, args, context) {
    let value = data;
    let entered = data;
    let at = 0;
    try {
      for (; at < chain.length; at++) {
        // As a member of the step it would have that as `this`.
        const { kind, fn } = chain[at];
        entered = value;
        if (kind === PASS) continue;
        const result = kind === REDUCE ? fn(value, args()) : fn({ data: value }, args(), context);
        if (isPromise(result))
          return this.leaveChain(chain, at, entered, result, { args, context });
        if (kind !== FILTER) value = result;
        else if (!result) {
          this.returned = OUTPUTS;
          return "";
        }
      }
    } catch (thrown) {
      return this.failChain(chain, at, entered, thrown, { args, context });
    }
    return this.leaveChain(chain, at, entered, value, { args, context });
  }

  /**
   * A step of a chain has returned a promise, or its last step a value; returns what `run` does.
   * @param {Step[]} chain
   * @param {number} at the step; the chain's length if all steps have returned
   * @param {any} data what the step got
   * @param {any} result
   * @param {How} how
   */
  leaveChain(chain, at, data, result, how) {
    if (at < chain.length) {
      this.returned = PENDING;
      return this.finishChain(chain, at, data, result, how);
    }
    const attempt = isSimple(result) ? undefined : this.chainOutput(chain, data, result, how);
    if (attempt !== undefined) return this.returnOutputs(attempt);
    this.returned = PLAIN;
    return result;
  }

  /** A step of a chain has thrown; returns what `run` does. @type {(chain: Step[], at: number, data: any, thrown: unknown, how: How) => any} */
  failChain(chain, at, data, thrown, how) {
    return this.returnOutputs(this.failedAlone(chain, at, data, thrown, how));
  }

  /**
   * @param {Step[]} chain
   * @param {number} first the step that has returned a promise
   * @param {any} data what that got
   * @param {PromiseLike<any>} promise
   * @param {How} how
   * @returns {Promise<Outcome>}
   */
  async finishChain(chain, first, data, promise, how) {
    let value = data;
    let entered = data;
    let at = first;
    let result = promise;
    try {
      for (;;) {
        const settled = await result;
        if (chain[at].kind !== FILTER) value = settled;
        else if (!settled) return { plain: false, payload: "" };
        at++;
        while (at < chain.length && chain[at].kind === PASS) at++;
        if (at === chain.length) break;
        const { fn } = chain[at];
        entered = value;
        result = fn({ data: value }, how.args(), how.context);
      }
    } catch (thrown) {
      return outcomeOf(this.failedAlone(chain, at, entered, thrown, how));
    }
    const attempt = isSimple(value) ? undefined : this.chainOutput(chain, entered, value, how);
    return attempt === undefined ? { plain: true, value } : outcomeOf(attempt);
  }

  /** A chain whose item failed. @type {(chain: Step[], at: number, data: any, thrown: unknown, how: How) => AttemptOf} */
  failedAlone(chain, at, data, thrown, how) {
    const attempt = new Attempt(this, chain[0], how);
    attempt.fail(chain[at], data, thrown);
    return attempt;
  }

  /**
   * The output of a chain that may have no encoding. It is encoded here where that would be the failure of a node behind the entry:
   * nothing is returned if it may be plain.
   * @type {(chain: Step[], data: any, value: any, how: How) => AttemptOf | undefined}
   */
  chainOutput(chain, data, value, how) {
    const last = chain[chain.length - 1];
    if (chain.length === 1) {
      if (typeof value === "function" || typeof value === "symbol") throw noItem(value);
      return undefined;
    }
    const attempt = new Attempt(this, chain[0], how);
    try {
      attempt.emit(last.out, value);
    } catch (thrown) {
      attempt.fail(last, data, thrown);
    }
    return attempt;
  }

  /**
   * An item enters a step.
   * @param {Step} step
   * @param {any} data
   * @param {AttemptOf} attempt
   * @returns {Wait}
   */
  walk(step, data, attempt) {
    const { kind, fn } = step;
    let result = data;
    try {
      if (kind === REDUCE) result = fn(data, attempt.args());
      else if (kind !== PASS) result = fn({ data }, attempt.args(), attempt.context);
      if (kind !== PASS && isPromise(result)) return this.walkLater(step, data, result, attempt);
    } catch (thrown) {
      attempt.fail(step, data, thrown);
      return undefined;
    }
    return this.leave(step, data, result, attempt);
  }

  /** @type {(step: Step, data: any, promise: PromiseLike<any>, attempt: AttemptOf) => Promise<void>} */
  async walkLater(step, data, promise, attempt) {
    let result;
    try {
      result = await promise;
    } catch (thrown) {
      attempt.fail(step, data, thrown);
      return;
    }
    await this.leave(step, data, result, attempt);
  }

  /**
   * A step's function has returned.
   * @param {Step} step
   * @param {any} data
   * @param {any} result
   * @param {AttemptOf} attempt
   * @returns {Wait}
   */
  leave(step, data, result, attempt) {
    switch (step.kind) {
      case FILTER:
        return result ? this.put(step, data, step.out, data, attempt) : undefined;
      case SPLIT: {
        const port = step.branches.get(result);
        if (port !== undefined) return this.put(step, data, port, data, attempt);
        attempt.fail(step, data, noBranch(step.name, step.branches.keys(), result));
        return undefined;
      }
      case FLAT_MAP:
        return drain(this, step, data, result, attempt);
      default:
        return this.put(step, data, step.out, result, attempt);
    }
  }

  /** The only output of an item. @type {(step: Step, data: any, port: Step["out"], value: any, attempt: AttemptOf) => Wait} */
  put(step, data, port, value, attempt) {
    try {
      attempt.emit(port, value);
    } catch (thrown) {
      attempt.fail(step, data, thrown);
      return undefined;
    }
    return port.next === undefined ? undefined : this.walk(port.next, value, attempt);
  }
}

/** @type {typeof import("./groups").enterHold} */
const noSpill = (_, { name }) => {
  throw new Error(`node ${name} has nowhere to write`);
};

/** @param {AttemptOf} attempt @returns {Outcome} */
const outcomeOf = (attempt) => ({ plain: false, payload: attempt.payload() });

/** @param {any} value @returns {value is PromiseLike<any>} */
const isPromise = (value) =>
  value !== null && typeof value === "object" && typeof value.then === "function";

/** Whether a value has an encoding whatever the codec. @param {any} value */
const isSimple = (value) =>
  typeof value === "string" ||
  typeof value === "number" ||
  typeof value === "boolean" ||
  value === undefined ||
  value === null;

module.exports = { FlowWork, OUTPUTS, PENDING, PLAIN };
