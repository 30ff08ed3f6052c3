"use strict";
// The calls that the program makes in the master: how many like each there were before it, and which still run. With
// that a worker finds the call that it is started for (lib/search.js).

const { coded } = require("./errors");
const { digest, isCalledAlike, nameFor } = require("./identity");
const { JSON, Map, Set, nextTick } = require("./primordials");

/** @typedef {import("./identity").Identity} Identity */

/**
 * What a worker is told of the call that it is started for.
 * @typedef {object} Wanted
 * @property {Identity} identity
 * @property {string} title how messages name the call
 * @property {boolean} isCounted it is known by its number among all calls, and by its name if it has one
 * @property {number} before how many calls like it there were before
 * @property {number} beforeFromAnywhere the same, whoever called the function that makes the call
 * @property {string[][]} elsewhere who called the function that makes the call, for those of these that were called from
 *   another place
 * @property {boolean} isAlone no other call has had the same functions
 * @property {boolean} isChanged the program's arguments or environment are not those of the first call like it
 */

/**
 * Calls that are alike but for who called the function that makes them.
 * @typedef {object} Alike
 * @property {string} surroundings the program's arguments and environment at the first of them
 * @property {Map<string, { identity: Identity, count: number }>} byCallers
 * @property {Set<Call>} running
 */

/** @type {Map<string, Alike>} */
const known = new Map();

/** The most places that a worker is told of: they travel in its environment. */
const MOST_ELSEWHERE = 8;

/** Which calls have a name, or the same functions. @type {Map<string, string | null>} */
const keyOfName = new Map();
/** @type {Map<string, string | null>} */
const keyOfFunctions = new Map();

/** How many calls of a kind, or of a name, there were. @type {Map<string, number>} */
const counts = new Map();

/** Counts up when the program's code, with the promises that it has settled, has had its turn. */
let turn = 0;
let isTurning = false;

/** A call from the moment that the program makes it. */
class Call {
  /** @param {Identity} identity */
  constructor(identity) {
    this.identity = identity;
    this.turn = thisTurn();
    this.key = keyOf(identity);
    const alike = enter(this.key, known, newAlike);
    this.alike = alike;
    const variants = [...alike.byCallers.values()];
    /** @param {{ identity: Identity }} variant */
    const isLike = (variant) => isNamed(identity) || isCalledAlike(variant.identity, identity);
    this.before = sum(variants.filter(isLike));
    const others = variants.filter((variant) => !isLike(variant)).slice(-MOST_ELSEWHERE);
    this.elsewhere = others.map(({ identity: { site } }) => (site ? site.callers : []));
    this.beforeFromAnywhere = sum(variants);
    this.number = next(
      `${identity.kind} ${identity.name === undefined ? "" : JSON.stringify(identity.name)}`,
    );
    this.isAlone = isFirst(keyOfFunctions, `${identity.functions}`, this.key);
    this.hasOwnName = !isNamed(identity) || isFirst(keyOfName, `${identity.name}`, this.key);
    this.isChanged = this.beforeFromAnywhere > 0 && alike.surroundings !== surroundings();
    const callers = JSON.stringify(identity.site ? identity.site.callers : []);
    enter(callers, alike.byCallers, () => ({ identity, count: 0 })).count++;
  }

  /** How messages name it. */
  get title() {
    return nameFor(this.identity);
  }

  /**
   * Workers are started for it.
   * @param {boolean} isElsewhere they run another program than this one
   */
  begin(isElsewhere) {
    if (this.isCounted(isElsewhere)) return;
    if (!this.hasOwnName) throw nameIsTaken(this);
    for (const other of this.alike.running) {
      if (other.turn !== this.turn && this.isLike(other)) throw ambiguous(this);
    }
    this.alike.running.add(this);
  }

  end() {
    this.alike.running.delete(this);
  }

  /**
   * Whether its workers know it by its number alone: they see none of what else it is known by.
   * @param {boolean} isElsewhere
   */
  isCounted(isElsewhere) {
    return isElsewhere || this.identity.functions === undefined;
  }

  /** @param {Call} other one that is alike but for its callers */
  isLike({ identity }) {
    return isNamed(identity) || isCalledAlike(identity, this.identity);
  }

  /**
   * What its workers are told.
   * @param {boolean} isElsewhere
   * @returns {Wanted}
   */
  wanted(isElsewhere) {
    const { identity, title, beforeFromAnywhere, elsewhere, isAlone, isChanged } = this;
    const isCounted = this.isCounted(isElsewhere);
    const before = isCounted ? this.number : this.before;
    return {
      identity,
      title,
      isCounted,
      before,
      beforeFromAnywhere,
      elsewhere,
      isAlone,
      isChanged,
    };
  }
}

/** @returns {Alike} */
const newAlike = () => ({
  surroundings: surroundings(),
  byCallers: new Map(),
  running: new Set(),
});

/**
 * What is the same for calls that are alike.
 * @param {Identity} identity
 */
function keyOf({ kind, name, functions, site, args }) {
  const arguments_ = Object.keys(args)
    .sort()
    .map((name) => [name, args[name]]);
  return JSON.stringify([kind, name, functions, site?.at, digest(JSON.stringify(arguments_))]);
}

/** What else a program may choose its calls by: a worker starts with what it is when the call is made. */
function surroundings() {
  // This package's own are no program's business.
  const variables = Object.entries(process.env).filter(([name]) => !name.startsWith("SONIC_"));
  return digest(JSON.stringify([process.argv, variables.sort()]));
}

/** @param {Identity} identity */
const isNamed = ({ name }) => name !== undefined;

/** @param {{ count: number }[]} variants */
const sum = (variants) => variants.reduce((total, { count }) => total + count, 0);

/**
 * @template Value
 * @param {string} key
 * @param {Map<string, Value>} map
 * @param {() => Value} make
 * @returns {Value}
 */
function enter(key, map, make) {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/**
 * Whether all that were entered under the name have the same key.
 * @param {Map<string, string | null>} map
 * @param {string} name
 * @param {string} key
 */
function isFirst(map, name, key) {
  const isOnly = enter(name, map, () => key) === key;
  if (!isOnly) map.set(name, null);
  return isOnly;
}

/** @param {string} name */
function next(name) {
  const count = counts.get(name) || 0;
  counts.set(name, count + 1);
  return count;
}

function thisTurn() {
  if (!isTurning) {
    isTurning = true;
    nextTick(() => {
      isTurning = false;
      turn++;
    });
  }
  return turn;
}

/** @param {Call} call */
const ambiguous = ({ title }) =>
  coded(
    Error,
    "ERR_SONIC_CALL_AMBIGUOUS",
    `${title} begins while another call with the same place, functions and arguments runs: a worker cannot tell them ` +
      "apart. Give each a name of its own, the fifth argument's `name`, or await one before the next begins",
  );

/** @param {Call} call */
const nameIsTaken = ({ title, identity: { name } }) =>
  coded(
    Error,
    "ERR_SONIC_CALL_AMBIGUOUS",
    `${title} has the name of another call, with another place, functions or arguments: the name ${JSON.stringify(name)} ` +
      "must be one call's alone, one with the number of the turn in a loop",
  );

module.exports = { Call };
