"use strict";
/**
 * The fixtures' side of `run.js`: how a program reports, leaves marks and waits at barriers. Its files lie in its cwd,
 * which `run.js` makes for it. It has no deadlines (the spec has) and knows nothing of the package. Node 14 parses it.
 */
const cluster = require("cluster");
const { appendFileSync, existsSync, writeFileSync } = require("fs");
const { resolve } = require("path");

const DIR = process.cwd(); // before a program changes it
const POLL = 2;
const cell = new Int32Array(new SharedArrayBuffer(4));

const at = (name) => resolve(DIR, name);

/** The one line the spec reads. */
const report = (value) => process.stdout.write(`RESULT ${JSON.stringify(value)}\n`);

/** One line in a file that every process of the program may write to. */
const log = (name, line) => appendFileSync(at(name), `${line}\n`);

const mark = (name) => writeFileSync(at(name), "");
const marked = (name) => existsSync(at(name));

/** Waits until the condition holds, while the event loop turns. */
const until = async (condition) => {
  while (!condition()) await new Promise((done) => setTimeout(done, POLL));
};

const seen = (name) => until(() => marked(name));

/** Waits for a mark with the thread blocked. */
const blockUntilSeen = (name) => {
  while (!marked(name)) Atomics.wait(cell, 0, 0, POLL);
};

/** Blocks the thread for so long: an event that takes its time. */
const work = (milliseconds) => Atomics.wait(cell, 0, 0, milliseconds);

/** The milliseconds of processor time that this process has had. */
const busy = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Everything in a queue, taken out as programs do. */
const drain = (queue) => {
  const entries = [];
  while (!queue.isEmpty()) entries.push(queue.dequeue());
  return entries;
};

/** What a program tells node's cluster before the call, in the master; its workers have nothing of the kind. */
const setUp = (settings) => {
  const { isMaster, setupPrimary, setupMaster } = /** @type {any} */ (cluster);
  return isMaster && (setupPrimary || setupMaster).call(cluster, settings);
};

/** What a call or promise came to. */
const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => ({ error: plain(error) }),
  );

const plain = (error) =>
  error instanceof Error
    ? {
        name: error.name,
        message: error.message,
        code: Reflect.get(error, "code"),
        type: typeOf(error),
      }
    : { thrown: error === undefined ? "undefined" : error };

const typeOf = (error) => [TypeError, RangeError, Error].find((type) => error instanceof type).name;

module.exports = {
  blockUntilSeen,
  busy,
  drain,
  log,
  mark,
  marked,
  outcome,
  plain,
  report,
  seen,
  setUp,
  until,
  work,
};
