"use strict";
// Reads a thrown value for its way to the master: it may be anything, of any size and shape, and is read within bounds of time and
// bytes, with a mark for what is left out. Never throws, and never changes what it reads.

const { types } = require("util");
const {
  LONG_TEXT,
  MOST_NAME,
  MOST_PARTS,
  MOST_TEXT,
  UNREADABLE,
  attempt,
  bytesOf,
  cut,
  describe,
  isError,
  mark,
  textOfBigInt,
} = require("./describe");
const { CLASS } = require("./errors");
const { hasOwn } = require("./own");
const { Buffer, JSON, Map, Set } = require("./primordials");
const { stackOf, stackOfLong } = require("./stack");

/** The most bytes of a failed event's error. */
const MOST_BYTES = 256 * 1024;

/** An error is told of only if there is room for this many bytes of it. */
const LEAST_OF_ERROR = 1024;

/** Properties and items that are read, of one object and in all. */
const MOST_ITEMS = 1000;
const MOST_IN_ALL = 10000;

/** How deep objects lie in each other. */
const MOST_DEEP = 50;

/**
 * Milliseconds of processor time after which nothing more is read, once so many items were: what is small is always
 * whole, and a busy machine changes nothing.
 */
const MOST_TIME = 15;
const ALWAYS_READ = 500;

/** What an object takes at least: its brackets, or the mark in its place, and the mark of what was cut. */
const BYTES_OF_OBJECT = 160;

/** What an item takes beside its name and its value. */
const BYTES_OF_ITEM = 8;

/** The most parts of all objects whose `toJSON` is called: it may take its time with each. */
const MOST_PARTS_IN_ALL = 20000;

/** What is told of each error before its own properties. */
const OF_ERRORS = ["name", "message", "stack", "code", "cause", "errors"];

/** @type {ReadonlySet<string>} */
const NONE = new Set();

const CIRCULAR = "[circular]";

/**
 * An object that is still to be read, and where it goes.
 * @typedef {object} Pending
 * @property {any} source
 * @property {Record<string, unknown> | unknown[]} into
 * @property {Pending | undefined} parent
 * @property {number} depth
 */

/** The reading of one thrown value: level by level, so that what is near comes before what is deep. */
class Reading {
  /** @param {ReadonlySet<string>} classes the names of those classes of errors that the master knows */
  constructor(classes) {
    this.classes = classes;
    this.bytes = MOST_BYTES - BYTES_OF_OBJECT;
    this.items = 0;
    this.parts = MOST_PARTS_IN_ALL;
    this.started = process.cpuUsage();
    /** @type {Pending[]} */
    this.pending = [];
  }

  /** @param {any} thrown @returns {Record<string, unknown>} */
  read(thrown) {
    const plain = Object.create(null);
    if (isErrorLike(thrown)) {
      this.readError({ source: thrown, into: plain, parent: undefined, depth: 0 });
    } else {
      const top = { source: undefined, into: plain, parent: undefined, depth: 0 };
      this.put(plain, "name", "NonError", top);
      this.put(plain, "message", describe(thrown), top);
      this.put(plain, "stack", `NonError: ${plain.message}`, top);
      this.put(plain, "thrown", thrown, top);
    }
    for (let next = 0; next < this.pending.length; next++) this.readObject(this.pending[next]);
    return plain;
  }

  /** @param {Pending} pending */
  readObject(pending) {
    const { source, into } = pending;
    if (!this.goesOn()) {
      /** @type {any} */ (into)[Array.isArray(into) ? 0 : "…"] = mark("all of it");
    } else if (Array.isArray(into)) {
      this.readItems(pending, source.length, (at) => source[at]);
    } else if (isError(source)) {
      this.readError(pending);
    } else if (ArrayBuffer.isView(source)) {
      this.readView(pending);
    } else {
      this.readProperties(pending, []);
    }
  }

