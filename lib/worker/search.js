"use strict";
// A worker's search for the call that it was started for, among those that its program reaches. A call that only might be it is passed
// by until the program has nothing more to do, because a better one may come. Never serves what could be another call.

const {
  differing,
  differingForGood,
  isAlike,
  isCalledAlike,
  isSameSite,
  nameFor,
} = require("../shared/identity");

/** The most calls that a message lists. */
const MOST_LISTED = 8;

/**
 * A call that the program has reached in the worker.
 * @typedef {object} Reached
 * @property {import("../shared/identity").Identity} identity
 * @property {boolean} isSound its workerFns are a list of functions, or its stages an object of them
 */

/** @typedef {import("../shared/identity").Wanted} Wanted */

/** @template {Reached} Found */
class Search {
  /** @param {Wanted} wanted */
  constructor(wanted) {
    this.wanted = wanted;
    /** @type {Found[]} */
    this.passed = [];
    /** How many calls equal to the wanted one were passed by. */
    this.before = 0;
  }

  /** Whether that is the call. Remembers others. @param {Found} call */
  isFound(call) {
    if (this.isLike(call) && this.before++ === this.wanted.before) return true;
    this.passed.push(call);
    return false;
  }

  /** Whether the master has counted it among those equal to the wanted one. @param {Found} call */
  isLike({ identity, isSound }) {
    const { identity: wanted, isCounted } = this.wanted;
    if (identity.kind !== wanted.kind || identity.name !== wanted.name) return false;
    if (isCounted || wanted.name !== undefined) return true;
    // The right call must refuse wrong workerFns: then everything else tells whether it is the call.
    if (isSound && identity.functions !== wanted.functions) return false;
    return (
      isSameSite(identity, wanted) &&
      differing(identity, wanted).length === 0 &&
      isCalledAlike(identity, wanted)
    );
  }

  /** Whether the call has the flow that the wanted one has, if it has one: of calls with a name only that tells. @param {Found["identity"]} identity */
  hasFlow({ flow }) {
    const { identity: wanted, isCounted } = this.wanted;
    return isCounted || flow === wanted.flow;
  }

  /**
   * The call after all, once the program has nothing more to do, if only one can be it.
   * @returns {Found | undefined}
   */
  atEnd() {
    const { identity: wanted, isCounted } = this.wanted;
    const [only, ...others] = this.passed;
    // A program that another one starts, or that picks its call by the environment, reaches a single one, whatever its number.
    if (isCounted) return only !== undefined && others.length === 0 ? only : undefined;
    if (wanted.name !== undefined) return undefined;
    const same = this.passed.filter(({ identity }) => this.hasFunctions(identity));
    return same.length === 1 && this.isIt(same[0]) ? same[0] : undefined;
  }

  /**
   * The call, if it is known before that: only its arguments differ, and only as they may between the master and a worker. So
   * a program that never ends gets its worker too.
   * @returns {Found | undefined}
   */
  likely() {
    const { identity: wanted } = this.wanted;
    const found = wanted.functions === undefined ? undefined : this.atEnd();
    const isElsewhere = found === undefined || isAlike(found.identity, wanted);
    return isElsewhere || !isSameSite(found.identity, wanted) ? undefined : found;
  }

  /** Whether the only call with the same functions is the one that is wanted. @param {Found} call */
  isIt({ identity }) {
    const { identity: wanted, before, isAlone, isChanged } = this.wanted;
    // The program may have a statement for workers alone.
    if (!isSameSite(identity, wanted)) {
      return identity.isForWorkers === true && isAlone && before === 0 && this.mayBe(identity);
    }
    // From another line of the program the same helper makes another call.
    if (!isCalledAlike(identity, wanted)) return false;
    // An equal call that the worker has not reached may be the one, unless the environment has picked this one.
    if (isAlike(identity, wanted)) return isChanged;
    return isAlone && before === 0 && this.mayBe(identity);
  }

  /** @param {import("../shared/identity").Identity} identity */
  hasFunctions({ kind, name, functions }) {
    const { identity } = this.wanted;
    return kind === identity.kind && name === identity.name && functions === identity.functions;
  }

  /**
   * Whether only those arguments differ that may differ between the master and a worker.
   * @param {import("../shared/identity").Identity} identity
   */
  mayBe(identity) {
    const { identity: wanted } = this.wanted;
    return differingForGood(identity, wanted).length === 0;
  }

  /** How a call that was reached differs from the wanted one. @param {Found} call */
  difference({ identity, isSound }) {
    const { identity: wanted, isCounted } = this.wanted;
    if (identity.kind !== wanted.kind) return "of another kind";
    if (identity.name !== wanted.name) {
      return identity.name === undefined ? "has no name" : "has another name";
    }
    if (wanted.name !== undefined) return "has another number among the calls of that name";
    if (isCounted) return "has another number";
    if (!isSound) {
      return wanted.kind === "pool"
        ? "its stages are not an object of functions"
        : "its workerFns are not a list of functions";
    }
    if (identity.functions !== wanted.functions) return "its functions are others";
    if (!isSameSite(identity, wanted)) return "another place in the program";
    const names = differing(identity, wanted);
    if (names.length > 0) return `its args differ in ${names.slice(0, MOST_LISTED).join(", ")}`;
    if (!isCalledAlike(identity, wanted)) {
      return `called at ${identity.site?.from}, and the wanted one at ${wanted.site?.from}`;
    }
    return "has another number among equal calls";
  }

  /** The calls that were reached, as a message lists them. */
  list() {
    const listed = this.passed.slice(0, MOST_LISTED).map((call) => this.describe(call));
    const more = this.passed.length - listed.length;
    return `${listed.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  }

  /** Whether the last call that was reached is among those that a message lists. */
  get isListed() {
    return this.passed.length <= MOST_LISTED;
  }

  /** @param {Found} call */
  describe(call) {
    return `${nameFor(call.identity)} (${this.difference(call)})`;
  }

  /** Why the worker cannot serve, when the program has nothing more to do. */
  failure() {
    const { title } = this.wanted;
    const reached =
      this.passed.length === 0 ? "it reached no call at all" : `it reached ${this.list()}`;
    return (
      `the program ended in a worker without reaching ${title}: ${reached}. Workers re-run the program, ` +
      `which must reach the same call there: ${this.advice()}`
    );
  }

  advice() {
    const isBehind = this.passed.some(({ identity }) => ["pool", "file"].includes(identity.kind));
    if (isBehind) {
      return (
        "what stands behind a pool's await runs in the master alone. Make both before it, with one Promise.all if both are " +
        "pools"
      );
    }
    if (this.passed.length > 0 && this.wanted.identity.name !== undefined) {
      return "the worker must reach as many of that name as the master, or each needs a name of its own";
    }
    if (this.passed.length > 0) {
      return "if one of these is the call, give it a name, the fifth argument's `name`";
    }
    return "what only the master is to do belongs behind isMaster(), and the call before it";
  }
}

module.exports = { Search };
