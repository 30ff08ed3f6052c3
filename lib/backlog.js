"use strict";
// The events that wait, in memory that the master and all workers share: the master's JavaScript puts
// them in, each worker's claims the next one. The layout, and why it is so, is in src/backlog.rs and
// src/protocol.rs.

const { wire } = require("./native");
const { words } = require("./words");

/** Texts up to this length are copied faster one by one than by a call. */
const SHORT = 64;

/** Integers of at most so many characters are read without making a string. */
const DIGITS = 9;

/** The most bytes of a character. */
const CHARACTER = 4;

const MINUS = 45;
const ZERO = 48;

/** What both ends know. */
class Backlog {
  /** @param {ArrayBuffer} memory */
  constructor(memory) {
    const { backlog } = wire();
    this.place = backlog;
    this.words = new Int32Array(memory);
    this.bytes = Buffer.from(memory, backlog.bytes, backlog.size);
    this.mask = backlog.size - 1;
    this.entryMask = backlog.places - 1;
    this.freeMask = ~this.entryMask;
    this.table = backlog.table;
    this.entrySize = backlog.entry;
  }
}

/** The master's end. */
class BacklogWriter extends Backlog {
  /**
   * @param {ArrayBuffer} memory
   * @param {import("./words").WordArray} board
   * @param {number} numWorkers
   */
  constructor(memory, board, numWorkers) {
    super(memory);
    this.board = board;
    this.sleeperWords = Math.ceil(numWorkers / 32);
    const { ascii, string } = wire();
    this.ascii = ascii;
    this.string = string;
    /** The longest text for which there is room in the worst case, three bytes a character. */
    this.longest = Math.floor(this.place.longest / 3);
    /** The same for one that is written only if it is ASCII. */
    this.longestString = this.place.longest - CHARACTER;
  }

  /**
   * Puts an event in. False, with nothing done, if its text is too long or there is no room: then the
   * native core does it; and if it is said to be a string as it is and is not ASCII.
   * @param {number} flags
   * @param {string} text
   */
  write(flags, text) {
    const { place, board, bytes } = this;
    const length = text.length;
    const isString = (flags & this.string) !== 0;
    if (
      length > (isString ? this.longestString : this.longest) ||
      words.load(board, place.boardOverflows) !== 0
    )
      return false;
    const index = board[place.boardPublished];
    if (((index - words.load(board, place.boardFirst)) | 0) >= place.places) return false;
    // What is not ASCII would take more than its length of that, and be seen so.
    const room = isString ? length + CHARACTER : length * 3;
    const tail = board[place.boardTail];
    let at = tail & this.mask;
    let start = tail;
    if (at + room > place.size) {
      start = (tail + place.size - at) | 0;
      at = 0;
    }
    const head = words.load(board, place.boardHead);
    if (((start - head) >>> 0) + room > place.size) return false;
    let written = 0;
    if (length <= SHORT) {
      for (; written < length; written++) {
        const unit = text.charCodeAt(written);
        if (unit > 127) break;
        bytes[at + written] = unit;
      }
    }
    if (written < length) written = bytes.write(text, at, room, "utf8");
    if (isString && written !== length) return false;
    const entry = this.table + (index & this.entryMask) * this.entrySize;
    this.words[entry + 1] = start;
    this.words[entry + 2] = written;
    this.words[entry + 3] = written === length ? flags | this.ascii : flags;
    words.store(this.words, entry, index & this.freeMask);
    board[place.boardTail] = (start + ((written + 7) & ~7)) | 0;
    const next = (index + 1) | 0;
    words.store(board, place.boardPublished, next);
    words.store(this.words, place.published, next);
    return true;
  }

  /** Whether a worker sleeps that an event should wake. */
  hasSleepers() {
    const { sleepers } = this.place;
    for (let at = 0; at < this.sleeperWords; at++) {
      if (words.load(this.words, sleepers + at) !== 0) return true;
    }
    return false;
  }
}