  /**
   * Those of an error are told first, whether a loop over its properties shows them or not.
   * @param {Pending} pending
   */
  readError(pending) {
    const { source } = pending;
    const into = /** @type {Record<string, unknown>} */ (pending.into);
    if (this.bytes < LEAST_OF_ERROR) {
      into["…"] = mark("an error");
      return;
    }
    // Before its message is: what is read is put together.
    const short = stackOfLong(source);
    this.get(into, "name", () => source.name, pending, MOST_NAME);
    if (into.name === undefined) this.put(into, "name", "Error", pending);
    this.get(into, "message", () => source.message, pending, this.bytes / 2);
    if (typeof into.message !== "string") this.put(into, "message", UNREADABLE, pending);
    this.get(into, "stack", () => stackOf(source, short), pending);
    if (typeof into.stack !== "string")
      this.put(into, "stack", `${describe(into.name)}: ${into.message}`, pending);
    this.get(into, CLASS, () => this.classOf(source), pending);
    for (const name of ["code", "cause", "errors"])
      this.get(into, name, () => source[name], pending);
    this.readProperties(pending, OF_ERRORS);
  }

  /** The class that the master makes an error of, if it is not to be seen from its name. @param {any} source */
  classOf(source) {
    if (this.classes.size === 0) return undefined;
    let at = source;
    // A proxy may have one prototype after another.
    for (let deep = 0; at !== null && deep < MOST_DEEP; deep++, at = Object.getPrototypeOf(at)) {
      const name = hasOwn(at, "constructor") ? at.constructor.name : undefined;
      if (this.classes.has(name)) return name === source.name ? undefined : name;
    }
    return undefined;
  }

  /** @param {Pending} pending @param {string[]} known names that were read before */
  readProperties(pending, known) {
    const { source, into } = pending;
    /** @type {string[]} */
    const names = attempt(() => Object.keys(source), []);
    for (let at = 0; at < names.length; at++) {
      if (known.includes(names[at])) continue;
      if (at >= MOST_ITEMS || !this.get(into, names[at], () => source[names[at]], pending)) {
        /** @type {any} */ (into)["…"] = mark(`${names.length - at} more properties`);
        return;
      }
    }
  }

  /**
   * A Buffer as its `toJSON` gives it, another view as JSON does; bytes that have no items are none.
   * @param {Pending} pending
   */
  readView(pending) {
    const { source, into } = pending;
    if (!Buffer.isBuffer(source)) {
      this.readItems(pending, source.length || 0, (at) => source[at]);
      return;
    }
    /** @type {unknown[]} */
    const data = [];
    Object.assign(into, { type: "Buffer", data });
    this.readItems({ ...pending, into: data }, source.length, (at) => source[at]);
  }

  /** @param {Pending} pending @param {number} length @param {(at: number) => unknown} item */
  readItems(pending, length, item) {
    const { into } = /** @type {{ into: any }} */ (pending);
    for (let at = 0; at < length; at++) {
      const isRead = at < MOST_ITEMS && this.get(into, at, () => item(at), pending);
      // As in JSON, an array has no holes.
      const isHole = isRead && Array.isArray(into) && into.length === at;
      if (!isRead || (isHole && !this.put(into, at, null, pending))) {
        into[Array.isArray(into) ? at : "…"] = mark(`${length - at} more`);
        return;
      }
    }
  }

  /**
   * Reads one property. False if there is no room for any more; what cannot be read is left out.
   * @param {any} into
   * @param {string | number} name
   * @param {() => unknown} get
   * @param {Pending} pending
   * @param {number} [most] bytes of its value
   */
  get(into, name, get, pending, most) {
    if (!this.goesOn()) return false;
    let value;
    try {
      value = get();
    } catch (_) {
      return true;
    }
    return this.put(into, name, value, pending, most);
  }

  /** Whether there is time, and room for one more item. */
  goesOn() {
    this.items++;
    if (this.items > MOST_IN_ALL) return false;
    return this.items <= ALWAYS_READ || this.hasTime();
  }

  hasTime() {
    const { user, system } = process.cpuUsage(this.started);
    return (user + system) / 1e3 < MOST_TIME;
  }

  /**
   * @param {any} into
   * @param {string | number} name
   * @param {unknown} value
   * @param {Pending} pending
   * @param {number} most bytes of a text
   * @returns {boolean} whether there was room
   */
  put(into, name, value, pending, most = MOST_TEXT) {
    const key = typeof name === "string" ? cut(name, MOST_NAME) : name;
    const bytes = BYTES_OF_ITEM + (typeof key === "string" ? bytesOf(key) : 0);
    if (this.bytes < bytes) return false;
    const room = Math.min(this.bytes - bytes, most, MOST_TEXT);
    const plain = this.plain(value, String(name), room, pending);
    if (plain === undefined) return true;
    const isObject = typeof plain === "object" && plain !== null;
    const taken = bytes + (isObject ? BYTES_OF_OBJECT : bytesOf(plain));
    if (this.bytes < taken) {
      if (isObject) this.pending.pop();
      return false;
    }
    this.bytes -= taken;
    into[key] = plain;
    return true;
  }

