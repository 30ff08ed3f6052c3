"use strict";
// The native functions of spilled files in JavaScript, in memory: the same order, chunks, positions and errors, without the bytes of
// the files. `files` is what was written, `calls` what was called how often; `fail` makes the next call of a function throw.

const MOST_OF_A_KEY = 4;
const JSON_TEXT = 0;
const UNDEFINED = 4;

const RANKS = { boolean: 1, number: 3, string: 4 };
const rankOf = (key) => (key === null ? 0 : RANKS[typeof key] + (key === true ? 1 : 0));

/** null, false, true, numbers by value, strings by code point. */
function compared(a, b) {
  if (rankOf(a) !== rankOf(b)) return rankOf(a) - rankOf(b);
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return typeof a === "number" ? a - b : 0;
}

/** A stable partition of a key. */
function partitionOf(key, partitions) {
  let hash = 7;
  for (const byte of Buffer.from(JSON.stringify(key))) hash = (hash * 31 + byte) >>> 0;
  return hash % partitions;
}

const failure = (message) => Object.assign(new Error(message), { code: "ERR_SONIC_SPILL" });

class FakeSpill {
  constructor() {
    this.dir = "/run";
    /** @type {Map<string, { key: any, side: number, format: number, bytes: Buffer }[]>} */
    this.files = new Map();
    /** @type {Record<string, number>} */
    this.calls = {};
    /** @type {Record<string, Error>} */
    this.fail = {};
    const names = Object.getOwnPropertyNames(FakeSpill.prototype).filter((name) =>
      /^spill/.test(name),
    );
    /** The functions, as the native core has them. @type {any} */
    this.native = {};
    for (const name of names) {
      this.native[name] = (...given) => {
        this.calls[name] = (this.calls[name] || 0) + 1;
        const error = this.fail[name];
        delete this.fail[name];
        if (error !== undefined) throw error;
        return this[name](...given);
      };
    }
  }

  spillOpen(dir, file) {
    return { dir, file };
  }

  spillWrite(file, partitions, side, keys, values) {
    const list = JSON.parse(values).map((value) => Buffer.from(JSON.stringify(value)));
    return this.append(
      file,
      partitions,
      side,
      keys,
      list,
      list.map(() => JSON_TEXT),
    );
  }

  spillNumbers() {
    return new Map();
  }

  spillNumber(known, keys, isJson, numbers) {
    const list = isJson ? JSON.parse(keys) : keys.split("\n");
    // These are ASCII.
    const isText = /^[\x00-\x7f]*$/.test(keys) && list.length === numbers.length;
    if (!isJson && !isText) return false;
    if (list.length !== numbers.length) throw failure(`keys: they are not ${numbers.length}`);
    for (const [at, key] of list.entries()) {
      if (!known.has(key)) known.set(key, known.size);
      numbers[at] = known.get(key);
    }
    return true;
  }

  spillNumbered(known) {
    return JSON.stringify([...known.keys()]);
  }

  spillWriteNumbered(file, partitions, side, known, values) {
    return this.spillWrite(file, partitions, side, this.spillNumbered(known), values);
  }

  spillWriteBytes(file, partitions, side, keys, bytes, ends, formats) {
    if (ends.length !== formats.length) throw failure("there are not as many ends as formats");
    const list = [...ends].map((end, at) =>
      Buffer.from(bytes.subarray(at === 0 ? 0 : ends[at - 1], end)),
    );
    return this.append(file, partitions, side, keys, list, [...formats]);
  }

  append(file, partitions, side, keyText, values, formats) {
    const keys = JSON.parse(keyText);
    if (keys.length !== values.length)
      throw failure(`${keys.length} keys have ${values.length} values`);
    const records = keys.map((key, at) => ({ key, side, format: formats[at], bytes: values[at] }));
    const parts = [];
    for (let partition = 0; partition < partitions; partition++) {
      const own = records.filter(({ key }) => partitionOf(key, partitions) === partition);
      parts.push(...this.extent(file, own, partition));
    }
    return JSON.stringify({ file: file.file, parts });
  }

