"use strict";
// What is left and right of a key, in pairs. Left items are kept as far as the node's memory reaches. If there are more, all right items
// are read again for each part of them. A key that makes more than one event puts out ends in further ones.

/** About what an item takes beside its JSON. */
const BYTES_OF_ITEM = 64;

/** A key ends in a further event after so many times more than an event puts out, which has to read again what is before that. */
const CHUNKS = 4;

/** The pairs that were put out before: how many left items are before the part that is kept, how many right items are done with that
 * part, and with how many of it the next one is. @typedef {{ left: number, right: number, of: number }} Place */
/** @typedef {InstanceType<typeof import("./reader").Reader>} Reader */
/**
 * @typedef {object} Group a group of groups.js
 * @property {Reader} reader at the key's first value
 * @property {any} key
 * @property {boolean} keepsLeft left items without a partner stay
 * @property {boolean} keepsRight
 * @property {number} memory
 * @property {Place | undefined} from
 * @property {() => boolean} isFull whether a further event is to go on
 * @property {() => Reader} readAgain reads all of the key from its start
 * @property {(reader: Reader) => boolean} hasValue
 */

/** @typedef {Joined} AnyJoined */

class Joined {
  /** @param {Group} group */
  constructor(group) {
    this.group = group;
    const { left, right, of } = group.from || { left: 0, right: 0, of: 0 };
    /** @type {Place} */
    this.place = { left, right, of };
    /** Whether `place` is where a further event goes on. */
    this.isLeft = false;
    /** The left items that are kept. @type {any[]} */
    this.lefts = [];
  }

  *pairs() {
    const { group, place } = this;
    const { reader } = group;
    this.skipLefts(reader, place.left);
    for (;;) {
      const isLast = this.keep(reader);
      // It stands at the right items then.
      const rights = isLast ? reader : group.readAgain();
      if (!isLast) this.skipLefts(rights, Infinity);
      yield* this.pairsWith(rights);
      if (rights !== reader) rights.close();
      if (this.isLeft || isLast) return;
      place.left += this.lefts.length;
      place.right = 0;
      place.of = 0;
    }
  }

  /** @param {Reader} reader @param {number} most */
  skipLefts(reader, most) {
    const { group } = this;
    for (let at = 0; at < most && group.hasValue(reader) && reader.side === 0; at++) reader.skip();
  }

  /** Keeps left items. @param {Reader} reader @returns {boolean} whether these are the last ones */
  keep(reader) {
    const { group } = this;
    this.lefts = [];
    for (let length = 0; group.hasValue(reader) && reader.side === 0; ) {
      if (length >= group.memory) return false;
      this.lefts.push(reader.take());
      length += reader.lengthOfValue + BYTES_OF_ITEM;
    }
    return true;
  }

  /** Those that are kept with each right item, or alone if there is none. @param {Reader} rights */
  *pairsWith(rights) {
    const { group, place, lefts } = this;
    const { key } = group;
    for (let at = 0; at < place.right && group.hasValue(rights); at++) rights.skip();
    const hasRight = place.right > 0 || group.hasValue(rights);
    if (!hasRight) {
      for (; group.keepsLeft && place.of < lefts.length; place.of++) {
        if (this.stops()) return;
        yield { key, left: lefts[place.of] };
      }
      return;
    }
    for (; group.hasValue(rights); place.right++) {
      if (this.stops()) return;
      const right = rights.take();
      if (lefts.length === 0 && group.keepsRight) yield { key, right };
      for (; place.of < lefts.length; place.of++) {
        if (this.stops()) return;
        yield { key, left: lefts[place.of], right };
      }
      place.of = 0;
    }
  }

  stops() {
    this.isLeft = this.group.isFull();
    return this.isLeft;
  }
}

module.exports = { CHUNKS, Joined };
