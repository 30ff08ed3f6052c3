"use strict";
// What a call of a pool that stays names as its work: a stage by its name or as the very function, or several of them, each of which
// gets what the one before has answered.

const { coded, invalidType, shown } = require("../shared/errors");
const { isFlow, optionsOfFlow } = require("../shared/flow/given");
const { ownOf } = require("../shared/own");
const { JSON, Map, Set } = require("../shared/primordials");
const { mergedOptions, optionsOf, stagesAsTold } = require("../shared/stage");
const { wrongFile } = require("../shared/stages");

/** The most stages that an error lists. */
const MOST_LISTED = 10;

/**
 * `stages` are their names; undefined asks a worker for the names of all. `options` are those that the stages have of their own.
 * @typedef {object} Work
 * @property {string | string[]} name
 * @property {string[] | undefined} stages
 * @property {string} key
 * @property {import("../shared/options").Options & ReturnType<typeof mergedOptions>} options
 */

/** What is known here of another process's stages. @type {any} */
const NO_OPTIONS = Object.freeze(Object.create(null));
const ELSEWHERE = Object.freeze(ownOf({ flow: Object.freeze({}) }));

/** What to do instead of passing another function. */
const BY_NAME = "its stages are known by their names alone";
const ITSELF = "pass a stage itself, what it closes over goes into args";

class Stages {
  /**
   * @param {Record<string, import("../shared/options").Options>} options of each, by its name
   * @param {Record<string, any>} [stages] none if they are in a worker file
   */
  constructor(options, stages) {
    this.names = Object.keys(options);
    this.options = options;
    this.stages = stages;
    /** What was made of single stages before. @type {globalThis.Map<unknown, Work>} */
    this.single = new Map();
    /** The number of each, by name and by function. @type {globalThis.Map<unknown, number>} */
    this.numbers = new Map();
    this.names.forEach((name, at) => {
      this.numbers.set(name, at);
      // A function with two names goes by the first.
      if (stages !== undefined && !this.numbers.has(stages[name]))
        this.numbers.set(stages[name], at);
    });
  }

  /** Functions and flows of the program's. @param {Record<string, any>} stages */
  static of(stages) {
    const options = Object.create(null);
    for (const name of Object.keys(stages)) {
      const stage = stages[name];
      options[name] = isFlow(stage) ? optionsOfFlow(stage) : optionsOf(stage);
    }
    return new Stages(options, stages);
  }

  /** Another process's, which knows their options. @param {string[]} names @param {string[]} flows those of them that are flows */
  static named(names, flows) {
    const options = Object.create(null);
    for (const name of names) options[name] = flows.includes(name) ? ELSEWHERE : NO_OPTIONS;
    return new Stages(options);
  }

  /** Those that a worker file exports. Throws if the master would have to run one of its functions. @param {string} file @param {string} told */
  static inFile(file, told) {
    const options = stagesAsTold(told);
    const keyed = Object.keys(options).find((name) => options[name].key !== undefined);
    if (keyed === undefined) return new Stages(options);
    const why = `has a stage ${JSON.stringify(keyed)} with the option key, which is a function that the master cannot run: give the key in calls`;
    throw wrongFile(file, why);
  }

  /** The names of those that are flows. */
  get flows() {
    return this.names.filter((name) => this.options[name].flow !== undefined);
  }

  /** What an event of a call goes through: it has one answer. @param {string} method @param {unknown} work @returns {Work} */
  singleOf(method, work) {
    const named = this.workOf(work);
    if (named.options.flow === undefined) return named;
    throw invalidType(
      `${method}: ${shown(named.name)} is a flow, where an event may have any number of answers: use run or stream`,
    );
  }

  /** @param {unknown} work as the program gave it @returns {Work} */
  workOf(work) {
    const known = this.single.get(work);
    if (known !== undefined) return known;
    const made = this.make(work);
    if (!Array.isArray(work)) this.single.set(work, made);
    return made;
  }

  /** @param {unknown} work @returns {Work} */
  make(work) {
    const isList = Array.isArray(work);
    const list = isList ? work : [work];
    if (list.length === 0) throw invalidType("work must have at least one stage, got []");
    const numbers = list.map((one) => this.numberOf(one));
    const stages = numbers.map((number) => this.names[number]);
    const inFlow = stages.find((name) => this.options[name].flow !== undefined);
    if (isList && inFlow !== undefined) throw notAlone(inFlow);
    const options =
      inFlow === undefined
        ? mergedOptions(stages.map((name) => this.options[name]))
        : this.options[inFlow];
    return { name: isList ? stages : stages[0], stages, key: numbers.join(), options };
  }

  /** @param {unknown} stage */
  numberOf(stage) {
    const number = this.numbers.get(stage);
    if (number !== undefined) return number;
    if (typeof stage !== "string" && typeof stage !== "function" && !isFlow(stage)) {
      const must = "work must be a stage's name, the stage's function, or an array of those";
      throw invalidType(`${must}, got ${shown(stage)}`);
    }
    throw coded(Error, "ERR_SONIC_UNKNOWN_STAGE", this.unknown(stage));
  }

  /** @param {any} stage */
  unknown(stage) {
    const what =
      typeof stage === "string"
        ? JSON.stringify(stage)
        : isFlow(stage)
          ? "that is this flow"
          : nameOf(stage);
    const listed = [...new Set(this.names)].slice(0, MOST_LISTED).join(", ");
    const more = this.names.length - MOST_LISTED;
    const rest = more > 0 ? ` and ${more} more` : "";
    const why =
      typeof stage === "string" ? "" : `: ${this.stages === undefined ? BY_NAME : ITSELF}`;
    return `the pool has no stage ${what}; it has ${listed}${rest}${why}`;
  }
}

/** @param {string} name */
const notAlone = (name) =>
  invalidType(
    `${JSON.stringify(name)} is a flow, which stands alone: pass it by itself, or make the other stages nodes of it`,
  );

/** @param {Function} fn */
const nameOf = (fn) =>
  fn.name ? `the function ${fn.name}` : "that is this function without a name";

/**
 * Functions do not travel.
 * @param {any} value
 * @param {string} path
 * @param {globalThis.Set<object>} [seen]
 */
function checkSendable(value, path, seen = new Set()) {
  if (typeof value === "function") {
    throw invalidType(
      `${path} is a function, which cannot be sent to a worker: make it a stage of the pool`,
    );
  }
  if (value === null || typeof value !== "object" || seen.has(value)) return;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return;
  for (const key of Object.keys(value)) checkSendable(value[key], `${path}.${key}`, seen);
}

module.exports = { Stages, checkSendable };
