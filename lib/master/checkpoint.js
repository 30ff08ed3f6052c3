"use strict";
// A run's answers in a file: whose they are, and the events that need no worker because theirs are there already. The file is the
// core's (src/checkpoint/).

const { readFileSync } = require("fs");
const { basename } = require("path");
const { digest } = require("../shared/digest");
const { coded, invalidType, shown } = require("../shared/errors");
const { functionsOf, isFlow, planOfFlow } = require("../shared/flow/made");
const { native } = require("../shared/native");
const { hasOwn } = require("../shared/own");
const { JSON, Set } = require("../shared/primordials");
const { plainOf } = require("../shared/stage");

/** @typedef {InstanceType<typeof import("./input").Input>} Input */

/** @typedef {import("../shared/options").Program} Program */

/** No answers are known from here on: see `runResume`. */
const NO_MORE = 8;

/** What JSON does not have, and a text tells apart. */
const IN_WORDS = new Set(["function", "bigint"]);

/** An argument that says how many workers there are: another machine may have another number. */
const NUM_WORKERS = "numWorkers";

/**
 * The program of a call with worker functions.
 * @param {string | undefined} name
 * @param {unknown} functions
 * @param {unknown} args
 * @param {string | undefined} file another program, that workers run
 * @returns {Program}
 */
function programOf(name, functions, args, file) {
  const all = isFlow(functions) ? [functions] : functions;
  const list = Array.isArray(all)
    ? all.map((fn) => partOf(isFlow(fn) ? "the flow" : fn.name, fn))
    : [];
  if (file !== undefined) list.push(ofFile(file));
  return { name, functions: list, args: digestsOf(args) };
}

/**
 * The same of work of a pool. Throws if its workers are not this process's.
 * @param {any} pool
 * @param {InstanceType<typeof import("./work").Stages>} stages
 * @param {import("./work").Work} work
 * @param {unknown} args
 * @returns {Program}
 */
function programOfWork(pool, stages, work, args) {
  if (pool.launch === undefined) throw notHere();
  const functions = (work.stages || []).map((name) => partOf(name, stages.stages?.[name]));
  const { file } = pool.call.identity;
  if (file !== undefined) functions.push(ofFile(file));
  return { functions, args: digestsOf(args) };
}

const notHere = () =>
  invalidType(
    "options.checkpoint needs a pool with workers of this process: leave it out with inProcess and connectPool",
  );

/** @param {string} name @param {any} fn @returns {[string, string]} */
const partOf = (name, fn) => [name, isFlow(fn) ? digestOfFlow(fn) : digestOf(fn)];

/** @param {any} fn */
const digestOf = (fn) =>
  typeof fn === "function" ? digest(Function.prototype.toString.call(plainOf(fn))) : "";

/** Its graph, with the functions of its nodes. @param {any} flow */
function digestOfFlow(flow) {
  const functions = functionsOf(flow).flat().map(digestOf);
  return digest([planOfFlow(flow).fingerprint, ...functions].join("\n"));
}

/** @param {string} file @returns {[string, string]} */
const ofFile = (file) => [basename(file), digest(readFileSync(file, "utf8"))];

/** @param {unknown} args */
function digestsOf(args) {
  /** @type {Record<string, string>} */
  const digests = Object.create(null);
  for (const name of Object.keys(Object(args))) {
    const text = textOf(Object(args)[name]);
    if (name !== NUM_WORKERS && text !== undefined) digests[name] = digest(text);
  }
  return digests;
}

/** An argument as far as JSON has it. @param {unknown} value @returns {string | undefined} */
function textOf(value) {
  // An object of indices would be made of it.
  if (ArrayBuffer.isView(value)) return native().hash(bytesOf(value));
  try {
    return JSON.stringify(value, (_, item) => (IN_WORDS.has(typeof item) ? String(item) : item));
  } catch (_) {
    // A cycle, for one.
    return undefined;
  }
}

