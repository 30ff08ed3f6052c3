"use strict";
// A run of a pool that stays, with a masterFn as `MapReduce` has it: to its reduceFn, or read while it goes on.

const { settingsInPool } = require("./launch");
const { countOf, isThenable, iteratorOf, leave } = require("./map");
const { Recording } = require("./record");
const { Run } = require("./run");
const { stopBy, throwIfAborted } = require("../shared/signals");
const { entries } = require("./stream");
const { invalidType, shown } = require("../shared/errors");
const { Promise } = require("../shared/primordials");
const { WorkerQueue } = require("../shared/queue");
const { routingOf } = require("../shared/routing");

/** @typedef {InstanceType<typeof import("./lasting").LastingPool>} LastingPool */
/** @typedef {import("./work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {(pool: LastingPool, work: Work, given: Given) => { run: InstanceType<typeof Run>, end: () => void }} Begin */
/** @typedef {{ options: Options, args: string | undefined, site: { stack?: unknown }, begin: Begin }} Given */

/** Why its events cannot emit others. */
const IN_ORDER =
  'entries come in the order of their events here, by the option order: "submission"';

/** @param {LastingPool} pool @param {Work} work @param {any} masterFn @param {any} reduceFn @param {Given} given */
async function runInPool(pool, work, masterFn, reduceFn, given) {
  const { signal } = given.options;
  throwIfAborted(signal);
  const { run, end } = given.begin(pool, work, given);
  const reduced = mapAndDrain(pool, run, masterFn, given.options.args).then(() =>
    reduceFn(run.results, run.failures),
  );
  try {
    return await (signal === undefined ? reduced : Promise.race([reduced, run.failed]));
  } finally {
    end();
  }
}

/** @param {LastingPool} pool @param {Work} work @param {any} source @param {Given} given */
function entriesInPool(pool, work, source, given) {
  const { options, site } = given;
  const masterFn = masterFnOf(source);
  if (options.total === undefined && isIterable(source)) options.total = countOf(source);
  if (options.order === undefined) options.order = "completion";
  const start = () => {
    pool.check();
    throwIfAborted(options.signal);
    const { run, end } = given.begin(pool, work, given);
    const whole = () => Promise.race([mapAndDrain(pool, run, masterFn, options.args), run.failed]);
    return { run, whole, end };
  };
  return entries(start, options, site);
}

/** Begins a run in the workers. @type {Begin} */
function begin(pool, work, { options, args, site }) {
  const { signal } = options;
  const isStream = options.order !== undefined;
  const how = {
    keepsNull: isStream,
    keepsData: true,
    classes: options.onError === "abort" ? options.classes : [],
    refusal: options.order === "submission" ? IN_ORDER : undefined,
  };
  const about = pool.aboutOf(work, args, how);
  const recording = new Recording(options);
  const settings = settingsInPool(options, about, false, recording);
  settings.isWatched = pool.observer !== null;
  const routing = routingOf(options);
  const parts = { pool, settings, recording, site, routing, flow: options.flow };
  const run = new Run({ ...parts, onResult: undefined, isByHand: false });
  run.work = String(work.name);
  run.begin();
  pool.hold();
  const ignore = stopBy(signal, (error) => run.stop(error));
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    ignore();
    run.release();
    // The program may have kept a queue, and reads it later.
    run.output.absorb();
    run.close();
    pool.leave(run);
  };
  run.leave = end;
  return { run, end };
}

/**
 * Hands all events over, and waits until they are answered.
 * @param {LastingPool} pool
 * @param {InstanceType<typeof Run>} run
 * @param {any} masterFn
 * @param {any} args
 */
async function mapAndDrain(pool, run, masterFn, args = {}) {
  try {
    await run.lead(masterFn, args);
  } finally {
    // What is left is to read the entries, which needs no worker.
    pool.letGo();
  }
  run.release();
}

/** What hands the events of a stream over. @param {any} source */
function masterFnOf(source) {
  const must =
    "stream: the second parameter must be an iterable, a generator function or a masterFn";
  if (typeof source === "function") {
    return (/** @type {any} */ queue, /** @type {any} */ args) => {
      const made = source(queue, args);
      return isIterable(made) ? handAll(queue, made) : made;
    };
  }
  if (!isIterable(source)) throw invalidType(`${must}, got ${shown(source)}`);
  return (/** @type {any} */ queue) => handAll(queue, source);
}

/** A string is none: one would rarely mean its characters. @param {any} value */
const isIterable = (value) =>
  value !== null &&
  typeof value === "object" &&
  (typeof value[Symbol.asyncIterator] === "function" ||
    typeof value[Symbol.iterator] === "function");

/** @param {any} queue @param {any} iterable */
async function handAll(queue, iterable) {
  const input = WorkerQueue.ownerOf(queue);
  const iterator = iteratorOf(iterable);
  for (;;) {
    const taken = iterator.next();
    const { done, value } = isThenable(taken) ? await taken : taken;
    if (done) return;
    try {
      await input.map({ data: isThenable(value) ? await value : value });
    } catch (error) {
      leave(iterator);
      throw error;
    }
  }
}

module.exports = { IN_ORDER, begin, entriesInPool, mapAndDrain, runInPool };
