"use strict";
// The second phase of what goes through files: reads a partition, key by key in order, and puts out what a node makes of each key's
// values. An event ends after so many outputs, and another one goes on. It also merges extents, which are many and small otherwise.

const { Column } = require("./flow/column");
const { CHUNKS, Joined } = require("./flow/joined");
const { Reader } = require("./flow/reader");
const { encodedOf } = require("./flow/records");
const { formatOf } = require("../shared/codec");
const { drainAll } = require("../shared/flow/drain");
const { itemOf } = require("../shared/flow/parts");
const { combined } = require("../shared/flow/rules");
const { Values } = require("../shared/flow/values");
const { invalidType } = require("../shared/errors");
const { Buffer, JSON } = require("../shared/primordials");

/** When keys and values are written that were merged here. */
const MOST_BYTES = 2 ** 24;

/**
 * The data of an event: the partition, its extents, and where to go on in them: behind a position, and there at a key, in which `rest`
 * is left. `only` that key's group; `c`: merges the extents.
 * Or an item of a side, which is to be put into a file once more, or what is `wrong` with it for ever.
 * @typedef {{ p: number, x: import("./spill").Extent[], from?: string | null, key?: any, rest?: import("./flow/joined").Place,
 *   only?: boolean, c?: boolean }} Part
 * @typedef {{ side: number, item?: any, format?: number, base64?: string, wrong?: string }} Redo
 */
/** @typedef {import("./flow/steps").AnyStep} Step */
/** @typedef {import("./flow/attempt").AnyAttempt} Attempt */
/** @typedef {import("./flow").Work} Work */
/** @typedef {import("./flow").Wait} Wait */

/**
 * An event enters at a hold.
 * @param {Work} work
 * @param {Step} step
 * @param {Part | Redo} data
 * @param {Attempt} attempt
 * @returns {Wait}
 */
function enterHold(work, step, data, attempt) {
  if (!("x" in data)) return putAgain(step, data, attempt);
  if (data.c === true) return compact(step, data, attempt);
  if (step.planKind === "sortBy" && step.out.isOneExit) return copySorted(step, data, attempt);
  return new Groups(work, step, data, attempt).run();
}

/** The groups of one event. */
class Groups {
  /** @param {Work} work @param {Step} step @param {Part} part @param {Attempt} attempt */
  constructor(work, step, part, attempt) {
    this.work = work;
    this.step = step;
    this.part = part;
    this.attempt = attempt;
    this.reader = readerOf(part, attempt);
    /** Nothing is put out but the group of one key, which has failed before. */
    this.isRedo = part.only === true;
    this.isDone = false;
    /** Where to go on in the first key, or where the next event does in the last one. @type {import("./flow/joined").Place | undefined} */
    this.rest = part.rest;
    this.isRest = this.rest !== undefined;
    /** Where it went on in this key. @type {import("./flow/joined").Place | undefined} */
    this.began = undefined;
    this.group = GROUPS[step.planKind];
  }

  /** @returns {Wait} */
  run() {
    while (this.next()) {
      const wait = this.one();
      if (wait !== undefined) return this.runLater(wait);
    }
    return undefined;
  }

  /** @param {Promise<void>} first */
  async runLater(first) {
    await first;
    while (this.next()) {
      const wait = this.one();
      if (wait !== undefined) await wait;
    }
  }

  /** On to the next group of this event. */
  next() {
    this.attempt.check();
    if (!this.isDone && this.find()) return true;
    this.reader.close();
    return false;
  }

  find() {
    const { attempt, reader, part } = this;
    if (this.isRedo || this.isRest) {
      this.isDone = this.isRedo;
      this.isRest = false;
      return attempt.orDie(() => findKey(reader, part.key));
    }
    if (this.rest !== undefined) {
      goOn(part, { from: reader.position, key: reader.key, rest: this.rest }, attempt);
      return false;
    }
    if (reader.isAtEnd && attempt.size >= attempt.spill.chunkOf(part.x)) {
      const from = reader.place();
      if (from !== null) {
        goOn(part, { from }, attempt);
        return false;
      }
    }
    return attempt.orDie(() => reader.nextKey());
  }

