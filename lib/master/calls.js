"use strict";
// The calls that the program makes in the master: how many equal ones came before each, and which still run. A worker finds its
// call by that (lib/worker/search.js).

const { coded } = require("../shared/errors");
const { digest } = require("../shared/digest");
const { isBeginning, nameFor } = require("../shared/identity");
const { JSON, Map, Set, nextTick } = require("../shared/primordials");

/** @typedef {import("../shared/identity").Identity} Identity */
/** @typedef {import("../shared/identity").Wanted} Wanted */

/**
 * Equal calls, except for the callers of the function that makes them.
 * @typedef {object} Alike
 * @property {string[]} surroundings the program's arguments and environment at the first of them
 * @property {Map<string, { callers: string[] | undefined, count: number }>} byCallers
 * @property {Set<Call>} running
 */

/** @type {Map<string, Alike>} */
const known = new Map();

/** The key of the calls with a name, or with the same functions: null if their keys differ. @type {Map<string, string | null>} */
const keyOfName = new Map();
/** @type {Map<string, string | null>} */
const keyOfFunctions = new Map();

/** How many calls of a kind, or of a name, there were. @type {Map<string, number>} */
const counts = new Map();

/** Counts the turns of the program's code, each with the promises that it settles. */
let turn = 0;
let isTurning = false;

/** A call from the moment that the program makes it. */
class Call {
  /** @param {Identity} identity */
  constructor(identity) {
    this.identity = identity;
    /** Its events run on several machines. @type {boolean | string} */
    this.isClustered = false;
    this.turn = thisTurn();
    const key = keyOf(identity);
    const callers = identity.site?.callers;
    this.alike = enter(key, known, newAlike);
    const { byCallers, surroundings } = this.alike;
    const like = [...byCallers.values()].filter((variant) => this.isLike(variant.callers));
    this.before = like.reduce((total, { count }) => total + count, 0);
    this.number = next(`${identity.kind} ${JSON.stringify(identity.name)}`);
    this.isAlone = isFirst(keyOfFunctions, `${identity.functions}`, key);
    this.hasOwnName = identity.name === undefined || isFirst(keyOfName, identity.name, key);
    this.isChanged = this.before > 0 && haveChanged(surroundings, surroundingsNow());
    enter(JSON.stringify(callers), byCallers, () => ({ callers, count: 0 })).count++;
  }

  /** How messages name it. */
  get title() {
    const { file } = this.identity;
    return file === undefined ? nameFor(this.identity) : `the end of ${file}`;
  }

  /** Workers are started for it. @param {boolean} isElsewhere they run another program than this one */
  begin(isElsewhere) {
    if (this.isCounted(isElsewhere)) return;
    if (!this.hasOwnName) throw nameIsTaken(this);
    for (const other of this.alike.running) {
      if (other.turn !== this.turn && this.isLike(other.identity.site?.callers)) {
        throw ambiguous(this);
      }
    }
    this.alike.running.add(this);
  }

  end() {
    this.alike.running.delete(this);
  }

  /**
   * Whether its workers know it by its number alone, because they see nothing else of it.
   * @param {boolean} isElsewhere
   */
  isCounted(isElsewhere) {
    return isElsewhere || this.identity.functions === undefined;
  }

  /**
   * Whether an equal call also has the same callers. For a call with a name that does not matter.
   * @param {string[] | undefined} callers
   */
  isLike(callers) {
    const own = this.identity.site?.callers;
    if (this.identity.name !== undefined || own === undefined || callers === undefined) return true;
    return isBeginning(own, callers);
  }

  /** What its workers are told. @param {boolean} isElsewhere @returns {Wanted} */
  wanted(isElsewhere) {
    const { identity, title, isAlone, isChanged, isClustered } = this;
    const isCounted = this.isCounted(isElsewhere);
    const before = isCounted ? this.number : this.before;
    return { identity, title, isCounted, before, isAlone, isChanged, isClustered };
  }
}

/** @returns {Alike} */
const newAlike = () => ({
  surroundings: surroundingsNow(),
  byCallers: new Map(),
  running: new Set(),
});

/** Equal for equal calls. @param {Identity} identity */
function keyOf({ kind, name, functions, site, args }) {
  const given = Object.keys(args).sort();
  const tokens = given.map((name) => [name, args[name]]);
  return digest(JSON.stringify([kind, name, functions, site?.at, tokens]));
}

/** The last surroundings, shared by all calls that have the same. @type {string[]} */
let lastSurroundings = [];

/**
 * Whatever else may decide which calls a program makes: its arguments and its environment. A worker starts with their values
 * at the time of the call.
 */
function surroundingsNow() {
  const args = process.argv.map((value, at) => `${at}=${value}`);
  const variables = Object.keys(process.env).filter((name) => !NO_CHOICE.test(name));
  const now = [...args, ...variables.map((name) => `${name}=${process.env[name]}`)];
  const isSame =
    now.length === lastSurroundings.length && now.every((one, at) => one === lastSurroundings[at]);
  if (!isSame) lastSurroundings = now;
  return lastSurroundings;
}

/** Variables that decide nothing: this package's own, and those of its log. */
const NO_CHOICE = /^(SONIC_|QUIET$)/;

/**
 * Whether something has another value now. A new variable could not decide before.
 * @param {string[]} before
 * @param {string[]} now
 */
function haveChanged(before, now) {
  if (before === now) return false;
  const values = new Map(before.map(parted));
  return now.map(parted).some(([name, value]) => values.has(name) && values.get(name) !== value);
}

/** @param {string} pair @returns {[string, string]} */
function parted(pair) {
  const at = pair.indexOf("=", 1);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

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
 * Whether all entries under the name have the same key.
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
      "must be unique; in a loop, add the index to it",
  );

module.exports = { Call };