/** A worker's end. What it has claimed is in `index`, `flags`, `data` and `text`. */
class BacklogReader extends Backlog {
  /**
   * @param {ArrayBuffer} memory
   * @param {number} place the worker's
   * @param {(parsed: any) => any} decode what JSON.parse made of a text
   */
  constructor(memory, place, decode) {
    super(memory);
    this.owner = place + 1;
    this.sleeperWord = this.place.sleepers + (place >> 5);
    this.sleeperBit = 1 << (place & 31);
    this.decode = decode;
    const { ascii, hole, long, string } = wire();
    this.ascii = ascii;
    this.hole = hole;
    this.long = long;
    this.string = string;
    /** All events before this one are claimed. */
    this.next = words.load(this.words, this.place.claimed);
    this.index = 0;
    this.flags = 0;
    /** The event's data.
     * @type {any} */
    this.data = undefined;
    /** The data's text, if it was needed.
     * @type {string | undefined} */
    this.text = undefined;
  }

  /** Makes the next event this worker's for good. False if there is none. */
  claim() {
    const { place, entryMask, freeMask, entrySize } = this;
    const published = words.load(this.words, place.published);
    const hint = words.load(this.words, place.claimed);
    let index = this.next;
    // Long ago: all that have lost their places since are claimed.
    if ((published - index) >>> 0 > place.places) index = (published - place.places) | 0;
    // The hint may be ahead of what was published when looked at.
    if ((published - hint) >>> 0 < (published - index) >>> 0) index = hint;
    while (((published - index) | 0) > 0) {
      const entry = this.table + (index & entryMask) * entrySize;
      const free = index & freeMask;
      const claimed = free | this.owner;
      if (
        this.words[entry] === free &&
        words.compareExchange(this.words, entry, free, claimed) === free
      ) {
        this.index = index;
        this.next = (index + 1) | 0;
        words.store(this.words, place.claimed, this.next);
        return true;
      }
      index = (index + 1) | 0;
    }
    this.next = index;
    return false;
  }

  /** Whether the master looks at the answers without being rung. */
  masterLooks() {
    return words.load(this.words, this.place.looks) === 1;
  }

  /** Whether the worker that has claimed the event is to ring. */
  isToRing() {
    return words.load(this.words, this.place.ringAt) === this.index;
  }

  /** Reads what was claimed, and says so. The master sends the text of one that `isLong`. */
  read() {
    const entry = this.table + (this.index & this.entryMask) * this.entrySize;
    const at = this.words[entry + 1] & this.mask;
    const length = this.words[entry + 2];
    const flags = this.words[entry + 3];
    this.flags = flags;
    this.text = undefined;
    if (flags & (this.hole | this.long)) this.data = undefined;
    else if (flags & this.string) this.data = this.bytes.toString("latin1", at, at + length);
    else if (!this.readInteger(at, length)) {
      this.text = this.bytes.toString(flags & this.ascii ? "latin1" : "utf8", at, at + length);
    }
    words.store(this.words, entry, (this.index & this.freeMask) | this.owner | this.place.read);
    if (this.text !== undefined) this.data = this.decode(JSON.parse(this.text));
  }

  get isLong() {
    return (this.flags & this.long) !== 0;
  }

  /**
   * @param {number} at
   * @param {number} length
   */
  readInteger(at, length) {
    if (length > DIGITS) return false;
    const { bytes } = this;
    const end = at + length;
    const isNegative = bytes[at] === MINUS;
    let value = 0;
    for (let i = isNegative ? at + 1 : at; i < end; i++) {
      const digit = bytes[i] - ZERO;
      if (digit < 0 || digit > 9) return false;
      value = value * 10 + digit;
    }
    this.data = isNegative ? -value : value;
    return true;
  }

  /** From now on an event wakes this worker. */
  sleep() {
    words.or(this.words, this.sleeperWord, this.sleeperBit);
  }

  /** Whether there is something to claim, now that the worker is about to sleep. */
  hasMore() {
    const { place, freeMask, entryMask } = this;
    const published = words.load(this.words, place.published);
    for (let index = this.next; ((published - index) | 0) > 0; index = (index + 1) | 0) {
      const entry = this.table + (index & entryMask) * this.entrySize;
      if (words.load(this.words, entry) === (index & freeMask)) return true;
    }
    return false;
  }

  /** It does not sleep any more. */
  wake() {
    words.and(this.words, this.sleeperWord, ~this.sleeperBit);
  }
}

module.exports = { BacklogReader, BacklogWriter };