  /** Where to go on in the key, once. */
  takeRest() {
    this.began = this.rest;
    this.rest = undefined;
    return this.began;
  }

  /** @returns {Wait} */
  one() {
    const { key } = this.reader;
    let wait;
    try {
      wait = this.group(this, key);
    } catch (thrown) {
      this.fail(key, thrown);
    }
    return wait?.then(undefined, (thrown) => this.fail(key, thrown));
  }

  /** @param {any} key @param {unknown} thrown */
  fail(key, thrown) {
    const { attempt, step, part, reader } = this;
    attempt.check();
    if (this.isRedo) throw thrown;
    const { p, x } = part;
    const redo = JSON.stringify({ p, x, from: reader.position, key, only: true, rest: this.began });
    attempt.records.fail(step.number, { key }, thrown, redo);
  }

  /** A group's only output. @param {any} value @returns {Wait} */
  put(value) {
    const { out } = this.step;
    this.attempt.emit(out, value);
    return out.next === undefined ? undefined : this.work.walk(out.next, value, this.attempt);
  }

  /** All outputs of a group, or none. @param {Iterable<any>} outputs @returns {Wait} */
  putAll(outputs) {
    const { work, step, attempt } = this;
    const mark = attempt.mark();
    const kept = () => attempt.keep(mark);
    const failed = (/** @type {unknown} */ thrown) => {
      attempt.rollBack(mark);
      throw thrown;
    };
    let wait;
    try {
      wait = drainAll(work, step, outputs, attempt);
    } catch (thrown) {
      return failed(thrown);
    }
    if (wait !== undefined) return wait.then(kept, failed);
    kept();
    return undefined;
  }

  /** Whether the key has one more value. What cannot be read fails the event. */
  hasValue() {
    const { reader } = this;
    return reader.value < reader.end || this.attempt.orDie(() => reader.hasValue());
  }
}

/** What is made of a group, by the node's kind. @type {Record<string, (groups: Groups, key: any) => Wait>} */
const GROUPS = {
  reduceByKey(groups, key) {
    const { reader, step, attempt } = groups;
    let value = groups.hasValue() ? reader.take() : undefined;
    while (groups.hasValue()) value = combined(step, value, reader.take());
    const { out } = step;
    if (out.isOneExit && attempt.records.addPair(out.prefix, reader.keyText, value))
      return undefined;
    return groups.put([key, value]);
  },

  groupByKey(groups, key) {
    const { fn } = groups.step;
    const values = new Values(groups, groups.step.name);
    let result;
    try {
      result = fn({ key, values }, groups.attempt.args());
      if (isPromise(result)) return putLater(groups, result, values);
    } finally {
      if (!isPromise(result)) values.end();
    }
    groups.attempt.check();
    return groups.put(result);
  },

  join: (groups, key) => groups.putAll(joined(groups, key)),

  sortBy: (groups) => groups.putAll(valuesOf(groups)),
};

/** @param {Groups} groups @param {PromiseLike<any>} promise @param {InstanceType<typeof Values>} values */
async function putLater(groups, promise, values) {
  let result;
  try {
    result = await promise;
  } finally {
    values.end();
  }
  groups.attempt.check();
  await groups.put(result);
}

/**
 * What is left and right of a key. If that is too much for an event, `groups.rest` is where the next one goes on.
 * @param {Groups} groups
 * @param {any} key
 */
function* joined(groups, key) {
  const { step, reader, attempt, part, isRedo } = groups;
  const { spill } = attempt;
  const most = spill.chunkOf(part.x) * CHUNKS;
  const join = new Joined({
    reader,
    key,
    keepsLeft: step.join === "left" || step.join === "outer",
    keepsRight: step.join === "outer",
    memory: step.memory,
    from: groups.takeRest(),
    isFull: () => !isRedo && attempt.size >= most,
    readAgain: () =>
      attempt.orDie(() => {
        const again = new Reader(spill, part.x, reader.position);
        findKey(again, key);
        return again;
      }),
    hasValue: (of) => of.value < of.end || attempt.orDie(() => of.hasValue()),
  });
  yield* join.pairs();
  if (join.isLeft) groups.rest = join.place;
}

