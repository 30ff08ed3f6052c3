"use strict";
// Queues as programs see them. `Queue` holds what it is given. The other two look the same and are filled by a run: `ResultQueue`
// decodes results when somebody looks at them, `WorkerQueue` lists the free workers from the first look on.

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** A first-in, first-out queue over an array that anybody may look at and change. */
class Queue {
  constructor() {
    /** @type {any[]} */
    this.elements = [];
  }

  getElements() {
    return this.elements;
  }

  /** @param {any} node */
  enqueue(node) {
    this.elements.push(node);
  }

  dequeue() {
    return this.elements.shift();
  }

  isEmpty() {
    return this.elements.length === 0;
  }
}

/**
 * Makes `elements` of `queue` an own, enumerable property whose array is made at the first look, so
 * that `JSON.stringify`, a spread and a loop over the keys see what they see in a plain queue.
 * @param {Queue} queue
 * @param {() => any[]} get
 * @param {(elements: any[]) => void} set
 */
function defineElements(queue, get, set) {
  Object.defineProperty(queue, "elements", { get, set, enumerable: true, configurable: true });
}

/**
 * Shows a queue as `console.log` shows a plain one.
 * @this {Queue}
 * @param {number} _depth
 * @param {import("util").InspectOptions} options
 */
function show(_depth, options) {
  const plain = new Queue();
  plain.elements = this.elements;
  return require("util").inspect(plain, options);
}

/**
 * Where {@link Entries} come from.
 * @typedef {object} Source
 * @property {() => any[] | null} pull the next entries, decoded; null if there are none
 * @property {() => number} count how many are still to be pulled
 * @property {() => void} seen somebody looks for the first time
 * @property {() => void} touched somebody holds the array: entries are pushed from now on
 * @property {() => boolean} isEarly somebody has looked, and there was none: whether some are still to come
 * @property {() => void} found the first was taken after that
 */

/**
 * What is in a {@link ResultQueue}. An object of its own, because V8 is slow to find anything in one whose
 * property was made an accessor.
 */
class Entries {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    /** Decoded entries, of which those before `next` are taken. @type {any[]} */
    this.ready = [];
    this.next = 0;
    /** The array that the program holds. @type {any[] | null} */
    this.live = null;
    /** Somebody has looked. */
    this.isSeen = false;
    /** Somebody has looked in vain and too early, and taken none since. */
    this.isMissed = false;
  }

  see() {
    this.isSeen = true;
    this.source.seen();
  }

  take() {
    if (!this.isSeen) this.see();
    if (this.live !== null) return this.live.shift();
    if (!this.fill()) return undefined;
    if (this.isMissed) this.isFound();
    const entry = this.ready[this.next];
    this.ready[this.next++] = undefined;
    return entry;
  }

  isEmpty() {
    if (!this.isSeen) this.see();
    if (this.live !== null) return this.live.length === 0;
    return !this.fill();
  }

  /** @param {any} entry */
  push(entry) {
    (this.live || this.ready).push(entry);
  }

  absorb() {
    for (let more = this.source.pull(); more !== null; more = this.source.pull()) {
      for (const entry of more) this.push(entry);
    }
  }

  /** Whether there is a decoded entry for a program that looks for one. */
  fill() {
    if (this.decode()) return true;
    if (!this.isMissed) this.isMissed = this.source.isEarly();
    return false;
  }

  /** Whether there is a decoded entry; decodes some if there was none. */
  decode() {
    if (this.next < this.ready.length) return true;
    this.ready = this.source.pull() || [];
    this.next = 0;
    return this.ready.length > 0;
  }

  isFound() {
    this.isMissed = false;
    this.source.found();
  }

  /** How many there are, without taking them. */
  count() {
    if (this.live !== null) return this.live.length;
    return this.ready.length - this.next + this.source.count();
  }

  /** The first, without taking it. */
  peek() {
    if (this.live !== null) return this.live[0];
    return this.decode() ? this.ready[this.next] : undefined;
  }

  touch() {
    if (!this.isSeen) this.see();
    if (this.isMissed) this.isFound();
    if (this.live === null) {
      this.absorb();
      this.live = this.ready.slice(this.next);
      this.ready = [];
      this.source.touched();
    }
    return this.live;
  }
}

/** The queue of {@link Entries} that the program has. */
class ResultQueue extends Queue {
  /** @type {Entries} */
  #entries;

  /** @param {Entries} entries */
  constructor(entries) {
    super();
    this.#entries = entries;
    defineElements(
      this,
      () => entries.touch(),
      (elements) => {
        entries.touch();
        entries.live = elements;
      },
    );
  }

  dequeue() {
    return this.#entries.take();
  }

  isEmpty() {
    return this.#entries.isEmpty();
  }
}

/**
 * Where a {@link WorkerQueue} gets its ids.
 * @typedef {object} WorkerSource
 * @property {() => number[]} lookAtWorkers the program looks for the first time: the ids of the free workers
 * @property {() => void} serveIds ids may have been added
 */

class WorkerQueue extends Queue {
  /**
   * What the queue belongs to; undefined if it is none of these. (Much faster than a `WeakMap`, and asked
   * for every event.)
   * @param {any} queue
   * @returns {any}
   */
  static ownerOf(queue) {
    if (!(queue instanceof WorkerQueue)) return undefined;
    try {
      return queue.#owner;
    } catch (_) {
      // It only has the prototype: a Proxy, for instance.
      return undefined;
    }
  }

  /** @type {any} */
  #owner;
  /** @type {WorkerSource} */
  #source;
  /** @type {any[] | null} */
  #ids = null;

  /** @param {any} owner @param {WorkerSource} source */
  constructor(owner, source) {
    super();
    this.#owner = owner;
    this.#source = source;
    defineElements(
      this,
      () => this.#look(),
      (elements) => {
        this.#look();
        this.#ids = elements;
        this.#source.serveIds();
      },
    );
  }

  /** @param {any} id */
  enqueue(id) {
    this.#look().push(id);
    this.#source.serveIds();
  }

  #look() {
    if (this.#ids === null) {
      this.#ids = [];
      this.#ids = this.#source.lookAtWorkers();
    }
    return this.#ids;
  }
}

for (const Class of [ResultQueue, WorkerQueue]) {
  Object.defineProperty(Class, "name", { value: "Queue" });
  Object.defineProperty(Class.prototype, inspect, { value: show });
}

module.exports = { Entries, Queue, ResultQueue, WorkerQueue };