/** @param {ArrayBufferView} view */
const bytesOf = ({ buffer, byteOffset, byteLength }) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** How values are encoded; V8's own format changes with its version. @param {string} serialization */
const encodingOf = (serialization) =>
  serialization === "advanced" ? `advanced ${require("v8").serialize(null)[1]}` : serialization;

/** What is another program than that whose answers are in the file. @param {Program} before @param {Program} now */
function differences(before, now) {
  const differing = [];
  for (const name of /** @type {const} */ (["name", "serialization"])) {
    if (before[name] === now[name]) continue;
    differing.push(`options.${name} was ${shown(before[name])}, and is ${shown(now[name])} now`);
  }
  const [many, more] = [before.functions, now.functions];
  if (many.length !== more.length)
    differing.push(`there were ${many.length} worker functions, and are ${more.length} now`);
  else
    more.forEach(([name, is], at) => {
      const [called, was] = many[at];
      if (called !== name)
        differing.push(`worker function ${at + 1} was ${called}, and is ${name} now`);
      else if (was !== is) differing.push(`${name || `worker function ${at + 1}`} has changed`);
    });
  for (const name of new Set([...Object.keys(before.args), ...Object.keys(now.args)]))
    if (!hasOwn(before.args, name) || before.args[name] !== now.args[name])
      differing.push(`args.${name} has changed`);
  return differing;
}

class Checkpoint {
  /** @param {Input["run"] | any} run a run or a batch @param {any} file the core's */
  constructor(run, file) {
    this.run = run;
    this.isOpen = true;
    /** Whether the file may have answers to events to come. */
    this.isKnown = native().checkpointProgram(file) !== null;
    run.native.runWriteDown(run.handle, file);
  }

  /**
   * Ends the next event, if it was answered before. Stops the run if that had other data.
   * @param {Input} input
   * @param {any} event
   * @returns {number} how it was put in, as `runPutter` says; 0 if a worker is to run it
   */
  answer(input, event) {
    if (!this.isKnown) return 0;
    const { encoded, flags } = input.encoded(event);
    const how = this.resume(encoded, flags);
    if (how !== NO_MORE) return how;
    this.isKnown = false;
    return 0;
  }

  /** @param {import("../shared/codec").Encoded} encoded @param {number} flags */
  resume(encoded, flags) {
    const { run } = this;
    try {
      return run.native.runResume(run.handle, encoded, flags);
    } catch (error) {
      run.stop(error);
      throw error;
    }
  }

  /** The run has ended well. Throws if its answers may not be on the disk. */
  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.run.native.runCloseCheckpoint(this.run.handle);
  }

  /** The run has ended, and says why itself. */
  drop() {
    try {
      this.close();
    } catch (_) {
      // That it failed is known.
    }
  }
}

/**
 * Has a new run's answers written down, if it is to. If its file is another's the run is closed, and this throws.
 * @param {any} run
 * @returns {Checkpoint | undefined}
 */
function checkpointOf(run) {
  const { checkpoint } = run.settings;
  if (checkpoint === undefined) return undefined;
  try {
    const serialization = encodingOf(run.pool.launch.serialization);
    return new Checkpoint(run, opened({ ...checkpoint.program, serialization }, checkpoint));
  } catch (error) {
    run.native.runClose(run.handle);
    throw error;
  }
}

/** @param {Program} program @param {{ file: string, fsync: number }} options */
function opened(program, { file, fsync }) {
  const { checkpointOpen, checkpointProgram, checkpointClose } = native();
  const handle = checkpointOpen(file, JSON.stringify(program), fsync);
  const before = checkpointProgram(handle);
  const differing = before === null ? [] : differences(JSON.parse(before), program);
  if (differing.length === 0) return handle;
  checkpointClose(handle);
  throw coded(
    Error,
    "ERR_SONIC_CHECKPOINT_CHANGED",
    `options.checkpoint: the answers in ${file} are another program's: ${differing.join("; ")}. ` +
      "Undo that, name another file, or remove this one to begin anew",
  );
}

module.exports = { Checkpoint, checkpointOf, programOf, programOfWork };
