"use strict";
// Events as far as locks are concerned: what each waits for and holds, so that an event which nobody waits for any more ends its
// waits. Always loaded, because an event may be aborted before the program has asked for a lock.

const { Map, Set, WeakMap } = require("../primordials");

/** Something that an event waits for or holds. `leave`: it ends with the event. @typedef {{ abort: (error: Error) => void, leave?: (error: Error) => void }} Abortable */
/** How an event is named to the core: its index and the flags of its answer. @typedef {[number, number]} EventName */

/** How often the events of this process have counted down, by events and latches. @type {WeakMap<object, globalThis.Map<string, number>>} */
const counted = new WeakMap();

class Scope {
  /**
   * @param {EventName | undefined} name none: the core does not know the event
   * @param {object | undefined} event the same object for each attempt at it, if the core does not know it
   */
  constructor(name, event) {
    this.name = name;
    this.event = event;
    /** How the shared memory names it. @type {number | undefined} */
    this.word = undefined;
    /** @type {globalThis.Set<Abortable>} */
    this.live = new Set();
    /** The event has ended. */
    this.isOver = false;
    /** Why nobody waits for the event any more. @type {Error | undefined} */
    this.error = undefined;
    /** How often it has counted down, by latches. @type {globalThis.Map<string, number> | undefined} */
    this.ordinals = undefined;
  }

  /** How often it has counted down a latch before. @param {string} latch */
  ordinalOf(latch) {
    if (this.ordinals === undefined) this.ordinals = new Map();
    const ordinal = this.ordinals.get(latch) || 0;
    this.ordinals.set(latch, ordinal + 1);
    return ordinal;
  }

  /** Whether an earlier attempt has counted so often already. The core knows that of the events that it knows. @param {string} latch @param {number} ordinal */
  hasCounted(latch, ordinal) {
    if (this.event === undefined) return false;
    const counts = counted.get(this.event) || new Map();
    counted.set(this.event, counts);
    const before = counts.get(latch) || 0;
    if (ordinal < before) return true;
    counts.set(latch, ordinal + 1);
    return false;
  }

  /** @param {Error} error */
  abort(error) {
    if (this.error !== undefined) return;
    this.error = error;
    for (const one of [...this.live]) one.abort(error);
    this.live.clear();
  }

  /** The event has ended. Who does not come to a barrier any more waits for nobody there. */
  end() {
    this.isOver = true;
    for (const one of [...this.live]) {
      if (one.leave === undefined) continue;
      const { aborted } = require("./faults");
      one.leave(aborted("this event has ended, and has not awaited this"));
    }
  }
}

/** By an attempt at an event. @type {WeakMap<object, Scope>} */
const scopes = new WeakMap();

/**
 * @param {object} attempt
 * @param {EventName} [name]
 * @param {object} [event] see `Scope`
 * @returns {Scope}
 */
function scopeOf(attempt, name, event) {
  let scope = scopes.get(attempt);
  if (scope === undefined) {
    scope = new Scope(name, event);
    scopes.set(attempt, scope);
  }
  return scope;
}

/** An event has ended. @param {object} attempt */
function endScope(attempt) {
  scopes.get(attempt)?.end();
}

/** Nobody waits for an event any more. @param {object} attempt @param {boolean} isLate */
function abort(attempt, isLate) {
  const scope = scopes.get(attempt);
  if (scope === undefined) return;
  const { aborted } = require("./faults");
  const why = isLate ? "this event ran longer than its taskTimeout" : "this event was aborted";
  scope.abort(aborted(why));
}

module.exports = { abort, endScope, scopeOf };