/** @param {Groups} groups */
function* valuesOf(groups) {
  while (groups.hasValue()) yield groups.reader.take();
}

/** What is sorted goes out without being decoded. @param {Step} step @param {Part} part @param {Attempt} attempt */
function copySorted(step, part, attempt) {
  const { spill, records } = attempt;
  const { native } = spill;
  const chunk = spill.chunkOf(part.x);
  const merge = spill.read(part.x, part.from === undefined ? null : part.from);
  const prefix = step.out.prefix.charCodeAt(1);
  for (;;) {
    const copied = native.spillRecords(merge, prefix, chunk);
    if (copied !== null) records.addReady(copied.bytes, copied.isText);
    const from = copied === null || records.size < chunk ? null : native.spillPosition(merge);
    if (from !== null) goOn(part, { from }, attempt);
    else if (copied !== null) continue;
    native.spillClose(merge);
    return undefined;
  }
}

/** @param {Part} part @param {Partial<Part>} where @param {Attempt} attempt */
function goOn({ p, x }, where, attempt) {
  attempt.records.goOn(JSON.stringify({ p, x, ...where }));
}

/** Extents become one. Those of a reduceByKey lose what can be combined. @param {Step} step @param {Part} part @param {Attempt} attempt */
function compact(step, part, attempt) {
  const { spill, records } = attempt;
  const told = step.planKind === "reduceByKey" ? combineAll(step, part, attempt) : [];
  if (told.length === 0) records.spilled(step.number, spill.merge(part.x, part.p));
  else if (told.length === 1) records.spilled(step.number, told[0]);
  else records.spilled(step.number, spill.merge(told.flatMap(extentsOf), part.p));
  return undefined;
}

/**
 * Writes what is left of a partition of a reduceByKey, and returns where. Values that cannot be combined stay what they are: that
 * fails where they are put out.
 * @param {Step} step
 * @param {Part} part
 * @param {Attempt} attempt
 */
function combineAll(step, part, attempt) {
  const { spill, codec } = attempt;
  const reader = readerOf(part, attempt);
  const told = [];
  let column = new Column();
  const put = (/** @type {any} */ key, /** @type {any} */ value) => {
    const encoded = encodedOf(codec, value);
    column.put(key, encoded, formatOf(value, encoded || ""));
    if (column.length < MOST_BYTES) return;
    told.push(column.write(spill, step, 0));
    column = new Column();
  };
  while (reader.nextKey()) {
    const { key } = reader;
    if (!reader.hasValue()) continue;
    let value = reader.take();
    let isWhole = true;
    while (reader.hasValue()) {
      const next = reader.take();
      try {
        if (isWhole) value = combined(step, value, next);
      } catch (_) {
        isWhole = false;
      }
      if (isWhole) continue;
      put(key, value);
      value = next;
    }
    put(key, value);
  }
  reader.close();
  if (column.keys.length > 0) told.push(column.write(spill, step, 0));
  return told;
}

/** @param {string} told @returns {import("./spill").Extent[]} */
function extentsOf(told) {
  /** @type {import("./spill").Told} */
  const { file, parts } = JSON.parse(told);
  return parts.map(([, offset, length]) => [file, offset, length]);
}

/** An item is put into a file once more. @param {Step} step @param {Redo} redo @param {Attempt} attempt */
function putAgain(step, { side, item, format, base64, wrong }, attempt) {
  if (wrong !== undefined) throw invalidType(wrong);
  const value = base64 === undefined ? item : itemOf(Buffer.from(base64, "base64"), Number(format));
  attempt.pairs = attempt.spill.pairs();
  attempt.pairs.put(step, side, value, attempt);
  return undefined;
}

/** @param {Part} part @param {Attempt} attempt */
const readerOf = ({ x, from }, { spill }) => new Reader(spill, x, from === undefined ? null : from);

/** @param {InstanceType<typeof Reader>} reader @param {any} key */
function findKey(reader, key) {
  while (reader.nextKey()) if (reader.key === key) return true;
  return false;
}

/** @param {any} value @returns {value is PromiseLike<any>} */
const isPromise = (value) =>
  value !== null && typeof value === "object" && typeof value.then === "function";

module.exports = { enterHold };