  /**
   * What stands for a value in JSON: itself, or an object that is filled later; undefined if nothing does.
   * @param {unknown} given
   * @param {string} name
   * @param {number} most bytes of a text
   * @param {Pending} parent
   */
  plain(given, name, most, parent) {
    const value = this.asJson(given, name);
    switch (typeof value) {
      case "string":
        if (value.length > LONG_TEXT && !this.hasTime()) return mark(`${value.length} characters`);
        return cut(value, most);
      case "number":
        return Number.isFinite(value) ? value : null;
      case "boolean":
        return value;
      case "bigint":
        return textOfBigInt(value);
      case "object":
        return value === null ? null : this.later(value, parent);
      default:
        return undefined;
    }
  }

  /** @param {object} source @param {Pending} parent */
  later(source, parent) {
    for (let at = /** @type {Pending | undefined} */ (parent); at !== undefined; at = at.parent) {
      if (at.source === source) return CIRCULAR;
    }
    const isArray = attempt(() => Array.isArray(source), false);
    if (parent.depth >= MOST_DEEP) return mark(isArray ? "an array" : "an object");
    const into = isArray ? [] : Object.create(null);
    this.pending.push({ source, into, parent, depth: parent.depth + 1 });
    return into;
  }

  /**
   * What `toJSON` makes of a value, as in JSON. An error is told by its own properties, and bytes are read as far
   * as there is room.
   * @param {any} value
   * @param {string} name
   */
  asJson(value, name) {
    if (value === null || typeof value !== "object") return value;
    if (isError(value) || ArrayBuffer.isView(value)) return value;
    try {
      if (value instanceof Number || value instanceof String || value instanceof Boolean)
        return value.valueOf();
      return typeof value.toJSON === "function" && this.isSmall(value) ? value.toJSON(name) : value;
    } catch (_) {
      return value;
    }
  }

  /** Whether an object has few parts. @param {object} value */
  isSmall(value) {
    const most = Math.min(MOST_PARTS, this.parts);
    const parts = partsOf(value, most);
    this.parts -= parts;
    return parts < most;
  }
}

/**
 * How many parts a value has, `most` at most: its properties, its items, theirs, and one for each 1,000
 * characters.
 * @param {unknown} value
 * @param {number} most
 */
function partsOf(value, most) {
  let parts = 0;
  const found = [value];
  while (found.length > 0 && parts < most) {
    const next = /** @type {any} */ (found.pop());
    parts += typeof next === "string" ? 1 + next.length / 1000 : 1;
    if (next === null || typeof next !== "object" || types.isProxy(next)) continue;
    const size = sizeOf(next);
    if (size > most - parts) return most;
    if (ArrayBuffer.isView(next)) parts += size;
    else for (const name of Object.keys(next)) found.push(ownValue(next, name));
    if (next instanceof Map || next instanceof Set) parts += size;
  }
  return Math.min(parts, most);
}

/** What can be told of an object's size before its properties are listed. @param {any} object no proxy */
function sizeOf(object) {
  if (Array.isArray(object)) return object.length;
  if (types.isMap(object) || types.isSet(object)) return object.size;
  return ArrayBuffer.isView(object) ? object.byteLength : 0;
}

/** A property's value, if no code is to run for it. @param {object} object @param {string} name */
function ownValue(object, name) {
  const property = Object.getOwnPropertyDescriptor(object, name);
  return property?.value;
}

/** Whether it has a message, as an error does. @param {any} value */
function isErrorLike(value) {
  if (value === null || typeof value !== "object") return false;
  return attempt(() => "message" in value, false) || isError(value);
}

/**
 * What a failed event's entry says of what was thrown: JSON of name, message, stack, code, cause and errors, and
 * of the thrown object's own properties. Errors in it are plain objects of the same shape.
 * @param {unknown} thrown
 * @param {ReadonlySet<string>} [classes] the names of those classes of errors that the master knows
 * @returns {string}
 */
const errorToJson = (thrown, classes = NONE) => JSON.stringify(new Reading(classes).read(thrown));

module.exports = { errorToJson };