  extent({ file }, records, partition) {
    if (records.length === 0) return [];
    if (!this.files.has(file)) this.files.set(file, []);
    const all = this.files.get(file);
    const offset = all.length;
    all.push(...[...records].sort((a, b) => compared(a.key, b.key)));
    return [[partition, offset, records.length, records.length]];
  }

  spillMerge(file, _dir, extents, partition) {
    const parts = this.extent(file, this.sorted(extents), partition);
    return JSON.stringify({ file: file.file, parts });
  }

  sorted(extents) {
    const records = JSON.parse(extents).flatMap(([file, offset, length]) => {
      const all = this.files.get(file) || [];
      if (offset + length > all.length) throw failure(`${file} is damaged at offset ${offset}`);
      return all.slice(offset, offset + length);
    });
    return records.sort((a, b) => compared(a.key, b.key) || a.side - b.side);
  }

  spillRead(_dir, extents, from) {
    const at = from === null ? 0 : Number(/^at (\d+)$/.exec(from)[1]);
    return { records: this.sorted(extents), at, isPartial: false };
  }

  spillPosition({ at, records, isPartial }) {
    return isPartial || at >= records.length ? null : `at ${at}`;
  }

  spillClose(merge) {
    merge.records = [];
  }

  spillNext(merge, most) {
    const { records } = merge;
    if (merge.at >= records.length) return null;
    const keys = [];
    const counts = [];
    const taken = [];
    const chunk = { isPartial: false, continues: merge.isPartial };
    let size = 0;
    let start = 0;
    for (; merge.at < records.length; merge.at++) {
      const record = records[merge.at];
      if (keys.length > 0 && compared(keys[keys.length - 1], record.key) === 0) {
        chunk.isPartial = size - start >= most * MOST_OF_A_KEY;
        if (chunk.isPartial) break;
      } else {
        if (keys.length > 0 && size >= most) break;
        start = size;
        keys.push(record.key);
        counts.push(0);
        size += JSON.stringify(record.key).length;
      }
      counts[counts.length - 1]++;
      taken.push(record);
      size += record.bytes.length;
    }
    merge.isPartial = chunk.isPartial;
    const isText = taken.every(({ format }) => format === JSON_TEXT);
    const hasSides = taken.some(({ side }) => side !== 0);
    let end = 0;
    return {
      ...chunk,
      keys: JSON.stringify(keys),
      counts: Uint32Array.from(counts),
      ...(hasSides && { sides: Uint8Array.from(taken.map(({ side }) => side)) }),
      ...(isText && { values: `[${taken.map(({ bytes }) => bytes).join(",")}]` }),
      ...(!isText && {
        bytes: Buffer.concat(taken.map(({ bytes }) => bytes)),
        ends: Uint32Array.from(taken.map(({ bytes }) => (end += bytes.length))),
        formats: Uint8Array.from(taken.map(({ format }) => format)),
      }),
    };
  }

  spillRecords(merge, prefix, most) {
    const { records } = merge;
    if (merge.at >= records.length) return null;
    merge.isPartial = false;
    const taken = [];
    for (let size = 0; merge.at < records.length && size < most; merge.at++) {
      taken.push(records[merge.at]);
      size += records[merge.at].bytes.length + 2;
    }
    const mark = String.fromCharCode(prefix);
    const isText = taken.every(({ format }) => (format & ~UNDEFINED) === JSON_TEXT);
    if (isText)
      return { isText, bytes: Buffer.from(taken.map(({ bytes }) => mark + bytes).join("\n")) };
    const framed = taken.map(({ format, bytes }) => {
      const head = Buffer.alloc(6);
      head.writeUInt32LE(bytes.length);
      head[4] = prefix;
      head[5] = format;
      return Buffer.concat([head, bytes]);
    });
    return { isText, bytes: Buffer.concat(framed) };
  }
}

module.exports = { FakeSpill, compared };
