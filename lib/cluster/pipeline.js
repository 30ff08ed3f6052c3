"use strict";
// What the events of a run go through: one chain of stages, or several with tags of their own. What one has answered goes to the next as it
// crosses, and is not decoded here. An event has ended when its last chain has, or when one of them fails.

/** @typedef {InstanceType<typeof import("./pool").ClusterPool>} ClusterPool */
/** @typedef {InstanceType<typeof import("./coordinator").Coordinator>} Coordinator */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("./coordinator").Event} Event */
/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("./station").Run} Run */
/** @typedef {import("../shared/carried").Carried} Carried */
/** @typedef {import("../shared/routing").Address} Address */
/** @typedef {Event["settle"]} Settle */
/** A chain, with the tags of its workers. @typedef {{ run: Run, tags: string[], last?: Event }} Link */

class Pipeline {
  /** @param {Coordinator} coordinator @param {Link[]} links */
  constructor(coordinator, links) {
    this.coordinator = coordinator;
    this.links = links;
    coordinator.unite(links.map(({ run }) => run));
  }

  /** @param {Carried} value @param {Settle} settle @param {Address} [address] @returns {Event} */
  add(value, settle, address) {
    const { coordinator, links } = this;
    if (links.length === 1) return coordinator.add(links[0].run, value, settle, address);
    return this.enter(0, value, settle, address, undefined);
  }

  /**
   * @param {number} at the index of the chain
   * @param {Carried} value
   * @param {Settle} settle
   * @param {Address} [address]
   * @param {Outcome} [before] of the chains before
   */
  enter(at, value, settle, address, before) {
    const link = this.links[at];
    const hear = (/** @type {Outcome} */ outcome) => {
      const { text = "", format = 0, told } = outcome;
      const isOver = told !== undefined || at + 1 === this.links.length;
      const all = joined(before, outcome);
      // Whoever reads it says what is wrong with it.
      if (isOver || typeof text !== "string" || typeof format !== "number") settle(all);
      else this.enter(at + 1, { text, format }, settle, address, all).counted = event.counted;
    };
    const { key = undefined, priority = 0 } = address || {};
    const there = at === 0 ? address : { tags: link.tags, key, priority };
    const event = this.coordinator.add(link.run, value, hear, there);
    link.last = event;
    return event;
  }

  /** Resolves when there is room for another, in all chains; undefined if there is. @param {Event} event */
  room(event) {
    const { coordinator, links } = this;
    const hasRoom = links.length === 1 && coordinator.hasRoom(event);
    return hasRoom ? undefined : this.whenRoom(event);
  }

  /** @param {Event} event */
  async whenRoom(event) {
    await this.coordinator.room(event);
    for (const { last } of this.links.slice(1))
      if (last !== undefined) await this.coordinator.room(last);
  }

  /** The run is over. */
  end() {
    for (const { run } of this.links) this.coordinator.end(run);
  }
}

/**
 * What an event has come to by now. What it emits and counts is its run's if it ends well.
 * @param {Outcome | undefined} before
 * @param {Outcome} outcome
 * @returns {Outcome}
 */
function joined(before, outcome) {
  if (before === undefined) return outcome;
  const attempts = before.attempts + outcome.attempts - 1;
  if (outcome.told !== undefined) return { ...outcome, attempts };
  const { data, emitted = [], counts = {} } = before;
  /** @type {Record<string, number>} */
  const all = { ...counts };
  for (const [name, count] of Object.entries(outcome.counts || {}))
    all[name] = (all[name] || 0) + count;
  const whole = { ...outcome, attempts, counts: all };
  if (data !== undefined) whole.data = data;
  return { ...whole, emitted: [...emitted, ...(outcome.emitted || [])] };
}

/**
 * The chains of a call: one, unless its stages have different tags and the call has none.
 * @param {string[]} stages their names
 * @param {import("../shared/options").Options & { chains?: import("../shared/stage").Chain[] }} options
 * @returns {{ tags: string[], stages: string[] }[]}
 */
function chainsOf(stages, { tags, chains = [] }) {
  if (tags !== undefined || chains.length < 2) return [{ tags: tags || [], stages }];
  let from = 0;
  return chains.map((chain) => {
    const own = stages.slice(from, from + chain.length);
    from += chain.length;
    return { tags: chain.tags, stages: own };
  });
}

/**
 * Begins a run: says what it is about, as it travels, and how far it runs ahead.
 * @param {ClusterPool} pool
 * @param {string[]} work the names of its stages
 * @param {Options} options
 * @param {string | undefined} args as text
 * @param {Pick<Run, "classes" | "refusal" | "isSeen" | "isLive" | "each" | "hops">} how
 */
function beginRun(pool, work, options, args, how) {
  const { taskTimeout, retries, weight } = options;
  const about = {
    work,
    args: args === undefined ? null : args,
    taskTimeout: taskTimeout === undefined || taskTimeout === Infinity ? null : taskTimeout,
    retries: retries === undefined ? null : retries,
    ...how,
  };
  const { maxBytesWaiting, maxEventsPerWorker = pool.options.maxEventsPerWorker } = options;
  return pool.coordinator.begin(about, { weight, maxBytesWaiting, maxEventsPerWorker });
}

/** What the events of a call go through. @param {Parameters<typeof beginRun>} given as `beginRun` has them @param {string[]} first stages before them */
function beginPipeline([pool, work, options, args, how], first = []) {
  const links = chainsOf(work, options).map(({ tags, stages }, at) => ({
    run: beginRun(pool, at === 0 ? [...first, ...stages] : stages, options, args, how),
    tags,
  }));
  return new Pipeline(pool.coordinator, links);
}

module.exports = { Pipeline, beginPipeline, beginRun, chainsOf };
