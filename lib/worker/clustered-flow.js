"use strict";
// An event of a flow in a worker whose master runs events on several machines: its answer is the records of all that it puts out.

const path = require("path");
const { FlowWork, OUTPUTS, PENDING } = require("./flow");
const { Records } = require("./flow/records");
const { Spill } = require("./spill");
const { valueOf } = require("../shared/carried");
const { codecOf } = require("../shared/codec");
const { invalidType } = require("../shared/errors");
const { isPlace, spillsAt, unwrapped } = require("../shared/flow/carried");
const { Map } = require("../shared/primordials");

/** @typedef {import("./runner").Self} Self */
/** @typedef {import("../shared/flow/carried").Place} Place */

/** So many runs' files a flow keeps open. */
const MOST_OPEN = 4;

/** How many files this worker has named. */
let opened = 0;

class FlowOfHosts {
  /**
   * @param {Self} self
   * @param {{ plan: import("../shared/flow/plan").Plan, functions: any[], codec: import("../shared/codec").Codec }} about
   */
  constructor(self, about) {
    this.self = self;
    this.about = about;
    /** What runs its events, by where they write. @type {globalThis.Map<string, any>} */
    this.works = new Map();
  }

  /** @param {Place | undefined} place */
  workFor(place) {
    const id = place === undefined ? "" : place.join(" ");
    const known = this.works.get(id);
    if (known !== undefined) return known;
    const spill = place === undefined ? undefined : spillAt(this.self, this.about.codec, place);
    const made = new FlowWork({ ...this.about, spill });
    if (this.works.size === MOST_OPEN) this.works.delete([...this.works.keys()][0]);
    this.works.set(id, made);
    return made;
  }

  /**
   * @param {number} node at which the event enters
   * @param {any} given its data
   * @param {import("./flow/attempt").How} how
   * @returns {any} records, or a promise of them
   */
  run(node, given, how) {
    const { codec, plan } = this.about;
    const isPlaced = spillsAt(plan, node);
    const place = isPlaced ? placeOf(given) : undefined;
    const data = isPlaced ? valueOf(given.item) : given;
    const item = codec === codecOf("advanced") ? data : unwrapped(data);
    const work = this.workFor(place);
    const value = work.run(node, item, how.args, how.context);
    if (work.returned === OUTPUTS) return value;
    const { chain } = work.steps[node];
    if (work.returned !== PENDING) return recordOf(codec, chain, value);
    return value.then((/** @type {import("./flow").Outcome} */ outcome) =>
      "value" in outcome ? recordOf(codec, chain, outcome.value) : outcome.payload,
    );
  }
}

/** It comes from the network. @param {any} given @returns {Place} */
function placeOf(given) {
  const place = Object(given)["…place"];
  if (isPlace(place)) return place;
  throw invalidType("an event of a flow that goes through files does not say where they are");
}

/** What writes what is too large for memory: beside this machine's own folders. @param {Self} self @param {import("../shared/codec").Codec} codec @param {Place} place */
function spillAt({ native, handle, id }, codec, [folder, run, partitions]) {
  const own = native.workerSpill(handle);
  if (own === null) throw invalidType("this worker has no folder for what is too large for memory");
  const dir = () => path.join(path.dirname(own.folder), folder, String(run));
  // Workers of different machines may have the same process id, and never the same id. Two that write at once have a file each.
  return new Spill({ native, dir, file: `${id}-${process.pid}-${++opened}`, partitions, codec });
}

/** The only output of an event, at the exit of its last node. @param {import("../shared/codec").Codec} codec @param {any[]} chain @param {any} value */
function recordOf(codec, chain, value) {
  const { prefix } = chain[chain.length - 1].out;
  if (prefix === "") return "";
  const records = new Records(codec, undefined);
  records.add(prefix, value);
  return records.payload();
}

module.exports = { FlowOfHosts };
