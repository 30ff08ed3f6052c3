"use strict";
// `each` of a pool over several machines: work that runs once in every worker, of hosts too, and where it is kept first in all that come
// later.

const { addedOf, isNothing, readOf, tallied } = require("./outcome");
const { beginRun } = require("./pipeline");
const { bytesOf } = require("./seen");
const { ONE_ANSWER, checkData } = require("../master/batch");
const { RETRIES } = require("../master/each");
const { revive } = require("../master/revive");
const { carried } = require("../shared/carried");
const { coded } = require("../shared/errors");
const { ownOf } = require("../shared/own");
const { JSON, Promise, Set } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./pool").ClusterPool>} ClusterPool */
/** @typedef {import("./coordinator").Member} Member */
/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("../master/work").Work} Work */
/** @typedef {{ options: import("../shared/options").Options, args: string | undefined, site: { stack?: unknown } }} Given */

/** Work that goes to every member. @typedef {{ run: import("./station").Run, value: import("../shared/carried").Carried & { tags: string[] } }} Everywhere */

class EachWorker {
  /** @param {ClusterPool} pool */
  constructor(pool) {
    this.pool = pool;
    /** What members run first that come later. @type {globalThis.Set<Everywhere>} */
    this.kept = new Set();
    pool.coordinator.onJoin = (member) => this.prepare(member);
  }

  /** @param {Work} work @param {any} data @param {Given} given */
  async run(work, data, { options, args, site }) {
    const { keep, tags = [], taskTimeout } = options;
    const { pool } = this;
    const { coordinator } = pool;
    checkData(data);
    const value = { ...carried(pool.codec, data, "data", "the data"), tags };
    const members = [...coordinator.members.values()].filter((member) => member.runsEach(tags));
    if (members.length === 0 && !keep) throw nobody(tags);
    const stages = /** @type {string[]} */ (work.stages);
    const run = beginRun(pool, stages, ownOf({ taskTimeout, retries: RETRIES }), args, {
      classes: [...pool.errors.keys()],
      refusal: ONE_ANSWER,
      isSeen: pool.seen !== undefined,
      each: { title: keep ? JSON.stringify(work.name) : null },
    });
    const everywhere = { run, value };
    if (keep) this.kept.add(everywhere);
    const dispose = () => {
      this.kept.delete(everywhere);
      coordinator.end(run);
    };
    try {
      const asked = members.map((member) => this.ask(everywhere, member, { work, data, site }));
      const results = (await this.unlessStopped(Promise.all(asked))).flat();
      if (keep) return { results, dispose };
      dispose();
      return results;
    } catch (error) {
      dispose();
      throw error;
    }
  }

  /**
   * What a member's workers have answered.
   * @param {Everywhere} everywhere
   * @param {Member} member
   * @param {{ work: Work, data: any, site: Given["site"] }} about
   * @returns {Promise<any[]>}
   */
  ask({ run, value }, member, { work, data, site }) {
    const { coordinator, errors } = this.pool;
    return new Promise((resolve, reject) => {
      coordinator.sendTo(run, member, value, (outcome) => {
        // It has left: its workers are gone.
        if (outcome === undefined) return resolve([]);
        const { told, values } = this.tally(outcome, value);
        const { attempts, worker, pid } = outcome;
        if (told !== undefined) {
          const task = { work: work.name, data, attempts, worker, pid };
          const { observer } = this.pool;
          observer?.failed({ work: String(work.name), data, error: told, worker });
          return reject(revive(told, task, site, errors));
        }
        resolve(values);
      });
    });
  }

  /**
   * Each worker has had an event.
   * @param {Outcome} outcome
   * @param {Everywhere["value"]} value
   * @returns {{ told?: any, values: any[] }} what they have answered, or why one has not
   */
  tally(outcome, value) {
    const { tally, seen } = this.pool;
    const { each = [], rows = [], counts } = outcome;
    tally.count(addedOf(outcome));
    const answers = each.map(([text, format], at) => ({
      ...outcome,
      ...{ text, format, seen: rows[at] },
    }));
    const read = outcome.told === undefined ? answers.map(readOf) : [outcome];
    const told = read.map((one) => one.told).find((one) => one !== undefined);
    const values = read.map((one) => Reflect.get(one, "value"));
    const ends = told === undefined ? answers : [{ ...outcome, told }];
    for (const [at, end] of ends.entries()) {
      const isNone = told === undefined && isNothing(values[at]);
      tally.add(value.text);
      tally.end(tallied(end, isNone));
      tally.bytesOut += bytesOf(end.text);
      // What all have counted is counted once.
      const how = { ...end, counts: at === 0 ? counts : undefined };
      if (seen !== undefined) seen.ended(seen.handOver(), value, how, isNone);
    }
    return { told, values };
  }

  /** It is one of the pool's calls, and ends with that. @template T @param {Promise<T>} promise @returns {Promise<T>} */
  async unlessStopped(promise) {
    const { pool } = this;
    /** @type {(error: unknown) => void} */
    let stop = () => {};
    const stopped = new Promise((_, reject) => {
      stop = reject;
    });
    const running = { stop, leave() {} };
    pool.runs.push(running);
    pool.hold();
    try {
      return await Promise.race([promise, /** @type {Promise<never>} */ (stopped)]);
    } finally {
      pool.leave(running);
      pool.letGo();
    }
  }

  /** A member has come: it takes events once it has run what is kept. @param {Member} member */
  prepare(member) {
    const first = [...this.kept].filter(({ value }) => member.runsEach(value.tags));
    if (first.length === 0) return;
    const { coordinator } = this.pool;
    member.isOpen = false;
    let left = first.length;
    for (const { run, value } of first) {
      coordinator.sendTo(run, member, value, (outcome) => {
        if (outcome === undefined) return;
        const { told } = this.tally(outcome, value);
        if (told !== undefined) this.pool.warn(unfit(member, told));
        else if (--left === 0) coordinator.open(member);
      });
    }
  }
}

/** @param {Member} member @param {any} told why */
const unfit = ({ name }, { message }) =>
  `the host ${name} gets no events of this pool: the work that each worker runs first, by each with keep, has failed there: ${message}`;

/** @param {string[]} tags */
const nobody = (tags) =>
  coded(
    Error,
    "ERR_SONIC_NO_WORKER",
    `each: no worker is there now${tags.length === 0 ? "" : ` with ${tags.map((tag) => JSON.stringify(tag)).join(" and ")}`}: call it once hosts ` +
      "have joined, or with keep, for those that come later",
  );

module.exports = { EachWorker };
