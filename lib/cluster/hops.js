"use strict";
// What a host keeps of what its events put out for other nodes of a flow: items that its own workers begin at once, in chunks as the master
// would send them. The master has them in the answers, and is told there which these are. Sends nothing itself.

const { ALONE, A_PLACE, MOST_BYTES, Sizer } = require("./chunks");
const { carriedPacked, outputsOf } = require("./flow-items");
const { serves } = require("./routing");
const { valueOf } = require("../shared/carried");
const { LIKE_ONE } = require("../shared/flow/carried");
const { Map } = require("../shared/primordials");

/** @typedef {import("./station").Run} Run */
/** @typedef {import("./station").Sent} Sent */
/** @typedef {import("./station").Answer} Answer */
/** A node whose items may be kept: its run, which is not known yet at first, and how many of its events go together.
 * @typedef {{ run: Run | undefined, sizer: InstanceType<typeof Sizer> }} Target */
/** What may be kept: the output of an answer, as data of an event. @typedef {{ answer: Answer, at: number, text: string, format: number }} Item */
/** As a host takes it. Its number is below zero, as are those of its events. @typedef {{ chunk: number, run: Run, lost: number, events: Sent[], priority: number }} Kept */

/** Characters of an item below which many go over the broker for less than it costs to have a chunk more. */
const SMALL = 1024;

/** @type {NonNullable<Run["hops"]>} */
const NONE = [];

class Hops {
  /** @param {{ tags: string[], isExclusive: boolean }} host @param {(number: number) => Promise<Run | undefined>} runOf */
  constructor(host, runOf) {
    this.host = host;
    this.runOf = runOf;
    /** By the numbers of their runs. @type {globalThis.Map<number, Target>} */
    this.targets = new Map();
    /** Answers that were not sent, of runs that items leave. @type {{ run: Run, priority: number, answer: Answer }[]} */
    this.answers = [];
    this.isClosed = false;
    this.lastChunk = 0;
    // The station has -1 for what is not known.
    this.lastEvent = -1;
  }

  /** Events of a run begin here. @param {Run} run */
  learn({ hops = NONE }) {
    for (const [, number, tags] of hops) {
      if (this.targets.has(number) || !this.isFor(tags)) continue;
      /** @type {Target} */
      const target = { run: undefined, sizer: new Sizer() };
      this.targets.set(number, target);
      this.runOf(number).then((run) => {
        target.run = run;
        if (run === undefined) this.forget(number);
      });
    }
  }

  /** Whether no other host has fewer tags and may run it, too. @param {string[]} tags */
  isFor(tags) {
    return this.host.tags.length === tags.length && serves(/** @type {any} */ (this.host), tags);
  }

  /** A run is over. @param {number} number */
  forget(number) {
    this.targets.delete(number);
  }

  /** Nothing is begun any more. */
  close() {
    this.isClosed = true;
  }

  /** @param {Run} run @param {number} priority @param {Answer} answer that is sent with the next ones */
  note(run, priority, answer) {
    if (run.hops !== undefined && answer.text !== undefined)
      this.answers.push({ run, priority, answer });
  }

  /**
   * Chooses of what is to be sent now, and notes in the answers what is kept.
   * @param {[run: number, count: number, busy: number][]} measured
   * @param {number} places
   * @param {Iterable<{ left: number, all: number }>} open chunks that have not ended: how many of all their events have not
   * @returns {Kept[]} what is to be begun when the answers were handed over
   */
  keep(measured, places, open) {
    for (const [number, count, busy] of measured)
      this.targets.get(number)?.sizer.observe(count, busy);
    const answers = this.answers.splice(0);
    /** @type {Kept[]} */
    const all = [];
    if (answers.length === 0 || this.isClosed) return all;
    let load = 0;
    for (const { left, all: whole } of open) load += left / whole;
    // Who has enough to do reads no answer.
    if (load >= A_PLACE * places) return all;
    for (const { target, priority, items } of this.sorted(answers)) {
      const chunks = this.chunksOf(target, priority, items, { places, load });
      load += chunks.length;
      all.push(...chunks);
    }
    return all;
  }

  /** What may be kept, by what may go together. @param {{ run: Run, priority: number, answer: Answer }[]} answers */
  sorted(answers) {
    /** @type {globalThis.Map<string, { target: Target, priority: number, items: Item[] }>} */
    const lines = new Map();
    for (const {
      run: { hops = NONE },
      priority,
      answer,
    } of answers) {
      const byExit = new Map(hops.map(([exit, number]) => [exit, number]));
      for (const [at, output] of outputsIn(answer).entries()) {
        if (!("exit" in output)) continue;
        const number = byExit.get(output.exit);
        const target = number === undefined ? undefined : this.targets.get(number);
        if (target?.run === undefined) continue;
        const carried = carriedPacked(output.item);
        // The master writes it in another way.
        if (carried.text.startsWith(LIKE_ONE)) continue;
        const id = `${number} ${priority}`;
        const line = lines.get(id) || { target, priority, items: [] };
        lines.set(id, line);
        line.items.push({ answer, at, ...carried });
      }
    }
    return lines.values();
  }

  /** @param {Target} target @param {number} priority @param {Item[]} items @param {{ places: number, load: number }} how @returns {Kept[]} */
  chunksOf({ run, sizer }, priority, items, { places, load }) {
    const { mean } = sizer;
    const size = items.reduce((sum, { text }) => sum + text.length, 0);
    // Otherwise only a place that is free now: where an event takes its time another host may be free sooner.
    const isWorthIt = mean !== undefined && mean < ALONE && size >= SMALL * items.length;
    let free = isWorthIt ? A_PLACE * places - load : Math.floor(places - load);
    /** @type {Kept[]} */
    const chunks = [];
    let head = 0;
    while (free > 0 && head < items.length) {
      const most = Math.floor(sizer.next(items.length - head, places) * Math.min(1, free));
      const taken = takenFrom(items, head, most);
      if (taken.length === 0) break;
      head += taken.length;
      free--;
      chunks.push(this.chunkOf(/** @type {Run} */ (run), priority, taken));
    }
    return chunks;
  }

  /** @param {Run} run @param {number} priority @param {Item[]} items @returns {Kept} */
  chunkOf(run, priority, items) {
    const chunk = --this.lastChunk;
    const events = items.map(({ answer, at, text, format }) => {
      const event = --this.lastEvent;
      if (answer.keep === undefined) answer.keep = [];
      const last = answer.keep[answer.keep.length - 1];
      // Those that follow each other are told of together.
      if (last !== undefined && last[0] === chunk && last[2] + last[3] === at) last[3]++;
      else answer.keep.push([chunk, event, at, 1]);
      return /** @type {Sent} */ ([event, text, format]);
    });
    return { chunk, run, lost: 0, events, priority };
  }
}

/** @param {Item[]} items @param {number} head @param {number} most @returns {Item[]} as many as go in one chunk */
function takenFrom(items, head, most) {
  const taken = items.slice(head, head + most);
  let size = 0;
  const end = taken.findIndex(({ text }) => {
    size += text.length;
    return size > MOST_BYTES;
  });
  // One that is larger goes alone.
  return end < 0 ? taken : taken.slice(0, Math.max(1, end));
}

/** @param {Answer} answer @returns {import("./flow-items").Output[]} none if it cannot be read, which the master says */
function outputsIn({ text = "", format = 0 }) {
  try {
    return outputsOf(valueOf({ text, format }));
  } catch (_) {
    return [];
  }
}

module.exports = { Hops };
